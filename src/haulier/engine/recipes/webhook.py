"""The step that the engine does itself: what a recipe says to have a webhook called."""

from typing import Annotated, Final

import msgspec

from haulier.core.stepkind import ANY, Slot, StepKind

ENGINE: Final = "engine"  # the family of such steps; no package can be called so: see `registry`


class CallWebhook(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Tell somebody how the job stands."""

    webhook_url: Annotated[
        str,
        msgspec.Meta(
            description="Where the job is sent to, as JSON: what a GET of the job gives. "
            "Empty: nobody is called, so that a recipe may offer it.",
            max_length=2000,
            pattern="^([Hh][Tt][Tt][Pp][Ss]?://.+)?$",
        ),
    ] = ""


CALL_WEBHOOK: Final = StepKind(
    name="CALL_WEBHOOK",
    title="Call a webhook",
    description=(
        "Sends the job, as a GET of it gives it, to an address; signed, and tried again where "
        "nobody takes it. What comes of it does not change the job."
    ),
    params=CallWebhook,
    accepts={
        "waits_for": Slot(
            ANY, "What must exist, or whose maker must have ended, before.", required=False
        )
    },
    produces={},
    deterministic=False,
)
