"""The documentation does what it says: commands are run, code is run, pages are fresh."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.conftest import Haulier

from haulier.cli.codes import Exit
from haulier.testing.server import Server, bytecode, running

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)


def blocks(page: str, language: str) -> list[str]:
    """Give the code of a page, block by block."""
    text = (DOCS / page).read_text("utf-8")
    return [code for kind, code in BLOCK.findall(text) if kind == language]


def python(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        (sys.executable, *arguments),
        cwd=folder,
        env={**os.environ, **bytecode(), "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_the_generated_pages_say_what_the_code_says_and_links_lead_somewhere(
    tmp_path: Path,
) -> None:
    done = python(str(ROOT / "tools" / "docs.py"), "--check", folder=tmp_path)

    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server without any job, as the reader of the tutorial has it."""
    with running(tmp_path_factory.mktemp("tutorial")) as server:
        yield server


def test_the_tutorial_works(haulier: Haulier, empty: Server, tmp_path: Path) -> None:
    town, from_python = blocks("tutorials/first-job.md", "python")
    (tmp_path / "town.py").write_text(town)
    made, submitted, looked, refused = (
        block.splitlines() for block in blocks("tutorials/first-job.md", "console")
    )
    here = ("--url", empty.url, "--key", empty.key)

    def do(line: str) -> tuple[int, str]:
        program, *words = line.split()
        if program == "python":
            done = python(*words, folder=tmp_path)
            return done.returncode, done.stdout + done.stderr
        said = haulier(*words, *here)
        return said.code, said.out + said.err

    for line in (*made, *submitted, *looked):
        code, text = do(line)
        assert code == Exit.OK, f"{line}\n{text}"
    assert (tmp_path / "results" / "roads.results.parquet").stat().st_size > 0
    assert "<html" in (tmp_path / "report.html").read_text("utf-8").lower()
    for line in refused:
        code, text = do(line)
        assert code == Exit.FAILED
        assert "town" in text

    script = from_python.replace("http://127.0.0.1:8080", empty.url).replace("hlr_…", empty.key)
    (tmp_path / "script.py").write_text(script)
    done = python("script.py", folder=tmp_path)
    assert done.stdout.startswith("succeeded"), done.stderr
    assert (tmp_path / "matches.parquet").stat().st_size > 0


def test_the_family_of_the_how_to_conforms(tmp_path: Path) -> None:
    family, suite = blocks("how-to/write-a-family.md", "python")
    (tmp_path / "words.py").write_text(family)
    (tmp_path / "test_words.py").write_text(suite)

    done = python("-m", "pytest", "-q", "-p", "no:cacheprovider", "test_words.py", folder=tmp_path)

    assert done.returncode == 0, done.stdout
