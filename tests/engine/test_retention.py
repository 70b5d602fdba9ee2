"""What the sweeps mend and clean, on both databases."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from haulier.core.clock import FrozenClock
from haulier.core.job import Job
from haulier.core.lifecycle import State
from haulier.engine import details, store
from haulier.engine.durable import LIVING, Enqueuer
from haulier.engine.retention import Sweeper
from haulier.testing.installation import Installation


@dataclass
class World:
    here: Installation
    clock: FrozenClock
    enqueuer: Enqueuer
    sweeper: Sweeper

    def workflow(self, job: Job) -> str:
        return self.enqueuer.statuses([job.id]).get(job.id, "none")


@pytest.fixture
def world(here: Installation) -> World:
    clock = FrozenClock(datetime.now(UTC))
    enqueuer = Enqueuer(here.services.engine)
    sweeper = Sweeper(
        here.services.engine,
        storage=here.services.storage,
        enqueuer=enqueuer,
        kinds=here.services.kinds,
        clock=clock,
        organisation_jobs=4,
        keep_work_h=1.0,
    )
    return World(here, clock, enqueuer, sweeper)


@pytest.mark.parametrize("kind", ["TROUBLE", "QUICK"])
def test_a_job_without_a_workflow_gets_one_when_it_is_old_enough(world: World, kind: str) -> None:
    job, healthy = world.here.submit(kind), world.here.submit(kind)
    world.enqueuer.delete([job.id])
    assert world.sweeper.mend() == [], "it may be in the middle of its submission"
    world.clock.move(60)
    assert world.sweeper.mend() == [job.id]
    assert world.workflow(job) in LIVING
    assert world.sweeper.mend() == []
    assert world.here.job(healthy) == healthy


def test_a_job_whose_workflow_has_ended_ends_as_well(world: World) -> None:
    job = world.here.submit()
    world.enqueuer.forget(job.id)
    world.clock.move(60)
    assert world.sweeper.mend() == [job.id]
    ended = world.here.job(job)
    assert ended.state is State.FAILED
    assert ended.problem is not None
    assert "workflow ended as CANCELLED" in ended.problem.detail
    assert world.sweeper.mend() == []


def test_a_job_that_was_being_stopped_is_stopped(world: World) -> None:
    job = world.here.submit()
    with world.here.services.engine.begin() as connection:
        store.claim_job(connection, job.id, "w", datetime.now(UTC))
    world.here.services.jobs.cancel(world.here.caller, job.id)
    world.enqueuer.forget(job.id)
    world.clock.move(60)
    world.sweeper.mend()
    assert world.here.job(job).state is State.CANCELLED


def test_old_parts_go_and_young_ones_and_outputs_stay(world: World) -> None:
    storage = world.here.services.storage
    storage.save("work/a/p0-x/.result.json", b"{}")
    storage.save("jobs/a/1/s/sum", b"6")
    assert world.sweeper.clean() == 0
    world.clock.move(2 * 3600)
    assert world.sweeper.clean() == 1
    assert not storage.exists("work/a/p0-x/.result.json")
    assert storage.exists("jobs/a/1/s/sum")


def test_a_long_step_keeps_its_parts(world: World) -> None:
    storage, engine = world.here.services.storage, world.here.services.engine
    job = world.here.submit()
    now = datetime.now(UTC)
    with engine.begin() as connection:
        store.claim_job(connection, job.id, "w", now)
        details.start_step(connection, job.id, 1, "add-0", work="used", now=now)
    for key in ("used", "unused"):
        storage.save(f"work/{key}/p0-x/.result.json", b"{}")
    world.clock.move(2 * 3600)
    assert world.sweeper.clean() == 1
    assert storage.exists("work/used/p0-x/.result.json")
