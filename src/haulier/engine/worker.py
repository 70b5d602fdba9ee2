"""The process that runs jobs: takes them from the queues, and looks after the workers around."""

import asyncio
import logging
import os
import shutil
import signal
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final, TypeVar

import sqlalchemy as sa

from haulier.config import Settings
from haulier.core.artifact import check_filename
from haulier.core.clock import SystemClock
from haulier.core.job import Job
from haulier.core.problem import Code, Problem
from haulier.engine import presence, store
from haulier.engine.attempt import transact
from haulier.engine.bench import Bench
from haulier.engine.catalog import Catalog
from haulier.engine.database import connect
from haulier.engine.durable import Enqueuer, Runtime
from haulier.engine.files import Files
from haulier.engine.jobrunner import JobRunner
from haulier.engine.parts import LocalPool
from haulier.engine.presence import Me
from haulier.engine.reach import reach_of
from haulier.engine.registry import Kinds
from haulier.engine.retention import Sweeper
from haulier.engine.sandbox import Limits, end_orphans
from haulier.engine.storage import Storage

BEAT_S: Final = 1.0
CANCEL_LOOK_S: Final = 0.2
STRAYS_S: Final = 10.0
MEND_S: Final = 30.0
CLEAN_S: Final = 600.0
INTERACTIVE_JOBS: Final = 8
LOG: Final = logging.getLogger(__name__)

T = TypeVar("T")


class Worker:
    """A worker of the shared database, until SIGTERM or SIGINT.

    Args:
        settings: of the installation.
        kinds: what can be done.
        describe: gives the body that a webhook sends of a job.
    """

    def __init__(self, settings: Settings, kinds: Kinds, describe: Callable[[Job], bytes]) -> None:
        self._settings = settings
        self._kinds = kinds
        self._clock = SystemClock()
        self._engine = connect(settings.database)
        self._eldest = False
        self._scratch = settings.scratch / settings.worker
        storage = Storage(settings.storage)
        catalog = Catalog(self._engine, self._clock, reach_of(settings))
        self._pools = (self._pool(settings.pool), self._pool(settings.interactive_processes))
        self._bench = Bench(
            runner=self._pools[0],
            interactive=self._pools[1],
            storage=storage,
            files=Files(self._engine, storage, catalog, self._clock),
            catalog=catalog,
            kinds=kinds,
            scratch=self._scratch,
            describe=describe,
            webhook_hosts=settings.hosts_to_call,
        )
        self._runner = JobRunner(self._bench, self._engine, self._clock, worker=settings.worker)
        self._sweeper = Sweeper(
            self._engine,
            storage=storage,
            enqueuer=Enqueuer(self._engine),
            kinds=kinds,
            clock=self._clock,
            organisation_jobs=settings.organisation_jobs,
            keep_work_h=settings.keep_work_h,
        )

    def _pool(self, size: int) -> LocalPool:
        settings = self._settings
        return LocalPool(
            size,
            limits=Limits(settings.part_memory_mb * 2**20, settings.part_silent_s),
            attempts=settings.part_attempts,
            owner=settings.worker,
            folder=self._scratch,
            extra_families=settings.families,
        )

    def run(self) -> None:
        """Work until told to stop, then leave the process at once.

        DBOS' own threads would make an orderly end slow, and an end is nothing that a crash
        could not be: what matters is in the database already.
        """
        code = asyncio.run(self._main())
        logging.shutdown()
        sys.stdout.flush()
        os._exit(code)

    async def _main(self) -> int:
        stopping = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stopping.set)
        me = await transact(self._engine, self._claim_name)
        await asyncio.to_thread(self._tidy)
        runtime = Runtime(self._engine, self._runner, executor=me.name)
        await transact(self._engine, partial(self._take_back, me=me))
        await runtime.launch(
            jobs=self._settings.jobs_at_once,
            interactive=INTERACTIVE_JOBS,
            poll_s=self._settings.poll_s,
        )
        duties = [
            asyncio.create_task(self._warm()),
            asyncio.create_task(every(BEAT_S, lambda: self._beat(me, runtime))),
            asyncio.create_task(every(STRAYS_S, lambda: self._find_strays(runtime))),
            asyncio.create_task(every(CANCEL_LOOK_S, self._runner.stop_cancelled)),
            asyncio.create_task(every(MEND_S, self._mend)),
            asyncio.create_task(every(CLEAN_S, self._clean)),
        ]
        LOG.info("worker '%s' is ready with %d processes", me.name, self._settings.pool)
        failed = await _until(stopping, duties)
        await self._leave(me)
        return 1 if failed else 0

    def _claim_name(self, connection: sa.Connection) -> Me:
        settings = self._settings
        return presence.claim_name(
            connection,
            settings.worker,
            processes=settings.pool,
            dead_after_s=settings.dead_after_s,
        )

    def _tidy(self) -> None:
        """End what an earlier process of this name left running, and empty its scratch.

        Raises:
            Problem: INVALID; the name would lead to a folder that is not this worker's.
        """
        check_filename(self._settings.worker, at="worker_name")
        own, scratch = self._scratch.resolve(), self._settings.scratch.resolve()
        if own.parent != scratch:
            detail = f"the worker's folder must lie right below {scratch}, it is {own}"
            raise Problem(Code.INVALID, detail, at="worker_name")
        end_orphans(self._settings.worker, self._scratch)
        shutil.rmtree(own, ignore_errors=True)
        own.mkdir(parents=True, exist_ok=True)

    def _take_back(self, connection: sa.Connection, me: Me) -> None:
        """Put what an earlier process of this name left running back to the queue."""
        if presence.owns_name(connection, me):
            store.release_jobs(connection, me.name, self._clock.now(), forgive=False)

    async def _warm(self) -> None:
        """Have the processes load and compile, so that the first job need not wait."""
        names = tuple(family.name for family in self._kinds.families)
        for pool in self._pools:
            await pool.warm(names)

    async def _beat(self, me: Me, runtime: Runtime) -> None:
        standing = await transact(self._engine, partial(presence.beat, me=me))
        self._eldest = standing.eldest
        for dead in standing.dead:
            if await transact(self._engine, partial(self._declare_dead, me=me, dead=dead)):
                await self._recover(runtime, dead[0])

    def _declare_dead(self, connection: sa.Connection, me: Me, dead: tuple[str, str]) -> bool:
        """Take name and jobs from a worker in one transaction, or leave it both."""
        gone = presence.declare_dead(connection, me, dead)
        if gone:
            store.release_jobs(connection, dead[0], self._clock.now(), forgive=False)
        return gone

    async def _recover(self, runtime: Runtime, name: str) -> None:
        await runtime.recover([name])
        await transact(self._engine, partial(presence.bury, name=name))
        LOG.warning("took over the jobs of worker '%s'", name)

    async def _find_strays(self, runtime: Runtime) -> None:
        """Recover what belongs to a worker that nobody knows any more.

        One that was frozen, buried and then thawed may take jobs before it learns of its death;
        and whoever declares one dead may die before the recovery.
        """
        if not self._eldest:
            return
        owners = await runtime.owners()
        known = await transact(self._engine, presence.names)
        for name in sorted(owners - known):
            await self._recover(runtime, name)

    async def _mend(self) -> None:
        if self._eldest and (mended := await self._try(self._sweeper.mend)):
            LOG.warning("mended jobs: %s", ", ".join(map(str, mended)))

    async def _clean(self) -> None:
        if self._eldest:
            await self._try(self._sweeper.clean)
            await self._try(self._bench.files.tidy)

    async def _try(self, sweep: Callable[[], T]) -> T | None:
        """Sweep; what fails now, as the storage or the database is away, is done next time."""
        try:
            return await asyncio.to_thread(sweep)
        except Exception:
            LOG.exception("a sweep failed; the next one makes up for it")
            return None

    async def _leave(self, me: Me) -> None:
        """End the processes, then give the jobs back: never the other way round."""
        await self._runner.close()
        for pool in self._pools:
            await pool.close()
        await transact(self._engine, partial(self._give_back, me=me))

    def _give_back(self, connection: sa.Connection, me: Me) -> None:
        """Give jobs and name back, unless the name is another process' by now."""
        if presence.owns_name(connection, me):
            store.release_jobs(connection, me.name, self._clock.now(), forgive=True)
            presence.leave(connection, me)


async def every(seconds: float, duty: Callable[[], Awaitable[object]]) -> None:
    """Do a duty again and again."""
    while True:
        await duty()
        await asyncio.sleep(seconds)


async def _until(stopping: asyncio.Event, duties: list[asyncio.Task[None]]) -> bool:
    """Wait for the order to stop; True if a duty failed before it came."""
    order = asyncio.create_task(stopping.wait())
    waiting: set[asyncio.Task[object]] = {order, *duties}
    while not order.done():
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in done - {order}:
            if (error := task.exception()) is not None:
                LOG.error("the worker ends: %s", error, exc_info=error)
                return True
    return False
