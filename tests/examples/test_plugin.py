"""The example plugin: installed as a third party's, it holds to the suites and does real jobs."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from haulier.testing.server import Server, bytecode, running

PLUGIN: Final = Path(__file__).resolve().parents[2] / "examples" / "plugin"
PIP: Final = ("-m", "pip", "--disable-pip-version-check", "--no-input")
OFFLINE: Final = ("--no-deps", "--no-index", "--no-build-isolation")
PATIENCE_S: Final = 120.0
LOOK_S: Final = 0.05
TEXT: Final = b"the quick brown fox jumps over the lazy dog " * 3000


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """Give the environment in which the plugin is installed, in a folder of its own."""
    folder = tmp_path_factory.mktemp("plugin")
    wanted = (sys.executable, *PIP, "install", *OFFLINE, "--target", str(folder), str(PLUGIN))
    done = subprocess.run(wanted, capture_output=True, cwd=folder, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return {"PYTHONPATH": str(folder)}


@pytest.fixture(scope="module")
def server(
    environment: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("server"), environment=environment) as server:
        yield server


@pytest.fixture
def api(server: Server) -> Iterator[httpx.Client]:
    headers = {"x-words-key": server.key}
    with httpx.Client(base_url=server.url, headers=headers, timeout=60) as client:
        client.headers["x-api-key"] = server.key
        client.put("/storages/storage-001/files/book.txt", content=TEXT).raise_for_status()
        yield client


def until(api: httpx.Client, path: str, field: str, *wanted: str) -> dict[str, Any]:
    ends_at = time.monotonic() + PATIENCE_S
    while True:
        body: dict[str, Any] = api.get(path).raise_for_status().json()
        if body[field] in wanted:
            return body
        assert time.monotonic() < ends_at, f"{path} is still {body}"
        time.sleep(LOOK_S)


@pytest.mark.slow
def test_the_plugin_holds_to_the_public_suites(
    environment: Mapping[str, str], tmp_path: Path
) -> None:
    options = ("-q", "-p", "no:cacheprovider", "--import-mode=importlib", "-W", "error")
    rooted = ("--rootdir", str(PLUGIN), "-c", str(PLUGIN / "pyproject.toml"))
    done = subprocess.run(
        (sys.executable, "-m", "pytest", *options, *rooted, str(PLUGIN / "tests")),
        capture_output=True,
        cwd=tmp_path,
        env={**os.environ, **bytecode(), **environment},
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout[-8000:] + done.stderr
    assert " passed" in done.stdout


def test_a_job_of_the_plugin_runs_through_the_plugins_wire(api: httpx.Client) -> None:
    ask = {"storage": "storage-001", "filename": "book.txt", "top": 2}

    begun = api.post("/words/counts", json=ask)

    assert begun.status_code == 201, begun.text
    done = until(api, begun.headers["location"], "state", "counted", "failed")
    assert done == {
        "number": begun.json()["number"],
        "state": "counted",
        "done": 1.0,
        "words": 27000,
        "top": [["the", 6000], ["brown", 3000]],
    }


def test_the_same_kind_runs_through_the_native_wire_in_parts(api: httpx.Client) -> None:
    book = {"storage": "storage-001", "filename": "book.txt"}
    inputs = {"input": book, "part_kib": 16}

    begun = api.post("/processes/word-count/execution", json={"inputs": inputs})

    assert begun.status_code == 201, begun.text
    job = f"/jobs/{begun.json()['jobID']}"
    until(api, job, "status", "successful", "failed")
    steps = api.get(f"{job}/steps").json()["steps"]
    table = api.get(f"{job}/results/words")
    assert [(step["id"], step["parts_done"]) for step in steps] == [("count", 9)]
    assert table.text.splitlines()[:3] == ["word,count", "the,6000", "brown,3000"]


def test_what_is_wrong_is_said_in_the_plugins_shape(api: httpx.Client) -> None:
    ask = {"storage": "storage-001", "filename": "book.txt", "top": 0}

    refused = api.post("/words/counts", json=ask)
    missing = api.get("/words/counts/999999")

    assert refused.status_code == 400
    assert refused.json()["word"] == "wrong"
    assert "top must be int >= 1, got 0" in refused.json()["sentence"]
    assert (missing.status_code, missing.json()["word"]) == (404, "not here")


def test_without_the_plugin_its_kind_and_its_wire_are_not_there() -> None:
    from haulier.engine.registry import installed  # noqa: PLC0415 -- read when all is set up
    from haulier.wire import dialect  # noqa: PLC0415 -- read when all is set up

    assert "words" not in {family.name for family in installed().families}
    assert "words" not in {found.name for found in dialect.installed()}
