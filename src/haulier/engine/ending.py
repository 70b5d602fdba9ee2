"""How an attempt ends its job: summary and deliveries after success, a clean floor after a stop."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa

from haulier.core.family import JobResult
from haulier.core.lifecycle import Event, State
from haulier.core.problem import Code, Problem, ProblemBody
from haulier.core.progress import Progress
from haulier.core.recipe import Recipe
from haulier.engine import deliveries, details, store, trees
from haulier.engine.attempt import Attempt, transact
from haulier.engine.bench import Bench
from haulier.engine.messages import Answer, Ask, Report, Task
from haulier.engine.prefixes import OUTPUTS


@dataclass(frozen=True, slots=True)
class End:
    """How a job is to end, and what is then known of it."""

    event: Event
    values: Mapping[str, Any]

    @staticmethod
    def failed(problem: ProblemBody) -> "End":
        """Give the end of a job that did not succeed."""
        return End(Event.FAIL, {"problem": problem})


async def conclude(bench: Bench, attempt: Attempt, states: Mapping[str, str]) -> End:
    """Give the end of a job whose steps have all ended, after its summary and deliveries."""
    event = outcome(attempt.recipe, states)
    if event is Event.FAIL:
        return End.failed(await _first_problem(attempt))
    try:
        result = await _summarise(bench, attempt)
        await deliveries.deliver(bench, attempt)
        failed = await deliveries.deliver_recipe(bench, attempt)
    except Problem as problem:
        return End.failed(problem.body())
    values: dict[str, Any] = {"statistics": result.statistics, "result": result.result}
    if failed and len(failed) == len(attempt.recipe.deliveries):
        return End.failed(failed[0])
    if event is Event.FALL_SHORT:  # a step failed: that is why something was not delivered
        values |= {"problem": await _first_problem(attempt)}
    elif failed:
        event, values = Event.FALL_SHORT, values | {"problem": failed[0]}
    return End(event, values)


def outcome(recipe: Recipe, states: Mapping[str, str]) -> Event:
    """Give what the ends of the steps mean for the job.

    A job falls short when some of what it is for was made and some was not: what it is to
    deliver, or what its last steps give, those that no other needs.
    """
    counted = [step for step in recipe.steps if not (step.closing or step.optional)]
    if all(states[step.id] == State.SUCCEEDED for step in counted):
        return Event.SUCCEED
    needed = {need for step in counted for need in step.needs}
    wanted = {delivery.step for delivery in recipe.deliveries} or {
        step.id for step in counted if step.id not in needed
    }
    made = [states[step] for step in wanted if step in states]
    return Event.FALL_SHORT if State.SUCCEEDED in made else Event.FAIL


async def stop(bench: Bench, attempt: Attempt) -> None:
    """End a job that was cancelled, after its processes have ended.

    Nothing of it remains but the files that other jobs have taken over.
    """
    unused, used = await attempt.write(_stop, attempt.clock.now())
    for key in unused:
        await asyncio.to_thread(trees.discard, bench.storage, key)
    await asyncio.to_thread(bench.storage.clear, f"{OUTPUTS}/{attempt.job.id}", keep=used)


def _stop(
    connection: sa.Connection, job_id: UUID, number: int, now: datetime
) -> tuple[list[str], set[str]]:
    store.settle_job(connection, job_id, number, Event.STOP, now)
    keys = {artifact.key for artifact in details.read_artifacts(connection, job_id)}
    unused = details.stopped(connection, job_id, now)
    return unused, keys - set(unused)


async def settle(bench: Bench, attempt: Attempt, end: End, last: Progress) -> None:
    """End the job, unless a cancel came first: then that is its end.

    What the finished steps of a job that failed gave is kept for a retry.

    Raises:
        AttemptLostError: another attempt owns the job.
    """
    values = {**msgspec.structs.asdict(last), **end.values}

    def change(connection: sa.Connection, job_id: UUID, number: int) -> bool:
        now = attempt.clock.now()
        settled = store.settle_job(connection, job_id, number, end.event, now, **values)
        if settled:
            details.stop_steps(connection, job_id, State.FAILED, now)
        return settled

    if not await attempt.write(change):
        await stop(bench, attempt)
    elif end.event is Event.FAIL or attempt.job.attempt > 1:
        await _drop_leavings(bench, attempt)


async def _drop_leavings(bench: Bench, attempt: Attempt) -> None:
    """Remove outputs that became no artifact: of a step that failed, of an attempt that died."""
    found = await transact(
        attempt.engine, lambda connection: details.read_artifacts(connection, attempt.job.id)
    )
    keys = {artifact.key for artifact in found}
    await asyncio.to_thread(bench.storage.clear, f"{OUTPUTS}/{attempt.job.id}", keep=keys)


async def _first_problem(attempt: Attempt) -> ProblemBody:
    def look(connection: sa.Connection) -> ProblemBody:
        steps = details.read_steps(connection, attempt.job.id)
        found = [step.problem for step in steps if step.problem is not None]
        return (
            found[0] if found else ProblemBody(Code.INTERNAL, "a step failed and did not say why")
        )

    return await transact(attempt.engine, look)


async def _summarise(bench: Bench, attempt: Attempt) -> JobResult:
    """Have the family make statistics and result of what the steps gave."""
    results = await transact(
        attempt.engine, lambda connection: details.read_results(connection, attempt.job.id)
    )
    async with bench.folder() as scratch:
        done = await bench.runner_of(attempt.job.kind).perform(
            Task(
                action="summarise",
                family=attempt.job.family,
                kind=attempt.job.kind,
                steps=results,
                store=bench.storage.url,
                scratch=scratch,
            ),
            on_report=_unheard,
            on_ask=_refuse,
        )
    return msgspec.msgpack.decode(done.result, type=JobResult)


def _unheard(said: Report) -> None:
    del said  # the job is as good as done


async def _refuse(ask: Ask) -> Answer:
    detail = f"a summary is made of the results of the steps alone, asked for {ask.a}/{ask.b}"
    return Answer(problem=ProblemBody(Code.INTERNAL, detail))
