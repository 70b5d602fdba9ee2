"""The course of a job through its steps, up to its end, a cancel, or the loss of the attempt."""

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, TypeVar
from uuid import UUID

import sqlalchemy as sa

from haulier.core.job import Step
from haulier.core.lifecycle import State
from haulier.core.problem import Code, ProblemBody
from haulier.core.recipe import StepPlan
from haulier.engine import details, ending, errands, store
from haulier.engine.attempt import Attempt, transact
from haulier.engine.bench import Bench, all_or_none
from haulier.engine.details import StepEnd
from haulier.engine.durable import Steps
from haulier.engine.ending import End
from haulier.engine.recipes.webhook import ENGINE
from haulier.engine.stepping import StepRun
from haulier.engine.store import AttemptLostError
from haulier.engine.tracking import Track

PROGRESS_S: Final = 0.5
#: How long the closing steps of a cancelled job may take: a cancel ends soon all the same.
CLOSING_S: Final = 10.0

T = TypeVar("T")


@dataclass(slots=True)
class JobRun:
    """One attempt at a job, while it runs.

    Attributes:
        wanted: set when somebody wants it stopped.
    """

    bench: Bench
    attempt: Attempt
    steps: Steps
    wanted: asyncio.Event = field(default_factory=asyncio.Event)
    track: Track = field(init=False)
    _states: dict[str, asyncio.Task[str]] = field(init=False, default_factory=dict)
    _end: End | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        """Begin with nothing done."""
        self.track = Track(self.attempt.recipe)

    async def run(self) -> None:
        """Do the job up to its end.

        The closing steps come when that end is known, and do not change it.

        Raises:
            AttemptLostError: another attempt owns the job now.
        """
        self._end = await self._watched(self._perform(), grace_s=0.0)
        await self._close()
        if self._end is None or self.wanted.is_set():
            await ending.stop(self.bench, self.attempt)
        else:
            await ending.settle(self.bench, self.attempt, self._end, self.track.now())

    async def stop(self) -> None:
        """End a job that was cancelled, and whose attempt died under it: close it, no more.

        Raises:
            AttemptLostError: another attempt owns the job now.
        """
        self.wanted.set()
        await self._take_up()
        await self._close()
        await ending.stop(self.bench, self.attempt)

    async def _close(self) -> None:
        """Do the closing steps, once no other runs; when the job is cancelled, not for long."""
        steps = [step for step in self._ordered() if step.closing]
        if steps:
            ids, now = [step.id for step in steps], self.attempt.clock.now()
            state = State.CANCELLED if self._end is None else State.FAILED
            await self.attempt.write(_stop_others, ids, state, now)
            await self._watched(self._all(steps), grace_s=CLOSING_S)

    async def _watched(self, work: Coroutine[Any, Any, T], *, grace_s: float) -> T | None:
        """Do work, and write down how far it is; None if a cancel and its grace ended it.

        Raises:
            AttemptLostError: another attempt owns the job now.
        """
        task = asyncio.create_task(work)
        report, wanted = (
            asyncio.create_task(self._report()),
            asyncio.create_task(self.wanted.wait()),
        )
        try:
            await asyncio.wait({task, report, wanted}, return_when=asyncio.FIRST_COMPLETED)
            if wanted.done():
                both = {task, report}
                await asyncio.wait(both, timeout=grace_s, return_when=asyncio.FIRST_COMPLETED)
            ended = task.done()
        finally:
            # Its processes end before anything else is said of the job.
            await _ended([task, report, wanted])
        if not report.cancelled():
            report.result()  # raises AttemptLostError
        return task.result() if ended else None

    async def _report(self) -> None:
        """Write down how far the job is, whenever that has changed."""
        written = None
        while True:
            await asyncio.sleep(PROGRESS_S)
            now = self.track.now(), self.track.running()
            if now != written:
                await self.attempt.write(
                    details.write_progress,
                    now[0],
                    now=self.attempt.clock.now(),
                    running=now[1],
                )
                written = now

    async def _perform(self) -> End:
        """Do the steps, as long as the job may run; give the job's end."""
        job = self.attempt.job
        left_s = None
        if job.timeout_s is not None:
            left_s = max(job.timeout_s - job.ran_s(self.attempt.clock.now()), 0.0)
        try:
            async with asyncio.timeout(left_s) as limit:
                return await self._main([step for step in self._ordered() if not step.closing])
        except TimeoutError:
            if not limit.expired():
                raise
            detail = f"the job ran longer than its timeout_s of {job.timeout_s or 0:g} s"
            return End.failed(ProblemBody(Code.TIMEOUT, detail))

    def _ordered(self) -> list[StepPlan]:
        return [step for layer in self.attempt.recipe.levels() for step in layer]

    async def _main(self, steps: Sequence[StepPlan]) -> End:
        """Do every step as soon as those that it needs have succeeded; give what comes of it."""
        await self._take_up()
        with suppress(_FatalError):
            await self._all(steps)
        states = {key: _state(task) for key, task in self._states.items()}
        return await ending.conclude(self.bench, self.attempt, states)

    async def _all(self, steps: Sequence[StepPlan]) -> None:
        for step in steps:
            call = self._step_in_turn(step)
            self._states[step.id] = asyncio.create_task(call, name=step.id)
        await all_or_none([self._states[step.id] for step in steps])

    async def _take_up(self) -> None:
        """Count what earlier attempts, or the job that this one retries, have finished."""
        for step in await self._known():
            if step.state is State.SUCCEEDED:
                self.track.steps[step.id].finish(step.counters)

    async def _known(self) -> Sequence[Step]:
        return await transact(
            self.attempt.engine,
            lambda connection: details.read_steps(connection, self.attempt.job.id),
        )

    async def _step_in_turn(self, step: StepPlan) -> str:
        states = await self._needed(step)

        async def work() -> str:
            try:
                if any(state != State.SUCCEEDED for state in states):
                    return await self._skip(step)
                return await self._step(step)
            except AttemptLostError:
                # DBOS writes down what a step raises, but not this: another attempt will follow.
                raise asyncio.CancelledError from None

        state = await self.steps.run(step.id, work)
        if step.fatal and state != State.SUCCEEDED:
            raise _FatalError
        return state

    async def _needed(self, step: StepPlan) -> Sequence[str]:
        """Give how the steps ended that a step needs, once those before it have ended."""
        if step.closing:  # it needs main steps, which have ended: maybe in an attempt before
            states = {known.id: str(known.state) for known in await self._known()}
            return [states[need] for need in step.needs]
        for other in step.after:
            await asyncio.wait([self._states[other]])
        return [await asyncio.shield(self._states[need]) for need in step.needs]

    async def _skip(self, step: StepPlan) -> str:
        end = StepEnd(state=State.FAILED, skipped=True)
        await self.attempt.write(details.settle_step, step.id, end, now=self.attempt.clock.now())
        return str(State.FAILED)

    async def _step(self, step: StepPlan) -> str:
        """Do a step, unless an earlier attempt or an earlier job has finished it."""
        job_id = self.attempt.job.id
        known, earlier, found = await transact(
            self.attempt.engine,
            lambda connection: (
                {one.id: one.state for one in details.read_steps(connection, job_id)},
                details.read_results(connection, job_id),
                details.read_artifacts(connection, job_id),
            ),
        )
        if known[step.id] is State.SUCCEEDED:
            return str(State.SUCCEEDED)
        if step.family == ENGINE:
            return await errands.run(self.bench, self.attempt, step, self._end)
        run = StepRun(
            self.bench,
            self.attempt,
            step,
            self.track.steps[step.id],
            {need: earlier[need] for need in step.needs},
            [one for one in found if one.step in step.needs],
        )
        return await run.run()


def _stop_others(
    connection: sa.Connection,
    job_id: UUID,
    number: int,
    closing: Sequence[str],
    state: State,
    now: datetime,
) -> None:
    store.own_job(connection, job_id, number)
    details.stop_steps(connection, job_id, state, now, but=closing)


class _FatalError(Exception):
    """A step failed without which the others are not to go on."""


def _state(task: asyncio.Task[str]) -> str:
    """Give how a step ended; one that was stopped has failed."""
    if task.cancelled() or task.exception() is not None:
        return str(State.FAILED)
    return task.result()


async def _ended(tasks: list[asyncio.Task[object]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
