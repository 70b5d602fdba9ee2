"""Recipes through the native wire: what there is, what is wrong, what would be done, what was."""

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import jsonschema_rs
import pytest

from haulier.client import Client
from haulier.testing.server import Server, running

MADE = {"id": "made", "type": "MAKE_NUMBERS", "inputs": {}, "param_keys": ["count"]}
TREE = {
    "id": "tree",
    "type": "GROW_TREE",
    "inputs": {"numbers": "step:made.numbers"},
    "params": {"depth": 1},
}
RECIPE = {"name": "wood", "version": "1.0", "definition": {"recipe": [MADE, TREE]}}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Give a server that knows the family of small step kinds."""
    environment = {"HAULIER_FAMILIES": "haulier.testing.pipes:FAMILY"}
    with running(tmp_path_factory.mktemp("recipes"), environment=environment) as server:
        yield server


def test_what_a_step_can_be_is_listed_with_slots_and_schemas(api: httpx.Client) -> None:
    found = {each["type"]: each for each in api.get("/executors").json()["executors"]}

    assert {"MAKE_NUMBERS", "ADD_NUMBERS", "GROW_TREE", "CALL_WEBHOOK"} <= found.keys()
    schema = found["MAKE_NUMBERS"]["params_schema"]["properties"]["count"]
    assert (schema["minimum"], schema["description"]) == (1, "How many numbers.")
    assert found["GROW_TREE"]["produces"]["tree"]["folder"]
    assert api.get("/executors/GROW_TREE").json() == found["GROW_TREE"]
    assert api.get("/executors/GROW").status_code == 404


def test_everything_that_is_wrong_with_a_recipe_is_said_at_once(api: httpx.Client) -> None:
    broken = {"recipe": [{**MADE, "type": "MAKE_NUMBER"}, {**TREE, "inputs": {}}]}

    told = api.post("/recipes/validate", json={"definition": broken}).json()

    assert not told["valid"]
    assert {(each["code"], each.get("suggestion")) for each in told["errors"]} == {
        ("UNKNOWN_TYPE", "MAKE_NUMBERS"),
        ("MISSING_SLOT", None),
    }
    assert all(each["path"] and each["message"] for each in told["errors"])
    good = api.post("/recipes/validate", json={"definition": RECIPE["definition"]})
    assert good.json() == {"valid": True, "errors": []}


def test_recipes_that_run_fit_the_schema_for_editors(
    api: httpx.Client, keyless: httpx.Client
) -> None:
    schema = keyless.get("/recipes/schema").json()
    checker = jsonschema_rs.Draft202012Validator(schema)

    assert checker.is_valid(RECIPE)
    for kept in api.get("/recipes").json()["recipes"]:
        document = {name: kept[name] for name in ("name", "version", "definition")}
        assert checker.is_valid(document), document["name"]
    broken = {**RECIPE, "definition": {"recipe": [{**MADE, "id": "Not-legal"}]}}
    assert not checker.is_valid(broken)


def test_a_recipe_is_kept_once_and_found_by_its_number(api: httpx.Client) -> None:
    first, second = (api.post("/recipes", json=RECIPE).json() for _ in range(2))

    assert first == second
    assert api.get(f"/recipes/{first['number']}").json()["definition"] == RECIPE["definition"]
    names = [each["name"] for each in api.get("/recipes").json()["recipes"]]
    assert {"count-up", "wood"} <= set(names)
    assert api.get("/recipes/999999").status_code == 404


def test_a_plan_says_what_would_be_done_and_does_nothing(api: httpx.Client) -> None:
    job = {"recipe": RECIPE, "params": {"made": {"count": 2}}}

    plan = api.post("/recipes/plan", json=job).json()

    assert [(step["id"], step["needs"]) for step in plan["steps"]] == [
        ("made", []),
        ("tree", ["made"]),
    ]
    assert plan["cost_s"] == sum(step["cost_s"] for step in plan["steps"]) > 0
    assert api.get("/jobs").json()["jobs"] == []
    wrong = api.post("/recipes/plan", json={**job, "params": {"made": {"count": 0}}})
    assert wrong.status_code == 400
    assert "count" in wrong.text


def test_a_folder_is_read_file_by_file_and_as_a_whole(server: Server, tmp_path: Path) -> None:
    with Client(server.url, key=server.key) as haulier:
        job = haulier.wait(haulier.submit("recipe", {"recipe": RECIPE}))
        path = haulier.download(job, "tree.tree", tmp_path)
        url = f"/jobs/{job.id}/artifacts/tree.tree"
    headers = {"authorization": f"Bearer {server.key}"}
    with httpx.Client(base_url=server.url, headers=headers, timeout=60) as api:
        one, part, none = (
            api.get(f"{url}/b1/leaf.txt"),
            api.get(f"{url}/index.html", headers={"range": "bytes=4-7"}),
            api.get(f"{url}/b1/../../x"),
        )

    assert job.successful
    assert one.text == "leaf of 2\n"
    assert (part.status_code, part.text) == (206, "root")
    assert none.status_code == 404
    with tarfile.open(path) as archive:
        found = {member.name: read(archive, member) for member in archive.getmembers()}
    assert path.name == "tree.tar"
    assert found == {
        "tree/index.html": b"the root",
        **{f"tree/b{n}/leaf.txt": f"leaf of {n + 1}\n".encode() for n in range(3)},
    }


def read(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = archive.extractfile(member)
    return (file or io.BytesIO()).read()


def test_a_file_may_lie_in_folders_of_a_storage(api: httpx.Client) -> None:
    url = "/storages/storage-001/files/projects/a b/numbers.txt"

    put = api.put(url, content=b"1\n")

    assert put.status_code == 201
    assert api.get(url).content == b"1\n"
    names = [each["filename"] for each in api.get("/storages/storage-001/files").json()["files"]]
    assert "projects/a b/numbers.txt" in names
    assert api.put(f"/storages/storage-001/files/a/{'x' * 256}", content=b"1").status_code == 400


def test_a_job_is_done_again_from_a_step(api: httpx.Client, server: Server) -> None:
    with Client(server.url, key=server.key) as haulier:
        job = haulier.wait(haulier.submit("recipe", {"recipe": RECIPE}))
        again: dict[str, Any] = api.post(f"/jobs/{job.id}/retry?from=tree").json()
        steps = {step.id: step for step in haulier.wait(again["jobID"]).steps}

    assert steps["made"].reused
    assert not steps["tree"].reused
    assert api.post(f"/jobs/{job.id}/retry?from=bush").status_code == 400
