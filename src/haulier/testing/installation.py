"""A whole installation in a folder: services here, workers as real processes; for tests."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from haulier import app
from haulier.config import Settings, environment
from haulier.core.caller import Caller, Scope
from haulier.core.job import Job, Submission
from haulier.core.lifecycle import State
from haulier.engine.services import Services

FAULTS: Final = "haulier.testing.faults:FAMILY"
PATIENCE_S: Final = 60.0
LOOK_S: Final = 0.02
WORKER: Final = "from haulier import app, config; app.run_worker(config.load())"


def _tester() -> Caller:
    return Caller("acme", "tester", frozenset(Scope))


@dataclass(slots=True)
class Installation:
    """An installation of the engine, with the family "faults", and the workers it started.

    Attributes:
        caller: somebody who may do everything in an organisation of its own.
    """

    settings: Settings
    services: Services
    caller: Caller = field(default_factory=_tester)
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @classmethod
    def make(cls, folder: Path, database_url: str = "", **settings: Any) -> "Installation":  # noqa: ANN401 -- settings
        """Make database and folders below a folder; no worker runs yet."""
        made = replace(
            Settings(data=folder / "data", database_url=database_url, families=FAULTS),
            worker_name="first",
            processes=2,
            **settings,
        )
        app.prepare(made)
        return cls(made, app.build_services(made))

    def start_worker(self, name: str = "first") -> subprocess.Popen[bytes]:
        """Start a worker as a process, and give it once it takes jobs."""
        settings = replace(self.settings, worker_name=name)
        settings.data.mkdir(parents=True, exist_ok=True)
        process = subprocess.Popen(  # noqa: S603 -- this interpreter, and code of ours
            [sys.executable, "-c", WORKER],
            env={**os.environ, **environment(settings)},
            cwd=settings.data,  # never where somebody's work lies
            stdin=subprocess.DEVNULL,
        )
        self.workers.append(process)
        until(lambda: self._beats(process), f"worker {name} to be ready")
        return process

    def _beats(self, process: subprocess.Popen[bytes]) -> bool:
        if process.poll() is not None:
            raise AssertionError(f"the worker ended with code {process.returncode}")
        return any(one.pid == process.pid and one.alive for one in self.services.health.workers())

    def submit(self, kind: str = "TROUBLE", **params: Any) -> Job:  # noqa: ANN401 -- JSON
        """Submit a job."""
        return self.services.jobs.submit(self.caller, Submission(kind, params))

    def job(self, job: Job) -> Job:
        """Give a job as it stands now."""
        return self.services.jobs.get(self.caller, job.id)

    def ended(self, job: Job, patience_s: float = PATIENCE_S) -> Job:
        """Wait for the end of a job."""
        until(lambda: self.job(job).terminal, f"job {job.id} to end", patience_s)
        return self.job(job)

    def reached(self, job: Job, state: State) -> Job:
        """Wait until a job is in a state."""
        until(lambda: self.job(job).state is state, f"job {job.id} to be {state}")
        return self.job(job)

    def run(self, kind: str = "TROUBLE", **params: Any) -> Job:  # noqa: ANN401 -- JSON
        """Submit a job and wait for its end."""
        return self.ended(self.submit(kind, **params))

    def upload(self, filename: str, content: bytes) -> dict[str, str]:
        """Put a file into the first storage, and give the reference that a job takes."""

        async def chunks() -> AsyncIterator[bytes]:
            yield content

        files = self.services.files
        asyncio.run(files.upload(self.caller, "storage-001", filename, chunks()))
        return {"storage": "storage-001", "filename": filename}

    def close(self) -> None:
        """End the workers that still run, and the connections."""
        for process in self.workers:
            if process.poll() is None:
                process.terminate()
        for process in self.workers:
            process.wait(PATIENCE_S)
        self.services.engine.dispose()


def until(holds: Callable[[], bool], what: str, patience_s: float = PATIENCE_S) -> None:
    """Look again and again until something holds.

    Raises:
        AssertionError: it did not within the time.
    """
    ends_at = time.monotonic() + patience_s
    while not holds():
        if time.monotonic() > ends_at:
            raise AssertionError(f"waited {patience_s:g} s for {what}")
        time.sleep(LOOK_S)


def lines(diary: Path) -> Mapping[str, int]:
    """Count the lines of a diary of the family "faults", without the process that wrote them."""
    found: dict[str, int] = {}
    for line in diary.read_text().splitlines() if diary.exists() else ():
        what = line.rpartition(" ")[0]
        found[what] = found.get(what, 0) + 1
    return found
