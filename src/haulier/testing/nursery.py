"""Workers that start in milliseconds: forked from a process that has loaded what they need."""

import gc
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Final, NoReturn

import msgspec
import psutil

from haulier.testing.server import bytecode

COMMANDS: Final = "haulier.cli.main"
#: What the command imports when it is used: a second of every start.
LOADED: Final = (
    COMMANDS,
    "haulier.cli.worker",
    "haulier.app",
    "haulier.engine.worker",
    "haulier.families.roads",
    "haulier.testing.faults",
)


class Order(msgspec.Struct, frozen=True):
    """A process that is wanted: a command of `haulier`, where it works, and what it sees."""

    command: tuple[str, ...]
    folder: str
    log: str
    environment: Mapping[str, str]


class Nursery:
    """Starts commands of `haulier` in processes of their own."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def start(
        self, *command: str, folder: Path, log: Path, environment: Mapping[str, str]
    ) -> psutil.Process:
        """Start a command; what it says is appended to the log, and its end leaves no zombie."""
        order = Order(command, str(folder), str(log), environment)
        process = self._process = self._process or _spawn()
        if process.stdin is None or process.stdout is None:
            raise TypeError("the nursery has no pipes")
        process.stdin.write(msgspec.json.encode(order) + b"\n")
        process.stdin.flush()
        return psutil.Process(int(process.stdout.readline()))

    def close(self) -> None:
        """Take no more orders; what was started goes on."""
        if self._process is not None:
            self._process.communicate()


@contextmanager
def opened() -> Iterator[Nursery]:
    """Give a nursery; its own process begins with the first order, and ends with the block."""
    nursery = Nursery()
    try:
        yield nursery
    finally:
        nursery.close()


def _spawn() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        (sys.executable, "-P", "-m", "haulier.testing.nursery"),
        env={**os.environ, **bytecode()},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )


def main() -> None:
    """Fork a process for each line of standard input, and write its id."""
    for name in LOADED:
        import_module(name)
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel forgets those that ended
    for line in sys.stdin.buffer:
        order = msgspec.json.decode(line, type=Order)
        pid = os.fork()
        if not pid:
            _obey(order)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


def _obey(order: Order) -> NoReturn:
    """Become the process that is wanted."""
    code = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.environ.clear()
        os.environ.update(order.environment)
        os.chdir(order.folder)
        _connect(order.log)
        code = import_module(COMMANDS).run(list(order.command))
    except BaseException:  # noqa: BLE001 -- it must not go on as the nursery
        traceback.print_exc()
    finally:
        os._exit(code)


def _connect(log: str) -> None:
    """Read nothing, and write to the log."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for fd, number in ((nothing, 0), (out, 1), (out, 2)):
        os.dup2(fd, number)
    os.close(nothing)
    os.close(out)


if __name__ == "__main__":
    main()
