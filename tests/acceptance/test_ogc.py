"""The native wire, used by clients that others wrote."""

import hashlib
from typing import Any, Final

import pytest
from ogc_api_processes_client.api_client_wrapper import ApiClientWrapper
from ogc_api_processes_client.configuration import Configuration
from ogc_api_processes_client.exceptions import ApiException
from ogc_api_processes_client.models.execute import Execute
from owslib.ogcapi.processes import Processes

from haulier.testing.server import Server

JSON: Final = {"Content-Type": "application/json"}
ASYNC: Final = {"Prefer": "respond-async"}
SLOW: Final = {"act": "wait", "gate": "/nonexistent/gate"}  # it waits until it is stopped
BAD: Final = "http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0/"


@pytest.fixture
def client(server: Server) -> Any:
    """Give the client that the Open Geospatial Consortium's schemas were made into."""
    make: Any = ApiClientWrapper
    return make(
        configuration=Configuration(host=server.url),
        header_name="Authorization",
        header_value=f"Bearer {server.key}",
    )


def submitted(client: Any, process_id: str, inputs: dict[str, Any], **more: Any) -> str:
    """Submit a job by the client, by its own way round its models, which know no lists."""
    headers = client.api_client.default_headers | JSON | ASYNC
    job_id: str = client.execute_simple(
        process_id, {"inputs": inputs, **more}, _headers=headers
    ).job_id
    return job_id


def test_the_client_reads_the_front_door(client: Any, server: Server) -> None:
    landing = client.get_landing_page()
    classes = client.get_conformance_classes()

    relations = {link.rel for link in landing.links}
    base = "http://www.opengis.net/def/rel/ogc/1.0/"
    assert {"service-desc", f"{base}conformance", f"{base}processes"} <= relations
    assert all(link.href.startswith(server.url) for link in landing.links)
    assert any(name.endswith("/1.0/conf/core") for name in classes.conforms_to)


def test_the_client_lists_and_describes_processes(client: Any) -> None:
    names = [process.id for process in client.get_processes().processes]
    described = client.get_process_description("road-matching")

    assert names == sorted(names)
    assert {"quick", "road-matching", "trouble"} <= set(names)
    assert "overture_release" in described.inputs
    assert "results" in described.outputs


def test_the_client_runs_a_job_from_submit_to_results(client: Any, until: Any) -> None:
    wanted = {"outputs": {"sum": {"transmissionMode": "reference"}}, "response": "document"}
    job_id = submitted(client, "trouble", {"numbers": [1.5, 2.5]}, **wanted)
    until(f"/jobs/{job_id}", lambda job: job["status"] not in {"accepted", "running"})

    status = client.get_status(job_id)
    results = client.get_result(job_id)

    assert (status.status, status.progress, status.process_id) == ("successful", 100, "trouble")
    assert status.created <= status.started <= status.finished
    assert job_id in [job.job_id for job in client.get_jobs().jobs]
    assert results["sum"].actual_instance.href.endswith(f"/jobs/{job_id}/results/sum")


def test_the_client_dismisses_a_job_that_runs(client: Any, until: Any) -> None:
    job_id = submitted(client, "trouble", SLOW)
    until(f"/jobs/{job_id}", lambda job: job["status"] == "running")

    dismissed = client.dismiss(job_id)
    ended = until(f"/jobs/{job_id}", lambda job: job["status"] not in {"accepted", "running"})

    assert dismissed.status == "dismissed"
    assert ended["status"] == "dismissed"
    assert ended["haulier"]["stopped_at"]


def test_the_client_removes_a_job_that_ended(client: Any, until: Any) -> None:
    job_id = submitted(client, "trouble", {})
    until(f"/jobs/{job_id}", lambda job: job["status"] == "successful")

    client.dismiss(job_id)

    with pytest.raises(ApiException) as refused:
        client.get_status(job_id)
    assert refused.value.status == 404


def test_the_client_s_own_models_are_understood(client: Any) -> None:
    # its models of strings and numbers overlap, and it refuses to choose: no inputs, then
    done = client.execute("quick", Execute.from_dict({"response": "document"}))

    assert done.to_dict()["sum"]["value"].strip() in {"6", "6.0"}


@pytest.mark.parametrize(
    ("call", "status", "type_"),
    [
        (lambda api: api.get("/processes/nothing"), 404, "no-such-process"),
        (lambda api: api.get("/jobs/nothing"), 404, "no-such-job"),
        (lambda api: api.get(f"/jobs/{2**63}"), 404, "no-such-job"),
        (lambda api: api.get("/jobs?status=done"), 400, "invalid-query-parameter-value"),
        (
            lambda api: api.post("/processes/quick/execution", json={"outputs": {"x": {}}}),
            400,
            "no-such-output",
        ),
    ],
    ids=["process", "job", "number", "query", "output"],
)
def test_problems_have_the_types_of_the_standard(
    api: Any, call: Any, status: int, type_: str
) -> None:
    answer = call(api)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == BAD + type_
    assert answer.json()["status"] == status


def test_results_of_a_job_that_runs_are_not_ready(api: Any, until: Any) -> None:
    job = api.post("/processes/trouble/execution", json={"inputs": SLOW}).json()

    answer = api.get(f"/jobs/{job['id']}/results")
    api.delete(f"/jobs/{job['id']}")
    until(f"/jobs/{job['id']}", lambda body: body["status"] == "dismissed")

    assert answer.status_code == 404
    assert answer.json()["type"] == f"{BAD}result-not-ready"


def test_a_failed_job_answers_for_its_results_with_what_went_wrong(api: Any, until: Any) -> None:
    job = api.post("/processes/trouble/execution", json={"inputs": {"act": "refuse"}}).json()
    ended = until(f"/jobs/{job['id']}", lambda body: body["status"] == "failed")

    answer = api.get(f"/jobs/{job['id']}/results")

    assert answer.status_code == ended["exception"]["status"]
    assert answer.json()["detail"] == ended["exception"]["detail"] == ended["message"]


def test_every_artifact_is_where_its_link_says(api: Any, until: Any) -> None:
    job = api.post("/processes/trouble/execution", json={"inputs": {"steps": 2}}).json()
    until(f"/jobs/{job['id']}", lambda body: body["status"] == "successful")

    listed = api.get(f"/jobs/{job['id']}/artifacts").json()["artifacts"]

    assert len(listed) == len({one["href"] for one in listed})
    for one in listed:
        whole = api.get(one["href"])
        assert hashlib.sha256(whole.content).hexdigest() == one["sha256"]
        part = api.get(one["href"], headers={"range": "bytes=0-0"})
        assert (part.status_code, part.content) == (206, whole.content[:1])
        beyond = api.get(one["href"], headers={"range": "bytes=900-"})
        assert beyond.status_code == 416
        assert beyond.headers["content-range"] == f"bytes */{one['size_bytes']}"


def test_an_unchanged_job_is_304(api: Any) -> None:
    job = api.post("/processes/quick/execution", json={}, headers=ASYNC).json()
    first = api.get(f"/jobs/{job['id']}")
    while first.json()["status"] in {"accepted", "running"}:
        first = api.get(f"/jobs/{job['id']}")

    again = api.get(f"/jobs/{job['id']}", headers={"if-none-match": first.headers["etag"]})

    assert (again.status_code, again.content) == (304, b"")


def test_owslib_lists_describes_and_executes(server: Server) -> None:
    headers = {"Authorization": f"Bearer {server.key}"}
    service = Processes(server.url, headers=headers)

    assert "quick" in [process["id"] for process in service.processes()]
    assert "numbers" in service.process("quick")["inputs"]
    assert service.conformance()["conformsTo"]
    done = service.execute("quick", {"numbers": [1, 2]})
    assert done["sum"]["value"].strip() in {"3", "3.0"}
