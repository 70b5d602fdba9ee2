"""An attempt at a job: begun by a claim, and the only one whose writes count."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Concatenate, Final, ParamSpec, TypeVar
from uuid import UUID

import sqlalchemy as sa

from haulier.core.clock import Clock
from haulier.core.job import Job
from haulier.core.lifecycle import Event, State
from haulier.core.problem import Code, ProblemBody
from haulier.core.recipe import Recipe
from haulier.engine import details, store

P = ParamSpec("P")
T = TypeVar("T")

#: A job whose workers died so often under one of its steps is what kills them.
STRIKES: Final = 8
#: How long a write waits for a database that is away, trying again and again.
PATIENCE_S: Final = 120.0
FIRST_PAUSE_S: Final = 0.1
LONGEST_PAUSE_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt at a job."""

    job: Job
    recipe: Recipe
    engine: sa.Engine
    clock: Clock

    async def write(
        self,
        change: Callable[Concatenate[sa.Connection, UUID, int, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Make a change in one transaction, in the name of this attempt.

        Raises:
            AttemptLostError: another one owns the job, or it has ended.
        """

        def call(connection: sa.Connection) -> T:
            return change(connection, self.job.id, self.job.attempt, *args, **kwargs)

        return await transact(self.engine, call)


async def transact(engine: sa.Engine, change: Callable[[sa.Connection], T]) -> T:
    """Do a transaction in a thread, again where the database went away under it."""

    def call() -> T:
        with engine.begin() as connection:
            return change(connection)

    loop = asyncio.get_running_loop()
    ends_at, pause_s = loop.time() + PATIENCE_S, FIRST_PAUSE_S
    while True:
        try:
            return await asyncio.to_thread(call)
        except (sa.exc.OperationalError, sa.exc.InterfaceError):
            if loop.time() + pause_s > ends_at:
                raise
        await asyncio.sleep(pause_s)
        pause_s = min(pause_s * 2, LONGEST_PAUSE_S)


async def claim(engine: sa.Engine, clock: Clock, job_id: UUID, worker: str) -> Attempt | None:
    """Begin an attempt; None where there is nothing left to attempt.

    A job that was asked to stop when its worker died stays so: it is to be stopped.
    """

    def change(connection: sa.Connection) -> Attempt | None:
        now = clock.now()
        job = store.claim_job(connection, job_id, worker, now)
        job = job or store.claim_cancelling(connection, job_id, worker)
        if job is None:
            return None
        if job.state is State.RUNNING and store.read_strikes(connection, job_id) > STRIKES:
            problem = ProblemBody(Code.CRASHED, f"its worker died {STRIKES} times under this job")
            store.settle_job(connection, job_id, job.attempt, Event.FAIL, now, problem=problem)
            details.stop_steps(connection, job_id, State.FAILED, now)
            return None
        return Attempt(job, store.read_recipe(connection, job_id), engine, clock)

    return await transact(engine, change)
