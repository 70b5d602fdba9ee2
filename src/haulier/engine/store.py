"""The rows of jobs: every move of a job's state happens here, through the lifecycle's table."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from haulier.core.caller import Caller
from haulier.core.identity import new_job_id
from haulier.core.job import Job, Submission
from haulier.core.lifecycle import TERMINAL, TRANSITIONS, Event, State, advance
from haulier.core.problem import Code, Problem
from haulier.core.recipe import Recipe
from haulier.engine.quick import Quick
from haulier.engine.rows import JOB_COLUMNS, job_of
from haulier.engine.tables import ACTIVE_JOBS, events, jobs, organisations, steps

_ONE: Final = {
    name: Quick(
        sa.select(*JOB_COLUMNS).where(
            jobs.c[name] == sa.bindparam("value"), jobs.c.organisation == sa.bindparam("org")
        )
    )
    for name in ("id", "number")
}
_OWNER: Final = Quick(sa.select(jobs.c.organisation).where(jobs.c.id == sa.bindparam("id")))


#: States in which a job belongs to an attempt.
OWNED: Final = frozenset({State.RUNNING, State.CANCELLING})


class AttemptLostError(Exception):
    """Somebody else owns the job now, or it has ended: what this attempt found is dropped."""


def find_job(connection: sa.Connection, organisation: str, **key: Any) -> Job | None:  # noqa: ANN401 -- id or number
    """Give an organisation's job by `id` or by `number`."""
    ((name, value),) = key.items()
    row = _ONE[name].one(connection, value=value, org=organisation)
    return None if row is None else job_of(row)


def check_owner(connection: sa.Connection, organisation: str, job_id: UUID) -> bool:
    """Whether a job is an organisation's."""
    row = _OWNER.one(connection, id=str(job_id))
    return row is not None and row.organisation == organisation


def read_job(connection: sa.Connection, job_id: UUID) -> Job:
    """Give any job that exists, for the engine itself."""
    query = sa.select(*JOB_COLUMNS).where(jobs.c.id == str(job_id))
    return job_of(connection.execute(query).one())


def find_any(connection: sa.Connection, job_id: UUID) -> Job | None:
    """Give any job, for the engine itself; None if it was deleted."""
    query = sa.select(*JOB_COLUMNS).where(jobs.c.id == str(job_id))
    row = connection.execute(query).one_or_none()
    return None if row is None else job_of(row)


def insert_job(
    connection: sa.Connection,
    caller: Caller,
    submission: Submission,
    *,
    family: str,
    recipe: Recipe,
    now: datetime,
    retry_of: UUID | None = None,
) -> Job:
    """Write a new job and its steps."""
    job_id = new_job_id()
    values = {
        "id": str(job_id),
        "organisation": caller.organisation,
        "subject": caller.subject,
        "family": family,
        "kind": submission.kind,
        "title": submission.title,
        "params": submission.params,
        "labels": submission.labels,
        "deliver": submission.deliver,
        "recipe": recipe,
        "state": State.QUEUED,
        "counters": {},
        "priority": submission.priority,
        "retry_of": str(retry_of) if retry_of else None,
        "not_before": submission.not_before,
        "timeout_s": submission.timeout_s,
        "created_at": now,
        "updated_at": now,
    }
    connection.execute(sa.insert(jobs).values(values))
    rows = [
        {
            "job": str(job_id),
            "id": step.id,
            "position": position,
            "family": step.family,
            "kind": step.kind,
            "needs": step.needs,
            "state": State.QUEUED,
            "counters": {},
        }
        for position, step in enumerate(recipe.steps)
    ]
    connection.execute(sa.insert(steps), rows)
    add_event(connection, job_id, "submitted", {"kind": submission.kind}, now)
    return read_job(connection, job_id)


def add_event(
    connection: sa.Connection, job_id: UUID, type_: str, data: Mapping[str, Any], now: datetime
) -> None:
    """Add a line to a job's timeline."""
    line = {"job": str(job_id), "type": type_, "data": data, "at": now}
    connection.execute(sa.insert(events).values(line))


def move_job(
    connection: sa.Connection,
    job_id: UUID,
    event: Event,
    now: datetime,
    **values: Any,  # noqa: ANN401 -- columns
) -> bool:
    """Let an event happen to a job, if its state allows it; False where it does not.

    What every end sets is set here; `values` are what else changes.
    """
    held = hold_job(connection, job_id)
    if held is None or (held.state, event) not in TRANSITIONS:
        return False
    moved = advance(held.state, event)
    change = {"state": moved, "updated_at": now, "version": jobs.c.version + 1, **values}
    if moved in TERMINAL:
        change |= {"finished_at": now, "worker": ""}
    if moved is State.CANCELLED:
        change |= {"stopped_at": now}
    connection.execute(sa.update(jobs).where(jobs.c.id == str(job_id)).values(change))
    if moved is not held.state or event is Event.CLAIM:
        add_event(connection, job_id, moved, _shown(event, values), now)
    return True


def next_slot(connection: sa.Connection, organisation: str, slots: int) -> str:
    """Name the slot for an organisation's next job: each slot in turn.

    Jobs of one slot run one after the other, so as many run at once as there are slots.
    """
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    query = (
        insert(organisations)
        .values(name=organisation, submitted=1)
        .on_conflict_do_update(
            index_elements=[organisations.c.name],
            set_={"submitted": organisations.c.submitted + 1},
        )
        .returning(organisations.c.submitted)
    )
    return f"{organisation}:{connection.execute(query).scalar_one() % slots}"


class Held(NamedTuple):
    """Where a job stands, and stays until the transaction ends."""

    state: State
    attempt: int


def hold_job(connection: sa.Connection, job_id: UUID) -> Held | None:
    """Keep everybody else off a job until the commit; None if there is no such job.

    By an UPDATE that changes nothing: it locks the row on PostgreSQL and the file on SQLite,
    where a SELECT would stand outside the transaction, and FOR UPDATE is not heard.
    """
    mine = jobs.c.id == str(job_id)
    query = sa.update(jobs).where(mine).values(version=jobs.c.version)
    row = connection.execute(query.returning(jobs.c.state, jobs.c.attempt)).one_or_none()
    return None if row is None else Held(State(row.state), row.attempt)


def _shown(event: Event, values: Mapping[str, Any]) -> dict[str, Any]:
    data: dict[str, Any] = {"event": event}
    if (problem := values.get("problem")) is not None:
        data |= {"code": problem.code, "detail": problem.detail}
    if (worker := values.get("worker")) and event is Event.CLAIM:
        data["worker"] = worker
    return data


def claim_job(connection: sa.Connection, job_id: UUID, worker: str, now: datetime) -> Job | None:
    """Begin an attempt; None if the job cannot be attempted any more."""
    started = sa.func.coalesce(jobs.c.started_at, sa.literal(now, jobs.c.started_at.type))
    claimed = move_job(
        connection,
        job_id,
        Event.CLAIM,
        now,
        worker=worker,
        started_at=started,
        attempt=jobs.c.attempt + 1,
        strikes=jobs.c.strikes + 1,
    )
    return read_job(connection, job_id) if claimed else None


def claim_cancelling(connection: sa.Connection, job_id: UUID, worker: str) -> Job | None:
    """Begin the attempt that stops a job whose worker died under a cancel; None if it is none."""
    mine = (jobs.c.id == str(job_id), jobs.c.state == State.CANCELLING)
    change = {"worker": worker, "attempt": jobs.c.attempt + 1, "version": jobs.c.version + 1}
    claimed = connection.execute(sa.update(jobs).where(*mine).values(change)).rowcount
    return read_job(connection, job_id) if claimed else None


def own_job(connection: sa.Connection, job_id: UUID, attempt: int) -> None:
    """Make sure that an attempt still owns its job, and keep others off until the commit.

    Raises:
        AttemptLostError: it does not.
    """
    held = hold_job(connection, job_id)
    if held is None or held.attempt != attempt or held.state not in OWNED:
        raise AttemptLostError


def settle_job(
    connection: sa.Connection,
    job_id: UUID,
    attempt: int,
    event: Event,
    now: datetime,
    **values: Any,  # noqa: ANN401 -- columns
) -> bool:
    """End an attempt's job; False if the state has become one that does not allow the event.

    Raises:
        AttemptLostError: the attempt does not own the job any more.
    """
    own_job(connection, job_id, attempt)
    return move_job(connection, job_id, event, now, **values)


def release_jobs(
    connection: sa.Connection, worker: str, now: datetime, *, forgive: bool
) -> Sequence[UUID]:
    """Give a worker's running jobs back to the queue.

    An attempt is forgiven where the worker shut down in order: that says nothing against
    the job.
    """
    mine = (jobs.c.worker == worker, jobs.c.state == State.RUNNING, ACTIVE_JOBS)
    found = [UUID(value) for value in connection.scalars(sa.select(jobs.c.id).where(*mine))]
    change = {"strikes": sa.case((jobs.c.strikes > 0, jobs.c.strikes - 1), else_=0)}
    for job_id in found:
        move_job(connection, job_id, Event.RETRY, now, worker="", **(change if forgive else {}))
    return found


def cancelling_jobs(connection: sa.Connection, worker: str) -> Sequence[UUID]:
    """Give the jobs of a worker that somebody wants stopped."""
    mine = (jobs.c.worker == worker, jobs.c.state == State.CANCELLING, ACTIVE_JOBS)
    return [UUID(value) for value in connection.scalars(sa.select(jobs.c.id).where(*mine))]


def read_recipe(connection: sa.Connection, job_id: UUID) -> Recipe:
    """Give the steps of a job as they were planned."""
    query = sa.select(jobs.c.recipe).where(jobs.c.id == str(job_id))
    return msgspec.convert(connection.execute(query).scalar_one(), Recipe)


def read_strikes(connection: sa.Connection, job_id: UUID) -> int:
    """Give how many attempts began and did not end in order."""
    query = sa.select(jobs.c.strikes).where(jobs.c.id == str(job_id))
    return int(connection.execute(query).scalar_one())


def delete_job(connection: sa.Connection, job: Job) -> None:
    """Delete a job and all its rows.

    Raises:
        Problem: CONFLICT; it has not ended.
    """
    if not job.terminal:
        raise Problem(Code.CONFLICT, f"job {job.id} is {job.state}; only an ended one can go")
    connection.execute(sa.delete(jobs).where(jobs.c.id == str(job.id)))
