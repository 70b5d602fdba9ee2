"""The process that runs jobs: takes them from the queues, and looks after the workers around."""

import asyncio
import logging
import os
import shutil
import signal
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

import sqlalchemy as sa

from haulier.config import Settings
from haulier.core.clock import SystemClock
from haulier.engine import presence, store
from haulier.engine.attempt import transact
from haulier.engine.catalog import Catalog
from haulier.engine.database import connect
from haulier.engine.durable import Enqueuer, Runtime
from haulier.engine.files import Files
from haulier.engine.parts import LocalPool
from haulier.engine.presence import Me
from haulier.engine.registry import Kinds
from haulier.engine.retention import Sweeper
from haulier.engine.sandbox import Limits, end_orphans
from haulier.engine.stepping import Bench
from haulier.engine.storage import Storage
from haulier.engine.workflow import JobRunner

BEAT_S: Final = 1.0
CANCEL_LOOK_S: Final = 0.2
MEND_S: Final = 30.0
CLEAN_S: Final = 600.0
INTERACTIVE_JOBS: Final = 8
LOG: Final = logging.getLogger(__name__)


class Worker:
    """A worker of the shared database, until SIGTERM or SIGINT."""

    def __init__(self, settings: Settings, kinds: Kinds) -> None:
        self._settings = settings
        self._kinds = kinds
        self._clock = SystemClock()
        self._engine = connect(settings.database)
        self._scratch = settings.scratch / settings.worker
        storage = Storage(settings.storage)
        catalog = Catalog(self._engine, self._clock)
        self._pools = (self._pool(settings.pool), self._pool(settings.interactive_processes))
        self._bench = Bench(
            runner=self._pools[0],
            interactive=self._pools[1],
            storage=storage,
            files=Files(self._engine, storage, catalog, self._clock, roots=settings.roots),
            catalog=catalog,
            kinds=kinds,
            scratch=self._scratch,
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
        await self._take_back(me.name)
        await runtime.launch(
            jobs=self._settings.jobs_at_once,
            interactive=INTERACTIVE_JOBS,
            poll_s=self._settings.poll_s,
        )
        duties = [
            asyncio.create_task(self._warm()),
            asyncio.create_task(every(BEAT_S, lambda: self._beat(me, runtime))),
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
            self._clock,
            settings.worker,
            processes=settings.pool,
            dead_after_s=settings.dead_after_s,
        )

    def _tidy(self) -> None:
        """End what an earlier process of this name left running, and empty its scratch."""
        end_orphans(self._settings.worker, self._scratch)
        if self._scratch.is_absolute() and self._scratch.parent == self._settings.scratch:
            shutil.rmtree(self._scratch, ignore_errors=True)
        self._scratch.mkdir(parents=True, exist_ok=True)

    async def _take_back(self, name: str, *, forgive: bool = False) -> None:
        """Put the running jobs of a worker that is gone back to the queue."""

        def change(connection: sa.Connection) -> None:
            store.release_jobs(connection, name, self._clock.now(), forgive=forgive)

        await transact(self._engine, change)

    async def _warm(self) -> None:
        """Have the processes load and compile, so that the first job need not wait."""
        names = tuple(family.name for family in self._kinds.families)
        for pool in self._pools:
            await pool.warm(names)

    async def _beat(self, me: Me, runtime: Runtime) -> None:
        dead = await transact(
            self._engine, lambda connection: presence.beat(connection, self._clock, me)
        )
        for name in dead:
            # In this order: one who dies in between leaves the dead one for the next.
            await self._take_back(name)
            await runtime.recover([name])
            await transact(
                self._engine, partial(presence.bury, clock=self._clock, me=me, name=name)
            )
            LOG.warning("took over the jobs of worker '%s'", name)

    async def _mend(self) -> None:
        mended = await asyncio.to_thread(self._sweeper.mend)
        if mended:
            LOG.warning("mended jobs: %s", ", ".join(map(str, mended)))

    async def _clean(self) -> None:
        await asyncio.to_thread(self._sweeper.clean)
        await asyncio.to_thread(self._bench.files.tidy)

    async def _leave(self, me: Me) -> None:
        """End the processes, then give the jobs back: never the other way round."""
        await self._runner.close()
        for pool in self._pools:
            await pool.close()
        await self._take_back(me.name, forgive=True)
        await transact(self._engine, lambda connection: presence.leave(connection, me))


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
