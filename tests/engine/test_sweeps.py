"""What sweeps take away and what they leave, on both databases, whatever happens meanwhile."""

import asyncio
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa

from haulier.core.artifact import Artifact
from haulier.core.clock import FrozenClock
from haulier.core.family import StepResult
from haulier.core.job import Job
from haulier.core.lifecycle import Event, State
from haulier.engine import details, retention, store
from haulier.engine.context import FINISHED
from haulier.engine.details import StepEnd
from haulier.engine.durable import LIVING, Enqueuer
from haulier.engine.retention import Sweeper
from haulier.engine.staging import UNFINISHED
from haulier.engine.storage import Storage
from haulier.engine.tables import jobs
from haulier.engine.worker import Worker
from haulier.testing.installation import Installation

HOUR_S = 3600.0
DAY_S = 24 * HOUR_S


@dataclass
class World:
    """An installation, and a sweeper that takes it to be later than it is."""

    here: Installation
    clock: FrozenClock
    storage: Storage
    sweeper: Sweeper = field(init=False)

    def __post_init__(self) -> None:  # noqa: D105 -- makes the sweeper
        self.sweeper = self.sweep()

    def sweep(self, storage: Storage | None = None, enqueuer: Enqueuer | None = None) -> Sweeper:
        engine = self.here.services.engine
        return Sweeper(
            engine,
            storage=storage or self.storage,
            enqueuer=enqueuer or Enqueuer(engine),
            kinds=self.here.services.kinds,
            clock=self.clock,
            organisation_jobs=4,
            keep_work_h=1.0,
        )

    def save(self, key: str, hours_ago: float = 0.0) -> str:
        self.storage.save(key, b"{}")
        path = self.storage.local(key)
        assert path is not None
        at = (self.clock.now() - timedelta(hours=hours_ago)).timestamp()
        os.utime(path, (at, at))
        return key

    def running(self) -> Job:
        job = self.here.submit()
        with self.here.services.engine.begin() as connection:
            store.claim_job(connection, job.id, "w", datetime.now(UTC))
        return job

    def start_step(self, work: str) -> None:
        job, now = self.running(), datetime.now(UTC)
        with self.here.services.engine.begin() as connection:
            details.start_step(connection, job.id, 1, "add-0", work=work, now=now)

    def exists(self, *keys: str) -> list[bool]:
        return [self.storage.exists(key) for key in keys]


@pytest.fixture
def world(here: Installation) -> World:
    return World(here, FrozenClock(datetime.now(UTC)), here.services.storage)


def test_parts_are_kept_or_go_by_the_newest_file_of_their_step(world: World) -> None:
    cut = [world.save("work/cut/p/out", 2.0), world.save(f"work/cut/p/{FINISHED}", 0.5)]
    young = [world.save(f"work/mixed/{part}/{FINISHED}", age) for part, age in (("a", 9), ("b", 0))]
    old = [world.save("work/old/p/out", 3.0), world.save(f"work/old/p/{FINISHED}", 2.0)]

    assert world.sweeper.clean() == 2

    assert world.exists(*cut, *young) == [True] * 4, "a mark never stays without its files"
    assert world.exists(*old) == [False] * 2
    assert list(world.storage.folders("work")) != []


class Watched(Storage):
    """A store that tells what it is about to drop, before or after."""

    def __init__(self, url: str, then: Callable[[Sequence[str]], None]) -> None:
        super().__init__(url)
        self._then = then

    def drop(self, keys: Sequence[str], *, before: datetime) -> int:
        """Drop as every store does, and then let something happen."""
        dropped = super().drop(keys, before=before)
        self._then(keys)
        return dropped


def test_the_marks_go_before_the_files(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    for part in "abc":
        world.save(f"work/k/{part}/out", 2.0)
        world.save(f"work/k/{part}/{FINISHED}", 2.0)
    dropped: list[str] = []

    assert world.sweep(Watched(world.storage.url, dropped.extend)).clean() == 6

    assert [key.endswith(FINISHED) for key in dropped] == [True] * 3 + [False] * 3


def test_a_step_that_starts_while_its_parts_are_swept_keeps_its_files(world: World) -> None:
    world.save("work/k/p/out", 2.0)
    world.save(f"work/k/p/{FINISHED}", 2.0)

    def begin(keys: Sequence[str]) -> None:
        assert keys == [f"work/k/p/{FINISHED}"]
        world.start_step("k")

    assert world.sweep(Watched(world.storage.url, begin)).clean() == 1

    assert world.exists("work/k/p/out", f"work/k/p/{FINISHED}") == [True, False]


def test_a_part_that_is_made_again_while_it_is_swept_stays(world: World) -> None:
    world.save("work/k/p/out", 2.0)
    world.save(f"work/k/p/{FINISHED}", 2.0)

    def publish(keys: Sequence[str]) -> None:
        if keys[0].endswith(FINISHED):
            world.save("work/k/p/out")

    world.sweep(Watched(world.storage.url, publish)).clean()

    assert world.exists("work/k/p/out") == [True]


def test_a_store_without_folders_is_swept_as_well(world: World) -> None:
    memory = Storage("memory://")
    for key in ("work/k/p/out", f"work/k/p/{FINISHED}", "work/l/p/out", "jobs/gone/1/s/out"):
        memory.save(key, b"x")
    sweeper = world.sweep(memory)
    assert sweeper.clean() == 0
    world.clock.move(2 * DAY_S)
    assert sweeper.clean() == 4
    assert asyncio.run(memory.list()) == []


def finished(world: World, *, ended: bool) -> tuple[Job, str]:
    """Give a job with one step done, and the key of its artifact."""
    job = world.running()
    key = world.save(f"jobs/{job.id}/1/add-0/sum", 48.0)
    made = Artifact("sum", "sum.txt", "text/plain", 2, "0" * 64, key)
    end = StepEnd(state=State.SUCCEEDED, result=StepResult({}), artifacts=[made])
    now = datetime.now(UTC)
    with world.here.services.engine.begin() as connection:
        details.settle_step(connection, job.id, 1, "add-0", end, now=now)
        if ended:
            store.move_job(connection, job.id, Event.SUCCEED, now)
    return job, key


def test_outputs_of_lost_attempts_go_after_a_day_and_artifacts_stay(world: World) -> None:
    job, artifact = finished(world, ended=True)
    active, held = finished(world, ended=False)
    stay = [
        artifact,
        held,
        world.save(f"jobs/{job.id}/2/add-0/sum", 23.0),
        world.save(f"jobs/{active.id}/1/add-1/sum", 48.0),
        world.save("storages/main/storage-001/file", 99.0),
    ]
    go = [world.save(f"jobs/{job.id}/2/add-1/sum", 25.0), world.save("jobs/gone/1/add-0/sum", 25.0)]

    assert world.sweeper.clean() == 2

    assert world.exists(*stay) == [True] * 5
    assert world.exists(*go) == [False] * 2


def test_outputs_are_looked_through_once_a_day(world: World) -> None:
    world.sweeper.clean()
    key = world.save("jobs/gone/1/add-0/sum", 25.0)
    world.clock.move(23 * HOUR_S)
    assert world.sweeper.clean() == 0
    world.clock.move(2 * HOUR_S)
    assert world.sweeper.clean() == 1
    assert world.exists(key) == [False]


def test_the_queue_forgets_ended_jobs_after_a_day_and_no_other(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    enqueuer = Enqueuer(world.here.services.engine)
    ended = [world.here.submit() for _ in range(5)]
    for job in ended:
        world.here.services.jobs.cancel(world.here.caller, job.id)
    waiting, lost = world.here.submit(), world.running()
    enqueuer.forget(lost.id)
    everyone = [job.id for job in (*ended, waiting, lost)]

    world.sweeper.clean()
    assert set(enqueuer.statuses(everyone)) == set(everyone)

    world.clock.move(2 * DAY_S)
    world.sweeper.clean()
    assert set(enqueuer.statuses(everyone)) == {waiting.id, lost.id}, "the lost one is to be mended"
    assert [world.here.job(job).state for job in ended] == [State.CANCELLED] * 5


def test_a_folder_of_the_operator_with_a_name_of_no_key_stops_no_sweep(world: World) -> None:
    key = world.save("work/old/p/out", 2.0)
    (world.here.settings.data / "files" / "work" / "line\nbreak").mkdir()
    (world.here.settings.data / "files" / "work" / "file").write_text("x", "utf-8")
    assert world.sweeper.clean() == 1
    assert world.exists(key, "work/file") == [False, True]


class Slow(Enqueuer):
    """A queue that lets something happen after it was asked."""

    def __init__(self, engine: sa.Engine, then: Callable[[], object]) -> None:
        super().__init__(engine)
        self._then = then

    def statuses(self, job_ids: Sequence[UUID]) -> Mapping[UUID, str]:
        """Give the states that there were."""
        found = super().statuses(job_ids)
        self._then()
        return found


@pytest.mark.parametrize("lost", ["no workflow", "an ended workflow"])
def test_a_job_that_ends_while_it_is_looked_at_was_not_mended(world: World, lost: str) -> None:
    job = world.here.submit()
    if lost == "no workflow":
        Enqueuer(world.here.services.engine).delete([job.id])
    else:
        Enqueuer(world.here.services.engine).forget(job.id)
    world.clock.move(60)
    services = world.here.services
    slow = Slow(services.engine, lambda: services.jobs.cancel(world.here.caller, job.id))

    assert list(world.sweep(enqueuer=slow).mend()) == []

    assert world.here.job(job).state is State.CANCELLED
    assert slow.statuses([job.id]).get(job.id) not in LIVING


def test_every_lost_job_is_mended_however_many_there_are(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "WINDOW", 2)
    lost = [world.here.submit().id for _ in range(3)] + [world.running().id for _ in range(3)]
    healthy = world.here.submit()
    enqueuer = Enqueuer(world.here.services.engine)
    enqueuer.delete(lost)
    world.clock.move(60)
    assert set(world.sweeper.mend()) == set(lost)
    assert set(enqueuer.statuses(lost).values()) <= LIVING
    assert world.here.job(healthy) == healthy
    assert list(world.sweeper.mend()) == []


@pytest.fixture
def worker(here: Installation) -> Worker:
    return Worker(here.settings, here.services.kinds, lambda _: b"")


def test_a_sweep_that_fails_is_told_to_the_log_and_does_not_end_the_worker(
    here: Installation, worker: Worker, caplog: pytest.LogCaptureFixture
) -> None:
    here.services.storage.save("jobs/gone/1/s/out", b"x")
    with here.services.engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE jobs RENAME TO hidden"))
    worker._eldest = True

    async def sweep() -> None:
        await worker._mend()
        await worker._clean()

    try:
        with caplog.at_level(logging.ERROR):
            asyncio.run(sweep())
    finally:
        with here.services.engine.begin() as connection:
            connection.execute(sa.text("ALTER TABLE hidden RENAME TO jobs"))
        worker._engine.dispose()

    assert sum("a sweep failed" in record.message for record in caplog.records) == 2


def test_only_the_eldest_worker_sweeps(here: Installation, worker: Worker) -> None:
    here.services.storage.save("jobs/gone/1/s/out", b"x")
    path = here.services.storage.local("jobs/gone/1/s/out")
    assert path is not None
    long_ago = (datetime.now(UTC) - timedelta(days=2)).timestamp()
    os.utime(path, (long_ago, long_ago))
    for eldest in (False, True):
        worker._eldest = eldest
        asyncio.run(worker._clean())
        assert path.exists() is not eldest
    worker._engine.dispose()


def test_tidying_asks_the_disk_for_nothing_but_unfinished_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = Storage((tmp_path / "files").as_uri())
    for name in ("a", "b/c"):
        storage.save(name, b"1")
    left = tmp_path / "files" / "b" / "c#1"
    left.write_bytes(b"half")
    os.utime(left, (0, 0))
    asked: list[str] = []
    stat = Path.stat

    def noted(path: Path, **options: bool) -> os.stat_result:
        asked.append(path.name)
        return stat(path, **options)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "stat", noted)
        storage.tidy()

    assert not left.exists()
    assert storage.load("b/c") == b"1"
    assert asked != []
    assert all(UNFINISHED.fullmatch(name) for name in asked)


def test_an_active_job_is_no_reason_to_read_its_parameters(world: World) -> None:
    world.here.submit()
    world.clock.move(60)
    said: list[str] = []
    sa.event.listen(
        world.here.services.engine,
        "before_cursor_execute",
        lambda _c, _cursor, statement, *_rest: said.append(statement),
    )
    world.sweeper.mend()
    looks = [statement for statement in said if "FROM jobs" in statement]
    assert len(looks) >= 3
    assert not [statement for statement in looks if jobs.c.params.name in statement]
