"""Sweeps: jobs that lost their place in the queue get it back; old finished parts go."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from haulier.core.clock import Clock
from haulier.core.job import Job
from haulier.core.lifecycle import ACTIVE, Event, State
from haulier.core.problem import Code, ProblemBody
from haulier.engine import details, store
from haulier.engine.durable import LIVING, Enqueuer, seconds_until
from haulier.engine.jobs import slot_of
from haulier.engine.registry import Kinds
from haulier.engine.rows import JOB_COLUMNS, job_of
from haulier.engine.stepping import WORK
from haulier.engine.storage import Storage
from haulier.engine.tables import jobs

#: A younger job may be in the middle of its submission.
GRACE: Final = timedelta(seconds=30)
WINDOW: Final = 2000


class Sweeper:
    """Mends what a crash in an unlucky moment, or somebody's hand, left behind."""

    def __init__(
        self,
        engine: sa.Engine,
        *,
        storage: Storage,
        enqueuer: Enqueuer,
        kinds: Kinds,
        clock: Clock,
        organisation_jobs: int,
        keep_work_h: float,
    ) -> None:
        self._engine = engine
        self._storage = storage
        self._enqueuer = enqueuer
        self._kinds = kinds
        self._clock = clock
        self._slots = organisation_jobs
        self._keep = timedelta(hours=keep_work_h)

    def mend(self) -> Sequence[UUID]:
        """Find active jobs that no workflow will bring to an end, and give their ids.

        One that never had a workflow gets one; one whose workflow has ended ends as well.
        """
        mended: list[UUID] = []
        last = 0
        while found := self._window(last):
            last = found[-1].number
            states = self._enqueuer.statuses([job.id for job in found])
            mended.extend(self._mend(job, states) for job in found if not _lives(job, states))
        return mended

    def _window(self, last: int) -> list[Job]:
        old = self._clock.now() - GRACE
        query = (
            sa.select(*JOB_COLUMNS)
            .where(jobs.c.state.in_(sorted(ACTIVE)), jobs.c.number > last, jobs.c.created_at < old)
            .order_by(jobs.c.number)
            .limit(WINDOW)
        )
        with self._engine.connect() as connection:
            return [job_of(row) for row in connection.execute(query)]

    def _mend(self, job: Job, states: Mapping[UUID, str]) -> UUID:
        now = self._clock.now()
        with self._engine.begin() as connection:
            if job.id not in states:
                self._enqueuer.enqueue(
                    connection,
                    job.id,
                    interactive=self._kinds.get(job.kind).interactive,
                    slot=slot_of(job, self._slots),
                    priority=job.priority,
                    delay_s=seconds_until(job.not_before, now),
                )
                return job.id
            event, values = Event.STOP, {}
            if job.state is not State.CANCELLING:
                detail = f"the job's workflow ended as {states[job.id]} and left it {job.state}"
                event, values = Event.FAIL, {"problem": ProblemBody(Code.INTERNAL, detail)}
            if store.move_job(connection, job.id, event, now, **values):
                ended = State.FAILED if event is Event.FAIL else State.CANCELLED
                details.stop_steps(connection, job.id, ended, now)
        return job.id

    def clean(self) -> int:
        """Remove finished parts that are older than they are kept; give how many files.

        A step that runs for longer than that still needs its own.
        """
        before = self._clock.now() - self._keep
        with self._engine.connect() as connection:
            used = {f"{WORK}/{key}" for key in details.work_in_use(connection)}
        return self._storage.clear(WORK, keep=used, before=before)


def _lives(job: Job, states: Mapping[UUID, str]) -> bool:
    return states.get(job.id) in LIVING
