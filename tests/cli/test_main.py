"""The command line itself: help at once, one sentence for an error, codes that mean something."""

import importlib
import inspect
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from haulier.cli import main as module
from haulier.cli.codes import Exit, UsageError
from haulier.cli.exits import CODES, exit_of
from haulier.client import errors
from haulier.core.problem import Code, Problem
from haulier.testing.server import bytecode

HEAVY = ("httpx", "msgspec", "sqlalchemy", "dbos", "litestar", "numpy", "granian")


def haulier(*tokens: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "haulier.cli", *tokens],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **bytecode(), "HAULIER_CONFIG": os.devnull, **environment},
    )


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from haulier.cli.main import run; run(['--help']);"
        f"sys.exit(','.join(set({HEAVY!r}) & set(sys.modules)) or 0)"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert "Run a server" in done.stdout


@pytest.mark.parametrize("row", [row for _, rows in module.GROUPS for row in rows])
def test_the_help_says_what_the_command_says(row: tuple[str, str, str]) -> None:
    _, place, sentence = row
    file, _, attribute = place.partition(":")
    found = getattr(importlib.import_module(f"haulier.cli.{file}"), attribute)

    said = found.help if hasattr(found, "help") else (inspect.getdoc(found) or "").splitlines()[0]

    assert sentence == said


@pytest.mark.parametrize("row", [row for _, rows in module.GROUPS for row in rows])
def test_every_command_explains_itself(
    row: tuple[str, str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    code = module.run([row[0], "--help"])

    shown = " ".join(capsys.readouterr().out.split())  # wrapped to the width of a terminal
    assert code == Exit.OK
    assert shown.startswith(f"Usage: haulier {row[0]}")
    assert row[2][:40] in shown


def test_the_version_is_the_package_s() -> None:
    import haulier as package  # noqa: PLC0415 -- the name is taken here

    assert haulier("--version").stdout.strip() == package.__version__


@pytest.mark.parametrize(
    ("tokens", "fault"),
    [
        (["lst"], "Unknown command"),
        (["submit"], "requires an argument"),
        (["list", "--limit", "many"], "many"),
        (["list", "--state", "odd"], "odd"),
        (["list", "--url", "localhost"], "must begin with http://"),
        (["list", "--limit", "-1"], "--limit must be 0 or more, got -1"),
        (["list", "--key", "hlr_ключ"], "key must be an API key"),
        (["keys", "create", "acme", "--days", "-1"], "--days must be more than 0, got -1"),
        (["keys", "create", "acme"], "no database at"),
        (["releases", "add", "r", "no/such/folder"], "no folder or file 'no/such/folder'"),
        (["storages", "add", "s", "bucket"], "PLACE must be a URL"),
        (["serve", "--dev", "--host", "0.0.0.0"], "--host must be 127.0.0.1"),  # noqa: S104 -- refused
        (["serve", "--host", "203.0.113.7"], "cannot listen on 203.0.113.7"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(
    tokens: list[str], fault: str, tmp_path: Path
) -> None:
    done = haulier(*tokens, HAULIER_DATA=str(tmp_path))

    assert done.returncode == Exit.USAGE
    assert fault in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert list(tmp_path.iterdir()) == []


def test_no_server_is_exit_code_3_and_the_address() -> None:
    done = haulier("cancel", "1", "--url", "http://127.0.0.1:9")

    assert done.returncode == Exit.UNREACHABLE
    assert done.stderr.startswith("haulier: no answer from http://127.0.0.1:9: ")


def test_an_error_for_a_machine_is_json_on_standard_error() -> None:
    done = haulier("show", "1", "--json", "--url", "http://127.0.0.1:9")

    body = json.loads(done.stderr)
    assert done.stdout == ""
    assert body["error"] == "UnreachableError"
    assert body["exit_code"] == done.returncode == Exit.UNREACHABLE


def errors_of_the_client() -> list[type[BaseException]]:
    found = inspect.getmembers(errors, inspect.isclass)
    return [one for _, one in found if issubclass(one, errors.HaulierError)]


@pytest.mark.parametrize("kind", errors_of_the_client())
def test_every_error_of_the_client_has_the_code_of_its_nearest_row(
    kind: type[BaseException],
) -> None:
    rows = [row for row, _ in CODES]
    nearest = next(one for one in kind.__mro__ if one in rows)
    error = kind.__new__(kind)

    assert exit_of(error) is dict(CODES)[nearest]


def test_our_own_problems_have_codes_and_bugs_have_none() -> None:
    assert exit_of(UsageError("x")) is Exit.USAGE
    assert exit_of(Problem(Code.INVALID, "x")) is Exit.USAGE
    assert exit_of(Problem(Code.NOT_FOUND, "x")) is Exit.NOT_FOUND
    assert exit_of(FileNotFoundError("x")) is Exit.USAGE
    assert exit_of(KeyError("x")) is None


def test_every_exit_code_stands_in_the_help() -> None:
    listed = module.HELP[module.HELP.index("Exit codes") :]

    for code in Exit:
        assert f"{code.value} " in listed


def test_output_that_nobody_reads_is_no_error() -> None:
    command = f"{sys.executable} -m haulier.cli --help | head -c 1"

    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"], capture_output=True, check=False
    )

    assert b"Traceback" not in done.stderr
