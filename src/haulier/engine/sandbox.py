"""One child process: started, given tasks, watched, and ended with everything it started."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

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
from haulier.engine.processes import MARK

PARENT: Final = "HAULIER_PARENT"
COMMAND: Final = (sys.executable, "-P", "-m", "haulier.engine.child")
CHUNK_BYTES: Final = 1 << 20
SAMPLE_S: Final = 0.25
GRACE_S: Final = 0.3
EXIT_S: Final = 2.0  # from the end of its messages to the end of the process
LOOK_S: Final = 0.01
REAP_S: Final = 30.0

#: Parts run side by side: one thread each, or a machine of n cores runs n² threads.
ONE_THREAD: Final[Mapping[str, str]] = {
    "NUMBA_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "ARROW_NUM_THREADS": "1",
    "ARROW_IO_THREADS": "1",
}

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
        if not cwd.is_absolute() or not cwd.is_dir():
            raise ValueError(f"cwd must be absolute and exist, got {str(cwd)!r}")
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # noqa: ASYNC220, S603 -- asyncio's own reaps pids too early for us; a constant command
                COMMAND,
                stdin=theirs,
                stdout=theirs,
                cwd=cwd,
                env={**environment, **ONE_THREAD, PARENT: str(os.getpid()), MARK: self._mark},
                start_new_session=True,
            )
        self._incoming, self._outgoing = await asyncio.open_connection(sock=ours)

    async def perform(
        self, task: Task, on_report: OnReport, on_ask: OnAsk, limits: Limits
    ) -> Done:
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
            ending = talk.result() if talk.done() else watch.result()
        except BaseException:
            await to_its_end(self._stop(talk, watch))
            raise
        await to_its_end(_cancelled(talk, watch))
        return _result(ending)

    async def end(self) -> None:
        """End the process and everything it started; wait until all are gone."""
        process = self._process
        if process is None:
            return
        started = processes.descendants(process.pid)
        processes.signal_group(process.pid, signal.SIGTERM)
        await _until(lambda: processes.ended(process.pid), GRACE_S)
        started |= processes.descendants(process.pid)
        processes.signal_group(process.pid, signal.SIGKILL)
        processes.kill(started)
        await asyncio.to_thread(processes.kill_marked, {MARK: self._mark})
        await processes.gone(started)
        await _until(lambda: process.poll() is not None, REAP_S)
        self._process = None
        await self._close()

    async def _stop(self, *conversations: asyncio.Future[Any]) -> None:
        await _cancelled(*conversations)
        await self.end()

    async def _close(self) -> None:
        if self._outgoing is not None:
            self._outgoing.close()
            with suppress(OSError):
                await self._outgoing.wait_closed()
        self._outgoing = self._incoming = None

    async def _talk(self, task: Task, on_report: OnReport, on_ask: OnAsk) -> Done | Failed:
        await self._send(task)
        while True:
            match await self._receive():
                case Report() as report:
                    on_report(report)
                case Ask() as question:
                    await self._answer(question, on_ask)
                case Done() | Failed() as ending:
                    return ending
                case message:
                    raise Problem(Code.CRASHED, f"the process said {type(message).__name__}")

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
            raise await self._crashed() from None
