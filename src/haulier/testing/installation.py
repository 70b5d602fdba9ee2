"""A whole installation in a folder: services here, workers as processes to start and kill."""

import asyncio
import os
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Final

import psutil

from haulier import app
from haulier.config import Settings, environment
from haulier.core.caller import Caller, Scope
from haulier.core.job import Job, Submission
from haulier.engine.context import FINISHED
from haulier.engine.processes import SCRATCH, marked
from haulier.engine.services import Services
from haulier.testing.nursery import Nursery
from haulier.testing.server import bytecode

FAULTS: Final = "haulier.testing.faults:FAMILY"
STORAGE: Final = "storage-001"
#: In place of numba: the kernels of other families would be loaded at each start of a worker,
#: which takes longer than a whole test. That they cannot be warmed is a line in the log.
NO_KERNELS: Final = 'raise ImportError("this worker does without kernels")\n'
WITHOUT: Final = "without"  # the folder of that module
WITHIN_S: Final = 120.0
LOOK_S: Final = 0.02
TAIL: Final = 6000  # characters of the log that a failure shows


class NeverError(AssertionError):
    """What was awaited did not happen; ends with the log."""


@dataclass
class Installation:
    """A database, a storage, and workers that do the family "faults".

    Attributes:
        folder: everything lies below it, and every process works there.
        services: what a server works with, in the test's own process.
        diary: the file in which the parts of a job say that they begin and end.
        gate: the file that the parts of a job wait for when they are told to.
        nursery: where workers come from.
        workers: those that were started, by name.
        caller: somebody who may do everything.
    """

    folder: Path
    settings: Settings
    services: Services
    diary: Path
    gate: Path
    nursery: Nursery
    workers: dict[str, psutil.Process] = field(default_factory=dict)
    caller: ClassVar[Caller] = Caller("main", "tester", frozenset(Scope))

    def start(self, name: str = "one") -> None:
        """Start a worker of that name."""
        log, environment = self.folder / "workers.log", self.environment(name)
        self.workers[name] = self.nursery.start(
            "worker", folder=self.folder, log=log, environment=environment
        )

    def environment(self, name: str = "one") -> dict[str, str]:
        """Give the environment in which a process finds this installation."""
        settings = replace(self.settings, worker_name=name)
        found = filter(None, (str(self.folder / WITHOUT), os.environ.get("PYTHONPATH")))
        path = {"PYTHONPATH": os.pathsep.join(found)}
        return {**os.environ, **bytecode(), **environment(settings), **path}

    def kill(self, name: str = "one") -> None:
        """End a worker as a power cut does."""
        _kill(self.workers.pop(name))

    def stop(self) -> None:
        """End every worker as an operator does."""
        for worker in self.workers.values():
            with suppress(psutil.NoSuchProcess):
                worker.resume()
                worker.terminate()
        for worker in self.workers.values():
            worker.wait(WITHIN_S)
        self.workers.clear()

    def submit(self, kind: str = "TROUBLE", **params: Any) -> Job:  # noqa: ANN401 -- JSON
        """Submit a job that knows the diary and the gate."""
        said = {"diary": str(self.diary), "gate": str(self.gate), **params}
        return self.services.jobs.submit(self.caller, Submission(kind, said))

    def run(self, kind: str = "TROUBLE", **params: Any) -> Job:  # noqa: ANN401 -- JSON
        """Submit a job and wait for its end."""
        return self.ended(self.submit(kind, **params))

    def job(self, job: Job) -> Job:
        """Give a job as it stands now."""
        return self.services.jobs.get(self.caller, job.id)

    def ended(self, job: Job) -> Job:
        """Wait for the end of a job."""
        self.until(lambda: self.job(job).terminal, f"job {job.id} ends")
        return self.job(job)

    def until(self, true: Callable[[], bool], what: str) -> None:
        """Wait until something is true.

        Raises:
            NeverError: it was not, for two minutes.
        """
        deadline_s = time.monotonic() + WITHIN_S
        while not true():
            if time.monotonic() > deadline_s:
                raise NeverError(f"not true within {WITHIN_S:g} s: {what}\n{self.log}")
            time.sleep(LOOK_S)

    @property
    def log(self) -> str:
        """Give the last of what the workers said."""
        path = self.folder / "workers.log"
        return path.read_text("utf-8", "replace")[-TAIL:] if path.exists() else ""

    def lines(self, word: str = "") -> Counter[str]:
        """Count the diary's lines that begin with a word, without that word and the pid."""
        text = self.diary.read_text("utf-8") if self.diary.exists() else ""
        split = (line.split() for line in text.splitlines())
        return Counter(" ".join(words[1:-1]) for words in split if words[0].startswith(word))

    def finished(self) -> int:
        """Count the parts that are whole: the diary's line comes a moment before."""
        return sum(1 for _ in (self.settings.data / "files" / "work").rglob(FINISHED))

    def children(self) -> set[psutil.Process]:
        """Give what the workers of every name started and that lives, whoever is its parent."""
        found: set[psutil.Process] = set()
        for folder in self.settings.scratch.glob("*"):
            found |= marked({SCRATCH: str(folder)})
        return found

    def upload(self, filename: str, content: bytes) -> dict[str, str]:
        """Put a file into the first storage, and give the reference that a job takes."""

        async def chunks() -> AsyncIterator[bytes]:
            yield content

        asyncio.run(self.services.files.upload(self.caller, STORAGE, filename, chunks()))
        return {"storage": STORAGE, "filename": filename}

    def outputs(self, job: Job) -> list[str]:
        """Give the files that were published for a job, though they may be going just now."""
        folder = self.settings.data / "files" / "jobs" / str(job.id)
        return sorted(name for _, _, names in os.walk(folder) for name in names)

    def until_clean(self, job: Job) -> None:
        """Wait until a job has no files: they go after the word that it has ended."""
        self.until(lambda: not self.outputs(job), f"the files of job {job.id} are gone")

    def output(self, job: Job) -> str:
        """Give the content of a job's sum."""
        artifact = self.services.jobs.artifact(self.caller, job.id, "sum")
        return (self.services.storage.load(artifact.key) or b"").decode()


@contextmanager
def opened(
    folder: Path,
    database_url: str,
    nursery: Nursery,
    **settings: Any,  # noqa: ANN401 -- those of Settings
) -> Iterator[Installation]:
    """Give an installation without any process; whatever was started ends with the block.

    Raises:
        NeverError: a process of a worker outlived it.
    """
    defaults = {"families": FAULTS, "processes": 2, "poll_s": 0.1, "dead_after_s": 3.0}
    chosen = Settings(data=folder / "data", database_url=database_url, **{**defaults, **settings})
    app.prepare(chosen)
    here = Installation(
        folder,
        chosen,
        app.build_services(chosen),
        diary=folder / "diary",
        gate=folder / "gate",
        nursery=nursery,
    )
    (folder / WITHOUT).mkdir()
    (folder / WITHOUT / "numba.py").write_text(NO_KERNELS, "utf-8")
    try:
        yield here
        here.stop()
        here.until(lambda: not here.children(), "nothing of a worker lives")
    finally:
        for worker in here.workers.values():
            _kill(worker)
        here.services.engine.dispose()


def _kill(worker: psutil.Process) -> None:
    with suppress(psutil.NoSuchProcess):
        worker.kill()
    worker.wait()
