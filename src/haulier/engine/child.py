"""The child process of a worker: does one task after another, and dies with its parent."""

import ctypes
import errno
import faulthandler
import gc
import os
import signal
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn

import msgspec

from haulier.core.family import Cancelled, Family
from haulier.core.problem import Code, Problem
from haulier.engine.calls import do
from haulier.engine.context import ChildContext
from haulier.engine.messages import Answer, Ask, Done, Failed, Message, Reader, Report, Task, pack
from haulier.engine.registry import Kinds, installed

#: Pid of the worker that started this process.
PARENT: Final = "HAULIER_PARENT"
FAMILIES: Final = "HAULIER_FAMILIES"
CHUNK_BYTES: Final = 1 << 20
LOOK_EVERY_S: Final = 0.5
ORPHANED: Final = 70
DISK_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
PR_SET_PDEATHSIG: Final = 1
PR_SET_CHILD_SUBREAPER: Final = 36
FIRST_FOR_THE_KERNEL: Final = "500"


class WorkerGoneError(Exception):
    """The worker closed the channel: there is nothing more to do."""


@contextmanager
def _or_gone() -> Iterator[None]:
    try:
        yield
    except (BrokenPipeError, ConnectionResetError):
        raise WorkerGoneError from None


class Pipe:
    """The channel to the worker, over two file descriptors that nobody else knows."""

    def __init__(self, incoming: int, outgoing: int) -> None:
        self._incoming = incoming
        self._outgoing = outgoing
        self._reader = Reader()
        self._waiting: deque[Message] = deque()
        self._lock = threading.RLock()  # a family may report from a thread of its own
        self._stopped = False
        self._busy = False

    @property
    def stopped(self) -> bool:
        """Whether the worker asked this process to stop."""
        return self._stopped

    def stop(self, signum: int, frame: FrameType | None) -> None:
        """Note that the worker asked to stop; end here when nothing is being done."""
        del signum, frame
        self._stopped = True
        if not self._busy:
            raise SystemExit(0)

    def task(self) -> Task:
        """Wait for the next task.

        Raises:
            WorkerGoneError: there will be none.
        """
        self._busy = False
        if self._stopped:
            raise WorkerGoneError
        message = self._receive()
        self._busy = True
        if not isinstance(message, Task):
            raise TypeError(f"expected a task, got a {type(message).__name__}")
        return message

    def say(self, report: Report) -> None:
        """Send a report."""
        self.send(report)

    def ask(self, question: Ask) -> Answer:
        """Send a question and wait for its answer."""
        with self._lock:
            self.send(question)
            message = self._receive()
        if not isinstance(message, Answer):
            raise TypeError(f"expected an answer, got a {type(message).__name__}")
        return message

    def send(self, message: Message) -> None:
        """Send a message whole."""
        left = memoryview(pack(message))
        with self._lock, _or_gone():
            while left:
                left = left[os.write(self._outgoing, left) :]

    def _receive(self) -> Message:
        while not self._waiting:
            with _or_gone():
                data = os.read(self._incoming, CHUNK_BYTES)
            if not data:
                raise WorkerGoneError
            self._waiting.extend(self._reader.feed(data))
        return self._waiting.popleft()


def main() -> NoReturn:
    """Do tasks until the worker goes."""
    pipe = _take_channel()
    signal.signal(signal.SIGTERM, pipe.stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the worker's business
    faulthandler.enable()
    _die_with_parent(int(os.environ[PARENT]))
    families = Families()
    known: set[tuple[str, str]] = set()
    try:
        while True:
            task = pipe.task()
            pipe.send(perform(task, pipe, families))
            gc.collect()
            if (call := (task.family, task.action)) not in known:
                gc.freeze()  # libraries stay: to look through them after each part took 0.1 s
                known.add(call)
    except WorkerGoneError:
        sys.exit(0)


class Families:
    """The installed families, found when the first is asked for: a broken one is then told."""

    def __init__(self) -> None:
        self._kinds: Kinds | None = None

    def get(self, name: str) -> Family:
        """Give the family of that name."""
        if self._kinds is None:
            self._kinds = installed(os.environ.get(FAMILIES, ""))
        return self._kinds.family(name)


def perform(task: Task, pipe: Pipe, families: Families) -> Done | Failed:
    """Do one task; whatever it raises becomes a problem."""
    context = ChildContext(task, pipe)
    try:
        done = do(task, context, families.get)
        context.flush()
    except Problem as problem:
        return Failed(problem.body())
    except Cancelled:
        return _failed(Code.CANCELLED, f"the {task.action} was cancelled")
    except MemoryError:
        traceback.print_exc()
        return _failed(Code.OUT_OF_MEMORY, f"the {task.action} asked for more memory than there is")
    except WorkerGoneError:
        raise
    except Exception as error:  # noqa: BLE001 -- around a step: a family may raise anything
        traceback.print_exc()
        if isinstance(error, OSError) and error.errno in DISK_FULL:
            return _failed(Code.UNAVAILABLE, f"the worker's disk is full: {_one_line(task, error)}")
        return _failed(Code.INTERNAL, _one_line(task, error))
    return done


def _failed(code: Code, detail: str) -> Failed:
    return Failed(Problem(code, detail).body())


def _one_line(task: Task, error: Exception) -> str:
    name = f"{task.family}.{task.action}" if task.family else task.action
    said = " ".join(str(error).split())
    if isinstance(error, msgspec.ValidationError):
        return f"{name} got values that do not fit: {said}"
    return f"{name} raised {type(error).__name__}: {said}" if said else f"{name} raised {error!r}"


def _take_channel() -> Pipe:
    """Keep standard input and output for messages: what a family prints goes to the log."""
    incoming, outgoing = os.dup(0), os.dup(1)
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    return Pipe(incoming, outgoing)


def _die_with_parent(parent: int) -> None:
    """Ask the kernel to end this process with its parent; elsewhere keep an eye on it.

    The parent may be gone already, or go between the two calls: so ask, then look.
    """
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        libc.prctl(PR_SET_CHILD_SUBREAPER, 1)  # what it started stays below it, found at its end
        with suppress(OSError):  # short of memory, the kernel should take this process first
            Path("/proc/self/oom_score_adj").write_text(FIRST_FOR_THE_KERNEL, "ascii")
    else:
        threading.Thread(target=_watch, args=(parent,), daemon=True).start()
    if os.getppid() != parent:
        os._exit(ORPHANED)


def _watch(parent: int) -> NoReturn:
    while os.getppid() == parent:
        time.sleep(LOOK_EVERY_S)
    os._exit(ORPHANED)


if __name__ == "__main__":
    main()
