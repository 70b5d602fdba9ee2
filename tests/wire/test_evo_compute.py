"""Compute tasks on Evo's wire: bodies to the byte, and a job found only where it was submitted."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

import msgspec
import pytest
from evo.compute.endpoints.models import CompletedJobResponse, JobStatusResponse

from haulier.core.job import Job
from haulier.core.lifecycle import State
from haulier.core.problem import Code, ProblemBody
from haulier.core.progress import Progress
from haulier.engine.registry import Kinds
from haulier.testing.dialect_world import OWNER, World, a_job, open_world
from haulier.wire.dialect import View
from haulier.wire.evo.bodies import render, render_results

GOLDEN: Final = Path(__file__).parent / "golden"
VIEW: Final = View("https://here", Kinds(()))
ORG: Final = "00000000-0000-0000-0000-0000000000a1"
PLACE: Final = {"org": ORG, "topic": "geostatistics", "task": "kriging"}
QUICK: Final = f"/compute/orgs/{ORG}/faults/quick"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Give a server without a worker: jobs stay queued."""
    with open_world(tmp_path_factory.mktemp("evo")) as world:
        yield world


def evo_job(state: State, **changes: Any) -> Job:
    return a_job(state, labels={"evo": PLACE}, **changes)


def golden(name: str, state: State) -> bytes:
    """Give a body without its white space, members in its order."""
    return msgspec.json.encode(msgspec.json.decode((GOLDEN / name).read_bytes())[state])


def submitted(world: World, path: str = QUICK, **params: Any) -> str:
    """Submit a job and give its path."""
    answer = world.ask("POST", path, json={"parameters": params})
    assert answer.status_code == 303, answer.text
    location: str = answer.headers["location"]
    assert location.endswith("/status")
    return location.removeprefix("http://testserver.local").removesuffix("/status")


@pytest.mark.parametrize("state", State)
def test_the_status_of_a_job_in_every_state(state: State) -> None:
    job = evo_job(state, progress=Progress()) if state is State.QUEUED else evo_job(state)

    body = msgspec.json.encode(render(job, VIEW))

    assert body == golden("evo_status.json", state)
    JobStatusResponse.model_validate_json(body)


@pytest.mark.parametrize("state", State)
def test_the_results_of_a_job_in_every_state(state: State) -> None:
    body = msgspec.json.encode(render_results(evo_job(state), VIEW))

    assert body == golden("evo_results.json", state)
    CompletedJobResponse.model_validate_json(body)


@pytest.mark.parametrize(
    ("fraction", "percent"), [(0.0, 0), (0.004, 0), (0.29, 28), (0.999, 99), (1.0, 100)]
)
def test_progress_is_a_whole_number_that_never_says_more_than_is_done(
    fraction: float, percent: int
) -> None:
    body = render(evo_job(State.RUNNING, progress=Progress(fraction)), VIEW)

    assert body.progress == percent
    assert type(body.progress) is int
    assert body.message == "Job in progress"


def test_a_file_that_a_result_names_is_an_address() -> None:
    words = ["artifact:report", {"artifact": "x", "name": "y"}]
    result = {"links": {"dashboard": {"artifact": "report"}}, "all": [{"artifact": "a b"}, *words]}
    job = evo_job(State.SUCCEEDED, result=result)

    body = msgspec.to_builtins(render_results(job, VIEW))

    files = f"https://here/jobs/{job.id}/artifacts"
    assert body["results"]["links"] == {"dashboard": f"{files}/report"}
    assert body["results"]["all"] == [f"{files}/a%20b", *words]


@pytest.mark.parametrize("code", Code)
def test_every_end_of_a_job_is_an_error_that_the_client_reads(code: Code) -> None:
    job = evo_job(State.FAILED, problem=ProblemBody(code, "why"))

    body = CompletedJobResponse.model_validate_json(msgspec.json.encode(render_results(job, VIEW)))

    assert body.error is not None
    assert (body.error.detail, body.results) == ("why", None)


def test_a_submission_is_answered_by_303_an_address_and_not_one_byte(world: World) -> None:
    answer = world.ask("POST", QUICK, json={"parameters": {}}, headers={"api-preview": "opt-in"})

    assert (answer.status_code, answer.content) == (303, b"")
    job_id = UUID(answer.headers["location"].split("/")[-2])
    job = world.services.jobs.get(OWNER, job_id)
    assert (job.kind, dict(job.labels["evo"])) == (
        "QUICK",
        PLACE | {"topic": "faults", "task": "quick"},
    )


def test_a_job_that_waits_is_202_for_its_status_and_its_results(world: World) -> None:
    path = submitted(world)

    status, results = world.ask("GET", f"{path}/status"), world.ask("GET", path)

    assert (status.status_code, status.json()["status"]) == (202, "requested")
    assert (results.status_code, results.json()["status"]) == (202, "requested")
    assert status.json()["links"]["cancel"] == results.json()["links"]["cancel"]
    assert results.json()["links"]["status"].endswith(f"{path}/status")


def test_a_cancel_is_204_also_for_a_job_that_has_ended(world: World) -> None:
    path = submitted(world)

    first, second = world.ask("DELETE", path), world.ask("DELETE", path)

    for answer in (first, second):
        assert (answer.status_code, answer.content) == (204, b"")
    status, results = world.ask("GET", f"{path}/status"), world.ask("GET", path)
    assert (status.status_code, status.json()["status"]) == (200, "cancelled")
    assert (results.status_code, results.json()["error"]["status"]) == (200, 499)


@pytest.mark.parametrize("changed", ["org", "topic", "task", "job"])
@pytest.mark.parametrize("tail", ["", "/status"])
def test_a_job_is_found_only_where_it_was_submitted(world: World, changed: str, tail: str) -> None:
    parts = submitted(world).split("/")
    place = {"org": 3, "topic": 4, "task": 5, "job": 6}[changed]
    parts[place] = str(uuid4()) if changed in {"org", "job"} else "trouble"

    assert world.ask("GET", "/".join(parts) + tail).status_code == 404
    assert world.ask("DELETE", "/".join(parts)).status_code == 404
    assert world.ask("GET", submitted(world) + tail).status_code == 202


def test_upper_case_in_a_uuid_is_the_same_uuid(world: World) -> None:
    path = submitted(world, f"/compute/orgs/{ORG.upper()}/faults/quick")

    assert ORG in path
    assert world.ask("GET", path.replace(ORG, ORG.upper())).status_code == 202


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        (f"/compute/orgs/{ORG}/astrology/quick", 404, "no topic 'astrology'; there are: "),
        (
            f"/compute/orgs/{ORG}/faults/kriging",
            404,
            "no task 'kriging'; there are: quick, trouble",
        ),
        ("/compute/orgs/acme/faults/quick", 422, "org_id must be a UUID, got 'acme'"),
    ],
)
def test_a_task_that_is_not_there_is_refused_with_those_that_are(
    world: World, path: str, status: int, said: str
) -> None:
    answer = world.ask("POST", path, json={"parameters": {}})

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert said in answer.json()["detail"]


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({"parameters": {"act": 7}}, "parameters.act"),
        ({"parameters": {"nothing_like_it": 7}}, "parameters.nothing_like_it"),
        ({"parameters": []}, "parameters"),
        ({"act": "succeed"}, "parameters"),
    ],
)
def test_a_wrong_parameter_is_named_as_the_request_has_it(
    world: World, body: dict[str, Any], name: str
) -> None:
    answer = world.ask("POST", f"/compute/orgs/{ORG}/faults/trouble", json=body)

    said = answer.json()
    assert (answer.status_code, said["status"]) == (422, 422)
    assert [each["name"] for each in said["invalid-params"]] == [name]
    assert {"type", "title", "detail"} <= said.keys()


def test_a_job_of_another_wire_is_shown_under_every_organisation(world: World) -> None:
    job = world.ask(
        "POST",
        "/processes/quick/execution",
        json={"inputs": {}},
        headers={"prefer": "respond-async"},
    )
    path = f"{QUICK}/{job.json()['jobID']}"

    assert world.ask("GET", path.replace(ORG, str(uuid4()))).status_code == 202
    assert world.ask("GET", path.replace("/quick/", "/trouble/")).status_code == 404
