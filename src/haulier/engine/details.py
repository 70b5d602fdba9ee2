"""What a job is made of: its progress, steps, artifacts and timeline; written by one attempt."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
import sqlalchemy as sa

from haulier.core.artifact import Artifact
from haulier.core.family import StepResult
from haulier.core.job import Happening, Step
from haulier.core.lifecycle import ACTIVE, TERMINAL, State
from haulier.core.problem import ProblemBody
from haulier.core.progress import Progress
from haulier.engine.prefixes import ARTIFACT_DEPTH
from haulier.engine.quick import Quick
from haulier.engine.rows import (
    ARTIFACT_COLUMNS,
    EVENT_COLUMNS,
    STEP_COLUMNS,
    artifact_of,
    happening_of,
    step_of,
)
from haulier.engine.store import AttemptLostError, add_event, own_job
from haulier.engine.tables import RUNNING_STEPS, artifacts, events, jobs, steps

READ: Final = "step.read"  # in the timeline: which content of which files a step reads

_STEPS: Final = Quick(
    sa.select(*STEP_COLUMNS).where(steps.c.job == sa.bindparam("id")).order_by(steps.c.position)
)


class StepProgress(msgspec.Struct, frozen=True):
    """How far a step is."""

    fraction: float
    message: str
    counters: Mapping[str, float]
    parts: int
    parts_done: int


class StepEnd(msgspec.Struct, frozen=True, kw_only=True):
    """How a step ended.

    Attributes:
        skipped: it never ran, because one that it needs did not succeed.
        reused: another job's result was taken over.
        work: by what later jobs find the result; empty: as it was said at the start.
    """

    state: State
    result: StepResult | None = None
    artifacts: Sequence[Artifact] = ()
    problem: ProblemBody | None = None
    skipped: bool = False
    reused: bool = False
    work: str = ""


def write_progress(
    connection: sa.Connection,
    job_id: UUID,
    attempt: int,
    progress: Progress,
    *,
    now: datetime,
    running: Mapping[str, StepProgress],
) -> None:
    """Write how far a job and its running steps are.

    Raises:
        AttemptLostError: the attempt does not own the job any more.
    """
    here = (
        jobs.c.id == str(job_id),
        jobs.c.attempt == attempt,
        jobs.c.state.in_([State.RUNNING, State.CANCELLING]),
    )
    change = {
        "fraction": progress.fraction,
        "phase": progress.phase,
        "message": progress.message,
        "counters": progress.counters,
        "updated_at": now,
        "version": jobs.c.version + 1,
    }
    if not connection.execute(sa.update(jobs).where(*here).values(change)).rowcount:
        raise AttemptLostError
    for step, said in running.items():
        change = {name: getattr(said, name) for name in StepProgress.__struct_fields__}
        mine = (*_at(job_id, step), steps.c.state == State.RUNNING)
        connection.execute(sa.update(steps).where(*mine).values(change))


def _at(job_id: UUID, step: str) -> tuple[sa.ColumnElement[bool], ...]:
    return (steps.c.job == str(job_id), steps.c.id == step)


def start_step(
    connection: sa.Connection,
    job_id: UUID,
    attempt: int,
    step: str,
    *,
    work: str,
    now: datetime,
    read: Sequence[Mapping[str, str]] = (),
) -> None:
    """Note that a step runs, below which key its finished parts lie, and which files it reads.

    Raises:
        AttemptLostError: the attempt does not own the job any more.
    """
    own_job(connection, job_id, attempt)
    started = sa.func.coalesce(steps.c.started_at, sa.literal(now, steps.c.started_at.type))
    change = {
        "state": State.RUNNING,
        "attempts": steps.c.attempts + 1,
        "work": work,
        "started_at": started,
        "fraction": 0,
    }
    connection.execute(sa.update(steps).where(*_at(job_id, step)).values(change))
    add_event(connection, job_id, "step.started", {"step": step}, now)
    if read:
        add_event(connection, job_id, READ, {"step": step, "files": read}, now)


def work_in_use(connection: sa.Connection) -> set[str]:
    """Give the keys below which the finished parts of running steps lie."""
    # From the steps to their jobs: there may be many more active jobs than running steps.
    mine = (jobs.c.id == steps.c.job, jobs.c.state.in_(sorted(ACTIVE)))
    active = sa.exists().where(*mine).correlate(steps)
    query = sa.select(steps.c.work).where(RUNNING_STEPS, active)
    return set(connection.scalars(query))


def settle_step(
    connection: sa.Connection,
    job_id: UUID,
    attempt: int,
    step: str,
    end: StepEnd,
    *,
    now: datetime,
    last: StepProgress | None = None,
) -> None:
    """Note how a step ended, and its artifacts, in one transaction.

    Raises:
        AttemptLostError: the attempt does not own the job any more.
    """
    own_job(connection, job_id, attempt)
    write_end(connection, job_id, step, end, now=now, last=last)
    if end.state is State.SUCCEEDED:  # whatever killed workers so far was not the job: it goes on
        mine = jobs.c.id == str(job_id)
        connection.execute(sa.update(jobs).where(mine).values(strikes=1))


def write_end(
    connection: sa.Connection,
    job_id: UUID,
    step: str,
    end: StepEnd,
    *,
    now: datetime,
    last: StepProgress | None = None,
) -> None:
    """Write how a step ended, whoever owns its job."""
    change: dict[str, Any] = {
        "state": end.state,
        "result": end.result,
        "problem": end.problem,
        "skipped": end.skipped,
        "reused": end.reused,
        "finished_at": now,
    }
    if last is not None:
        change |= {name: getattr(last, name) for name in StepProgress.__struct_fields__}
    elif end.result is not None:  # taken over: this attempt counted nothing
        change |= {"counters": end.result.counters}
    if end.state is State.SUCCEEDED:
        change |= {"fraction": 1.0}
    if end.work:
        change |= {"work": end.work}
    connection.execute(sa.update(steps).where(*_at(job_id, step)).values(change))
    add_artifacts(connection, job_id, step, end.artifacts, now)
    data: dict[str, Any] = {"step": step}
    if end.problem is not None:
        data |= {"code": end.problem.code, "detail": end.problem.detail}
    word = "skipped" if end.skipped else "reused" if end.reused else str(end.state)
    for note in end.result.notes if end.result else ():
        add_event(
            connection, job_id, "step.warning", {"step": step, **msgspec.to_builtins(note)}, now
        )
    add_event(connection, job_id, f"step.{word}", data, now)


def add_artifacts(
    connection: sa.Connection,
    job_id: UUID,
    step: str,
    found: Sequence[Artifact],
    now: datetime,
) -> None:
    """Write the artifacts of a step."""
    rows = [
        {
            "job": str(job_id),
            "step": step,
            "name": artifact.name,
            "filename": artifact.filename,
            "media_type": artifact.media_type,
            "size_bytes": artifact.size_bytes,
            "sha256": artifact.sha256,
            "key": artifact.key,
            "folder": artifact.folder,
            "created_at": now,
        }
        for artifact in found
    ]
    if rows:
        connection.execute(sa.insert(artifacts), rows)


def stop_steps(
    connection: sa.Connection,
    job_id: UUID,
    state: State,
    now: datetime,
    *,
    but: Collection[str] = (),
) -> None:
    """Give the steps that have not ended, but for some, the end of their job."""
    living = steps.c.state.not_in([str(s) for s in TERMINAL])
    mine = (steps.c.job == str(job_id), living, steps.c.id.not_in(but))
    change = {
        "state": state,
        "skipped": steps.c.started_at.is_(None),
        "finished_at": now,
    }
    connection.execute(sa.update(steps).where(*mine).values(change))


def stopped(connection: sa.Connection, job_id: UUID, now: datetime) -> list[str]:
    """Leave nothing of a job that was cancelled; give the keys of files that nobody else uses."""
    stop_steps(connection, job_id, State.CANCELLED, now)
    keys = [artifact.key for artifact in read_artifacts(connection, job_id)]
    connection.execute(sa.delete(artifacts).where(artifacts.c.job == str(job_id)))
    return unused_keys(connection, keys)


def read_steps(connection: sa.Connection, job_id: UUID) -> list[Step]:
    """Give the steps of a job, in the order of its recipe."""
    return [step_of(row) for row in _STEPS.rows(connection, id=str(job_id))]


def read_results(connection: sa.Connection, job_id: UUID) -> dict[str, StepResult]:
    """Give the results of the steps of a job that succeeded, in the order of its recipe."""
    mine = (steps.c.job == str(job_id), steps.c.state == State.SUCCEEDED)
    query = sa.select(steps.c.id, steps.c.result).where(*mine).order_by(steps.c.position)
    return {row.id: msgspec.convert(row.result, StepResult) for row in connection.execute(query)}


def read_artifacts(connection: sa.Connection, job_id: UUID) -> list[Artifact]:
    """Give the artifacts of a job, in the order of its recipe and then by name."""
    query = (
        sa.select(*ARTIFACT_COLUMNS)
        .join(steps, (steps.c.job == artifacts.c.job) & (steps.c.id == artifacts.c.step))
        .where(artifacts.c.job == str(job_id))
        .order_by(steps.c.position, artifacts.c.name)
    )
    return [artifact_of(row) for row in connection.execute(query)]


def read_happenings(
    connection: sa.Connection, job_id: UUID, *, after: int, limit: int
) -> list[Happening]:
    """Give the timeline of a job, from the line after `after` on."""
    query = sa.select(*EVENT_COLUMNS).where(events.c.job == str(job_id), events.c.sequence > after)
    rows = connection.execute(query.order_by(events.c.sequence).limit(limit))
    return [happening_of(row) for row in rows]


def read_noted(connection: sa.Connection, job_id: UUID, type_: str) -> list[Mapping[str, Any]]:
    """Give what the lines of a type in a job's timeline say, oldest first."""
    here = (events.c.job == str(job_id), events.c.type == type_)
    found = connection.execute(sa.select(events.c.data).where(*here).order_by(events.c.sequence))
    return [row.data for row in found]


def unused_keys(connection: sa.Connection, keys: Sequence[str]) -> list[str]:
    """Give those of the keys that are no artifact of any job, nor a file of a folder that is."""
    if not keys:
        return []
    above = {name for key in keys for name in _above(key)}
    used = set(connection.scalars(sa.select(artifacts.c.key).where(artifacts.c.key.in_(above))))
    return [key for key in keys if used.isdisjoint(_above(key))]


def _above(key: str) -> list[str]:
    """Give a key and the names that it lies below, as far as artifacts are kept."""
    parts = key.split("/")
    first = min(ARTIFACT_DEPTH, len(parts))
    return ["/".join(parts[:count]) for count in range(first, len(parts) + 1)]
