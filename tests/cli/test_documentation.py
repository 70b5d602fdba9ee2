"""The documentation does what it says: commands are run, code is run, pages are fresh."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.cli.conftest import Haulier
from tests.families.clouds.landscape import write_landscape

from haulier.cli.codes import Exit
from haulier.testing.server import Server, bytecode

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


def test_the_tutorial_works(haulier: Haulier, server: Server, tmp_path: Path) -> None:
    town, from_python = blocks("tutorials/first-job.md", "python")
    (tmp_path / "town.py").write_text(town)
    made, submitted, looked, refused = (
        block.splitlines() for block in blocks("tutorials/first-job.md", "console")
    )

    def do(line: str, job: str = "1") -> tuple[int, str]:
        """Run a line; what the tutorial calls job 1 has another number here."""
        program, *words = line.split()
        if program == "python":
            done = python(*words, folder=tmp_path)
            return done.returncode, done.stdout + done.stderr
        said = haulier(*(job if word == "1" else word for word in words))
        return said.code, said.out + said.err

    for line in (*made, *submitted):
        code, text = do(line)
        assert code == Exit.OK, f"{line}\n{text}"
    (job,) = haulier("list", "-n", "1", "--json").json
    for line in looked:
        code, text = do(line, str(job["number"]))
        assert code == Exit.OK, f"{line}\n{text}"
    assert job["kind"] == "ROAD_MATCHING"
    assert (tmp_path / "results" / "roads.results.parquet").stat().st_size > 0
    assert "<html" in (tmp_path / "report.html").read_text("utf-8").lower()
    for line in refused:
        code, text = do(line)
        assert code == Exit.FAILED
        assert "town" in text

    script = from_python.replace("http://127.0.0.1:8080", server.url).replace("hlr_…", server.key)
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


def test_a_survey_becomes_terrain_tiles_and_a_report_that_warn(
    haulier: Haulier, tmp_path: Path
) -> None:
    write_landscape(tmp_path / "survey.laz", crs="EPSG:25832")
    (tmp_path / "terrain.json").write_text(*blocks("how-to/clouds.md", "json"))
    lines = blocks("how-to/clouds.md", "console")[0].splitlines()
    put, submit, report, get = (line.partition("#")[0].split()[2:] for line in lines)

    stored, done = haulier(*put), haulier(*submit)
    number = done.out.split()[1]
    made = haulier(*(number if word == "1" else word for word in report))
    got = haulier(*get)

    for said in (stored, done, made, got):
        assert said.code == Exit.OK, said.err
    assert "HEIGHT_UNIT_ASSUMED in ground, dem" in done.out
    assert (tmp_path / "terrain.tif").read_bytes()[:4] in {b"II*\0", b"II+\0"}
    assert "<html" in (tmp_path / "survey.html").read_text("utf-8").lower()


def test_the_warnings_that_the_page_of_clouds_explains_are_given() -> None:
    page = (DOCS / "how-to/clouds.md").read_text("utf-8")
    code = "".join(path.read_text("utf-8") for path in (ROOT / "src").rglob("clouds/**/*.py"))

    explained = re.findall(r"^\| `([A-Z_]+)` \|", page, re.MULTILINE)
    assert len(explained) > 10
    assert [one for one in explained if f'"{one}"' not in code] == []
