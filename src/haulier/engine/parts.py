"""Where parts of jobs run: a pool of warm child processes on this machine."""

import asyncio
import logging
import os
import re
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, Protocol

from haulier.core.problem import TRANSIENT, Code, Problem
from haulier.engine.messages import Answer, Ask, Done, Report, Task
from haulier.engine.processes import OWNER, SCRATCH
from haulier.engine.sandbox import Child, Limits, OnAsk, OnReport, to_its_end

#: Our settings, and how libpq, DBOS and hosts call a database and its password.
OURS: Final = re.compile(r"HAULIER_|PG|POSTGRES|(.*_)?(DATABASE|DB|POSTGRES|PG)_?(URL|URI|DSN)$")
FAMILIES: Final = "HAULIER_FAMILIES"
HOME: Final = "child-"
FIRST_PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 30.0
LOG: Final = logging.getLogger(__name__)


class PartRunner(Protocol):
    """Something that does tasks: this machine's processes, or a cluster.

    A task is plain data, and its files go by the keys of a store that every machine reaches.
    """

    @property
    def size(self) -> int:
        """How many tasks it does at once."""
        ...

    async def perform(self, task: Task, *, on_report: OnReport, on_ask: OnAsk) -> Done:
        """Have a task done, when its turn comes.

        Raises:
            Problem: it was not; see its code.
            CancelledError: after nothing of the task runs any more.
        """
        ...

    async def warm(self, families: tuple[str, ...]) -> None:
        """Make ready to do tasks of these families without delay."""
        ...

    async def close(self) -> None:
        """End whatever runs, and wait until it has ended."""
        ...


class LocalPool:
    """Child processes of this worker; started when first needed, and used again and again.

    All of its methods belong to one event loop, in a thread that lives as long as the worker.
    """

    def __init__(
        self,
        size: int,
        *,
        limits: Limits,
        attempts: int,
        owner: str,
        folder: Path,
        extra_families: str = "",
    ) -> None:
        if size < 1 or attempts < 1:
            raise ValueError(f"size and attempts must be at least 1, got {size} and {attempts}")
        if not folder.is_absolute():
            raise ValueError(f"the pool's folder must be absolute, got {str(folder)!r}")
        self._size = size
        self._limits = limits
        self._attempts = attempts
        self._folder = folder
        self._environment = child_environment(owner, folder, extra_families)
        self._free = asyncio.Semaphore(size)  # first come, first served
        self._idle: list[tuple[Child, Path]] = []
        self._busy = 0
        self._warming: asyncio.Task[object] | None = None
        self._closed = False

    @property
    def size(self) -> int:
        """How many tasks it does at once."""
        return self._size

    async def perform(self, task: Task, *, on_report: OnReport, on_ask: OnAsk) -> Done:
        """Have a task done; a part is tried again when its process died under it."""
        attempts = self._attempts if task.action == "run" else 1
        for attempt in range(1, attempts):
            try:
                return await self._once(task, on_report, on_ask)
            except Problem as problem:
                if problem.code not in TRANSIENT:
                    raise
                await asyncio.to_thread(empty, Path(task.scratch))
                if problem.code is Code.UNAVAILABLE:  # give what is not there time to come back
                    await asyncio.sleep(min(FIRST_PAUSE_S * 2**attempt, LONGEST_PAUSE_S))
        return await self._once(task, on_report, on_ask)

    async def warm(self, families: tuple[str, ...]) -> None:
        """Start and warm as many processes as there may be, one after the other.

        It keeps no task waiting: one that comes meanwhile gets a process that is not warm. A
        family that cannot be warmed is told to the log: its parts will say what is wrong.
        """
        self._warming = asyncio.current_task()
        try:
            for _ in range(self._size):
                await self._add_warm(Task(action="warm", families=families))
        except Problem as problem:
            LOG.warning("cannot warm %s: %s", ", ".join(families), problem)
        finally:
            self._warming = None

    async def close(self) -> None:
        """End the idle processes now, and each other one when its task ends."""
        self._closed = True
        if self._warming is not None:
            self._warming.cancel()
            await asyncio.wait([self._warming])
        while self._idle:
            await to_its_end(self._discard(*self._idle.pop()))

    async def _add_warm(self, task: Task) -> None:
        child, home = await self._start()
        try:
            await child.perform(task, _unheard, _unanswered, self._limits)
        except BaseException:
            await to_its_end(self._discard(child, home))
            raise
        self._idle.append((child, home))
        if len(self._idle) > 1 and len(self._idle) + self._busy > self._size:
            await to_its_end(self._discard(*self._idle.pop(0)))  # the one that waited longest

    async def _once(self, task: Task, on_report: OnReport, on_ask: OnAsk) -> Done:
        async with self._free, self._child() as child:
            return await child.perform(task, on_report, on_ask, self._limits)

    @asynccontextmanager
    async def _child(self) -> AsyncIterator[Child]:
        self._busy += 1
        try:
            child, home = await self._ready()
            try:
                yield child
            finally:
                # It counts as busy itself: a pool that has been warmed meanwhile is full.
                full = len(self._idle) + self._busy > self._size
                if child.alive and not self._closed and not full:
                    self._idle.append((child, home))
                else:
                    await to_its_end(self._discard(child, home))
        finally:
            self._busy -= 1

    async def _ready(self) -> tuple[Child, Path]:
        while self._idle:
            child, home = self._idle.pop()  # the one that was used last is the warmest
            if child.alive:
                return child, home
            await to_its_end(self._discard(child, home))
        return await self._start()

    async def _start(self) -> tuple[Child, Path]:
        if self._closed:
            raise Problem(Code.UNAVAILABLE, "the worker is shutting down")
        try:
            child, home = Child(), self._new_home()
            try:
                await child.start(self._environment, home)
            except BaseException:
                await to_its_end(self._discard(child, home))
                raise
        except OSError as error:
            detail = f"the worker cannot start a process: {error.strerror}"
            raise Problem(Code.UNAVAILABLE, detail) from error
        return child, home

    def _new_home(self) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix=HOME, dir=self._folder))

    async def _discard(self, child: Child, home: Path) -> None:
        await child.end()
        if home.parent == self._folder and home.name.startswith(HOME):
            await asyncio.to_thread(shutil.rmtree, home, ignore_errors=True)


def child_environment(owner: str, folder: Path, extra_families: str) -> Mapping[str, str]:
    """Give the environment of a child: ours without what leads to the database.

    The credentials of stores stay: a child fetches and publishes files itself.
    """
    kept = {name: value for name, value in os.environ.items() if not OURS.match(name)}
    return {**kept, OWNER: owner, SCRATCH: str(folder), FAMILIES: extra_families}


def empty(folder: Path) -> None:
    """Remove what is in a scratch folder, and not the folder.

    Raises:
        ValueError: the path is empty, relative, the root, or no folder; nothing was removed.
    """
    if not folder.is_absolute() or folder.parent == folder or folder.is_symlink():
        raise ValueError(f"a scratch folder must be absolute and no link, got {str(folder)!r}")
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def _unheard(report: Report) -> None:
    """Let go of a report: nobody watches a process while it warms up."""


async def _unanswered(question: Ask) -> Answer:
    raise Problem(Code.INTERNAL, f"a process that warms up has no inputs, asked for {question}")
