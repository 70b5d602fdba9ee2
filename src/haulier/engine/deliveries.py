"""Artifacts on their way to the storages where callers want them, at the end of a job."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import count
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from msgspec import structs

from haulier.core.artifact import Artifact, FileRef
from haulier.core.problem import Code, Problem, ProblemBody
from haulier.core.recipe import Delivery, Overwrite
from haulier.engine import details, store
from haulier.engine.attempt import Attempt, transact
from haulier.engine.bench import Bench
from haulier.engine.threads import in_thread

BEGUN: Final = "delivering"
DELIVERED: Final = "delivered"


async def deliver(bench: Bench, attempt: Attempt) -> None:
    """Copy artifacts where the caller wants them, and note those that the job did not make."""
    job = attempt.job
    if not job.deliver:
        return
    found = {one.name: one for one in await _artifacts(attempt)}
    for name, ref in job.deliver.items():
        data = {"artifact": name, "storage": ref.storage, "filename": ref.filename}
        if name in found:
            await _copy(bench, job.organisation, found[name], ref)
        await attempt.write(_note, DELIVERED if name in found else "not_delivered", data, attempt)


async def deliver_recipe(bench: Bench, attempt: Attempt) -> Sequence[ProblemBody]:
    """Copy the artifacts that a recipe declares; give what went wrong, one for each left out."""
    wanted = attempt.recipe.deliveries
    if not wanted:
        return []
    found = {(one.step, one.name): one for one in await _artifacts(attempt)}
    done, begun = await _noted(attempt, DELIVERED), await _noted(attempt, BEGUN)
    failed = []
    for each in wanted:
        name = f"{each.step}.{each.name}"
        if name in done:
            continue  # by an attempt before this one: a second copy could get another number
        artifact = found.get((each.step, each.name))
        problem = await _deliver(bench, attempt, each, artifact, begun.get(name))
        if problem is not None:
            failed.append(problem)
    return failed


async def _deliver(
    bench: Bench,
    attempt: Attempt,
    wanted: Delivery,
    artifact: Artifact | None,
    begun: FileRef | None,
) -> ProblemBody | None:
    """Copy an artifact, to where an attempt before this one began to copy it, if one did."""
    data: dict[str, Any] = {"artifact": f"{wanted.step}.{wanted.name}"}
    organisation = attempt.job.organisation
    try:
        made = _made(wanted, artifact)
        to = begun
        if to is None:
            to = await asyncio.to_thread(_place, bench, organisation, wanted)
        place = {"storage": to.storage, "filename": to.filename}
        if begun is None:
            await attempt.write(_note, BEGUN, data | place, attempt)
        await _copy(bench, organisation, made, to)
    except Problem as problem:
        data |= {"code": problem.code, "detail": problem.detail}
        await attempt.write(_note, "not_delivered", data, attempt)
        return structs.replace(problem.body(), at=_at(wanted))
    await attempt.write(_note, DELIVERED, data | place, attempt)
    return None


async def _copy(bench: Bench, organisation: str, artifact: Artifact, to: FileRef) -> None:
    await in_thread(lambda check: bench.files.deliver(organisation, artifact, to, check=check))


def _made(wanted: Delivery, artifact: Artifact | None) -> Artifact:
    if artifact is None:
        raise Problem(Code.NO_RESULT, f"step '{wanted.step}' gave no '{wanted.name}'")
    return artifact


def _place(bench: Bench, organisation: str, wanted: Delivery) -> FileRef:
    """Give where an artifact goes, as the caller wants it where something is there already.

    Raises:
        Problem: CONFLICT; something is, and is to stay.
    """
    to = wanted.to
    if wanted.overwrite is Overwrite.REPLACE or not bench.files.taken(organisation, to):
        return to
    if wanted.overwrite is Overwrite.ERROR:
        detail = f"there is something at '{to.filename}' in storage '{to.storage}' already"
        raise Problem(Code.CONFLICT, detail, at=_at(wanted))
    head, dot, suffix = to.filename.partition(".")
    for number in count(2):
        other = FileRef(to.storage, f"{head}-{number}{dot}{suffix}")
        if not bench.files.taken(organisation, other):
            return other
    raise AssertionError("there is always another number")


def _at(wanted: Delivery) -> str:
    return f"outputs.step:{wanted.step}.{wanted.name}.path"


async def _artifacts(attempt: Attempt) -> Sequence[Artifact]:
    return await transact(
        attempt.engine, lambda connection: details.read_artifacts(connection, attempt.job.id)
    )


async def _noted(attempt: Attempt, type_: str) -> Mapping[str, FileRef]:
    """Give where the lines of a type in the timeline say that each artifact goes."""
    found = await transact(
        attempt.engine, lambda connection: details.read_noted(connection, attempt.job.id, type_)
    )
    return {str(data["artifact"]): FileRef(data["storage"], data["filename"]) for data in found}


def _note(
    connection: sa.Connection,
    job_id: UUID,
    number: int,
    type_: str,
    data: Mapping[str, Any],
    attempt: Attempt,
) -> None:
    store.own_job(connection, job_id, number)
    now: datetime = attempt.clock.now()
    store.add_event(connection, job_id, type_, data, now)
