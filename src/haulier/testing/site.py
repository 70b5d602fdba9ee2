"""An installation whose processes a test starts and kills one by one."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import psutil

from haulier import app
from haulier.config import Settings, environment
from haulier.core.caller import Caller, Scope
from haulier.core.job import Job, Submission
from haulier.core.lifecycle import State
from haulier.engine.context import FINISHED
from haulier.engine.processes import SCRATCH, marked
from haulier.engine.services import Services

CALLER: Final = Caller("main", "chaos", frozenset(Scope))
FAULTS: Final = "haulier.testing.faults:FAMILY"
#: In place of numba: the kernels of other families would be loaded at each start of a worker,
#: which takes longer than a whole test. That they cannot be warmed is a line in the log.
NO_KERNELS: Final = 'raise ImportError("this worker does without kernels")\n'
WITHIN_S: Final = 120.0
LOOK_S: Final = 0.01
TAIL: Final = 6000


class NeverError(AssertionError):
    """What was awaited did not happen; ends with the log."""


@dataclass
class Site:
    """A database, a storage, and the workers of a test.

    Attributes:
        folder: everything lies below it, and every process works there.
        services: what a server works with, in the test's own process.
    """

    folder: Path
    settings: Settings
    services: Services
    workers: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    @property
    def diary(self) -> Path:
        """Give the file in which the parts say that they begin and end."""
        return self.folder / "diary"

    @property
    def without(self) -> Path:
        """Give the folder of a module that cannot be imported."""
        return self.folder / "without"

    @property
    def gate(self) -> Path:
        """Give the file that "wait" waits for."""
        return self.folder / "gate"

    def start(self, name: str = "one") -> None:
        """Start a worker of that name."""
        with (self.folder / "workers.log").open("ab") as log:
            self.workers[name] = subprocess.Popen(
                (sys.executable, "-P", "-m", "haulier.cli", "worker"),
                cwd=self.folder,
                env=self.environment(name),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def environment(self, name: str = "one") -> dict[str, str]:
        """Give the environment in which a process finds this installation."""
        settings = replace(self.settings, worker_name=name)
        path = os.pathsep.join(filter(None, (str(self.without), os.environ.get("PYTHONPATH"))))
        return {**os.environ, **environment(settings), "PYTHONPATH": path}

    def kill(self, name: str = "one") -> None:
        """End a worker as a power cut does."""
        worker = self.workers.pop(name)
        worker.kill()
        worker.wait()

    def stop(self) -> None:
        """End every worker as an operator does."""
        for worker in self.workers.values():
            worker.send_signal(signal.SIGCONT)
            worker.terminate()
        for worker in self.workers.values():
            worker.wait(WITHIN_S)
        self.workers.clear()

    def submit(self, **params: Any) -> UUID:  # noqa: ANN401 -- those of TROUBLE
        """Submit a job of TROUBLE that writes into the diary."""
        said = {"diary": str(self.diary), "gate": str(self.gate), **params}
        return self.services.jobs.submit(CALLER, Submission("TROUBLE", said)).id

    def job(self, job_id: UUID) -> Job:
        """Give a job as it stands."""
        return self.services.jobs.get(CALLER, job_id)

    def wait(self, job_id: UUID, *states: State) -> Job:
        """Wait until a job is in one of the states."""
        self.until(lambda: self.job(job_id).state in states, f"{job_id} is in {states}")
        return self.job(job_id)

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

    def outputs(self, job_id: UUID) -> list[str]:
        """Give the files that were published for a job, without the key of the job."""
        folder = self.settings.data / "files" / "jobs" / str(job_id)
        return sorted(path.name for path in folder.rglob("*") if path.is_file())

    def output(self, job_id: UUID) -> str:
        """Give the content of a job's sum."""
        artifact = self.services.jobs.artifact(CALLER, job_id, "sum")
        return (self.services.storage.load(artifact.key) or b"").decode()


@contextmanager
def opened(folder: Path, database_url: str, **settings: Any) -> Iterator[Site]:  # noqa: ANN401 -- those of Settings
    """Give an installation without any process; whatever was started ends with the block.

    Raises:
        NeverError: a process of a worker outlived it.
    """
    chosen = Settings(
        data=folder / "data",
        database_url=database_url,
        families=FAULTS,
        processes=2,
        poll_s=0.05,
        dead_after_s=3.0,
        **settings,
    )
    app.prepare(chosen)
    site = Site(folder, chosen, app.build_services(chosen))
    site.without.mkdir()
    (site.without / "numba.py").write_text(NO_KERNELS, "utf-8")
    try:
        yield site
        site.stop()
        site.until(lambda: not site.children(), "nothing of a worker lives")
    finally:
        for worker in site.workers.values():
            with suppress(ProcessLookupError):
                worker.kill()
            worker.wait()
        site.services.engine.dispose()
