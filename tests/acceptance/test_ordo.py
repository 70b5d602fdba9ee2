"""Ordo's wire by curl, as its page writes it: a cloud is reprojected and made an EPT."""

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import laspy
import numpy as np
import pytest

from haulier.testing.server import Server, running

PATIENCE_S = 240.0
LOOK_S = 0.2
DATA = Path(os.environ.get("HAULIER_TEST_DATA", Path(__file__).parents[3] / "shared" / "data"))
PINEY = DATA / "clouds" / "piney_2271_pf7.laz"
RECIPE: dict[str, Any] = {
    "name": "reproject-ept",
    "version": "3.0.0-inline",
    "definition": {
        "recipe": [
            {
                "id": "reproject",
                "type": "REPROJECT_LAS",
                "inputs": {"input_las": "job:input_las"},
                "outputs": {"output_las": "step:reproject.output_las"},
                "param_keys": ["source_epsg", "target_epsg"],
            },
            {
                "id": "ept",
                "type": "BUILD_EPT",
                "inputs": {"input_las": "step:reproject.output_las"},
                "outputs": {"output_ept": "step:ept.output_ept"},
            },
        ]
    },
}
JOB = {
    "recipe": RECIPE,
    "inputs": {"job:input_las": {"type": "las", "uri": "dev/piney/mbes.laz", "hash": "abc123"}},
    "params": {"reproject": {"source_epsg": "EPSG:2271", "target_epsg": "EPSG:3857"}},
    "outputs": {"step:ept.output_ept": {"path": "dev/results/piney/ept"}},
}

Curl = Callable[..., Any]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("ordo")) as server:
        yield server


@pytest.fixture
def curl(server: Server) -> Curl:
    """Give what runs curl with the server's key, and reads the JSON that comes."""

    def call(path: str, *options: str) -> Any:
        key = ("-H", f"Authorization: Bearer {server.key}")
        command = ["curl", "-sS", "--fail-with-body", *key, *options, f"{server.url}{path}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return json.loads(done.stdout) if done.stdout else done.stderr

    return call


def put(curl: Curl, path: Path) -> None:
    curl(
        "/storages/storage-001/files/dev/piney/mbes.laz",
        *("-X", "PUT", "--data-binary", f"@{path}"),
    )


def post(curl: Curl, body: object) -> Any:
    sent = ("-X", "POST", "-H", "Content-Type: application/json", "-d", json.dumps(body))
    return curl("/ordo/jobs", *sent)


def ended(curl: Curl, number: int) -> dict[str, Any]:
    ends_at = time.monotonic() + PATIENCE_S
    while True:
        shown: dict[str, Any] = curl(f"/ordo/jobs/{number}")
        if shown["job"]["status"] not in {"pending", "running"}:
            return shown
        assert time.monotonic() < ends_at, f"job {number} is still {shown['job']['status']}"
        assert 0 <= shown["progress"]["percentage"] <= 1
        time.sleep(LOOK_S)


def small(path: Path) -> Path:
    """Write a small cloud in feet of Pennsylvania."""
    random = np.random.default_rng(3)
    header = laspy.LasHeader(point_format=7, version="1.4")
    header.scales, header.offsets = np.full(3, 0.01), np.array([2_300_000.0, 300_000.0, 0.0])
    cloud = laspy.LasData(header)
    cloud.x, cloud.y = random.uniform((2_300_000, 300_000), (2_301_000, 301_000), (4000, 2)).T
    cloud.z = 1000 + np.sin(cloud.x / 100) * 20
    cloud.write(path)
    return path


@pytest.mark.slow
@pytest.mark.parametrize("size", ["small", "piney"])
def test_the_seeds_example_job_runs_and_is_shown_to_the_key(
    curl: Curl, tmp_path: Path, size: str
) -> None:
    if size == "piney" and not PINEY.exists():
        pytest.skip("the survey is not here")
    put(curl, PINEY if size == "piney" else small(tmp_path / "small.laz"))

    made = post(curl, JOB)
    shown = ended(curl, made["id"])

    assert list(made) == ["id"]
    assert shown["job"]["error"] is None
    assert list(shown) == [
        *("job", "progress", "duration_ms", "timeline", "steps", "artifacts", "outputs")
    ]
    assert shown["progress"] == {"percentage": 1, "completed_steps": 2, "total_steps": 2}
    assert [line["step"] for line in shown["timeline"]] == ["reproject", "ept"]
    assert {step["status"] for step in shown["steps"]} == {"success"}
    assert shown["outputs"] == [
        {"artifact_name": "step:ept.output_ept", "path": "dev/results/piney/ept"}
    ]
    ept = curl("/storages/storage-001/files/dev/results/piney/ept/ept.json")
    made_of = {one["name"]: one["metadata"] for one in shown["artifacts"]}
    points = made_of["step:reproject.output_las"]["point_count"]
    assert (ept["version"], ept["points"]) == ("1.1.0", points)
    assert ept["srs"]["horizontal"] == "3857"
    codes = [each["code"] for each in made_of["step:reproject.output_las"]["warnings"]]
    assert "VERTICAL_UNIT_KEPT" in codes, "the trap of the vendor's example is said"


def test_a_job_over_a_file_that_is_not_there_fails_and_says_so(curl: Curl) -> None:
    nowhere = {"job:input_las": {"type": "las", "uri": "dev/none.las", "hash": "x"}}

    shown = ended(curl, post(curl, {**JOB, "inputs": nowhere})["id"])

    assert shown["job"]["status"] == "failed"
    assert "none.las" in shown["job"]["error"]
    assert {step["step_id"]: step["status"] for step in shown["steps"]} == {
        "reproject": "failed",
        "ept": "skipped",
    }


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"params": {"reproject": {"source_epsg": "EPSG:2271"}}}, "target_epsg"),
        ({"params": {"reproject": {"source_epsg": "EPSG:2271", "target_epsg": []}}}, "target_epsg"),
        ({"inputs": {"job:input_las": {"type": "tif", "uri": "a", "hash": "b"}}}, "slot mismatch"),
        ({"outputs": {"step:ept.output_copc": {"path": "x"}}}, "step:ept.output_ept"),
        ({"outputs": {"step:ept.output_ept": {"path": "../../etc"}}}, "none '.' or '..'"),
        ({"outputs": {"step:ept.output_ept": {"path": "/etc/x"}}}, "must be file names"),
    ],
)
def test_a_bad_job_is_refused_in_a_sentence(curl: Curl, change: dict[str, Any], said: str) -> None:
    assert said in post(curl, {**JOB, **change})["error"]


#: The vendor's page "Submitting a Job", to the letter but for the address of its webhook.
DOCUMENTED: dict[str, Any] = {
    "recipe": {
        "name": "reproject-ept",
        "version": "3.0.0",
        "definition": {
            "recipe": [
                RECIPE["definition"]["recipe"][0],
                {
                    "id": "build_ept",
                    "type": "BUILD_EPT",
                    "inputs": {"input_las": "step:reproject.output_las"},
                    "outputs": {"output_ept": "step:build_ept.output_ept"},
                },
                {
                    "id": "dataset_info",
                    "type": "DATASET_INFO",
                    "inputs": {"input_las": "step:reproject.output_las"},
                    "outputs": {"metadata": "step:dataset_info.metadata"},
                },
            ],
            "on_exit": {
                "id": "call_webhook",
                "type": "CALL_WEBHOOK",
                "inputs": {"waits_for": "step:dataset_info.metadata"},
                "param_keys": ["webhook_url"],
            },
        },
    },
    "inputs": JOB["inputs"],
    "params": {
        "reproject": {"source_epsg": "EPSG:2271", "target_epsg": "EPSG:3857"},
        "call_webhook": {"webhook_url": ""},
    },
    "outputs": {"step:build_ept.output_ept": {"path": "dev/results/documented/ept"}},
}


@pytest.mark.slow
def test_the_documented_job_runs_by_the_name_of_a_recipe_that_is_here(
    curl: Curl, tmp_path: Path
) -> None:
    put(curl, small(tmp_path / "small.laz"))

    shown = ended(curl, post(curl, DOCUMENTED)["id"])

    assert (shown["job"]["status"], shown["job"]["error"]) == ("success", None)


def test_every_recipe_that_comes_with_the_server_takes_what_the_vendors_takes(curl: Curl) -> None:
    kept = curl("/recipes")["recipes"]
    for recipe in (each for each in kept if each["shared"]):
        moves = recipe["name"].startswith("reproject")
        params = DOCUMENTED["params"] if moves else {"call_webhook": {"webhook_url": ""}}
        asked = {"recipe_id": recipe["number"], "inputs": JOB["inputs"], "params": params}

        assert "id" in post(curl, asked), recipe["name"]


@pytest.mark.parametrize("number", [1.5, 2**63, 1e300, -1])
def test_a_number_that_no_recipe_has_is_not_found(curl: Curl, number: float) -> None:
    said = post(curl, {"recipe_id": number, "inputs": {}})

    assert said["error"] == f"Recipe with id {number} not found"


def test_a_body_that_is_no_text_is_refused(curl: Curl, tmp_path: Path) -> None:
    (tmp_path / "body").write_bytes('{"recipe": "é"}'.encode("latin-1"))
    sent = ("-X", "POST", "-H", "Content-Type: application/json")

    said = curl("/ordo/jobs", *sent, "--data-binary", f"@{tmp_path / 'body'}")

    assert said["error"] == "the body must be JSON: it is no UTF-8"
