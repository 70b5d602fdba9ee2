"""A real server for the tests of the command line, and the command line in this process."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import psutil
import pytest

from haulier.cli.main import run
from haulier.testing.server import Server, running

LIMIT_S = 60.0
FAULTS = {"HAULIER_FAMILIES": "haulier.testing.faults:FAMILY"}


class Said(NamedTuple):
    """What a command did: its exit code, and what it wrote where."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.out)


Haulier = Callable[..., Said]


def gone(pid: int) -> bool:
    """Wait until a process that was told to die has died; it may stay unburied."""
    ends_at = time.monotonic() + LIMIT_S
    while time.monotonic() < ends_at:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
    return False


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests of the folder."""
    environment = {**FAULTS, "HAULIER_STORAGE_ROOTS": tmp_path_factory.getbasetemp().as_uri()}
    with running(tmp_path_factory.mktemp("server"), environment=environment) as started:
        yield started


@pytest.fixture
def haulier(
    server: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Haulier:
    """Give the command line, told where the server is."""
    monkeypatch.chdir(tmp_path)
    for name, value in {**server.environment(), **FAULTS}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("HAULIER_DATA", str(server.data))

    def call(*tokens: object) -> Said:
        capsys.readouterr()
        code = run([str(token) for token in tokens])
        return Said(code, *capsys.readouterr())

    return call
