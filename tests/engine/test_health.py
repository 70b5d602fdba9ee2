"""Health, on both databases: what is wrong is said, and what is well is said so."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa

from haulier.core.clock import FrozenClock
from haulier.core.lifecycle import State
from haulier.engine.database import connect, time_of
from haulier.engine.health import BELIEVED, Health
from haulier.engine.storage import Storage
from haulier.engine.tables import jobs, workers

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
DEAD_AFTER_S = 8.0


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock(START)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "files"


@pytest.fixture
def health(database: sa.Engine, folder: Path, clock: FrozenClock) -> Health:
    return Health(database, Storage(folder.as_uri()), clock, DEAD_AFTER_S)


def beat(database: sa.Engine, name: str, seconds_ago: float) -> datetime:
    row = {"name": name, "token": str(uuid4()), "host": "h", "pid": 1, "processes": 2}
    with database.begin() as connection:
        at = time_of(connection) - timedelta(seconds=seconds_ago)
        connection.execute(sa.insert(workers).values(row | {"started_at": START, "beat_at": at}))
    return at


def job(database: sa.Engine, state: State) -> None:
    empty: dict[str, dict[str, str]] = {
        name: {} for name in ("params", "labels", "deliver", "recipe", "counters")
    }
    row = {
        "id": str(uuid4()),
        "organisation": "o",
        "subject": "",
        "family": "f",
        "kind": "K",
        "state": state,
        "created_at": START,
        "updated_at": START,
        "priority": 5,
        **empty,
    }
    with database.begin() as connection:
        connection.execute(sa.insert(jobs).values(row))


def test_a_well_database_and_storage_have_nothing_wrong(health: Health, folder: Path) -> None:
    assert health.database() is None
    assert health.storage() is None
    assert list(folder.iterdir()) == []


def test_a_database_without_our_tables_is_not_well(
    tmp_path: Path, folder: Path, clock: FrozenClock
) -> None:
    empty = connect(f"sqlite:///{tmp_path / 'empty.db'}")

    wrong = Health(empty, Storage(folder.as_uri()), clock, DEAD_AFTER_S).database()

    empty.dispose()
    assert wrong is not None
    assert "jobs" in wrong


@pytest.fixture
def unreachable() -> Iterator[sa.Engine]:
    engine = connect("postgresql://nobody@127.0.0.1:1/none?connect_timeout=1")
    yield engine
    engine.dispose()


def test_a_database_that_is_not_there_is_said_in_one_line(
    unreachable: sa.Engine, folder: Path, clock: FrozenClock
) -> None:
    wrong = Health(unreachable, Storage(folder.as_uri()), clock, DEAD_AFTER_S).database()

    assert wrong is not None
    assert wrong.startswith("the database does not answer: ")
    assert "\n" not in wrong


def test_a_storage_that_takes_nothing_is_not_well_until_it_does(
    health: Health, folder: Path, clock: FrozenClock
) -> None:
    assert health.storage() is None
    shutil.rmtree(folder)
    folder.write_bytes(b"a file where the folder was")
    clock.move(BELIEVED.total_seconds())

    wrong = health.storage()

    assert wrong is not None
    assert "health/" in wrong
    folder.unlink()
    folder.mkdir()
    assert health.storage() is None


def test_a_worker_is_alive_as_long_as_the_databases_clock_saw_it_lately(
    health: Health, database: sa.Engine
) -> None:
    beat(database, "b-late", DEAD_AFTER_S + 1)
    at = beat(database, "a-fresh", 0)

    found = health.workers()

    assert [(one.name, one.alive) for one in found] == [("a-fresh", True), ("b-late", False)]
    assert (found[0].host, found[0].pid, found[0].processes) == ("h", 1, 2)
    assert found[0].beat_at == at


def test_a_clock_that_differs_from_the_databases_is_told(
    health: Health, database: sa.Engine, clock: FrozenClock
) -> None:
    with database.connect() as connection:
        clock.move((time_of(connection) - clock.now()).total_seconds() + 3600)

    assert 3000 < health.ahead_s() <= 3600


def test_jobs_that_have_not_ended_are_counted_by_state(health: Health, database: sa.Engine) -> None:
    for state in (State.QUEUED, State.QUEUED, State.RUNNING, State.FAILED, State.SUCCEEDED):
        job(database, state)

    assert health.jobs_by_state() == {State.QUEUED: 2, State.RUNNING: 1, State.CANCELLING: 0}
