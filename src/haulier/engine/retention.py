"""Sweeps: jobs that lost their place in the queue get it back; what nobody needs any more goes.

One worker sweeps at a time: the eldest. Two would do no harm, only the same work.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Final, NamedTuple, TypeVar
from uuid import UUID

import sqlalchemy as sa

from haulier.core.clock import Clock
from haulier.core.job import Job
from haulier.core.lifecycle import ACTIVE, Event, State
from haulier.core.problem import Code, ProblemBody
from haulier.engine import details, store
from haulier.engine.context import FINISHED
from haulier.engine.durable import LIVING, Enqueuer, seconds_until
from haulier.engine.forgetting import OldWorkflows
from haulier.engine.prefixes import OUTPUTS, WORK
from haulier.engine.registry import Kinds
from haulier.engine.storage import Storage
from haulier.engine.tables import ACTIVE_JOBS, jobs

#: A younger job may be in the middle of its submission.
GRACE: Final = timedelta(seconds=30)
WINDOW: Final = 2000
BATCH: Final = 500
#: What a lost attempt published stays for a day, and so does what DBOS knows of an ended job.
LEAVINGS_KEPT: Final = timedelta(days=1)
#: Outputs are kept as long as their jobs: there may be millions to look through.
LOOK_THROUGH_EVERY: Final = timedelta(days=1)

T = TypeVar("T")


class Standing(NamedTuple):
    """An active job, as far as it matters to whoever looks at all of them."""

    id: UUID
    number: int


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
        self._old = OldWorkflows(engine)
        self._kinds = kinds
        self._clock = clock
        self._slots = organisation_jobs
        self._keep = timedelta(hours=keep_work_h)
        self._looked_through_at: datetime | None = None

    def mend(self) -> Sequence[UUID]:
        """Find active jobs that no workflow will bring to an end, and give their ids.

        One that never had a workflow gets one; one whose workflow has ended ends as well.
        """
        return [
            job.id
            for found in self._windows()
            for job, status in self._lost(found)
            if self._mend(job.id, status)
        ]

    def _windows(self) -> Iterator[Sequence[Standing]]:
        old = self._clock.now() - GRACE
        for state in sorted(ACTIVE):
            last = 0
            while found := self._window(state, last, old):
                yield found
                last = found[-1].number

    def _window(self, state: State, last: int, old: datetime) -> Sequence[Standing]:
        """Give the next active jobs in a state, in the order of their index."""
        here = (jobs.c.state == state, ACTIVE_JOBS, jobs.c.number > last, jobs.c.created_at < old)
        query = sa.select(jobs.c.id, jobs.c.number).where(*here)
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(jobs.c.number).limit(WINDOW)).all()
        return [Standing(UUID(row.id), row.number) for row in rows]

    def _lost(self, found: Sequence[Standing]) -> Iterator[tuple[Standing, str]]:
        """Give those that nobody will go on with, and how their workflow ended, if it began."""
        states: Mapping[UUID, str] = self._enqueuer.statuses([job.id for job in found])
        for job in found:
            status = states.get(job.id, "")
            if status not in LIVING:
                yield job, status

    def _mend(self, job_id: UUID, status: str) -> bool:
        """Mend one job; False if it has moved on by itself meanwhile."""
        with self._engine.begin() as connection:
            job = store.find_any(connection, job_id)
            if job is None or job.terminal:
                return False
            if status:
                return self._end(connection, job, status)
            self._enqueuer.enqueue(
                connection,
                job.id,
                interactive=self._kinds.get(job.kind).interactive,
                slot=store.next_slot(connection, job.organisation, self._slots),
                priority=job.priority,
                delay_s=seconds_until(job.not_before, self._clock.now()),
            )
            return True

    def _end(self, connection: sa.Connection, job: Job, status: str) -> bool:
        now = self._clock.now()
        if store.move_job(connection, job.id, Event.STOP, now):
            details.stopped(connection, job.id, now)  # its files are leavings now: see `clean`
            return True
        detail = f"the job's workflow ended as {status} and left it {job.state}"
        problem = ProblemBody(Code.INTERNAL, detail)
        if store.move_job(connection, job.id, Event.FAIL, now, problem=problem):
            details.stop_steps(connection, job.id, State.FAILED, now)
            return True
        return False

    def clean(self) -> int:
        """Remove what nobody needs any more; give how many files.

        That is finished parts that are older than they are kept, once a day what lost attempts
        published, and what DBOS remembers of jobs that ended long ago.
        """
        now = self._clock.now()
        removed = sum(self._drop_work(key, now - self._keep) for key in self._storage.folders(WORK))
        last = self._looked_through_at
        if last is None or now - last >= LOOK_THROUGH_EVERY:
            removed += self._drop_leavings(now - LEAVINGS_KEPT)
            self._looked_through_at = now
        self._forget(now - LEAVINGS_KEPT)
        return removed

    def _drop_work(self, key: str, before: datetime) -> int:
        """Remove the parts below a step's key, if the newest of their files is old.

        A step may start with that key at any moment. What it has found finished stays: first
        the marks go, and then files only while the key is not in use; and a step is in use
        before it looks for marks. Files that it makes again are new, and stay as well.
        """
        prefix, removed = f"{WORK}/{key}", 0
        if any(blob.modified_at >= before for blob in self._storage.walk(prefix)):
            return 0
        for end in (f"/{FINISHED}", ""):
            found = (blob.key for blob in self._storage.walk(prefix) if blob.key.endswith(end))
            for keys in batches(found):
                if self._in_use(key):
                    return removed
                removed += self._storage.drop(keys, before=before)
        return removed

    def _in_use(self, key: str) -> bool:
        with self._engine.connect() as connection:
            return key in details.work_in_use(connection)

    def _drop_leavings(self, before: datetime) -> int:
        """Remove old outputs that became no artifact, of jobs that will have no more of them."""
        removed = 0
        for jobs_seen in batches(self._storage.folders(OUTPUTS)):
            ended = self._ended(jobs_seen)
            old = (
                blob.key
                for job in jobs_seen
                if job in ended
                for blob in self._storage.walk(f"{OUTPUTS}/{job}")
                if blob.modified_at < before
            )
            for keys in batches(old):
                # After the look at the jobs: an active one may have written an artifact since.
                with self._engine.connect() as connection:
                    unused = details.unused_keys(connection, keys)
                removed += self._storage.drop(unused, before=before) if unused else 0
        return removed

    def _forget(self, before: datetime) -> None:
        """Drop the workflows of ended jobs; one that its job waits for is to be mended first."""
        while found := self._old.find(before, BATCH):
            ended = self._ended([str(job_id) for job_id in found])
            if not ended:
                return
            self._enqueuer.delete(map(UUID, sorted(ended)))

    def _ended(self, job_ids: Sequence[str]) -> set[str]:
        """Give those jobs that have ended, or are gone."""
        query = sa.select(jobs.c.id).where(jobs.c.id.in_(job_ids), ACTIVE_JOBS)
        with self._engine.connect() as connection:
            return set(job_ids) - set(connection.scalars(query))


def batches(items: Iterable[T]) -> Iterator[list[T]]:
    """Give a few items at a time, however many there are."""
    rest = iter(items)
    while batch := list(islice(rest, BATCH)):
        yield batch
