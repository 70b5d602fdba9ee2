"""A whole kriging job through a server of its own, by Evo's wire: wall, CPU and memory.

    python benchmarks/kriging_job.py [--blocks 1000000] [--workers 2]

Objects are uploaded, the task runs with one process for parts and then with `--workers`, and every
process's CPU time and memory are counted. Printed beside the total is the step that estimates.
"""

import argparse
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from roads_server import KEY, Tree, server, wait_until_quiet

from haulier.testing.context import World
from haulier.testing.geoscience import (
    BASE,
    ORGANISATION,
    WORKSPACE,
    Gallery,
    new,
    search,
    structure,
)

SAMPLES = 10_000
SPACE = f"/geoscience-object/orgs/{ORGANISATION}/workspaces/{WORKSPACE}"
TASK = f"/compute/orgs/{ORGANISATION}/geostatistics/kriging"
LOOK_S = 0.05
MOST_MB = 600.0
LEAST_FROM_TWO = 1.8
EXTENT_M = 1000.0


@dataclass(frozen=True)
class Run:
    """What one job took."""

    wall_s: float
    estimating_s: float
    cpu_s: float
    peak_mb: float
    message: str


def parameters(folder: Path, side: int) -> tuple[World, dict[str, Any], list[tuple[str, Any]]]:
    """Make the objects in a local world; give the task's parameters and the documents."""
    world = World(folder)
    gallery = Gallery(world)
    random = np.random.default_rng(1)
    places = random.uniform(0, EXTENT_M, (SAMPLES, 3))
    grade = np.sin(places[:, 0] / 150) + np.cos(places[:, 1] / 90) + random.normal(0, 0.3, SAMPLES)
    gallery.pointset("samples.json", places, gallery.scalar("grade", grade))
    gallery.variogram("model.json", structure("spherical", 0.9, (250.0,) * 3), nugget=0.1)
    gallery.grid("grid.json", (side,) * 3, cell=(EXTENT_M / side,) * 3)
    said = {
        "source": {
            "object": f"{BASE}/path/samples.json",
            "attribute": "locations.attributes[?name=='grade']",
        },
        "target": {"object": f"{BASE}/path/grid.json", "attribute": new("out")},
        "variogram": f"{BASE}/path/model.json",
        "neighborhood": search(300.0, 24),
        "kriging_method": {"type": "ordinary"},
        "report": False,
    }
    documents = [(entry.name.split("/", 2)[2], entry.body["object"]) for entry in world.shelf.all()]
    return world, said, documents


def upload(api: httpx.Client, world: World, documents: list[tuple[str, Any]]) -> None:
    """Upload the data by their hashes, and the objects that name them."""
    for folder in world.storages.values():
        for path in sorted(folder.iterdir()):
            (place,) = api.put(f"{SPACE}/data", json=[{"name": path.name}]).json()
            if not place["exists"]:
                api.put(place["upload_url"], content=path.read_bytes()).raise_for_status()
    for path, document in documents:
        body = {**document, "uuid": None}
        api.post(f"{SPACE}/objects/path/{path}", json=body).raise_for_status()


def job(api: httpx.Client, said: dict[str, Any]) -> tuple[float, float, str]:
    """Run the task; give seconds in all, seconds of the estimating step, and the message."""
    began_s = time.monotonic()
    answer = api.post(TASK, json={"parameters": said})
    assert answer.status_code == 303, answer.text
    status = answer.headers["location"]
    while (now := api.get(status)).status_code == 202:
        time.sleep(LOOK_S)
    wall_s = time.monotonic() - began_s
    assert now.json()["status"] == "succeeded", now.text
    results = api.get(status.removesuffix("/status")).json()["results"]
    found = api.get(f"/jobs/{status.split('/')[-2]}").json()["haulier"]["steps"]
    (work,) = [step for step in found if step["id"] == "work"]
    return wall_s, seconds(work), results["message"]


def seconds(step: dict[str, Any]) -> float:
    moments = (np.datetime64(step[name].rstrip("Z")) for name in ("started_at", "finished_at"))
    begun, ended = moments
    return float((ended - begun) / np.timedelta64(1, "us")) / 1e6


def measure(folder: Path, side: int, processes: int) -> Run:
    """Run a small job so that every process is up, then the big one, which is measured."""
    with (
        server(folder / f"server-{processes}", processes) as (url, process),
        httpx.Client(base_url=url, headers={"authorization": f"Bearer {KEY}"}, timeout=600) as api,
    ):
        small_world, small, documents = parameters(folder / f"small-{processes}", 20)
        upload(api, small_world, documents)
        job(api, small)
        _, said, documents = parameters(folder / f"big-{processes}", side)
        (grid,) = (body for path, body in documents if path == "grid.json")
        api.post(f"{SPACE}/objects/path/big.json", json={**grid, "uuid": None}).raise_for_status()
        said["target"]["object"] = f"{BASE}/path/big.json"
        tree = Tree(process)
        watcher = threading.Thread(target=tree.watch)
        idle = wait_until_quiet(tree)
        watcher.start()
        before_s = tree.spent_s()
        wall_s, estimating_s, message = job(api, said)
        cpu_s = tree.spent_s() - before_s - idle * wall_s
        tree.ended.set()
        watcher.join()
    peak = max(tree.peak.values()) / 1e6
    return Run(wall_s, estimating_s, cpu_s, peak, message)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--blocks", type=int, default=1_000_000)
    parser.add_argument("--workers", type=int, default=2)
    choice = parser.parse_args()
    side = round(choice.blocks ** (1 / 3))
    with tempfile.TemporaryDirectory() as name:
        runs = {n: measure(Path(name), side, n) for n in (1, choice.workers)}
    print(f"{SAMPLES:,} samples, 24 neighbours, {side**3:,} blocks, whole jobs by Evo's wire")
    for processes, run in runs.items():
        print(
            f"  {processes} processes: {run.wall_s:6.2f} s in all, {run.estimating_s:6.2f} s "
            f"estimating, {run.cpu_s:6.2f} CPU-s, largest process {run.peak_mb:4.0f} MB"
        )
    one, more = runs[1], runs[choice.workers]
    ratio = one.estimating_s / more.estimating_s
    peak = max(one.peak_mb, more.peak_mb)
    fine = ratio >= LEAST_FROM_TWO and peak <= MOST_MB
    print(f"  {'ok ' if ratio >= LEAST_FROM_TWO else 'NOT'} two against one: {ratio:.2f}")
    print(f"  {'ok ' if peak <= MOST_MB else 'NOT'} peak memory, MB: {peak:.0f}")
    print(f"  message: {more.message}")
    sys.exit(0 if fine else 1)


if __name__ == "__main__":
    main()
