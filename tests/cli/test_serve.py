"""A whole server: it comes back from kill -9, ends cleanly, and keeps its secrets."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from tests.cli.conftest import gone

from haulier.cli.codes import Exit
from haulier.client import Client, Job, UnauthenticatedError
from haulier.config import DEV_KEY
from haulier.testing.server import Server, bytecode, running, stop

LIMIT_S = 120.0


def another_pid(server: Server, name: str, old: int) -> int:
    """Wait until a child has been started again, and give its process id."""
    ends_at = time.monotonic() + LIMIT_S
    while (pid := server.pids()[name]) in {0, old}:
        assert time.monotonic() < ends_at, server.log
    return pid


def running_job(client: Client, gate: Path, diary: Path) -> Job:
    """Give a job of two parts, of which one has ended and one waits at the gate."""
    inputs = {"act": "wait", "gate": str(gate), "diary": str(diary), "parts": 2, "only": 1}
    job = client.submit("TROUBLE", inputs)
    ends_at = time.monotonic() + LIMIT_S
    while (job := client.job(job)).steps[0].parts_done < 1:  # published, not only written
        assert time.monotonic() < ends_at, job
    return job


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.chaos
@pytest.mark.parametrize("name", ["api", "worker"])
def test_a_killed_child_comes_back_and_the_job_ends_once(
    server: Server, tmp_path: Path, name: str
) -> None:
    gate, diary = tmp_path / "gate", tmp_path / "diary"
    with Client(server.url, key=server.key) as client:
        job = running_job(client, gate, diary)
        old = server.pids()[name]

        os.kill(old, signal.SIGKILL)
        another_pid(server, name, old)
        gate.touch()
        ended = client.wait(job, timeout_s=LIMIT_S, poll_s=0.2)

        assert ended.state == "succeeded", ended.problem
        assert [one.name for one in client.artifacts(job)] == ["sum"]
        assert f"haulier: {name} ended (SIGKILL), starting it again" in server.log
    lines = [line.rsplit(" ", 1)[0] for line in diary.read_text().splitlines()]
    assert lines.count("end add-0 p0") == 1  # a finished part is not done again
    assert lines.count("end add-0 p1") == 1


def test_a_server_ends_cleanly_and_the_next_start_finds_what_was_there(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        key = server.key
        with Client(server.url, key=key) as client:
            client.put_release("town", str(tmp_path / "town"))
        with Client(server.url, key=DEV_KEY) as client, pytest.raises(UnauthenticatedError):
            client.storages()
        family = psutil.Process(server.process.pid).children(recursive=True)

        assert stop(server.process) == Exit.OK
    assert len(family) >= 2
    assert not any(one.is_running() for one in family)
    assert not (tmp_path / "ready.json").exists()
    assert "Traceback" not in server.log

    with running(tmp_path, arguments=("--dev", "--no-worker")) as server:
        assert server.key == DEV_KEY
        for known in (key, DEV_KEY):
            with Client(server.url, key=known) as client:
                assert client.processes()
        family = psutil.Process(server.process.pid).children(recursive=True)

        server.process.kill()  # who supervises is gone: nobody is left behind

        assert family
        assert all(gone(one.pid) for one in family)
    assert key not in server.log
    assert all(key.encode() not in path.read_bytes() for path in files_below(server.data))


def serve(tmp_path: Path, *tokens: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        (sys.executable, "-m", "haulier.cli", "serve", *tokens),
        cwd=tmp_path,
        env={**os.environ, **bytecode()},
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT_S,
    )


def test_a_port_that_is_taken_is_said_at_once(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])

        done = serve(tmp_path, "--port", port)

    assert done.returncode == Exit.USAGE
    assert f"cannot listen on 127.0.0.1 port {port}" in done.stderr


def test_a_second_server_of_a_folder_names_the_first_and_leaves_it_alone(tmp_path: Path) -> None:
    arguments = ("--dev", "--no-worker")
    with running(tmp_path, arguments=arguments) as server:
        pids = server.pids()

        port = server.url.rpartition(":")[2]
        second = serve(tmp_path, "--port", port, "--data", "data", "--ready-file", "ready.json")

        assert second.returncode == Exit.SERVED
        assert second.stdout == ""
        assert second.stderr == (
            f"haulier: {server.data} is served already by process {server.process.pid} "
            f"at {server.url}; stop it, or name another --data\n"
        )
        assert server.pids() == pids, "the ready file is the first one's still"
        with Client(server.url, key=server.key) as client:
            assert client.processes()
        server.process.kill()
        server.process.wait()

        with running(tmp_path, arguments=arguments) as third:
            assert third.process.pid != server.process.pid, "the folder of a dead one is free"


@pytest.mark.parametrize(
    ("tokens", "fault"),
    [
        (("--port", "0", "--data", "/proc/data"), "/proc/data"),
        (("--port", "0", "--database", "postgresql+psycopg://127.0.0.1:9/none"), "no database at"),
        (("--port", "0", "--storage", "ftp://example.org"), "ftp"),
    ],
)
def test_a_setting_that_cannot_be_is_one_sentence(
    tmp_path: Path, tokens: tuple[str, ...], fault: str
) -> None:
    done = serve(tmp_path, *tokens, "--json")

    assert done.returncode == Exit.USAGE
    assert fault in done.stderr
    assert "Traceback" not in done.stderr
    assert json.loads(done.stderr.splitlines()[-1])["exit_code"] == Exit.USAGE
