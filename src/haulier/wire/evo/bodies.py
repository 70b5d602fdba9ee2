"""A job on this wire: how it stands, and what it gave."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

import msgspec
from msgspec import UNSET, UnsetType

from haulier.core.artifact import OwnFile
from haulier.core.job import Job
from haulier.core.lifecycle import State
from haulier.core.problem import Code, Problem, ProblemBody
from haulier.wire.dialect import View
from haulier.wire.evo.errors import ErrorBody, describe, renamed
from haulier.wire.evo.paths import job_url, org_of
from haulier.wire.evo.status import WORDS, Word
from haulier.wire.evo.tasks import below_parameters, submitted_as, task_of

PERCENT: Final = 100
OWN_FILE: Final = set(OwnFile.__struct_fields__)
CANCELLED: Final = ProblemBody(Code.CANCELLED, "the job was cancelled, so it has no results")
SILENT: Final = ProblemBody(Code.INTERNAL, "the job failed without a word")

#: What is said where the work itself says nothing, or has ended.
MESSAGES: Final[Mapping[State, str]] = {
    State.QUEUED: "Job requested",
    State.RUNNING: "Job in progress",
    State.CANCELLING: "Job cancelling",
    State.SUCCEEDED: "Job succeeded",
    State.PARTIAL: "Job succeeded in part",
    State.FAILED: "Job failed",
    State.CANCELLED: "Job cancelled",
}
#: The newer pages say `results`, the older one `result`; their client reads neither.
LINKS: Final[Mapping[State, tuple[str, ...]]] = {
    State.QUEUED: ("cancel",),
    State.RUNNING: ("cancel",),
    State.CANCELLING: (),
    State.SUCCEEDED: ("result", "results"),
    State.PARTIAL: ("result", "results"),
    State.FAILED: ("result", "results"),
    State.CANCELLED: (),
}


class Links(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where to go on from a job. All but `status` lead to one address, by other methods."""

    cancel: str | UnsetType = UNSET
    status: str | UnsetType = UNSET
    result: str | UnsetType = UNSET
    results: str | UnsetType = UNSET


class StatusBody(msgspec.Struct, frozen=True, kw_only=True):
    """How a job stands."""

    status: Word
    progress: int
    message: str
    error: ErrorBody | None = None
    links: Links | UnsetType = UNSET


class ResultsBody(msgspec.Struct, frozen=True, kw_only=True):
    """What a job gave; or why it gave nothing, or not yet."""

    status: Word
    results: Mapping[str, Any] | UnsetType = UNSET
    error: ErrorBody | UnsetType = UNSET
    links: Links | UnsetType = UNSET


def render(job: Job, view: View) -> StatusBody:
    """Give how a job stands."""
    url = _url(job, view)
    links = dict.fromkeys(LINKS[job.state], url)
    working = job.state in {State.RUNNING, State.CANCELLING}
    return StatusBody(
        status=WORDS[job.state],
        progress=int(PERCENT * job.progress.fraction),
        message=(job.progress.message if working else "") or MESSAGES[job.state],
        error=_error(job) if job.state is State.FAILED else None,
        links=Links(**links) if links else UNSET,
    )


def render_results(job: Job, view: View) -> ResultsBody:
    """Give what a job gave.

    A cancelled job has an error here, and none in its status: with neither results nor error
    the vendor's client takes the answer for a broken one.
    """
    word = WORDS[job.state]
    if job.state in {State.SUCCEEDED, State.PARTIAL}:
        return ResultsBody(status=word, results=_linked(job.result or {}, job, view))
    if job.state is State.FAILED:
        return ResultsBody(status=word, error=_error(job))
    if job.state is State.CANCELLED:
        return ResultsBody(status=word, error=describe(CANCELLED))
    url = _url(job, view)
    return ResultsBody(status=word, links=Links(cancel=url, status=f"{url}/status"))


def _error(job: Job) -> ErrorBody:
    """Give why a job failed, its fields as the request for it had them."""
    return describe(renamed(job.problem or SILENT, below_parameters))


def _linked(value: Any, job: Job, view: View) -> Any:  # noqa: ANN401 -- JSON
    """Give a result in which files of the job are addresses: where the native wire has them."""
    if isinstance(value, Mapping):
        if value.keys() == OWN_FILE:
            name = quote(msgspec.convert(value, OwnFile).artifact, safe="")
            return f"{view.base_url}/jobs/{job.id}/artifacts/{name}"
        return {name: _linked(each, job, view) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_linked(each, job, view) for each in value]
    return value


def _url(job: Job, view: View) -> str:
    """Give where a job stands; one that came by another wire, where this one would have put it."""
    place = submitted_as(job)
    if place is None:
        try:
            place = (org_of(job.organisation), *task_of(view.kinds, job.kind))
        except Problem:  # a kind that is not installed any more
            place = (org_of(job.organisation), job.family or "none", job.kind)
    return job_url(view.base_url, place, job.id)
