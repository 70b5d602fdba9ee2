"""A recipe over a cloud whose worker is killed again and again gives the same bytes."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import laspy
import numpy as np
import psutil
import pytest

from haulier.testing.server import Server, running

pytestmark = [pytest.mark.chaos, pytest.mark.slow]

POINTS = 1_500_000
KILLS = 5
#: How far a job is at most when a worker of it is killed.
LATEST = 0.85
ENDED = ("successful", "failed")
PATIENCE_S = 200.0
LOOK_S = 0.05


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("clouds")
    environment = {"HAULIER_DEAD_AFTER_S": "2"}
    with running(folder, arguments=("--workers", "2"), environment=environment) as server:
        yield server


@pytest.fixture
def api(server: Server) -> Iterator[httpx.Client]:
    headers = {"authorization": f"Bearer {server.key}"}
    with httpx.Client(base_url=server.url, headers=headers, timeout=60) as client:
        yield client


def cloud(path: Path) -> Path:
    """Write a cloud of several parts."""
    source = np.random.default_rng(11)
    header = laspy.LasHeader(point_format=6, version="1.4")
    header.scales, header.offsets = np.full(3, 0.01), np.zeros(3)
    points = laspy.LasData(header)
    points.x, points.y = source.uniform(0, 2000, (POINTS, 2)).T
    points.z = 50 * np.sin(points.x / 300) + source.normal(0, 1, POINTS)
    points.intensity = source.integers(0, 65535, POINTS, dtype=np.uint16)
    points.write(path)
    return path


def submit(api: httpx.Client) -> str:
    build = {"id": "ept", "type": "BUILD_EPT", "inputs": {"input_las": "job:in"}, "cache": "off"}
    recipe = {"name": "ept", "version": "1", "definition": {"recipe": [build]}}
    given = {"job:in": {"type": "las", "uri": "cloud.laz"}}
    made = api.post(
        "/processes/recipe/execution", json={"inputs": {"recipe": recipe, "inputs": given}}
    )
    assert made.status_code == 201, made.text
    return str(made.json()["jobID"])


def look(api: httpx.Client, job: str) -> dict[str, Any]:
    found: dict[str, Any] = api.get(f"/jobs/{job}").raise_for_status().json()
    return found


def until(api: httpx.Client, job: str, *words: str, fraction: float = 0.0) -> dict[str, Any]:
    """Look at a job until it has one of these words, or is so far; give it."""
    ends_at = time.monotonic() + PATIENCE_S
    while True:
        found = look(api, job)
        if found["status"] in words or 0 < fraction <= found["haulier"]["fraction"]:
            return found
        assert time.monotonic() < ends_at, f"job {job} is still {found['status']}"
        time.sleep(LOOK_S)


def folder_hash(api: httpx.Client, job: str) -> str:
    (ept,) = [one for one in api.get(f"/jobs/{job}/artifacts").json()["artifacts"] if one["folder"]]
    return str(ept["sha256"])


def kill_worker(server: Server) -> None:
    """Kill the worker that there is; after a kill it takes a moment until there is another."""
    ends_at = time.monotonic() + PATIENCE_S
    while True:
        try:
            worker = psutil.Process(server.pids()["worker"])
            os.kill(worker.pid, signal.SIGKILL)
        except (psutil.NoSuchProcess, ProcessLookupError):
            assert time.monotonic() < ends_at, "no worker came back"
            time.sleep(LOOK_S)
        else:
            psutil.wait_procs([worker], timeout=20)
            return


def test_five_kills_at_random_moments_change_no_byte(
    server: Server, api: httpx.Client, tmp_path: Path
) -> None:
    path = cloud(tmp_path / "cloud.laz")
    api.put("/storages/storage-001/files/cloud.laz", content=path.read_bytes()).raise_for_status()
    calm = submit(api)
    assert until(api, calm, *ENDED)["status"] == "successful"
    moments = np.random.default_rng(5)

    jobs: list[str] = []
    killed = 0
    while killed < KILLS:  # a job may end before its last moment comes: the next has the rest
        assert len(jobs) < KILLS
        jobs.append(submit(api))
        for reached in np.sort(moments.uniform(0, LATEST, KILLS - killed)):
            found = until(api, jobs[-1], *ENDED, fraction=float(reached))
            if found["status"] in ENDED:
                break
            kill_worker(server)
            killed += 1

    for job in jobs:
        assert until(api, job, *ENDED)["status"] == "successful"
        assert folder_hash(api, job) == folder_hash(api, calm)
