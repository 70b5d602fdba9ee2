"""One child process: started, given tasks, watched, and ended with everything it started."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple, NoReturn

from haulier.core.problem import Code, Problem
from haulier.engine import processes
from haulier.engine.messages import (
    Answer,
    Ask,
    Done,
    Failed,
    FramingError,
    Message,
    Reader,
    Report,
    Task,
    pack,
)
from haulier.engine.processes import MARK, end_orphans

__all__ = ["Child", "Limits", "OnAsk", "OnReport", "end_orphans", "to_its_end"]

PARENT: Final = "HAULIER_PARENT"
COMMAND: Final = (sys.executable, "-P", "-m", "haulier.engine.child")
CHUNK_BYTES: Final = 1 << 20
SAMPLE_S: Final = 0.25
GRACE_S: Final = 0.3
EXIT_S: Final = 2.0  # from the end of its messages to the end of the process
REAP_S: Final = 30.0

#: Parts run side by side: one thread each, or a machine of n cores runs n² threads.
ONE_THREAD: Final[Mapping[str, str]] = {
    "NUMBA_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "ARROW_IO_THREADS": "2",  # its threads for computing follow OMP_NUM_THREADS
}

MEGABYTE: Final = 1 << 20

#: Problems that a family may meet in a process that is as good as before.
KEPT_AFTER: Final = frozenset(Code) - {Code.CRASHED, Code.OUT_OF_MEMORY, Code.TIMEOUT}

OnReport = Callable[[Report], None]
OnAsk = Callable[[Ask], Awaitable[Answer]]


class Limits(NamedTuple):
    """What a child process may use.

    Attributes:
        memory_bytes: resident, of the child and all that it started; 0 means no limit.
        silent_s: how long it may work without a report or a question.
    """

    memory_bytes: int = 0
    silent_s: float = 1800.0


class Child:
    """A child process; `start` it, `perform` one task after another, `end` it.

    After anything but a Done or a Problem of the family the process is gone: see `alive`.
    """

    def __init__(self) -> None:
        self._mark = uuid.uuid4().hex
        self._process: subprocess.Popen[bytes] | None = None
        self._incoming: asyncio.StreamReader | None = None
        self._outgoing: asyncio.StreamWriter | None = None
        self._reader = Reader()
        self._waiting: deque[Message] = deque()
        self._heard_at_s = 0.0
        self._answering = False

    @property
    def alive(self) -> bool:
        """Whether it can be given a task."""
        return self._process is not None and not processes.ended(self._process.pid)

    @property
    def pid(self) -> int:
        """Give its process id; 0 while there is none."""
        return self._process.pid if self._process else 0

    async def start(self, environment: Mapping[str, str], cwd: Path) -> None:
        """Start the process.

        It must be started in a thread that lives as long as the worker: on Linux a child
        dies with the thread that started it.

        Args:
            environment: all of it, without what this class adds.
            cwd: an absolute folder that exists; never a folder of people.
        """
        if not cwd.is_absolute():
            raise ValueError(f"cwd must be absolute, got {str(cwd)!r}")
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                self._process = self._begin(theirs.fileno(), environment, cwd)
            streams = asyncio.open_unix_connection(sock=ours, limit=CHUNK_BYTES)
            self._incoming, self._outgoing = await streams
        except BaseException:
            ours.close()
            raise

    def _begin(
        self, channel: int, environment: Mapping[str, str], cwd: Path
    ) -> subprocess.Popen[bytes]:
        """Start the process; not by asyncio, which takes a thread for it and reaps too early."""
        return subprocess.Popen(  # noqa: S603 -- the command is ours
            COMMAND,
            stdin=channel,
            stdout=channel,
            cwd=cwd,
            env={**environment, **ONE_THREAD, PARENT: str(os.getpid()), MARK: self._mark},
            start_new_session=True,
        )

    async def perform(self, task: Task, on_report: OnReport, on_ask: OnAsk, limits: Limits) -> Done:
        """Have one task done.

        Raises:
            Problem: the family's own; or CRASHED, OUT_OF_MEMORY, TIMEOUT, and then the process
                and everything it started are gone.
            CancelledError: after the process and everything it started are gone.
        """
        self._heard_at_s = time.monotonic()
        talk = asyncio.ensure_future(self._talk(task, on_report, on_ask))
        watch = asyncio.ensure_future(self._watch(limits))
        try:
            await asyncio.wait({talk, watch}, return_when=asyncio.FIRST_COMPLETED)
            done = _done(talk.result() if talk.done() else watch.result())
        except BaseException as error:
            kept = isinstance(error, Problem) and error.code in KEPT_AFTER
            await to_its_end(self._stop(talk, watch, end=not kept))
            raise
        await to_its_end(self._stop(talk, watch, end=False))
        return done

    async def end(self) -> None:
        """End the process and everything it started; wait until all are gone."""
        process = self._process
        if process is None:
            return
        if process.returncode is None:  # once it is reaped, its pid may be another's
            await self._end_tree(process)
        await asyncio.to_thread(processes.kill_marked, {MARK: self._mark})
        await self._close()
        self._process = None

    async def _stop(self, *tasks: asyncio.Future[Any], end: bool) -> None:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if end:
            await self.end()

    async def _end_tree(self, process: subprocess.Popen[bytes]) -> None:
        started = processes.descendants(process.pid)
        processes.signal_group(process.pid, signal.SIGTERM)
        await processes.until(lambda: processes.ended(process.pid), GRACE_S)
        started |= processes.descendants(process.pid)
        processes.signal_group(process.pid, signal.SIGKILL)
        processes.kill(started)
        await processes.gone(started)
        await processes.until(lambda: process.poll() is not None, REAP_S)

    async def _close(self) -> None:
        if self._outgoing is not None:
            self._outgoing.close()
            with suppress(OSError):
                await self._outgoing.wait_closed()
        self._outgoing = self._incoming = None

    async def _talk(self, task: Task, on_report: OnReport, on_ask: OnAsk) -> Done | Failed:
        await self._send(task)
        while True:
            message = await self._receive()
            self._heard_at_s = time.monotonic()
            match message:
                case Report():
                    on_report(message)
                case Ask():
                    await self._answer(message, on_ask)
                case Done() | Failed():
                    return message
                case _:
                    name = type(message).__name__
                    raise Problem(Code.CRASHED, f"the process sent a {name}, which is no answer")

    async def _answer(self, question: Ask, on_ask: OnAsk) -> None:
        self._answering = True
        try:
            answer = await on_ask(question)
        except Problem as problem:
            answer = Answer(problem=problem.body())
        finally:
            self._answering = False
            self._heard_at_s = time.monotonic()
        await self._send(answer)

    async def _send(self, message: Message) -> None:
        if self._outgoing is None:
            raise Problem(Code.CRASHED, "the process has ended")
        try:
            self._outgoing.write(pack(message))
            await self._outgoing.drain()
        except OSError:
            raise await self._crash() from None

    async def _receive(self) -> Message:
        while not self._waiting:
            try:
                data = await self._incoming.read(CHUNK_BYTES) if self._incoming else b""
                self._waiting.extend(self._reader.feed(data))
            except FramingError as error:
                raise Problem(Code.CRASHED, f"the process broke its channel: {error}") from error
            except OSError:
                data = b""
            if not data:
                raise await self._crash()
        return self._waiting.popleft()

    async def _crash(self) -> Problem:
        """Give what ended the process, after it and all that it started are gone."""
        process = self._process
        if process is None:
            return Problem(Code.CRASHED, "the process has ended")
        by_itself = await processes.until(lambda: processes.ended(process.pid), EXIT_S)
        await self.end()
        if not by_itself:
            return Problem(Code.CRASHED, "the process closed its channel and went on without it")
        return Problem(Code.CRASHED, f"the process {processes.end_of(process.returncode)}")

    async def _watch(self, limits: Limits) -> NoReturn:
        pid = self.pid
        while not processes.ended(pid):
            await asyncio.sleep(SAMPLE_S)
            if limits.memory_bytes:
                used = await asyncio.to_thread(processes.resident_bytes, pid)
                _check_memory(used, limits.memory_bytes)
            if not self._answering and time.monotonic() - self._heard_at_s > limits.silent_s:
                detail = f"nothing was reported for {limits.silent_s:g} s"
                raise Problem(Code.TIMEOUT, detail)
        await asyncio.sleep(SAMPLE_S)  # what it sent last is read meanwhile
        if self._incoming is not None:  # something that it started holds the channel open
            self._incoming.feed_eof()
        await asyncio.Event().wait()
        raise AssertionError


async def to_its_end(work: Coroutine[Any, Any, None]) -> None:
    """Wait for work that must not be left half done, however often we are cancelled."""
    task = asyncio.ensure_future(work)
    cancelled = False
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            cancelled = True
    task.result()
    if cancelled:
        raise asyncio.CancelledError


def _done(ending: Done | Failed) -> Done:
    if isinstance(ending, Done):
        return ending
    if ending.problem.code is Code.CANCELLED:  # not by us: we never ask and then wait for it
        raise Problem(Code.CRASHED, "the process was told to stop by somebody else")
    raise Problem.of(ending.problem)


def _check_memory(used_bytes: int, limit_bytes: int) -> None:
    if used_bytes > limit_bytes:
        used_mb, limit_mb = (
            -(-used_bytes // MEGABYTE),
            limit_bytes / MEGABYTE,
        )  # the first rounded up
        detail = f"the work used {used_mb} MB of memory, and may use {limit_mb:.0f} MB"
        raise Problem(Code.OUT_OF_MEMORY, detail)
