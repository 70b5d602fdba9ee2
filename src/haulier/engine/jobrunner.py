"""The jobs that a worker has taken: begun by a claim, stopped, and let go when it closes."""

import asyncio
import logging
from contextlib import suppress
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from haulier.core.clock import Clock
from haulier.core.lifecycle import State
from haulier.core.problem import Code, ProblemBody
from haulier.engine import ending, store
from haulier.engine.attempt import claim, transact
from haulier.engine.bench import Bench
from haulier.engine.durable import Steps
from haulier.engine.ending import End
from haulier.engine.store import AttemptLostError
from haulier.engine.workflow import JobRun

LOG: Final = logging.getLogger(__name__)


class JobRunner:
    """Does the jobs that a worker takes from the queues."""

    def __init__(self, bench: Bench, engine: sa.Engine, clock: Clock, *, worker: str) -> None:
        self._bench = bench
        self._engine = engine
        self._clock = clock
        self._worker = worker
        self._running: dict[UUID, JobRun] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    async def run(self, job_id: UUID) -> None:
        """Do a job up to its end.

        Raises:
            asyncio.CancelledError: the attempt was lost; DBOS keeps the workflow for another.
        """
        if self._closed:
            raise asyncio.CancelledError
        task = asyncio.ensure_future(self._run(job_id, Steps(await self._step_ids(job_id))))
        self._tasks.add(task)
        try:
            await task
        finally:
            self._tasks.discard(task)

    async def _run(self, job_id: UUID, steps: Steps) -> None:
        attempt = await claim(self._engine, self._clock, job_id, self._worker)
        if attempt is None:
            return
        run = JobRun(self._bench, attempt, steps)
        self._running[job_id] = run
        try:
            if attempt.job.state is State.CANCELLING:
                await run.stop()
            else:
                await run.run()
        except AttemptLostError:
            LOG.warning("attempt %s of job %s was lost", attempt.job.attempt, job_id)
            raise asyncio.CancelledError from None
        except Exception as error:
            LOG.exception("job %s", job_id)
            end = End.failed(
                ProblemBody(Code.INTERNAL, f"the engine failed: {type(error).__name__}")
            )
            with suppress(AttemptLostError):
                await ending.settle(self._bench, attempt, end, run.track.now())
        finally:
            self._running.pop(job_id, None)

    async def close(self) -> None:
        """Let go of every attempt: its processes end, and nothing is said of its job."""
        self._closed = True
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _step_ids(self, job_id: UUID) -> list[str]:
        """Give the steps of a job, none if it was deleted meanwhile."""

        def look(connection: sa.Connection) -> list[str]:
            try:
                return [step.id for step in store.read_recipe(connection, job_id).steps]
            except sa.exc.NoResultFound:
                return []

        return await transact(self._engine, look)

    async def stop_cancelled(self) -> None:
        """Stop the jobs of this worker that somebody cancelled."""
        if not self._running:
            return
        wanted = await transact(
            self._engine, lambda connection: store.cancelling_jobs(connection, self._worker)
        )
        for job_id in wanted:
            if (run := self._running.get(job_id)) is not None:
                run.wanted.set()
