"""Execution: understands the request, submits the job, and waits where the caller asked to."""

import asyncio
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, Literal

import msgspec

from haulier.core.artifact import FileRef
from haulier.core.caller import Caller
from haulier.core.family import Kind
from haulier.core.job import Job, Submission
from haulier.core.problem import Code, Problem
from haulier.engine.services import Services
from haulier.wire.ogc.describe import Transmission
from haulier.wire.ogc.inputs import below_inputs, params_of

SYNC_LIMIT_S: Final = 60.0
FIRST_LOOK_S: Final = 0.02
LONGEST_LOOK_S: Final = 0.5
LABEL: Final = "ogc"
_WAIT: Final = re.compile(r"wait\s*=\s*\"?(\d{1,9})\"?")


class Wanted(
    msgspec.Struct, frozen=True, omit_defaults=True, rename={"transmission": "transmissionMode"}
):
    """How one output is wanted; without a word, small text by value and files by reference."""

    transmission: Transmission | None = None
    format: Mapping[str, Any] | None = None


class Extras(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What we can do with a job and the standard has no word for."""

    title: str = ""
    priority: Annotated[int, msgspec.Meta(ge=1, le=9)] = 5
    labels: Mapping[str, Any] = {}
    deliver: Mapping[str, FileRef] = {}
    not_before: datetime | None = None
    timeout_s: Annotated[float, msgspec.Meta(gt=0)] | None = None


class Execute(msgspec.Struct, frozen=True, kw_only=True):
    """The body of an execute request, as 1.0 and 2.0 write it."""

    inputs: Mapping[str, Any] = {}
    outputs: Mapping[str, Wanted] | None = None
    response: Literal["raw", "document"] | None = None
    subscriber: Mapping[str, Any] | None = None
    haulier: Extras = msgspec.field(default_factory=Extras)


@dataclass(frozen=True, slots=True)
class Preference:
    """What the Prefer header says of waiting (RFC 7240).

    Attributes:
        asynchronous: do not make the caller wait.
        wait_s: but so many seconds would be fine.
    """

    asynchronous: bool = False
    wait_s: float | None = None

    def applied(self) -> str:
        """Give what was honoured, as Preference-Applied says it."""
        words = ["respond-async"] if self.asynchronous else []
        if self.wait_s is not None:
            words.append(f"wait={self.wait_s:g}")
        return ", ".join(words)


def preference_of(header: str) -> Preference:
    """Read a Prefer header; what it does not know it leaves alone."""
    words = [word.strip().lower() for part in header.split(",") for word in part.split(";")]
    waits = [float(found[1]) for word in words if (found := _WAIT.fullmatch(word))]
    return Preference("respond-async" in words, waits[0] if waits else None)


def patience_s(kind: Kind, preference: Preference) -> float:
    """Give how long to wait for the end of a job before answering with the job itself.

    Short kinds run synchronously unless asked otherwise, long ones only when asked to.
    """
    if preference.wait_s is not None:
        return min(preference.wait_s, SYNC_LIMIT_S)
    return 0.0 if preference.asynchronous or not kind.interactive else SYNC_LIMIT_S


def submission_of(kind: Kind, wanted: Execute, base_url: str) -> Submission:
    """Give what the engine takes, of an execute request.

    Raises:
        Problem: INVALID at the member that is wrong.
    """
    _check_outputs(kind, wanted)
    extras = wanted.haulier
    return Submission(
        kind=kind.name,
        params=params_of(kind, wanted.inputs, base_url),
        title=extras.title,
        priority=extras.priority,
        labels=dict(extras.labels) | {LABEL: _label(wanted)},
        deliver=extras.deliver,
        not_before=_aware(extras.not_before),
        timeout_s=extras.timeout_s,
    )


def _check_outputs(kind: Kind, wanted: Execute) -> None:
    if wanted.subscriber:
        detail = "subscriber: this server does not call back; poll the job instead"
        raise Problem(Code.INVALID, detail, at="subscriber")
    declared = {output.name for output in kind.results}
    for name in wanted.outputs or ():
        if declared and name not in declared:
            known = ", ".join(sorted(declared))
            detail = f"process '{kind.slug}' has no output '{name}'; it has: {known}"
            raise Problem(Code.INVALID, detail, at=f"outputs.{name}")


def _label(wanted: Execute) -> dict[str, Any]:
    """Give what must be remembered for the results: which outputs, and in which shape."""
    said: dict[str, Any] = {}
    if wanted.outputs is not None:
        said["outputs"] = msgspec.to_builtins(wanted.outputs)
    if wanted.response is not None:
        said["response"] = wanted.response
    return said


def _aware(moment: datetime | None) -> datetime | None:
    if moment is not None and moment.tzinfo is None:
        detail = f"haulier.not_before must have a time zone, got {moment.isoformat()!r}"
        raise Problem(Code.INVALID, detail, at="haulier.not_before")
    return moment


async def submit(services: Services, caller: Caller, submission: Submission) -> Job:
    """Take a job on.

    Raises:
        Problem: what is wrong with the request, at its place in the request.
    """
    try:
        return await services.write(services.jobs.submit, caller, submission)
    except Problem as problem:
        raise below_inputs(problem) from None


async def until_ended(services: Services, caller: Caller, job: Job, limit_s: float) -> Job:
    """Look at a job until it has ended or the time is over; give it as it then stands."""
    ends_at = time.monotonic() + limit_s
    pause_s = FIRST_LOOK_S
    while not job.terminal and (left_s := ends_at - time.monotonic()) > 0:
        await asyncio.sleep(min(pause_s, left_s))
        pause_s = min(pause_s * 1.5, LONGEST_LOOK_S)
        job = await services.read(services.jobs.get, caller, job.id)
    return job
