"""Finds and ends process trees: descendants, and whoever carries a mark in its environment."""

import asyncio
import os
import signal
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import psutil

#: Name of the worker that a process works for.
OWNER: Final = "HAULIER_OWNER"
#: That worker's scratch folder: two installations on one machine may use one name.
SCRATCH: Final = "HAULIER_SCRATCH"
#: Which child process of the worker it belongs to.
MARK: Final = "HAULIER_CHILD"

ROUNDS: Final = 50  # a tree that starts processes faster than they are killed is looked at so often
LOOK_S: Final = 0.01
GONE_WITHIN_S: Final = 10.0


def descendants(pid: int) -> set[psutil.Process]:
    """Give every process that this one started, directly or not, and that still lives."""
    with suppress(psutil.Error):
        return set(psutil.Process(pid).children(recursive=True))
    return set()


def marked(marks: Mapping[str, str]) -> set[psutil.Process]:
    """Give the processes of this user whose environment has all of the marks."""
    uid = os.getuid()
    found: set[psutil.Process] = set()
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.uids().real == uid and process.status() != psutil.STATUS_ZOMBIE:
                environment = process.environ()
                if all(environment.get(name) == value for name, value in marks.items()):
                    found.add(process)
    return found


def resident_bytes(pid: int) -> int:
    """Give the resident memory of a process and all that it started."""
    total = 0
    for process in {*descendants(pid), *_one(pid)}:
        with suppress(psutil.Error):
            total += process.memory_info().rss
    return total


def ended(pid: int) -> bool:
    """Whether a child of ours has ended; it stays to be reaped, so that its pid stays its own."""
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def end_of(returncode: int | None) -> str:
    """Say how a process ended, as the end of a sentence about it."""
    if returncode is None or returncode >= 0:
        return f"ended with exit code {returncode}"
    try:
        name = signal.Signals(-returncode).name
    except ValueError:
        name = f"signal {-returncode}"
    hint = "; the system does that when memory runs out" if name == "SIGKILL" else ""
    return f"was killed by {name}{hint}"


def signal_group(pid: int, number: signal.Signals) -> None:
    """Send a signal to the process group that an unreaped child of ours leads."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def kill(processes: Iterable[psutil.Process]) -> None:
    """Kill processes; psutil makes sure that a pid still means the process it meant."""
    for process in processes:
        with suppress(psutil.Error):
            process.kill()


def kill_marked(marks: Mapping[str, str], spare: Iterable[psutil.Process] = ()) -> int:
    """Kill whoever has the marks until nobody has; give how many there were."""
    spared, killed = set(spare), set[psutil.Process]()
    for _ in range(ROUNDS):
        found = marked(marks) - spared
        if not found:
            break
        kill(found)
        killed |= found
        psutil.wait_procs(list(found), timeout=LOOK_S)
    return len(killed)


def end_orphans(owner: str, scratch: Path) -> int:
    """Kill what an earlier worker of this name left over from its work in this folder.

    Never this process, what it started, or what started it.

    Returns:
        How many processes were killed.
    """
    own = psutil.Process()
    spare = {own, *own.parents(), *own.children(recursive=True)}
    return kill_marked({OWNER: owner, SCRATCH: str(scratch.absolute())}, spare)


async def gone(processes: Iterable[psutil.Process]) -> None:
    """Wait until killed processes are gone: the kernel may need a moment for a large one."""
    left = list(processes)
    await until(lambda: not any(_lives(process) for process in left), GONE_WITHIN_S)


async def until(true: Callable[[], bool], within_s: float) -> bool:
    """Look again and again until something is true, or the time is over; give which."""
    deadline_s = time.monotonic() + within_s
    while not (found := true()) and time.monotonic() < deadline_s:  # noqa: ASYNC110 -- the end of a process is no event of ours
        await asyncio.sleep(LOOK_S)
    return found


def _lives(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def _one(pid: int) -> set[psutil.Process]:
    with suppress(psutil.Error):
        return {psutil.Process(pid)}
    return set()
