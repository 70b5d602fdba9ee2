"""Which workers live: each says so every second, and the eldest buries the dead."""

import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import uuid4

import psutil
import sqlalchemy as sa

from haulier.core.clock import Clock
from haulier.core.problem import Code, Problem
from haulier.engine.tables import workers

#: The last beat of a worker that left in order: long ago, so that nobody waits for it.
LONG_AGO: Final = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Me:
    """This worker among the others.

    Attributes:
        token: of this process: a name that has another one belongs to another process.
    """

    name: str
    token: str
    dead_after_s: float


def claim_name(
    connection: sa.Connection, clock: Clock, name: str, *, processes: int, dead_after_s: float
) -> Me:
    """Take a worker's name for this process.

    Raises:
        Problem: CONFLICT; a living worker has it, and two of one name would run a job twice.
    """
    now = clock.now()
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
    if row is None:
        connection.execute(sa.insert(workers).values(name=name, **values))
    else:
        connection.execute(sa.update(workers).where(workers.c.name == name).values(values))
    return me


def _lives(row: sa.Row[Any], now: datetime, dead_after_s: float) -> bool:
    """Tell whether a worker lives: by its process where it is here, else by its beat."""
    if row.beat_at == LONG_AGO:
        return False
    if row.host != socket.gethostname():
        return bool(now - row.beat_at < timedelta(seconds=dead_after_s))
    try:
        began_at = psutil.Process(row.pid).create_time()
    except psutil.NoSuchProcess:
        return False
    # A process that began after the last beat has only inherited the number.
    return bool(began_at <= row.beat_at.timestamp())


def beat(connection: sa.Connection, clock: Clock, me: Me) -> Sequence[str]:
    """Say that this worker lives, and give the dead ones if it is the eldest of the living.

    Raises:
        Problem: CONFLICT; another process has taken the name.
    """
    now = clock.now()
    mine = (workers.c.name == me.name, workers.c.token == me.token)
    if not connection.execute(sa.update(workers).where(*mine).values(beat_at=now)).rowcount:
        detail = f"another process works as '{me.name}' now; this one ends"
        raise Problem(Code.CONFLICT, detail, at="worker_name")
    known = connection.execute(
        sa.select(workers.c.name, workers.c.beat_at).order_by(workers.c.started_at, workers.c.name)
    ).all()
    limit = now - timedelta(seconds=me.dead_after_s)
    living = [row.name for row in known if row.beat_at >= limit]
    return [row.name for row in known if row.beat_at < limit] if living[0] == me.name else []


def bury(connection: sa.Connection, clock: Clock, me: Me, name: str) -> bool:
    """Take a dead worker off the list; False if it has come back meanwhile."""
    limit = clock.now() - timedelta(seconds=me.dead_after_s)
    gone = (workers.c.name == name, workers.c.beat_at < limit)
    return bool(connection.execute(sa.delete(workers).where(*gone)).rowcount)


def leave(connection: sa.Connection, me: Me) -> None:
    """Say that this worker ends in order."""
    mine = (workers.c.name == me.name, workers.c.token == me.token)
    connection.execute(sa.update(workers).where(*mine).values(beat_at=LONG_AGO))
