"""Ordo's wire: the vendor's shapes to the key, and its words for what is wrong."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from haulier.core.artifact import Artifact
from haulier.core.job import Step
from haulier.core.lifecycle import State
from haulier.core.progress import Progress
from haulier.engine.registry import Kinds
from haulier.testing.dialect_world import CREATED_AT, World, a_job, open_world
from haulier.testing.pipes import FAMILY
from haulier.wire.dialect import View
from haulier.wire.ordo.bodies import view_of_job

PIPES = "haulier.testing.faults:FAMILY,haulier.testing.pipes:FAMILY"
MADE = {"id": "made", "type": "MAKE_NUMBERS", "inputs": {}}
TOTAL = {
    "id": "total",
    "type": "ADD_NUMBERS",
    "inputs": {"numbers": ["job:in", "step:made.numbers"]},
    "outputs": {"sum": "step:total.sum"},
    "param_keys": ["factor"],
}
RECIPE = {"name": "r", "version": "1", "definition": {"recipe": [MADE, TOTAL]}}
INPUTS = {"job:in": {"type": "numbers", "uri": "dev/a.txt", "hash": "abc123"}}
JOB = {"recipe": RECIPE, "inputs": INPUTS, "params": {"total": {"factor": 2}}}
LOST = "storage://storage-01/dev/a.txt"
OUTPUTS = {"step:total.sum": {"path": "dev/sum.txt"}}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with open_world(tmp_path_factory.mktemp("ordo"), families=PIPES) as world:
        yield world


def error(world: World, path: str, body: object, status: int = 400) -> str:
    answer = world.ask("POST", path, json=body)
    assert answer.status_code == status, answer.text
    return str(answer.json()["error"])


def test_a_job_is_shown_to_the_key_of_the_vendors_page() -> None:
    """The keys, and their order of magnitude, are those of the page in the seeds."""

    def step(id_: str, kind: str) -> Step:
        times: dict[str, Any] = {"started_at": CREATED_AT, "finished_at": CREATED_AT}
        return Step(id=id_, family="pipes", kind=kind, state=State.SUCCEEDED, **times)

    job = a_job(
        State.SUCCEEDED,
        kind="RECIPE",
        params={**JOB, "outputs": OUTPUTS},
        labels={"ordo": {"recipe_id": 2}},
        progress=Progress(1.0),
        result={"total": {"lines": 1}},
    )
    steps = [step("made", "MAKE_NUMBERS"), step("total", "ADD_NUMBERS")]
    made = Artifact("sum", "sum.txt", "text/plain", 2, "0" * 64, "k", "total", CREATED_AT)

    body = msgspec.to_builtins(view_of_job(job, steps, [made], View("http://x", Kinds([FAMILY]))))

    assert list(body) == [
        "job",
        "progress",
        "duration_ms",
        "timeline",
        "steps",
        "artifacts",
        "outputs",
    ]
    assert body["job"] == {
        "id": 123456789,
        "recipe_id": 2,
        "status": "success",
        "created_at": "2026-02-18T10:38:59.031Z",
        "started_at": "2026-02-18T10:38:59.031Z",
        "finished_at": "2026-02-18T13:21:30.031Z",
        "error": None,
        "params": {"total": {"factor": 2}},
    }
    assert body["progress"] == {"percentage": 1.0, "completed_steps": 2, "total_steps": 2}
    assert body["duration_ms"] == 9_751_000
    assert body["timeline"][0] == {
        "step": "made",
        "type": "MAKE_NUMBERS",
        "status": "success",
        "started_at": "2026-02-18T10:38:59.031Z",
        "finished_at": "2026-02-18T10:38:59.031Z",
        "duration_ms": 0,
    }
    assert body["steps"][1] == {
        "job_id": 123456789,
        "step_id": "total",
        "step_type": "ADD_NUMBERS",
        "status": "success",
        "started_at": "2026-02-18T10:38:59.031Z",
        "finished_at": "2026-02-18T10:38:59.031Z",
        "error": None,
    }
    assert list(body["artifacts"]) == [
        {
            "job_id": 123456789,
            "name": "job:in",
            "type": "numbers",
            "uri": "dev/a.txt",
            "hash": "abc123",
            "producer_step": None,
            "metadata": None,
            "created_at": "2026-02-18T10:38:59.031Z",
        },
        {
            "job_id": 123456789,
            "name": "step:total.sum",
            "type": "numbers",
            "uri": "artifacts/job_123456789/total/sum.txt",
            "hash": "sha256:" + "0" * 64,
            "producer_step": "total",
            "metadata": {"lines": 1},
            "created_at": "2026-02-18T10:38:59.031Z",
        },
    ]
    assert list(body["outputs"]) == [{"artifact_name": "step:total.sum", "path": "dev/sum.txt"}]


@pytest.mark.parametrize(
    ("state", "skipped", "word"),
    [
        (State.QUEUED, False, "pending"),
        (State.RUNNING, False, "running"),
        (State.CANCELLING, False, "running"),
        (State.SUCCEEDED, False, "success"),
        (State.FAILED, False, "failed"),
        (State.FAILED, True, "skipped"),
        (State.CANCELLED, False, "failed"),
    ],
)
def test_a_step_has_the_vendors_word(state: State, skipped: bool, word: str) -> None:  # noqa: FBT001 -- a row of the table
    step = Step(id="s", family="f", kind="K", state=state, skipped=skipped)

    body = view_of_job(a_job(State.RUNNING), [step], [], View("", Kinds([FAMILY])))

    assert body.steps[0].status == word


def change(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in {**JOB, **members}.items() if value is not ...}


# fmt: off
REFUSED = [
    (change(recipe=...), "Either recipe_id or recipe (name, version, definition) must be provided"),
    (change(recipe_id="7"), "recipe_id must be a number"),
    (change(recipe={"name": "r"}), "recipe must have name, version, and definition"),
    (change(recipe=[]), "recipe must have name, version, and definition"),
    (change(inputs=...), "inputs must be an object"),
    (change(inputs=[]), "inputs must be an object"),
    (change(inputs={"job:in": {"type": "numbers", "uri": "x"}}),
        'Invalid artifact "job:in": must have type, uri, and hash as strings'),
    (change(outputs=[]), "outputs must be an object"),
    (change(outputs={"step:total.sum": {}}),
        'Invalid output "step:total.sum": must have path as a string'),
    (change(params=[]), "params must be an object"),
    (change(params={}), 'Step "total" missing required parameter: factor'),
    (change(inputs={}), "Missing required initial input artifact: job:in"),
    (change(inputs=INPUTS | {"job:x": INPUTS["job:in"]}),
        'Unexpected input artifact "job:x": not required by recipe. Required inputs: job:in'),
    (change(outputs={"step:total.sun": {"path": "x"}}),
        ('Invalid job output "step:total.sun": artifact is not producible by recipe. '
         "Producible artifacts: step:made.numbers, step:total.sum")),
    (change(recipe={**RECIPE, "version": "bad", "definition": {}}),
        'Recipe definition must contain a "recipe" array'),
    (change(recipe={**RECIPE, "version": "bad", "definition": {"recipe": [{**MADE, "type": "X"}]}}),
        "Unsupported step type: X"),
]
# fmt: on


@pytest.mark.parametrize(("body", "said"), REFUSED)
def test_a_bad_request_for_a_job_is_refused_in_the_vendors_words(
    world: World, body: dict[str, Any], said: str
) -> None:
    assert error(world, "/ordo/jobs", body) == said
    assert world.ask("GET", "/ordo/jobs?limit=1").status_code == 200


def test_every_fault_is_told_beside_the_first(world: World) -> None:
    body = change(inputs={}, params={"total": {"factor": "x"}, "nobody": {}})

    told = world.ask("POST", "/ordo/jobs", json=body).json()

    assert {each["code"] for each in told["errors"]} == {
        "MISSING_INPUT",
        "BAD_PARAM",
        "UNKNOWN_STEP",
    }


@pytest.mark.parametrize(
    ("at", "members"),
    [
        ("inputs.job:in.uri", {"inputs": {"job:in": {**INPUTS["job:in"], "uri": LOST}}}),
        ("outputs.step:total.sum.path", {"outputs": {"step:total.sum": {"path": LOST}}}),
    ],
)
def test_a_storage_that_is_not_there_is_refused_with_the_other_faults(
    world: World, at: str, members: dict[str, Any]
) -> None:
    body = change(params={"total": {"factor": "x"}}, **members)
    submission = {name: body[name] for name in ("recipe", "inputs", "params", *members)}

    ordo = world.ask("POST", "/ordo/jobs", json=body)
    native = world.ask("POST", "/processes/recipe/execution", json={"inputs": submission})
    plan = world.ask("POST", "/recipes/plan", json=submission)
    alone = world.ask("POST", "/ordo/jobs", json=change(**members))

    assert [answer.status_code for answer in (ordo, native, plan, alone)] == [400] * 4
    assert [each["code"] for each in ordo.json()["errors"]] == ["BAD_PARAM", "UNKNOWN_STORAGE"]
    (told,) = alone.json()["errors"]
    assert (told["path"], told["code"]) == (at, "UNKNOWN_STORAGE")
    assert told["did_you_mean"] == "storage-001"
    assert "got 'storage-01'; there are: storage-001" in alone.json()["error"]
    for answer in (native, plan):
        bad, lost = answer.json()["errors"]
        assert (bad["code"], lost["code"]) == ("BAD_PARAM", "UNKNOWN_STORAGE")
        assert lost["did_you_mean"] == "storage-001"
        assert lost["detail"].startswith(f"{at} names no storage")


def test_a_job_is_taken_on_and_its_recipe_is_kept(world: World) -> None:
    first = world.ask("POST", "/ordo/jobs", json=JOB)
    job = world.ask("GET", f"/ordo/jobs/{first.json()['id']}").json()["job"]
    again = world.ask("POST", "/ordo/jobs", json=change(recipe=..., recipe_id=job["recipe_id"]))
    other = {"name": "r", "version": "1", "definition": {"recipe": [MADE]}}
    stored = world.ask("POST", "/ordo/jobs", json=change(recipe=other))

    assert (first.status_code, list(first.json())) == (201, ["id"])
    assert (job["status"], job["params"]) == ("pending", JOB["params"])
    for answer in (again, stored):
        shown = world.ask("GET", f"/ordo/jobs/{answer.json()['id']}").json()
        assert shown["job"]["recipe_id"] == job["recipe_id"]
        assert len(shown["steps"]) == 2, "the stored definition is the one that counts"
    listed = world.ask("GET", "/ordo/jobs").json()
    assert [each["id"] for each in listed][:1] == [stored.json()["id"]]


def test_what_is_not_there_is_said_in_the_vendors_words(world: World) -> None:
    unknown = world.ask("GET", "/ordo/jobs/999999999")
    assert (unknown.status_code, unknown.json()["error"]) == (404, "Job not found")
    odd = world.ask("GET", "/ordo/jobs/abc")
    assert (odd.status_code, odd.json()["error"]) == (400, "Invalid job ID")
    said = error(world, "/ordo/jobs", change(recipe=..., recipe_id=99999), 404)
    assert said == "Recipe with id 99999 not found"
    nobody = world.ask("GET", "/ordo/jobs", key="")
    assert nobody.json()["error"] == "Missing or invalid Authorization header"
    wrong = world.ask("GET", "/ordo/jobs", key="", headers={"authorization": "Bearer nope"})
    assert (wrong.status_code, wrong.json()["error"]) == (401, "Invalid token")


def test_recipes_are_kept_and_checked(world: World) -> None:
    one = world.ask("POST", "/ordo/recipes", json={**RECIPE, "name": "kept"})
    two = world.ask("POST", "/ordo/recipes", json={**RECIPE, "name": "kept"})
    assert (one.status_code, one.json()) == (201, two.json())
    missing = error(world, "/ordo/recipes", {"name": "x"})
    assert missing == "Missing required fields: name, version, definition"
    check = "/ordo/recipes/validate"
    assert error(world, check, {"name": "x"}) == "Missing required field: definition"
    good = world.ask("POST", check, json={"definition": RECIPE["definition"]})
    assert (good.status_code, good.json()) == (200, {"valid": True})
    bad = world.ask("POST", check, json={"definition": {"recipe": []}}).json()
    assert (bad["valid"], bad["error"]) == (False, "Recipe must contain at least one step")
    assert world.ask("GET", "/ordo/health", key="").json() == {"status": "ok"}


def test_a_configured_base_stands_for_the_vendors(tmp_path: Path) -> None:
    with open_world(tmp_path, families=PIPES, path_aliases="/processing/v2=/ordo") as world:
        taken = world.ask("POST", "/processing/v2/jobs", json=JOB)
        number = taken.json()["id"]

        assert taken.status_code == 201
        assert world.ask("GET", f"/processing/v2/jobs/{number}").json()["job"]["id"] == number
        assert world.ask("GET", f"/ordo/jobs/{number}").status_code == 200
        assert world.ask("GET", "/processing/v2/nothing").json()["error"]
        assert world.ask("GET", "/processing/v22/jobs").status_code == 404
