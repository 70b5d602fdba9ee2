"""Results of earlier jobs that serve again: found by what decides them, checked, taken over."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import msgspec
import sqlalchemy as sa

from haulier.core.artifact import Artifact
from haulier.core.family import StepResult
from haulier.core.lifecycle import State
from haulier.core.problem import Problem
from haulier.engine import details, store, trees
from haulier.engine.attempt import Attempt, transact
from haulier.engine.bench import Bench
from haulier.engine.details import StepEnd
from haulier.engine.sandbox import to_its_end
from haulier.engine.storage import Storage
from haulier.engine.tables import DONE_STEPS, jobs, steps

#: So many earlier results are looked at, newest first, before the work is done again.
LOOKS: Final = 3


@dataclass(frozen=True, slots=True)
class Found:
    """What a step of an earlier job gave."""

    job: UUID
    step: str
    result: StepResult
    artifacts: Sequence[Artifact]


async def find(bench: Bench, attempt: Attempt, work: str) -> Found | None:
    """Give the result of a step that did the same work, if all its files are as they were."""
    own = attempt.job.id

    def look(connection: sa.Connection) -> list[Found]:
        query = (
            sa.select(steps.c.job, steps.c.id, steps.c.result)
            .join(jobs, jobs.c.id == steps.c.job)
            .where(DONE_STEPS, steps.c.work == work, steps.c.job != str(own))
            .where(jobs.c.state != State.CANCELLED)  # its files are gone
            .order_by(steps.c.finished_at.desc())
            .limit(LOOKS)
        )
        return [
            Found(
                UUID(row.job),
                row.id,
                msgspec.convert(row.result, StepResult),
                _of(row.id, details.read_artifacts(connection, UUID(row.job))),
            )
            for row in connection.execute(query).all()
        ]

    for found in await transact(attempt.engine, look):
        if await asyncio.to_thread(_whole, bench.storage, found.artifacts):
            return found
    return None


def _of(step: str, found: Sequence[Artifact]) -> list[Artifact]:
    return [artifact for artifact in found if artifact.step == step]


def _whole(storage: Storage, artifacts: Sequence[Artifact]) -> bool:
    """Whether the files hold what they held: their bytes are read, not their names believed."""
    try:
        return all(
            (trees.hash_of if one.folder else Storage.hash)(storage, one.key) == one.sha256
            for one in artifacts
        )
    except Problem:
        return False


async def take_over(attempt: Attempt, step: str, found: Found) -> bool:
    """End a step with what was found; False if the earlier job was cancelled or removed since.

    Raises:
        AttemptLostError: another attempt owns the job.
    """
    end = StepEnd(
        state=State.SUCCEEDED, result=found.result, artifacts=found.artifacts, reused=True
    )
    taken = False

    def change(connection: sa.Connection, job_id: UUID, number: int) -> bool:
        held = store.hold_job(connection, found.job)
        if held is None or held.state is State.CANCELLED:
            return False
        there = details.read_artifacts(connection, found.job)
        if not {one.key for one in found.artifacts} <= {one.key for one in there}:
            return False
        details.settle_step(connection, job_id, number, step, end, now=attempt.clock.now())
        return True

    async def write() -> None:
        nonlocal taken
        taken = await attempt.write(change)

    await to_its_end(write())
    return taken
