"""Who lives and who buries whom, on both databases, by the database's own clock."""

import os
from datetime import timedelta

import pytest
import sqlalchemy as sa

from haulier.core.problem import Code, Problem
from haulier.engine import presence
from haulier.engine.database import CLOCKS, time_of
from haulier.engine.presence import Me
from haulier.engine.tables import MICROSECOND, workers

DEAD_AFTER_S = 8.0


def wait(database: sa.Engine, seconds: float) -> None:
    """Let time pass: what was a while ago was longer ago."""
    passed = timedelta(seconds=seconds) // MICROSECOND
    times = (workers.c.started_at, workers.c.beat_at)
    earlier = {time.name: sa.type_coerce(time, sa.BigInteger) - passed for time in times}
    with database.begin() as connection:
        connection.execute(sa.update(workers).values(earlier))


def joined(
    database: sa.Engine, name: str, host: str = "far away", dead_after_s: float = DEAD_AFTER_S
) -> Me:
    """Let a worker join, from a host where nobody can look for its process."""
    with database.begin() as connection:
        me = presence.claim_name(connection, name, processes=2, dead_after_s=dead_after_s)
        if host:
            connection.execute(sa.update(workers).where(workers.c.name == name).values(host=host))
    wait(database, 0.001)
    return me


def beat(database: sa.Engine, me: Me) -> list[str]:
    """Give the names of the dead that a beat tells."""
    with database.begin() as connection:
        return [name for name, _ in presence.beat(connection, me).dead]


def take(database: sa.Engine, me: Me, name: str) -> bool:
    """Declare a worker dead by the token that it has now."""
    with database.begin() as connection:
        found = sa.select(workers.c.token).where(workers.c.name == name)
        dead = (name, connection.execute(found).scalar_one())
        return presence.declare_dead(connection, me, dead)


def test_the_eldest_living_worker_learns_who_died(database: sa.Engine) -> None:
    eldest, _, youngest = (joined(database, name) for name in ("a", "b", "c"))
    wait(database, DEAD_AFTER_S)
    assert beat(database, youngest) == ["a", "b"], "the eldest was silent as well"
    assert beat(database, eldest) == ["b"]
    assert beat(database, youngest) == []
    assert take(database, eldest, "b")
    assert not take(database, eldest, "c")
    assert beat(database, eldest) == ["b"], "until it is buried"
    with database.begin() as connection:
        presence.bury(connection, "b")
        presence.bury(connection, "c")
        assert presence.names(connection) == {"a", "c"}
    assert beat(database, eldest) == []


def test_a_worker_that_speaks_again_in_time_is_not_declared_dead(database: sa.Engine) -> None:
    eldest, other = joined(database, "a"), joined(database, "b")
    wait(database, DEAD_AFTER_S + 1)
    assert beat(database, eldest) == ["b"]
    assert beat(database, other) == []
    assert not take(database, eldest, "b")


def test_a_frozen_worker_that_was_declared_dead_ends_when_it_wakes_up(database: sa.Engine) -> None:
    eldest, frozen = joined(database, "a"), joined(database, "b")
    wait(database, DEAD_AFTER_S + 1)
    beat(database, eldest)
    assert take(database, eldest, "b")
    with pytest.raises(Problem, match="another process works as 'b' now"):
        beat(database, frozen)
    with database.begin() as connection:
        assert not presence.owns_name(connection, frozen)
    again = joined(database, "b")
    with database.begin() as connection:
        presence.bury(connection, "b")
    assert beat(database, again) == [], "the name lives, and was not buried"


def test_one_that_left_in_order_is_dead_at_once(database: sa.Engine) -> None:
    eldest, other = joined(database, "a"), joined(database, "b")
    with database.begin() as connection:
        presence.leave(connection, other)
    assert beat(database, eldest) == ["b"]


def test_a_name_in_use_is_refused_and_a_dead_ones_is_free(database: sa.Engine) -> None:
    first = joined(database, "a")
    with pytest.raises(Problem, match="worker 'a' runs already, on far away") as caught:
        joined(database, "a")
    assert caught.value.code is Code.CONFLICT
    wait(database, DEAD_AFTER_S)
    second = joined(database, "a")
    assert second.token != first.token
    with pytest.raises(Problem, match="another process works as 'a' now"):
        beat(database, first)
    assert beat(database, second) == []


def test_on_one_host_the_process_decides_and_not_the_beat(database: sa.Engine) -> None:
    joined(database, "a", host="")
    with pytest.raises(Problem, match=f"as process {os.getpid()}"):
        joined(database, "a", host="", dead_after_s=0)
    with database.begin() as connection:
        connection.execute(sa.update(workers).values(pid=2**22 - 1))
    joined(database, "a", host="")


@pytest.fixture(params=[-3600, 3600], ids=["behind", "ahead"])
def skewed(
    request: pytest.FixtureRequest, database: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> sa.Engine:
    """Give the database with a clock that is an hour behind or ahead of this machine's."""
    shift = request.param * 1_000_000
    clock = CLOCKS[database.dialect.name]
    monkeypatch.setitem(CLOCKS, database.dialect.name, f"SELECT ({clock}) + {shift}")
    return database


def test_a_process_of_this_host_is_known_where_the_databases_clock_is_another(
    skewed: sa.Engine,
) -> None:
    joined(skewed, "a", host="")
    with pytest.raises(Problem, match=f"as process {os.getpid()}"):
        joined(skewed, "a", host="")
    wait(skewed, 1e6)  # a beat from before the process began: it has only inherited the number
    joined(skewed, "a", host="")


def test_beats_are_times_of_the_databases_clock(skewed: sa.Engine) -> None:
    eldest, other = joined(skewed, "a"), joined(skewed, "b")
    assert beat(skewed, eldest) == beat(skewed, other) == []
    with skewed.begin() as connection:
        now = time_of(connection)
        for beat_at in connection.scalars(sa.select(workers.c.beat_at)):
            assert now - timedelta(seconds=DEAD_AFTER_S) < beat_at <= now
