"""Servers that are killed: jobs go on without the API, and after all is started again."""

import os
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import psutil
import pytest

from haulier.config import DEV_KEY
from haulier.testing.installation import Installation
from haulier.testing.server import Server, running

pytestmark = pytest.mark.chaos

PARTS = 4
NUMBERS = [1, 2, 3, 4, 5]
ALL = Counter({f"add-0 p{number}": 1 for number in range(PARTS)})
WAITING = f"add-0 p{PARTS - 1}"
#: Who starts whom again is the same over every database.
over_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@contextmanager
def served(here: Installation) -> Iterator[tuple[Server, httpx.Client]]:
    """Run a whole server over the installation's database."""
    arguments = ["--dev", "--workers", "2"]
    with (
        running(here.folder, arguments=arguments, environment=here.environment()) as server,
        httpx.Client(
            base_url=server.url, headers={"Authorization": f"Bearer {DEV_KEY}"}, timeout=60
        ) as client,
    ):
        yield server, client


def submit_waiting(here: Installation, client: httpx.Client) -> str:
    """Submit a job whose last part waits, and wait until only that part is left."""
    inputs = {
        "act": "wait",
        "only": PARTS - 1,
        "parts": PARTS,
        "numbers": NUMBERS,
        "diary": str(here.diary),
        "gate": str(here.gate),
    }
    made = client.post("/processes/trouble/execution", json={"inputs": inputs})
    assert made.status_code == 201, made.text
    here.until(lambda: here.finished() == PARTS - 1, "all parts but one are done")
    here.until(lambda: here.lines("begin") == ALL, "the last part waits")
    return str(made.json()["jobID"])


def answer(client: httpx.Client, path: str) -> dict[str, Any]:
    """Give what the server says; nothing while there is none."""
    try:
        found = client.get(path)
    except httpx.TransportError:
        return {}
    said: dict[str, Any] = found.json() if found.status_code == 200 else {}
    return said


def assert_succeeds(here: Installation, client: httpx.Client, job: str) -> None:
    here.gate.touch()
    here.until(lambda: answer(client, f"/jobs/{job}").get("status") == "successful", "it succeeds")
    assert client.get(f"/jobs/{job}/artifacts/sum").text == f"{sum(NUMBERS)}\n"


@over_sqlite
def test_a_job_goes_on_while_the_api_is_killed_and_comes_back(here: Installation) -> None:
    with served(here) as (server, client):
        job = submit_waiting(here, client)
        before = server.pids()

        os.kill(before["api"], signal.SIGKILL)
        here.until(lambda: answer(client, f"/jobs/{job}").get("status") == "running", "it answers")

        assert_succeeds(here, client, job)
        assert server.pids()["worker"] == before["worker"]
        assert server.pids()["api"] != before["api"]
    assert here.lines("begin") == here.lines("end") == ALL


@over_sqlite
def test_the_supervisor_starts_a_killed_worker_again(here: Installation) -> None:
    with served(here) as (server, client):
        job = submit_waiting(here, client)

        os.kill(server.pids()["worker"], signal.SIGKILL)
        here.until(lambda: here.lines("begin")[WAITING] == 2, "the last part begins again")

        assert_succeeds(here, client, job)
    assert here.lines("begin") == ALL + Counter({WAITING: 1})
    assert here.lines("end") == ALL


def test_a_server_that_was_killed_whole_goes_on_where_it_was(here: Installation) -> None:
    with served(here) as (server, client):
        job = submit_waiting(here, client)
        tree = [server.process.pid, *server.pids().values()]
        processes = [psutil.Process(pid) for pid in tree]
        for process in processes:
            process.kill()
        psutil.wait_procs(processes, timeout=30)

    with served(here) as (server, client):
        here.until(lambda: here.lines("begin")[WAITING] == 2, "the last part begins again")
        assert_succeeds(here, client, job)

    assert here.lines("begin") == ALL + Counter({WAITING: 1})
    assert here.lines("end") == ALL


@over_sqlite
def test_a_worker_whose_supervisor_was_killed_ends_and_leaves_its_name(here: Installation) -> None:
    with served(here) as (server, client):
        job = submit_waiting(here, client)
        children = [psutil.Process(pid) for pid in server.pids().values()]

        server.process.kill()
        server.process.wait()
        _, alive = psutil.wait_procs(children, timeout=60)
        assert alive == []

    with served(here) as (server, client):
        assert_succeeds(here, client, job)
    assert here.lines("end") == ALL
