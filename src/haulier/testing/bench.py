"""A folder with a store, tasks over it, and what a child said: for tests of part runners."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psutil

from haulier.core.family import Part
from haulier.core.problem import Code, Problem
from haulier.core.recipe import StepPlan
from haulier.engine.messages import Answer, Ask, Place, Report, Task
from haulier.engine.processes import SCRATCH, marked
from haulier.engine.storage import Storage
from haulier.testing.shelf import an_entry

ROGUE: Final = "haulier.testing.rogue:FAMILY"
LOOK_S: Final = 0.01
DESCRIPTORS: Final = Path("/proc/self/fd")


class LeftOverError(AssertionError):
    """Something lives that should have ended."""


@dataclass
class Bench:
    """Where tasks of the family "rogue" are done.

    Attributes:
        folder: everything lies below it.
        said: every report that came.
        asked: every question that came.
    """

    folder: Path
    said: list[Report] = field(default_factory=list)
    asked: list[Ask] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Give the URL of the store."""
        return (self.folder / "store").as_uri()

    @property
    def store(self) -> Storage:
        """Give the store."""
        return Storage(self.url)

    @property
    def started(self) -> Path:
        """Give the file in which a deed says that it has begun."""
        return self.folder / "started"

    def task(self, deed: str, action: str = "run", *, call: str = "call", **params: Any) -> Task:  # noqa: ANN401 -- JSON
        """Give a task whose part `a` does the deed, with a scratch folder of its own."""
        scratch = self.folder / "scratch" / call
        scratch.mkdir(parents=True, exist_ok=True)
        return Task(
            action=action,
            family="rogue",
            step=StepPlan("only", "rogue", deed, {"started": str(self.started), **params}),
            part=Part("a") if action == "run" else None,
            places={"a": "work/key/a-1/", "b": "work/key/b-2/"},
            publish="jobs/1/1/only/",
            store=self.url,
            scratch=str(scratch),
        )

    def on_report(self, report: Report) -> None:
        """Note a report."""
        self.said.append(report)

    async def on_ask(self, ask: Ask) -> Answer:
        """Answer as a worker would that has one storage "inbox" and a catalog."""
        self.asked.append(ask)
        if ask.what == "entry":
            return Answer(entry=an_entry(ask.a, ask.b, {"kind": "linear"}))
        if ask.a != "inbox":
            raise Problem(Code.NOT_FOUND, f"no storage '{ask.a}'; there are: inbox")
        return Answer(place=Place(self.url, f"files/{ask.b}", ask.b))

    def processes(self) -> set[int]:
        """Give every process that works here, dead ones that nobody has reaped among them."""
        zombies = {
            child.pid
            for child in psutil.Process().children()
            if child.status() == psutil.STATUS_ZOMBIE
        }
        return zombies | {found.pid for found in marked({SCRATCH: str(self.folder)})}

    async def begun(self) -> None:
        """Wait until a deed has said that it has begun."""
        while not (self.started.exists() and self.started.read_text("utf-8")):  # noqa: ASYNC110 -- a file of another process
            await asyncio.sleep(LOOK_S)


@contextmanager
def opened(folder: Path) -> Iterator[Bench]:
    """Give a bench, and make sure that nothing is left when it is put away.

    Raises:
        LeftOverError: a process lives, or is a zombie, or a file descriptor is open.
    """
    bench, before = Bench(folder), _descriptors()
    yield bench
    if left := bench.processes():
        raise LeftOverError(f"processes are left over: {sorted(left)}")
    if (after := _descriptors()) > before:
        raise LeftOverError(f"{after - before} file descriptors are left open")


def _descriptors() -> int:
    return sum(1 for _ in DESCRIPTORS.iterdir()) if DESCRIPTORS.is_dir() else 0
