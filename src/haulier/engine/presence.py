"""Which workers live: each says so every second, and the eldest buries the dead.

All times here are the database's: the clocks of two machines need not agree.
"""

import os
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import uuid4

import psutil
import sqlalchemy as sa

from haulier.core.problem import Code, Problem
from haulier.engine.database import time_of
from haulier.engine.tables import workers

#: The last beat of a worker that left in order: long ago, so that nobody waits for it.
LONG_AGO: Final = datetime(2000, 1, 1, tzinfo=UTC)
#: The token of a worker that was declared dead.
NOBODY: Final = ""


@dataclass(frozen=True, slots=True)
class Me:
    """This worker among the others.

    Attributes:
        token: of this process: a name that has another one belongs to another process.
    """

    name: str
    token: str
    dead_after_s: float


def claim_name(connection: sa.Connection, name: str, *, processes: int, dead_after_s: float) -> Me:
    """Take a worker's name for this process.

    Raises:
        Problem: CONFLICT; a living worker has it, and two of one name would run a job twice.
    """
    now = time_of(connection)
    row = connection.execute(sa.select(workers).where(workers.c.name == name)).one_or_none()
    if row is not None and _lives(row, now, dead_after_s):
        detail = f"worker '{name}' runs already, on {row.host} as process {row.pid}"
        raise Problem(Code.CONFLICT, f"{detail}; give this one another name", at="worker_name")
    me = Me(name, str(uuid4()), dead_after_s)
    values = {
        "token": me.token,
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "processes": processes,
        "started_at": now,
        "beat_at": now,
    }
    old = row.token if row is not None else None
    if not _replaced(connection, name, old, values):
        detail = f"another process took the name '{name}' in this moment"
        raise Problem(Code.CONFLICT, detail, at="worker_name")
    return me


def _replaced(
    connection: sa.Connection, name: str, token: str | None, values: dict[str, Any]
) -> bool:
    """Put this process in the place of the one with that token; False if it is not there."""
    if token is not None:
        mine = (workers.c.name == name, workers.c.token == token)
        return bool(connection.execute(sa.update(workers).where(*mine).values(values)).rowcount)
    try:
        with connection.begin_nested():
            connection.execute(sa.insert(workers).values(name=name, **values))
    except sa.exc.IntegrityError:
        return False
    return True


def _lives(row: sa.Row[Any], now: datetime, dead_after_s: float) -> bool:
    """Tell whether a worker lives: by its process where it is here, else by its beat."""
    if row.beat_at == LONG_AGO:
        return False
    silent_s = (now - row.beat_at).total_seconds()
    if row.host != socket.gethostname():
        return bool(silent_s < dead_after_s)
    try:
        age_s = time.time() - psutil.Process(row.pid).create_time()
    except psutil.NoSuchProcess:
        return False
    # A process that began after the last beat has only inherited the number. Ages are compared,
    # as one time is the machine's and the other the database's.
    return bool(age_s >= silent_s)


class Standing(NamedTuple):
    """What a worker learns from its beat.

    Attributes:
        eldest: it is the eldest of the living, and looks after the others.
        dead: names and tokens of those who are silent, if it is the eldest.
    """

    eldest: bool
    dead: Sequence[tuple[str, str]]


def beat(connection: sa.Connection, me: Me) -> Standing:
    """Say that this worker lives, and learn who does not.

    Raises:
        Problem: CONFLICT; another process has taken the name, or this one was taken for dead.
    """
    now = time_of(connection)
    if not owns_name(connection, me, beat_at=now):
        detail = f"another process works as '{me.name}' now; this one ends"
        raise Problem(Code.CONFLICT, detail, at="worker_name")
    columns = (workers.c.name, workers.c.token, workers.c.beat_at)
    order = (workers.c.started_at, workers.c.name)
    known = connection.execute(sa.select(*columns).order_by(*order)).all()
    limit = now - timedelta(seconds=me.dead_after_s)
    living = [row.name for row in known if row.beat_at >= limit]
    if living[0] != me.name:
        return Standing(eldest=False, dead=())
    return Standing(eldest=True, dead=[(r.name, r.token) for r in known if r.beat_at < limit])


def owns_name(connection: sa.Connection, me: Me, **values: Any) -> bool:  # noqa: ANN401 -- columns
    """Tell whether the name is still this process', and set columns of it; locks it, too."""
    mine = (workers.c.name == me.name, workers.c.token == me.token)
    change = values or {"token": me.token}
    return bool(connection.execute(sa.update(workers).where(*mine).values(change)).rowcount)


def declare_dead(connection: sa.Connection, me: Me, dead: tuple[str, str]) -> bool:
    """Take a silent worker's name from it; False if it has spoken meanwhile.

    From here on its own beat tells it to end, should it only have been frozen.
    """
    limit = time_of(connection) - timedelta(seconds=me.dead_after_s)
    gone = (workers.c.name == dead[0], workers.c.token == dead[1], workers.c.beat_at < limit)
    query = sa.update(workers).where(*gone).values(token=NOBODY, beat_at=LONG_AGO)
    return bool(connection.execute(query).rowcount)


def bury(connection: sa.Connection, name: str) -> None:
    """Take a worker that was declared dead off the list, unless its name lives again."""
    gone = (workers.c.name == name, workers.c.token == NOBODY)
    connection.execute(sa.delete(workers).where(*gone))


def names(connection: sa.Connection) -> set[str]:
    """Give the names of all workers that were not buried."""
    return set(connection.scalars(sa.select(workers.c.name)))


def leave(connection: sa.Connection, me: Me) -> None:
    """Say that this worker ends in order."""
    owns_name(connection, me, beat_at=LONG_AGO)
