"""Whether database, storage and workers are well, and how many jobs stand where."""

import threading
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import uuid4

import msgspec
import sqlalchemy as sa

from haulier.core.clock import Clock
from haulier.core.lifecycle import ACTIVE, State
from haulier.core.problem import Problem
from haulier.engine.database import time_of
from haulier.engine.storage import Storage
from haulier.engine.tables import ACTIVE_JOBS, jobs, workers

PREFIX: Final = "health"
BELIEVED: Final = timedelta(seconds=5)  # a store that has just taken a file still does


class WorkerInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A worker that is there, or was; `alive` if it was seen lately."""

    name: str
    host: str
    pid: int
    processes: int
    started_at: datetime
    beat_at: datetime
    alive: bool


class Health:
    """Looks at what a server stands on.

    Args:
        engine: the database.
        storage: the files.
        clock: the time.
        dead_after_s: a worker that is silent for so long is taken for dead.
    """

    def __init__(
        self, engine: sa.Engine, storage: Storage, clock: Clock, dead_after_s: float
    ) -> None:
        self._engine = engine
        self._storage = storage
        self._clock = clock
        self._dead_after = timedelta(seconds=dead_after_s)
        self._lock = threading.Lock()
        self._well_until: datetime | None = None

    def database(self) -> str | None:
        """Give what is wrong with the database, or nothing: it must answer and have our tables."""
        try:
            with self._engine.connect() as connection:
                connection.execute(sa.select(jobs.c.number).limit(1)).all()
        except sa.exc.SQLAlchemyError as error:
            return f"the database does not answer: {_sentence(error)}"
        return None

    def storage(self) -> str | None:
        """Give what is wrong with the storage, or nothing: what is written must be read back."""
        with self._lock:
            now = self._clock.now()
            if self._well_until is not None and now < self._well_until:
                return None
            wrong = self._try_storage()
            self._well_until = None if wrong else now + BELIEVED
            return wrong

    def _try_storage(self) -> str | None:
        key, written = f"{PREFIX}/{uuid4()}", self._clock.now().isoformat().encode()
        try:
            self._storage.save(key, written)
            read = self._storage.load(key)
            self._storage.remove(key)
        except Problem as problem:
            return problem.detail
        return None if read == written else "the storage does not give back what was written"

    def workers(self) -> Sequence[WorkerInfo]:
        """Give the workers that are known, by name."""
        wanted = sa.select(*(column for column in workers.c if column.name != "token"))
        with self._engine.connect() as connection:
            now = time_of(connection)
            rows = connection.execute(wanted.order_by(workers.c.name)).mappings().all()
        return [WorkerInfo(**row, alive=now - row["beat_at"] <= self._dead_after) for row in rows]

    def ahead_s(self) -> float:
        """Give how far this machine's clock is ahead of the database's; less than 0: behind."""
        with self._engine.connect() as connection:
            return (self._clock.now() - time_of(connection)).total_seconds()

    def jobs_by_state(self) -> dict[State, int]:
        """Give how many jobs stand in each state that has not ended."""
        # Ended jobs are not counted: there may be millions, and an index holds only the others.
        counts = sa.select(jobs.c.state, sa.func.count())
        wanted = counts.where(ACTIVE_JOBS).group_by(jobs.c.state)
        with self._engine.connect() as connection:
            counted = {State(state): count for state, count in connection.execute(wanted)}
        return {state: counted.get(state, 0) for state in State if state in ACTIVE}


def _sentence(error: sa.exc.SQLAlchemyError) -> str:
    reason = getattr(error, "orig", None) or error
    lines = str(reason).strip().splitlines()
    return lines[0] if lines else type(reason).__name__
