"""The vendor's words for the states of a job, as its client spells them."""

from collections.abc import Mapping
from typing import Final, Literal

from haulier.core.lifecycle import State

Word = Literal["requested", "in progress", "succeeded", "failed", "cancelling", "cancelled"]

# The vendor's prose says "canceling" and "canceled"; its client refuses both.
# fmt: off
WORDS: Final[Mapping[State, Word]] = {
    State.QUEUED:     "requested",
    State.RUNNING:    "in progress",
    State.CANCELLING: "cancelling",
    State.SUCCEEDED:  "succeeded",
    State.PARTIAL:    "succeeded",
    State.FAILED:     "failed",
    State.CANCELLED:  "cancelled",
}
# fmt: on
