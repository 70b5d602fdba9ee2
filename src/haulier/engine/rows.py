"""From rows of the tables to the nouns of core."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

import msgspec
import sqlalchemy as sa

from haulier.core.artifact import Artifact, FileRef
from haulier.core.job import Happening, Job, Step
from haulier.core.lifecycle import State
from haulier.core.problem import ProblemBody
from haulier.core.progress import Progress
from haulier.engine.tables import artifacts, events, jobs, steps

#: What a Job shows; the recipe and the engine's own marks stay in the table.
JOB_COLUMNS: Final = tuple(
    column for column in jobs.c if column.name not in {"recipe", "worker", "strikes"}
)
STEP_COLUMNS: Final = tuple(
    column for column in steps.c if column.name not in {"job", "result", "work"}
)
ARTIFACT_COLUMNS: Final = tuple(column for column in artifacts.c if column.name != "job")
EVENT_COLUMNS: Final = tuple(events.c)

Row = sa.Row[Any]


def job_of(row: Row) -> Job:
    """Give the job of a row of JOB_COLUMNS."""
    return Job(
        id=UUID(row.id),
        number=row.number,
        organisation=row.organisation,
        subject=row.subject,
        family=row.family,
        kind=row.kind,
        title=row.title,
        params=row.params,
        labels=row.labels,
        deliver=_deliver(row.deliver),
        state=State(row.state),
        progress=Progress(row.fraction, row.phase, row.message, row.counters),
        statistics=row.statistics,
        result=row.result,
        problem=problem_of(row.problem),
        priority=row.priority,
        attempt=row.attempt,
        version=row.version,
        retry_of=UUID(row.retry_of) if row.retry_of else None,
        not_before=row.not_before,
        timeout_s=row.timeout_s,
        created_at=row.created_at,
        updated_at=row.updated_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        stopped_at=row.stopped_at,
    )


def _deliver(body: Mapping[str, Any]) -> Mapping[str, FileRef]:
    return msgspec.convert(body, dict[str, FileRef]) if body else {}


def step_of(row: Row) -> Step:
    """Give the step of a row of STEP_COLUMNS."""
    return Step(
        id=row.id,
        family=row.family,
        kind=row.kind,
        state=State(row.state),
        needs=tuple(row.needs),
        skipped=row.skipped,
        reused=row.reused,
        fraction=row.fraction,
        message=row.message,
        counters=row.counters,
        parts=row.parts,
        parts_done=row.parts_done,
        attempts=row.attempts,
        problem=problem_of(row.problem),
        started_at=row.started_at,
        finished_at=row.finished_at,
    )


def artifact_of(row: Row) -> Artifact:
    """Give the artifact of a row of ARTIFACT_COLUMNS."""
    return Artifact(
        name=row.name,
        filename=row.filename,
        media_type=row.media_type,
        size_bytes=row.size_bytes,
        sha256=row.sha256,
        key=row.key,
        step=row.step,
        created_at=row.created_at,
        folder=row.folder,
    )


def happening_of(row: Row) -> Happening:
    """Give the line of the timeline of a row of EVENT_COLUMNS."""
    return Happening(
        sequence=row.sequence, job_id=UUID(row.job), at=row.at, type=row.type, data=row.data
    )


def problem_of(body: Mapping[str, Any] | None) -> ProblemBody | None:
    """Give the problem of its stored form."""
    return None if body is None else msgspec.convert(body, ProblemBody)
