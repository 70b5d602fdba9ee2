"""Keeps child processes alive: starts, restarts with a growing pause, and ends them cleanly."""

import asyncio
import os
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from haulier.cli.codes import Exit
from haulier.cli.orphan import SUPERVISOR
from haulier.cli.output import say

FIRST_PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 30.0
STEADY_S: Final = 60.0  # a child that lived so long has earned a quick restart
GIVE_UP_AFTER: Final = 4  # ends in a row before the server was ever ready
STOP_S: Final = 25.0
STANDARD_ERROR: Final = 2


@dataclass(slots=True)
class Child:
    """A process to be kept alive.

    Attributes:
        name: for messages: "api", "worker".
        argv: how to start it.
        pid: of the process that runs now; 0 while there is none.
        ends: how often in a row it ended soon after its start.
    """

    name: str
    argv: tuple[str, ...]
    pid: int = 0
    ends: int = 0


@dataclass(slots=True)
class Supervisor:
    """Keeps its children alive until it is stopped.

    Attributes:
        children: what to keep alive.
        environment: what they see of it.
        on_change: called after each start with the pid of every child.
    """

    children: tuple[Child, ...]
    environment: Mapping[str, str]
    on_change: Callable[[Mapping[str, int]], None] = lambda pids: None  # noqa: ARG005 -- by name
    ready: bool = False
    code: Exit = Exit.OK
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _hurried: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> Exit:
        """Keep the children alive until `stop`, then end them all."""
        await asyncio.gather(*(self._keep(child) for child in self.children))
        return self.code

    def stop(self, code: Exit = Exit.OK) -> None:
        """Begin to end; asked a second time, hurry."""
        if self._stopping.is_set():
            self._hurried.set()
            return
        self.code = code
        self._stopping.set()

    async def stopped(self) -> None:
        """Wait until the end has begun."""
        await self._stopping.wait()

    async def _keep(self, child: Child) -> None:
        loop = asyncio.get_running_loop()
        while not self._stopping.is_set():
            started_at_s = loop.time()
            process = await self._start(child)
            await self._ended_or_stopping(process)
            if process.returncode is None:
                await self._end(child, process)
            _sweep(process.pid)
            child.pid = 0
            if not self._stopping.is_set():
                await self._after_end(child, process.returncode, loop.time() - started_at_s)

    async def _start(self, child: Child) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            *child.argv,
            env={**os.environ, **self.environment, SUPERVISOR: str(os.getpid())},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=STANDARD_ERROR,  # our output carries the address and nothing else
            start_new_session=True,  # Ctrl-C reaches us alone, and we end them in order
        )
        child.pid = process.pid
        self.on_change({one.name: one.pid for one in self.children})
        return process

    async def _ended_or_stopping(self, process: asyncio.subprocess.Process) -> None:
        waits = [asyncio.ensure_future(process.wait()), asyncio.ensure_future(self.stopped())]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        await asyncio.gather(*waits, return_exceptions=True)

    async def _end(self, child: Child, process: asyncio.subprocess.Process) -> None:
        """Ask, wait, and end it by force when it does not listen or we are in a hurry."""
        with suppress(ProcessLookupError):
            process.terminate()
        waits = [asyncio.ensure_future(process.wait()), asyncio.ensure_future(self._hurried.wait())]
        await asyncio.wait(waits, timeout=STOP_S, return_when=asyncio.FIRST_COMPLETED)
        waits[1].cancel()
        if not waits[0].done():
            say(f"haulier: {child.name} does not end, killing it")
            _sweep(process.pid)
        await asyncio.gather(*waits, return_exceptions=True)

    async def _after_end(self, child: Child, returncode: int | None, lived_s: float) -> None:
        child.ends = 1 if lived_s >= STEADY_S else child.ends + 1
        shown = _shown(returncode)
        hopeless = returncode == Exit.USAGE or child.ends >= GIVE_UP_AFTER
        if not self.ready and hopeless:
            say(f"haulier: {child.name} ended ({shown}) and cannot be started; see above")
            self.stop(Exit.USAGE if returncode == Exit.USAGE else Exit.SERVER)
            return
        pause_s = min(FIRST_PAUSE_S * 2.0 ** min(child.ends - 1, 10), LONGEST_PAUSE_S)
        say(f"haulier: {child.name} ended ({shown}), starting it again in {pause_s:g} s")
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), pause_s)


def _sweep(pid: int) -> None:
    """End whatever is left of a child's process group: it leads its own."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _shown(returncode: int | None) -> str:
    if returncode is not None and returncode < 0:
        with suppress(ValueError):
            return signal.Signals(-returncode).name
    return f"exit code {returncode}"
