"""A whole job through a server of its own: every process's CPU time and memory are counted."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from haulier.client import Client
from haulier.client.answers import Job
from haulier.families.roads.demo import DemoFiles

SAMPLE_S = 0.1
START_S = 120
QUIET_CPU_S = 0.15  # of CPU time a second, all processes together
QUIET_LOOKS = 4
JOB_S = 1800
KEY = "hlr_dev_key_for_loopback_only"


@dataclass
class Tree:
    """A process and all its descendants, looked at again and again."""

    root: psutil.Process
    cpu_s: dict[int, float] = field(default_factory=dict)
    peak: dict[int, int] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    ended: threading.Event = field(default_factory=threading.Event)

    def look(self) -> None:
        """Note what every process has used so far."""
        for process in [self.root, *self.root.children(recursive=True)]:
            try:
                with process.oneshot():
                    times, memory = process.cpu_times(), process.memory_info()
                    self.names.setdefault(process.pid, " ".join(process.cmdline()[-3:])[:60])
            except psutil.Error:
                continue  # it ended meanwhile
            self.cpu_s[process.pid] = times.user + times.system
            self.peak[process.pid] = max(self.peak.get(process.pid, 0), memory.rss)

    def watch(self) -> None:
        """Look again and again until `ended` is set."""
        while not self.ended.wait(SAMPLE_S):
            self.look()

    def spent_s(self) -> float:
        """Give the CPU seconds of all processes so far, those that ended included."""
        self.look()
        return sum(self.cpu_s.values())


def wait_until_quiet(tree: Tree) -> float:
    """Wait until every process has loaded what it needs; gives the cores that waiting takes."""
    until, quiet = time.monotonic() + START_S, [0.0]
    before_s = tree.spent_s()
    while len(quiet) <= QUIET_LOOKS and time.monotonic() < until:
        time.sleep(1)
        now_s = tree.spent_s()
        quiet = [*quiet, now_s - before_s] if now_s - before_s < QUIET_CPU_S else [0.0]
        before_s = now_s
    return sum(quiet) / max(len(quiet) - 1, 1)


@dataclass(frozen=True)
class ServerRun:
    """What a job took.

    `steps` has (name, seconds of wall clock, parts), `by_process` (command, CPU seconds, peak MB).
    """

    roads: int
    cpu_s: float
    idle_cores: float
    wall_s: float
    peak_mb: float
    peak_of: str
    by_process: list[tuple[str, float, float]]
    steps: list[tuple[str, float, int]]
    statistics: dict
    results: Path


@contextmanager
def server(folder: Path, workers: int) -> Iterator[tuple[str, psutil.Process]]:
    """Run `haulier serve` in a folder of its own; gives its address and its process."""
    folder.mkdir(parents=True)
    ready = folder / "ready.json"
    command = [sys.executable, "-m", "haulier.cli", "serve", "--dev", "--port", "0"]
    command += ["--workers", str(workers), "--ready-file", str(ready)]
    environment = {**os.environ, "HAULIER_DATA": str(folder / "data"), "PYTHONUNBUFFERED": "1"}
    with (folder / "log.txt").open("wb") as log:
        child = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
    try:
        until = time.monotonic() + START_S
        while not ready.is_file():
            if child.poll() is not None or time.monotonic() > until:
                raise SystemExit(f"the server did not start:\n{(folder / 'log.txt').read_text()}")
            time.sleep(SAMPLE_S)
        yield json.loads(ready.read_text())["url"], psutil.Process(child.pid)
    finally:
        child.terminate()
        child.wait(60)


def run_server(small: DemoFiles, big: DemoFiles, folder: Path, workers: int) -> ServerRun:
    """Run a small job so that every process is up, then the big one, which is measured."""
    with server(folder, workers) as (url, process), Client(url, key=KEY, timeout_s=300) as client:
        _job(client, "small", small, folder)
        tree = Tree(process)
        watcher = threading.Thread(target=tree.watch)
        idle_cores = wait_until_quiet(tree)
        before_s, began = tree.spent_s(), time.perf_counter()
        first_s = dict(tree.cpu_s)
        watcher.start()
        try:
            job, results = _job(client, "big", big, folder)
            wall_s, cpu_s = time.perf_counter() - began, tree.spent_s() - before_s
        finally:
            tree.ended.set()
            watcher.join()
        steps = [
            (step.id, (step.finished_at - step.started_at).total_seconds(), step.parts)
            for step in job.steps or client.steps(job)
        ]
    most = max(tree.peak, key=tree.peak.__getitem__)
    return ServerRun(
        job.statistics["num_roads_processed"],
        cpu_s,
        idle_cores,
        wall_s,
        tree.peak[most] / 1e6,
        tree.names[most],
        [
            (tree.names[pid], spent_s - first_s.get(pid, 0.0), tree.peak[pid] / 1e6)
            for pid, spent_s in tree.cpu_s.items()
        ],
        steps,
        dict(job.statistics),
        results,
    )


def _job(client: Client, name: str, files: DemoFiles, folder: Path) -> tuple[Job, Path]:
    """Upload, submit, wait, download."""
    storage = client.storages()[0].name
    client.put_release(name, str(files.release.resolve()))
    stored = client.upload(files.customer, storage, filename=f"{name}.parquet", replace=True)
    inputs = {"input": stored.ref, "overture_release": name}
    job = client.wait(client.submit("ROAD_MATCHING", inputs), timeout_s=JOB_S, poll_s=1.0)
    if not job.successful:
        raise SystemExit(f"the job ended {job.state}: {job.problem}")
    where = folder / f"{name}.results.parquet"
    client.download(job, "results", where)
    return job, where
