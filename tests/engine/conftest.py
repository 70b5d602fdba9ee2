"""Fixtures for the engine's child processes: a folder of work, a store, and tasks over them."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

from haulier.core.family import Part
from haulier.core.problem import Code, Problem
from haulier.core.recipe import StepPlan
from haulier.engine.messages import Answer, Ask, Place, Report, Task
from haulier.engine.processes import MARK
from haulier.engine.storage import Storage

HERE = Path(__file__).parent


@dataclass
class Work:
    """A folder with a store and scratch space, and what was reported and asked."""

    folder: Path
    said: list[Report] = field(default_factory=list)
    asked: list[Ask] = field(default_factory=list)

    @property
    def url(self) -> str:
        return (self.folder / "store").as_uri()

    @property
    def store(self) -> Storage:
        return Storage(self.url)

    @property
    def scratch(self) -> Path:
        return self.folder / "scratch" / "call"

    @property
    def started(self) -> Path:
        """Where a deed says that it has begun."""
        return self.folder / "started"

    def task(self, deed: str, action: str = "run", **params: Any) -> Task:
        self.scratch.mkdir(parents=True, exist_ok=True)
        return Task(
            action=action,
            family="rogue",
            step=StepPlan("only", "rogue", deed, {"started": str(self.started), **params}),
            part=Part("a") if action == "run" else None,
            places={"a": "work/key/a-1/", "b": "work/key/b-2/"},
            publish="jobs/1/1/only/",
            store=self.url,
            scratch=str(self.scratch),
        )

    def on_report(self, report: Report) -> None:
        self.said.append(report)

    async def on_ask(self, ask: Ask) -> Answer:
        self.asked.append(ask)
        if ask.what == "catalog":
            return Answer(body={"kind": "linear"})
        if ask.a != "inbox":
            raise Problem(Code.NOT_FOUND, f"no storage '{ask.a}'; there are: inbox")
        return Answer(place=Place(self.url, f"files/{ask.b}", ask.b))


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Work]:
    """Give a place to work; afterwards nothing that carries a child's mark may live."""
    monkeypatch.setenv("PYTHONPATH", str(HERE))
    before = marked()
    descriptors = open_descriptors()
    yield Work(tmp_path)
    assert marked() - before == set()
    assert open_descriptors() <= descriptors + 3  # the selector and the wake-up pair of a loop


def marked() -> set[int]:
    """Give the pid of every process that this one's children belong to, zombies too."""
    found = {child.pid for child in psutil.Process().children(recursive=True)}
    for process in psutil.process_iter():
        try:
            if process.environ().get("PYTHONPATH") == str(HERE) and MARK in process.environ():
                found.add(process.pid)
        except (psutil.Error, OSError):
            continue
    return found


def open_descriptors() -> int:
    """Give how many file descriptors this process has open."""
    return len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").is_dir() else 0
