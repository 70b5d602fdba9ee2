"""A job on the native wire: statusInfo of 1.0 and 2.0 at once, and what the standard lacks."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import msgspec

from haulier.core.job import Job, Step
from haulier.core.lifecycle import State
from haulier.core.problem import Problem, ProblemBody
from haulier.core.progress import Progress
from haulier.wire.dialect import View
from haulier.wire.ogc.errors import ProblemDocument, describe
from haulier.wire.ogc.status import WORDS, Word

REL: Final = "http://www.opengis.net/def/rel/ogc/1.0/"
JSON: Final = "application/json"
SUCCESSFUL: Final = frozenset({State.SUCCEEDED, State.PARTIAL})
RENAMED: Final = {
    "job_id": "jobID",
    "process_id": "processID",
    "entity_type": "processingEntityType",
}


class Link(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where something else stands, and what it is to this."""

    href: str
    rel: str
    type: str = ""
    title: str = ""


class Details(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What we know of a job and the standard has no word for."""

    number: int
    state: State
    kind: str
    fraction: Annotated[float, msgspec.Meta(ge=0, le=1)]
    version: int
    phase: str = ""
    message: str = ""
    counters: Mapping[str, float] = {}
    statistics: Mapping[str, Any] | None = None
    result: Mapping[str, Any] | None = None
    problem: ProblemBody | None = None
    labels: Mapping[str, Any] = {}
    priority: int = 5
    attempt: int = 0
    retry_of: UUID | None = None
    not_before: datetime | None = None
    timeout_s: float | None = None
    stopped_at: datetime | None = None
    steps: tuple[Step, ...] = ()


class StatusInfo(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename=RENAMED):
    """How a job stands; the members that 1.0 requires and those that 2.0 requires."""

    job_id: UUID
    id: UUID
    process_id: str
    type: Literal["process"]
    entity_type: Literal["ogc-api-processes"]
    status: Word
    progress: Annotated[int, msgspec.Meta(ge=0, le=100)]
    created: datetime
    updated: datetime
    started: datetime | None = None
    finished: datetime | None = None
    title: str = ""
    message: str = ""
    exception: ProblemDocument | None = None
    links: tuple[Link, ...]
    haulier: Details


def render(job: Job, view: View) -> StatusInfo:
    """Give the statusInfo of a job."""
    return status_info(job, view)


def status_info(
    job: Job, view: View, *, steps: tuple[Step, ...] = (), status: Word | None = None
) -> StatusInfo:
    """Give the statusInfo of a job.

    Args:
        job: the job.
        view: what else a rendering needs to know.
        steps: shown with it, where they were read.
        status: what to say instead of the state's word.
    """
    return StatusInfo(
        job_id=job.id,
        id=job.id,
        process_id=slug_of(job.kind, view),
        type="process",
        entity_type="ogc-api-processes",
        status=status or WORDS[job.state],
        progress=_percent(job),
        created=job.created_at,
        updated=job.updated_at,
        started=job.started_at,
        finished=job.finished_at,
        title=job.title,
        message=_message(job),
        exception=None if job.problem is None else describe(job.problem),
        links=_links(job, f"{view.base_url}/jobs/{job.id}"),
        haulier=_details(job, steps),
    )


def parse(body: Mapping[str, Any]) -> Job:
    """Read a statusInfo of ours back, as far as it says what the job is.

    Raises:
        msgspec.ValidationError: it is no statusInfo, or it is another server's.
    """
    info = msgspec.convert(body, StatusInfo)
    details = info.haulier
    return Job(
        id=info.id,
        number=details.number,
        organisation="",
        subject="",
        family="",
        kind=details.kind,
        title=info.title,
        labels=details.labels,
        state=details.state,
        progress=Progress(details.fraction, details.phase, details.message, details.counters),
        statistics=details.statistics,
        result=details.result,
        problem=details.problem,
        priority=details.priority,
        attempt=details.attempt,
        version=details.version,
        retry_of=details.retry_of,
        not_before=details.not_before,
        timeout_s=details.timeout_s,
        created_at=info.created,
        updated_at=info.updated,
        started_at=info.started,
        finished_at=info.finished,
        stopped_at=details.stopped_at,
    )


def slug_of(kind: str, view: View) -> str:
    """Give the process id of a kind, also of one that is not installed any more."""
    try:
        return view.kinds.get(kind).slug
    except Problem:
        return kind.lower().replace("_", "-")


def _percent(job: Job) -> int:
    """Give the progress in whole percent; 100 is said of a job that has succeeded only."""
    return 100 if job.state is State.SUCCEEDED else min(99, int(job.progress.fraction * 100))


def _message(job: Job) -> str:
    return job.progress.message if job.problem is None else job.problem.detail


def _links(job: Job, url: str) -> tuple[Link, ...]:
    own = (
        Link(url, "self", JSON),
        Link(f"{url}/steps", "related", JSON, "steps"),
        Link(f"{url}/timeline", "related", JSON, "timeline"),
        Link(f"{url}/artifacts", "related", JSON, "artifacts"),
    )
    if job.state not in SUCCESSFUL:
        return own
    return (*own, Link(f"{url}/results", f"{REL}results", JSON))


def _details(job: Job, steps: tuple[Step, ...]) -> Details:
    return Details(
        number=job.number,
        state=job.state,
        kind=job.kind,
        fraction=job.progress.fraction,
        version=job.version,
        phase=job.progress.phase,
        message=job.progress.message,
        counters=job.progress.counters,
        statistics=job.statistics,
        result=job.result,
        problem=job.problem,
        labels=job.labels,
        priority=job.priority,
        attempt=job.attempt,
        retry_of=job.retry_of,
        not_before=job.not_before,
        timeout_s=job.timeout_s,
        stopped_at=job.stopped_at,
        steps=steps,
    )
