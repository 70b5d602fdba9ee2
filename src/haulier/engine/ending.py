"""How an attempt ends its job: summary and deliveries after success, a clean floor after a stop."""

import asyncio
from collections.abc import Mapping
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
from haulier.engine import details, store
from haulier.engine.attempt import Attempt, transact
from haulier.engine.messages import Answer, Ask, Report, Task
from haulier.engine.stepping import OUTPUTS, Bench
from haulier.engine.tables import artifacts


async def finish(bench: Bench, attempt: Attempt, states: Mapping[str, str], last: Progress) -> None:
    """End a job whose steps have all ended.

    Args:
        bench: what it was done with.
        attempt: which attempt ends it.
        states: of its steps.
        last: how far it is.

    Raises:
        AttemptLostError: another attempt owns the job.
    """
    event = outcome(attempt.recipe, states)
    if event is Event.FAIL:
        await fail(bench, attempt, await _first_problem(attempt), last)
        return
    try:
        result = await _summarise(bench, attempt)
        await _deliver(bench, attempt)
    except Problem as problem:
        await fail(bench, attempt, problem.body(), last)
        return
    values: dict[str, Any] = {"statistics": result.statistics, "result": result.result}
    if event is Event.FALL_SHORT:
        values |= {"problem": await _first_problem(attempt)}
    await _settle(bench, attempt, event, last, **values)


def outcome(recipe: Recipe, states: Mapping[str, str]) -> Event:
    """Give what the ends of the steps mean for the job.

    A job falls short when some of its last steps, those that no other needs, succeeded and
    some did not: what came before them is not what the caller asked for.
    """
    if all(state == State.SUCCEEDED for state in states.values()):
        return Event.SUCCEED
    needed = {need for step in recipe.steps for need in step.needs}
    last = [states[step.id] for step in recipe.steps if step.id not in needed]
    return Event.FALL_SHORT if State.SUCCEEDED in last else Event.FAIL


async def fail(bench: Bench, attempt: Attempt, problem: ProblemBody, last: Progress) -> None:
    """End a job that did not succeed; what its finished steps gave is kept for a retry."""
    await _settle(bench, attempt, Event.FAIL, last, problem=problem)


async def stop(bench: Bench, attempt: Attempt) -> None:
    """End a job that was cancelled, after its processes have ended: nothing of it remains."""
    keys = await attempt.write(_stop, attempt.clock.now())
    for key in keys:
        await asyncio.to_thread(bench.storage.remove, key)
    await asyncio.to_thread(bench.storage.clear, f"{OUTPUTS}/{attempt.job.id}")


def _stop(connection: sa.Connection, job_id: UUID, number: int, now: datetime) -> list[str]:
    store.settle_job(connection, job_id, number, Event.STOP, now)
    details.stop_steps(connection, job_id, State.CANCELLED, now)
    keys = [artifact.key for artifact in details.read_artifacts(connection, job_id)]
    connection.execute(sa.delete(artifacts).where(artifacts.c.job == str(job_id)))
    return details.unused_keys(connection, keys)


async def _settle(
    bench: Bench,
    attempt: Attempt,
    event: Event,
    last: Progress,
    **values: Any,  # noqa: ANN401 -- columns
) -> None:
    """End the job, unless a cancel came first: then that is its end."""
    values |= {"fraction": last.fraction, "counters": last.counters}
    values |= {"phase": last.phase, "message": last.message}

    def change(connection: sa.Connection, job_id: UUID, number: int) -> bool:
        now = attempt.clock.now()
        settled = store.settle_job(connection, job_id, number, event, now, **values)
        if settled:
            details.stop_steps(connection, job_id, State.FAILED, now)
        return settled

    if not await attempt.write(change):
        await stop(bench, attempt)
    elif event is Event.FAIL or attempt.job.attempt > 1:
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


async def _deliver(bench: Bench, attempt: Attempt) -> None:
    """Copy artifacts where the caller wants them, and note those that the job did not make."""
    job = attempt.job
    if not job.deliver:
        return
    found = await transact(
        attempt.engine,
        lambda connection: {one.name: one for one in details.read_artifacts(connection, job.id)},
    )
    for name, ref in job.deliver.items():
        data = {"artifact": name, "storage": ref.storage, "filename": ref.filename}
        if name in found:
            await asyncio.to_thread(bench.files.deliver, job.organisation, found[name], ref)
        await attempt.write(_note, "delivered" if name in found else "not_delivered", data, attempt)


def _note(
    connection: sa.Connection,
    job_id: UUID,
    number: int,
    type_: str,
    data: Mapping[str, Any],
    attempt: Attempt,
) -> None:
    store.own_job(connection, job_id, number)
    store.add_event(connection, job_id, type_, data, attempt.clock.now())
