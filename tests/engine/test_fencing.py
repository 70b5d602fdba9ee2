"""Attempts that lost their job change nothing, even in the middle of a takeover."""

import asyncio
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

import pytest
import sqlalchemy as sa

from haulier.core.caller import Caller, Scope
from haulier.core.clock import SystemClock
from haulier.core.family import StepResult
from haulier.core.job import Submission
from haulier.core.lifecycle import Event, State
from haulier.core.recipe import Recipe, StepPlan
from haulier.engine import details, store
from haulier.engine.attempt import claim
from haulier.engine.details import StepEnd
from haulier.engine.store import AttemptLostError

CALLER = Caller("acme", "s", frozenset(Scope))
NOW = datetime.now(UTC)


@pytest.fixture
def job_id(database: sa.Engine) -> UUID:
    """Give a job whose first attempt runs."""
    recipe = Recipe((StepPlan("only", "f", "k"),))
    with database.begin() as connection:
        job = store.insert_job(
            connection, CALLER, Submission("K", {}), family="f", recipe=recipe, now=NOW
        )
        store.claim_job(connection, job.id, "first", NOW)
    return job.id


def test_who_holds_a_job_holds_it_until_the_commit(database: sa.Engine, job_id: UUID) -> None:
    """The takeover waits for the settle of the attempt before it, and then finds an ended job."""
    claimed: list[bool] = []

    def take_over() -> None:
        with database.begin() as connection:
            claimed.append(store.claim_job(connection, job_id, "second", NOW) is not None)

    with database.begin() as connection:
        store.own_job(connection, job_id, 1)
        thread = threading.Thread(target=take_over)
        thread.start()
        thread.join(0.3)
        assert claimed == [], "it must wait"
        assert store.settle_job(connection, job_id, 1, Event.SUCCEED, NOW)
    thread.join(30)
    assert claimed == [False]


def test_a_write_that_waited_for_a_takeover_is_refused(database: sa.Engine, job_id: UUID) -> None:
    lost: list[str] = []

    def late() -> None:
        end = StepEnd(state=State.SUCCEEDED, result=StepResult({"by": "the dead"}))
        writes: dict[str, Callable[[sa.Connection], object]] = {
            "settle step": lambda c: details.settle_step(c, job_id, 1, "only", end, now=NOW),
            "settle job": lambda c: store.settle_job(c, job_id, 1, Event.SUCCEED, NOW),
            "start step": lambda c: details.start_step(c, job_id, 1, "only", work="w", now=NOW),
        }
        for name, write in writes.items():
            try:
                with database.begin() as connection:
                    write(connection)
            except AttemptLostError:
                lost.append(name)

    with database.begin() as connection:
        store.claim_job(connection, job_id, "second", NOW)
        thread = threading.Thread(target=late)
        thread.start()
        thread.join(0.3)
        assert lost == [], "it must wait for the takeover"
    thread.join(30)
    assert lost == ["settle step", "settle job", "start step"]
    with database.connect() as connection:
        job = store.read_job(connection, job_id)
        (step,) = details.read_steps(connection, job_id)
    assert (job.state, job.attempt, step.state) == (State.RUNNING, 2, State.QUEUED)


def test_who_stops_a_cancelled_job_is_the_only_one_that_does(
    database: sa.Engine, job_id: UUID
) -> None:
    """Its worker may only have been frozen, and would call the webhooks once more."""
    with database.begin() as connection:
        store.move_job(connection, job_id, Event.CANCEL, NOW)

    attempt = asyncio.run(claim(database, SystemClock(), job_id, "second"))

    assert attempt is not None
    assert (attempt.job.state, attempt.job.attempt) == (State.CANCELLING, 2)
    with database.begin() as connection:
        assert list(store.cancelling_jobs(connection, "second")) == [job_id]
        store.own_job(connection, job_id, 2)
        with pytest.raises(AttemptLostError):
            store.own_job(connection, job_id, 1)
        assert store.settle_job(connection, job_id, 2, Event.STOP, NOW)
    assert asyncio.run(claim(database, SystemClock(), job_id, "third")) is None
