"""What the engine asks again and again: found by an index, however many jobs have ended."""

import re
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import pytest
import sqlalchemy as sa

from haulier.core.clock import FrozenClock
from haulier.core.lifecycle import State
from haulier.engine import details, store
from haulier.engine.database import connect
from haulier.engine.health import Health
from haulier.engine.listing import SKEW, JobFilter, Page, list_jobs
from haulier.engine.storage import Storage
from haulier.engine.tables import jobs
from haulier.testing.installation import Installation

START: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE: Final = timedelta(minutes=1)
CLOCK: Final = FrozenClock(START + timedelta(days=30))
#: A plan's line that reads a whole table, or puts what it has read in order.
SLOW: Final = re.compile(r"SCAN jobs(?! USING (COVERING )?INDEX ix_jobs_active)|SCAN steps$|B-TREE")


@pytest.fixture
def engine(sqlite: Path, tmp_path: Path) -> Iterator[sa.Engine]:
    shutil.copy(sqlite, tmp_path / "haulier.db")
    engine = connect(f"sqlite:///{tmp_path / 'haulier.db'}")
    yield engine
    engine.dispose()


def row(number: int, **values: Any) -> dict[str, Any]:
    empty: dict[str, Any] = {
        name: {} for name in ("params", "labels", "deliver", "recipe", "counters")
    }
    return {
        "number": number,
        "id": str(uuid4()),
        "organisation": "o",
        "subject": "",
        "family": "f",
        "kind": "A",
        "state": State.SUCCEEDED,
        "created_at": START + number * MINUTE,
        "updated_at": START,
        "priority": 5,
        **empty,
        **values,
    }


def fill(engine: sa.Engine, rows: list[dict[str, Any]]) -> None:
    with engine.begin() as connection:
        connection.execute(sa.insert(jobs), rows)


def plans(engine: sa.Engine, ask: Callable[[sa.Connection], object]) -> list[str]:
    """Give the lines of SQLite's plans for all that was asked."""
    asked: list[tuple[str, Any]] = []

    def note(_c: object, _cursor: object, statement: str, values: Any, *_rest: object) -> None:
        if statement.startswith("SELECT"):
            asked.append((statement, values))

    sa.event.listen(engine, "before_cursor_execute", note)
    with engine.connect() as connection:
        ask(connection)
    sa.event.remove(engine, "before_cursor_execute", note)
    assert asked
    with engine.connect() as connection:
        return [
            line[3]
            for statement, values in asked
            for line in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
        ]


def listed(connection: sa.Connection, wanted: JobFilter, limit: int = 10, cursor: str = "") -> Page:
    return list_jobs(connection, "o", wanted, limit=limit, cursor=cursor, clock=CLOCK)


def numbers(engine: sa.Engine, wanted: JobFilter, limit: int = 10, cursor: str = "") -> list[int]:
    with engine.connect() as connection:
        return [job.number for job in listed(connection, wanted, limit, cursor).jobs]


def test_what_is_asked_of_active_jobs_reads_the_index_of_active_jobs(
    engine: sa.Engine, tmp_path: Path
) -> None:
    health = Health(engine, Storage(tmp_path.as_uri()), CLOCK, 8.0)
    asks: list[Callable[[sa.Connection], object]] = [
        lambda connection: store.cancelling_jobs(connection, "w"),
        lambda connection: store.release_jobs(connection, "w", START, forgive=True),
        lambda _: health.jobs_by_state(),
    ]
    for ask in asks:
        lines = plans(engine, ask)
        assert [line for line in lines if "ix_jobs_active" in line] == lines


def test_the_work_in_use_is_read_from_the_index_of_running_steps(engine: sa.Engine) -> None:
    lines = plans(engine, details.work_in_use)
    assert re.search(r"SCAN steps USING (COVERING )?INDEX ix_steps_running", lines[0])
    assert all(" USING INDEX sqlite_autoindex_jobs_1 (id=?)" in line for line in lines[2:])


def test_a_sweep_reads_active_jobs_in_the_order_of_their_index(here: Installation) -> None:
    from haulier.engine.durable import Enqueuer  # noqa: PLC0415 -- DBOS
    from haulier.engine.retention import Sweeper  # noqa: PLC0415 -- DBOS

    engine = here.services.engine
    if engine.dialect.name != "sqlite":
        pytest.skip("plans are read for SQLite")
    sweeper = Sweeper(
        engine,
        storage=here.services.storage,
        enqueuer=Enqueuer(engine),
        kinds=here.services.kinds,
        clock=CLOCK,
        organisation_jobs=4,
        keep_work_h=1.0,
    )
    lines = plans(engine, lambda _: sweeper.mend())
    assert len(lines) == 3
    assert all("ix_jobs_active (state=? AND number>?)" in line for line in lines)


FILTERS: Final = {
    "nothing": JobFilter(),
    "a state": JobFilter(states=(State.FAILED,)),
    "states": JobFilter(states=(State.FAILED, State.PARTIAL, State.RUNNING)),
    "a kind": JobFilter(kinds=("A",)),
    "kinds": JobFilter(kinds=("A", "B")),
    "kinds and states": JobFilter(kinds=("A", "B"), states=(State.FAILED, State.CANCELLED)),
    "a time": JobFilter(created_from=START, created_to=START + MINUTE),
    "all": JobFilter(("A",), (State.FAILED,), START, START + 9 * MINUTE, 0.0, 1e9),
}


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("cursor", ["", "b700", "a300"])
def test_a_page_is_read_by_an_index_and_not_sorted(
    engine: sa.Engine, name: str, cursor: str
) -> None:
    fill(engine, [row(number) for number in range(1, 100)])
    lines = plans(engine, lambda connection: listed(connection, FILTERS[name], cursor=cursor))
    found = [line for line in lines if SLOW.search(line)]
    assert found == []
    assert any("organisation=?" in line for line in lines)


def test_a_page_has_the_newest_of_every_kind_and_state_together(engine: sa.Engine) -> None:
    kinds, states = "ABC", (State.FAILED, State.SUCCEEDED, State.RUNNING)
    rows = [
        row(number, kind=kinds[number % 3], state=states[number // 3 % 3])
        for number in range(1, 200)
    ]
    rows += [row(number, organisation="other", state=State.FAILED) for number in range(200, 230)]
    fill(engine, rows)
    wanted = JobFilter(kinds=("A", "C", "A"), states=states[:2])
    right = [
        one["number"]
        for one in reversed(rows)
        if one["kind"] in "AC" and one["state"] in states[:2] and one["organisation"] == "o"
    ]
    assert numbers(engine, wanted) == right[:10]
    assert numbers(engine, wanted, cursor=f"b{right[9]}") == right[10:20]
    assert numbers(engine, wanted, cursor=f"a{right[10]}") == right[:10]
    assert numbers(engine, wanted, limit=1000) == right
    many = tuple(f"K{index}" for index in range(100))
    assert numbers(engine, JobFilter(kinds=("A", "C", *many), states=states[:2])) == right[:10]


@pytest.mark.parametrize("skew", [timedelta(0), SKEW / 2])
def test_a_time_has_all_its_jobs_whoever_s_clock_made_them(
    engine: sa.Engine, skew: timedelta
) -> None:
    # Every third job was made by a server whose clock is behind; and many at one time.
    rows = [
        row(number, created_at=START + number // 4 * 9 * MINUTE - (number % 3 == 0) * skew)
        for number in range(1, 300)
    ]
    fill(engine, rows)
    for first, last in ((None, 100), (100, None), (100, 100), (20, 21), (0, 299), (250, 10)):
        since = None if first is None else START + first // 4 * 9 * MINUTE
        until = None if last is None else START + last // 4 * 9 * MINUTE
        right = [
            one["number"]
            for one in reversed(rows)
            if (since is None or one["created_at"] >= since)
            and (until is None or one["created_at"] <= until)
        ]
        wanted = JobFilter(created_from=since, created_to=until)
        assert numbers(engine, wanted, limit=1000) == right


def test_a_time_is_found_by_numbers_that_lie_beside_it(engine: sa.Engine) -> None:
    fill(engine, [row(number, created_at=START + number * SKEW) for number in range(1, 300)])
    said: list[Any] = []
    sa.event.listen(
        engine,
        "before_cursor_execute",
        lambda _c, _cursor, statement, values, *_rest: said.append((statement, values)),
    )
    wanted = JobFilter(created_from=START + 100 * SKEW, created_to=START + 110 * SKEW)
    assert numbers(engine, wanted, limit=1000) == list(range(110, 99, -1))
    statement, values = said[-1]
    assert "jobs.number > ? AND jobs.number < ?" in statement
    assert {98, 112} <= set(values)


@pytest.mark.parametrize("year", [1, 9999])
def test_a_time_at_the_end_of_all_times_is_a_time(engine: sa.Engine, year: int) -> None:
    fill(engine, [row(1)])
    at = (
        datetime(year, 1, 1, tzinfo=UTC)
        if year == 1
        else datetime(year, 12, 31, 23, 59, tzinfo=UTC)
    )
    assert numbers(engine, JobFilter(created_from=at)) == ([1] if at < START else [])
    assert numbers(engine, JobFilter(created_to=at)) == ([1] if at > START else [])
