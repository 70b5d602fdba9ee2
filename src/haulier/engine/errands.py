"""Steps that the engine does itself: calling a webhook."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
import sqlalchemy as sa

from haulier.core.family import StepResult
from haulier.core.job import Job
from haulier.core.lifecycle import Event, State, advance
from haulier.core.problem import Code, Problem, ProblemBody
from haulier.core.recipe import StepPlan
from haulier.engine import details, store, webhooks
from haulier.engine.attempt import Attempt, transact
from haulier.engine.bench import Bench
from haulier.engine.details import StepEnd
from haulier.engine.ending import End
from haulier.engine.recipes.webhook import CallWebhook
from haulier.engine.sandbox import to_its_end

TRIES: Final = 5
FIRST_PAUSE_S: Final = 1.0


async def run(bench: Bench, attempt: Attempt, step: StepPlan, end: End | None) -> str:
    """Do a step of the engine's own, write down how it ended, and give its state."""
    now = attempt.clock.now
    await attempt.write(details.start_step, step.id, work="", now=now())
    try:
        result = await _call(bench, attempt, step, end)
        done = StepEnd(state=State.SUCCEEDED, result=result)
    except Problem as problem:
        done = StepEnd(state=State.FAILED, problem=problem.body())

    async def write() -> None:
        await attempt.write(details.settle_step, step.id, done, now=now())

    await to_its_end(write())
    return str(done.state)


async def _call(bench: Bench, attempt: Attempt, step: StepPlan, end: End | None) -> StepResult:
    """Call the webhook until somebody takes it.

    Raises:
        Problem: FORBIDDEN or INVALID; the address may not be. UNAVAILABLE; nobody took it.
    """
    url, at = msgspec.convert(step.params, CallWebhook).webhook_url, f"{step.id}.webhook_url"
    if not url:
        return StepResult({"tries": 0})
    organisation, delivery = attempt.job.organisation, f"{attempt.job.id}-{step.id}"
    secret = await asyncio.to_thread(webhooks.secret_of, bench.catalog, organisation)
    said = webhooks.Call()
    for number in range(1, TRIES + 1):
        job = await transact(attempt.engine, lambda it: store.read_job(it, attempt.job.id))
        told = _as_it_ends(job, end, attempt.clock.now(), closing=step.closing)
        body = await asyncio.to_thread(bench.describe, told)
        said = await _try(bench, url, body, at=at, secret=secret, delivery=delivery)
        data = {"step": step.id, "try": number, "status": said.status, "error": said.error}
        await attempt.write(_note, data, attempt.clock.now())
        if said.taken:
            return StepResult({"status": said.status, "tries": number})
        if number < TRIES:
            await asyncio.sleep(FIRST_PAUSE_S * 2 ** (number - 1))
    reason = said.error or f"HTTP status {said.status}"
    raise Problem(Code.UNAVAILABLE, f"nobody took the webhook in {TRIES} tries: {reason}", at=at)


async def _try(bench: Bench, url: str, body: bytes, *, at: str, **who: str) -> webhooks.Call:
    """Call once, where the name leads now."""
    try:
        to = await asyncio.to_thread(webhooks.check, url, bench.webhook_hosts, at=at)
    except Problem as problem:
        if problem.code is Code.UNAVAILABLE:
            return webhooks.Call(error=problem.detail)
        raise
    return await webhooks.call(url, body, to=to, **who)


def _as_it_ends(job: Job, end: End | None, now: datetime, *, closing: bool) -> Job:
    """Give the job as it will stand when its end is written, where that is known."""
    if job.state is State.CANCELLING and closing:  # that ends it, whatever the end was to be
        return msgspec.structs.replace(
            job,
            state=advance(job.state, Event.STOP),
            finished_at=now,
            stopped_at=now,
            updated_at=now,
        )
    if end is None or job.state is not State.RUNNING:
        return job
    return msgspec.structs.replace(
        job,
        state=advance(job.state, end.event),
        finished_at=now,
        updated_at=now,
        statistics=end.values.get("statistics"),
        result=end.values.get("result"),
        problem=_problem(end.values),
        progress=msgspec.structs.replace(job.progress, fraction=1.0),
    )


def _problem(values: Mapping[str, Any]) -> ProblemBody | None:
    return values.get("problem")


def _note(
    connection: sa.Connection, job_id: UUID, number: int, data: Mapping[str, Any], now: datetime
) -> None:
    store.own_job(connection, job_id, number)
    store.add_event(connection, job_id, "webhook", data, now)
