"""`haulier report` finds the page of a job, whichever of its steps gave it."""

import json
from pathlib import Path

import pytest
from tests.cli.conftest import Haulier
from tests.families.clouds.landscape import write_landscape

from haulier.cli.codes import Exit
from haulier.cli.results import page
from haulier.client import Artifact, Client
from haulier.testing.server import Server

CLOUD = "job:cloud"
STEPS = (
    {
        "id": "move",
        "type": "REPROJECT_LAS",
        "inputs": {"input_las": CLOUD},
        "params": {"source_epsg": "EPSG:25832+EPSG:7837", "target_epsg": "EPSG:25833+EPSG:7837"},
    },
    {"id": "look", "type": "CLOUD_REPORT", "inputs": {"input_las": "step:move.output_las"}},
    {"id": "check", "type": "VALIDATE_LAS", "inputs": {"input_las": "step:move.output_las"}},
)


def report(step: str, media_type: str) -> Artifact:
    return Artifact(name="report", step=step, media_type=media_type)


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ([("one", "text/html"), ("two", "text/html")], "two"),
        ([("one", "text/html"), ("two", "application/json")], "one"),
        ([("one", "text/html; charset=utf-8")], "one"),
        ([("one", "application/json"), ("two", "application/json")], "two"),
    ],
)
def test_the_report_of_a_job_is_its_last_page(given: list[tuple[str, str]], found: str) -> None:
    assert page([report(*each) for each in given]).step == found


def test_a_job_of_a_recipe_has_a_report(haulier: Haulier, server: Server, tmp_path: Path) -> None:
    with Client(server.url, key=server.key) as client:
        stored = client.upload(write_landscape(tmp_path / "hill.laz"))
    recipe = {"name": "look", "version": "1", "definition": {"recipe": STEPS}}
    uri = f"storage://{stored.storage}/{stored.filename}"
    job = {"recipe": recipe, "inputs": {CLOUD: {"type": "las", "uri": uri}}}
    (tmp_path / "job.json").write_text(json.dumps(job))

    said = haulier("submit", "RECIPE", "--params", "@job.json", "--watch")
    number = said.out.split()[1]
    got = haulier("report", number, "--out", "page.html")
    listed = haulier("results", number, "--json").json

    assert said.code == Exit.OK, said.err
    assert got.code == Exit.OK, got.err
    text = (tmp_path / "page.html").read_text("utf-8")
    assert "EPSG:25833" in text
    assert "The step that made it" in text
    names = {f"{each['step']}.{each['name']}" for each in listed["artifacts"]}
    assert {"look.report", "check.report"} <= names
