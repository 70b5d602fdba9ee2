"""Who lives and who buries whom, on both databases, by a clock that the test moves."""

import os
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from haulier.core.clock import FrozenClock
from haulier.core.problem import Code, Problem
from haulier.engine import presence
from haulier.engine.presence import Me
from haulier.engine.tables import workers

DEAD_AFTER_S = 8.0


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock(datetime.now(UTC))


def joined(database: sa.Engine, clock: FrozenClock, name: str, host: str = "far away") -> Me:
    """Let a worker join, from a host where nobody can look for its process."""
    with database.begin() as connection:
        me = presence.claim_name(connection, clock, name, processes=2, dead_after_s=DEAD_AFTER_S)
        if host:
            connection.execute(sa.update(workers).where(workers.c.name == name).values(host=host))
    clock.move(0.001)
    return me


def beat(database: sa.Engine, clock: FrozenClock, me: Me) -> list[str]:
    """Give the names of the dead that a beat tells."""
    with database.begin() as connection:
        return [name for name, _ in presence.beat(connection, clock, me).dead]


def take(database: sa.Engine, clock: FrozenClock, me: Me, name: str) -> bool:
    """Declare a worker dead by the token that it has now."""
    with database.begin() as connection:
        found = sa.select(workers.c.token).where(workers.c.name == name)
        dead = (name, connection.execute(found).scalar_one())
        return presence.declare_dead(connection, clock, me, dead)


def test_the_eldest_living_worker_learns_who_died(database: sa.Engine, clock: FrozenClock) -> None:
    eldest, _, youngest = (joined(database, clock, name) for name in ("a", "b", "c"))
    clock.move(DEAD_AFTER_S)
    assert beat(database, clock, youngest) == ["a", "b"], "the eldest was silent as well"
    assert beat(database, clock, eldest) == ["b"]
    assert beat(database, clock, youngest) == []
    assert take(database, clock, eldest, "b")
    assert not take(database, clock, eldest, "c")
    assert beat(database, clock, eldest) == ["b"], "until it is buried"
    with database.begin() as connection:
        presence.bury(connection, "b")
        presence.bury(connection, "c")
        assert presence.names(connection) == {"a", "c"}
    assert beat(database, clock, eldest) == []


def test_a_worker_that_speaks_again_in_time_is_not_declared_dead(
    database: sa.Engine, clock: FrozenClock
) -> None:
    eldest, other = joined(database, clock, "a"), joined(database, clock, "b")
    clock.move(DEAD_AFTER_S + 1)
    assert beat(database, clock, eldest) == ["b"]
    assert beat(database, clock, other) == []
    assert not take(database, clock, eldest, "b")


def test_a_frozen_worker_that_was_declared_dead_ends_when_it_wakes_up(
    database: sa.Engine, clock: FrozenClock
) -> None:
    eldest, frozen = joined(database, clock, "a"), joined(database, clock, "b")
    clock.move(DEAD_AFTER_S + 1)
    beat(database, clock, eldest)
    assert take(database, clock, eldest, "b")
    with pytest.raises(Problem, match="another process works as 'b' now"):
        beat(database, clock, frozen)
    with database.begin() as connection:
        assert not presence.owns_name(connection, frozen)
    again = joined(database, clock, "b")
    with database.begin() as connection:
        presence.bury(connection, "b")
    assert beat(database, clock, again) == [], "the name lives, and was not buried"


def test_one_that_left_in_order_is_dead_at_once(database: sa.Engine, clock: FrozenClock) -> None:
    eldest, other = joined(database, clock, "a"), joined(database, clock, "b")
    with database.begin() as connection:
        presence.leave(connection, other)
    assert beat(database, clock, eldest) == ["b"]


def test_a_name_in_use_is_refused_and_a_dead_ones_is_free(
    database: sa.Engine, clock: FrozenClock
) -> None:
    first = joined(database, clock, "a")
    with pytest.raises(Problem, match="worker 'a' runs already, on far away") as caught:
        joined(database, clock, "a")
    assert caught.value.code is Code.CONFLICT
    clock.move(DEAD_AFTER_S)
    second = joined(database, clock, "a")
    assert second.token != first.token
    with pytest.raises(Problem, match="another process works as 'a' now"):
        beat(database, clock, first)
    assert beat(database, clock, second) == []


def test_on_one_host_the_process_decides_and_not_the_beat(
    database: sa.Engine, clock: FrozenClock
) -> None:
    joined(database, clock, "a", host="")
    clock.move(100 * DEAD_AFTER_S)
    with pytest.raises(Problem, match=f"as process {os.getpid()}"):
        joined(database, clock, "a", host="")
    with database.begin() as connection:
        connection.execute(sa.update(workers).values(pid=2**22 - 1))
    joined(database, clock, "a", host="")
