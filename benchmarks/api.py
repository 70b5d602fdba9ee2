"""Measure the API: GET of one job with ten and with a million stored, and durable submits.

    python benchmarks/api.py [--jobs 1000000] [--rounds 5] [--requests 2000] [--peer-jobs 10000]

The server has one core and the client another. Requests per second are also counted per second
of the server's own processor time, which a busy machine changes little: that figure is "on one
core". The two servers, with few and with many jobs, are measured by turns. pygeoapi is asked
the same in the same run; its job store reads one JSON file whole, so it gets fewer jobs.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import api_peer
import psutil
from api_store import INPUTS, Store, free_port, jobs_in, make_store

from haulier.config import environment

FEW = 10
CONNECTIONS = 8
LEAST_GETS_S = 1500.0
MOST_P99_RATIO = 2.0
LEAST_SUBMITS_S = 100.0
READY_S = 60.0
LOAD = Path(__file__).with_name("api_load.py")
CREATE = {
    "storage_id": "storage-001",
    "filename": "roads.parquet",
    "job_type": "ROAD_MATCHING",
    "overture_release": "2026-01-21.0",
}


@dataclass
class Figure:
    """What was measured of one kind of request, round by round."""

    name: str
    wall: list[float] = field(default_factory=list)  # requests per second
    core: list[float] = field(default_factory=list)  # requests per second of processor time
    p50_ms: list[float] = field(default_factory=list)
    p99_ms: list[float] = field(default_factory=list)

    def show(self) -> None:
        """Print the medians."""
        wall, core, p50, p99 = map(median, (self.wall, self.core, self.p50_ms, self.p99_ms))
        print(f"{self.name:<44} {wall:9.0f} {core:9.0f} {p50:9.2f} {p99:9.2f}", flush=True)


@dataclass
class Served:
    """A server that answers, and its process."""

    port: int
    process: subprocess.Popen[bytes]

    def cpu_s(self) -> float:
        """Give the processor time of the server and its children."""
        family = psutil.Process(self.process.pid)
        members = [family, *family.children(recursive=True)]
        return sum(sum(member.cpu_times()[:2]) for member in members)


def pinned(core: int) -> list[str]:
    """Give what keeps a command on one core, where the machine has that and a second one."""
    if shutil.which("taskset") is None or (os.cpu_count() or 1) < 2:
        return []
    return ["taskset", "-c", str(core)]


@contextmanager
def served(
    command: Sequence[str], port: int, folder: Path, env: Mapping[str, str], path: str
) -> Iterator[Served]:
    """Run a server on the first core until the block ends."""
    process = subprocess.Popen(
        [*pinned(0), *command],
        cwd=folder,
        env={**os.environ, **env},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    try:
        ends_at = time.monotonic() + READY_S
        while not answers(f"http://127.0.0.1:{port}{path}"):
            if process.poll() is not None or time.monotonic() > ends_at:
                raise SystemExit(f"{command} does not answer (exit code {process.poll()})")
            time.sleep(0.1)
        yield Served(port, process)
    finally:
        process.terminate()
        process.wait(30)


def answers(url: str) -> bool:
    """Whether a server answers."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def request(method: str, path: str, headers: Mapping[str, str], body: object = None) -> str:
    """Write a request as it goes over the wire."""
    text = "" if body is None else json.dumps(body)
    fields = {"host": "127.0.0.1", **headers, "content-length": str(len(text))}
    if body is not None:
        fields["content-type"] = "application/json"
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"{method} {path} HTTP/1.1\r\n{lines}\r\n{text}"


def measure(server: Served, requests: Sequence[str], count: int, figure: Figure, want: int) -> None:
    """Send requests from another process, and add what came of it to a figure."""
    order = {
        "host": "127.0.0.1",
        "port": server.port,
        "connections": CONNECTIONS,
        "requests": list(requests),
        "count": count,
    }
    before = server.cpu_s()
    done = subprocess.run(
        [*pinned(1), sys.executable, str(LOAD)],
        input=json.dumps(order).encode(),
        stdout=subprocess.PIPE,
        check=True,
    )
    cpu_s = server.cpu_s() - before
    told: dict[str, Any] = json.loads(done.stdout)
    if told["statuses"] != {str(want): count}:
        raise SystemExit(f"{figure.name}: wanted {want} from all, got {told['statuses']}")
    cuts = quantiles(told["latencies_s"], n=100)
    figure.wall.append(count / told["seconds"])
    figure.core.append(count / cpu_s if cpu_s else 0.0)
    figure.p50_ms.append(1000 * cuts[49])
    figure.p99_ms.append(1000 * cuts[98])


def measure_gets(
    stores: Mapping[int, Store], servers: Mapping[int, Served], rounds: int, count: int
) -> dict[tuple[str, int], Figure]:
    """Measure GET of one job, on both servers and both wires by turns."""
    figures = {
        (wire, size): Figure(f"GET one job, {wire}, {size} stored")
        for wire in ("tomtom", "native")
        for size in stores
    }
    for turn in range(rounds + 1):
        for (wire, size), figure in figures.items():
            key = {"authorization": f"Bearer {stores[size].key}"}
            requests = [request("GET", path, key) for path in stores[size].paths[wire]]
            measured = figure if turn else Figure("warming up")
            measure(servers[size], requests, count, measured, 200)
    for figure in figures.values():
        figure.show()
    return figures


def measure_submits(store: Store, server: Served, count: int) -> list[Figure]:
    """Measure submits on both wires; each job must be in the database afterwards."""
    key = {"authorization": f"Bearer {store.key}"}
    orders = {
        "tomtom": request("POST", "/maps/orbis/platform/gem/jobs", key, CREATE),
        "native": request("POST", "/processes/road-matching/execution", key, {"inputs": INPUTS}),
    }
    figures = []
    for wire, text in orders.items():
        before = jobs_in(store)
        figure = Figure(f"submit, {wire}, {before} stored")
        measure(server, [text], count, figure, 201)
        if jobs_in(store) - before != count:
            raise SystemExit(f"{count} submits gave {jobs_in(store) - before} jobs")
        figure.show()
        figures.append(figure)
    return figures


def measure_peer(root: Path, sizes: Sequence[int], rounds: int, count: int) -> None:
    """Measure pygeoapi with its TinyDB store."""
    for size in sizes:
        folder = root / f"peer-{size}"
        folder.mkdir()
        port = free_port()
        env = api_peer.configure(folder, port)
        ids = api_peer.fill(folder, size)
        accept = {"accept": "application/json"}
        gets = [request("GET", f"/jobs/{id_}?f=json", accept) for id_ in ids[:200]]
        post = request(
            "POST",
            f"/processes/{api_peer.PROCESS}/execution",
            {**accept, "prefer": "respond-async"},
            {"inputs": {"name": "Haulier"}},
        )
        with served(api_peer.command(port), port, folder, env, "/conformance?f=json") as server:
            asked = count if size <= FEW else max(CONNECTIONS, count // 50)
            figure = Figure(f"pygeoapi: GET one job, {size} stored")
            for _ in range(rounds):
                measure(server, gets, asked, figure, 200)
            figure.show()
            if size <= FEW:
                figure = Figure("pygeoapi: submit")
                measure(server, [post], 200, figure, 201)
                figure.show()


def verdict(name: str, value: float, wanted: str, *, held: bool) -> bool:
    """Say whether a target is reached."""
    print(f"{'held    ' if held else 'NOT HELD'}  {name}: {value:.2f} (wanted {wanted})")
    return held


def judge(figures: Mapping[tuple[str, int], Figure], submits: Sequence[Figure], many: int) -> bool:
    """Compare the figures with the targets."""
    held = True
    for wire in ("tomtom", "native"):
        few, more = figures[wire, FEW], figures[wire, many]
        for figure in (few, more):
            rate = median(figure.core)
            held &= verdict(figure.name, rate, ">= 1500/s", held=rate >= LEAST_GETS_S)
        ratio = median(more.p99_ms) / median(few.p99_ms)
        held &= verdict(f"p99 {wire}, many over few", ratio, "<= 2", held=ratio <= MOST_P99_RATIO)
    for figure in submits:
        rate = median(figure.wall)
        held &= verdict(figure.name, rate, ">= 100/s", held=rate >= LEAST_SUBMITS_S)
    return held


def main() -> int:
    """Run everything and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--jobs", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--submits", type=int, default=1000)
    parser.add_argument("--peer-jobs", type=int, default=10_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="haulier-api-") as name:
        root = Path(name)
        stores = {size: make_store(root / f"{size}", size) for size in (FEW, asked.jobs)}
        print(f"{'':<44} {'per s':>9} {'per CPU-s':>9} {'p50 ms':>9} {'p99 ms':>9}")
        command = [sys.executable, "-m", "haulier.cli.api"]
        few, many = (
            served(
                command,
                store.settings.port,
                root,
                environment(store.settings),
                "/healthz",
            )
            for store in stores.values()
        )
        with few as first, many as second:
            servers = dict(zip(stores, (first, second), strict=True))
            figures = measure_gets(stores, servers, asked.rounds, asked.requests)
            submits = [
                figure
                for size, store in stores.items()
                for figure in measure_submits(store, servers[size], asked.submits)
            ]
        measure_peer(root, (FEW, asked.peer_jobs), 1, asked.requests // 10)
        return 0 if judge(figures, submits, asked.jobs) else 1


if __name__ == "__main__":
    sys.exit(main())
