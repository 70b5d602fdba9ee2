"""What all requests have in common: ids, metrics, probes, and a server that does not break."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any, Final
from uuid import uuid4

import pytest

from haulier.testing.dialect_world import World, open_world, submitted

JOB = "/maps/orbis/platform/gem/jobs/{}"
#: Has msgspec look through each type that a server loads, as it does once the type is used.
USE_ALL_TYPES: Final = """
import msgspec
from haulier import app
from haulier.engine import registry
from haulier.wire import dialect

def below(type_):
    for each in type_.__subclasses__():
        yield each
        yield from below(each)

registry.installed()
dialect.installed()
used = [msgspec.msgpack.Decoder(each) for each in below(msgspec.Struct)]
assert len(used) > 100
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with open_world(tmp_path_factory.mktemp("server")) as world:
        yield world


def test_a_request_keeps_the_id_that_its_caller_gave(world: World) -> None:
    answer = world.ask("GET", "/healthz", headers={"x-request-id": "mine-1"})

    assert answer.headers["x-request-id"] == "mine-1"


@pytest.mark.parametrize("given", ["", "a b", "x" * 129, "<script>"])
def test_an_id_that_is_not_fit_to_log_is_replaced(world: World, given: str) -> None:
    answer = world.ask("GET", "/healthz", headers={"x-request-id": given})

    assert len(answer.headers["x-request-id"]) == 24


def test_requests_are_counted_by_route_and_never_by_id(world: World) -> None:
    number = submitted(world).number
    world.ask("GET", JOB.format(number))
    world.ask("GET", JOB.format("no-number"))

    page = world.ask("GET", "/metrics", key="").text

    assert 'route="/maps/orbis/platform/gem/jobs/{job_id}",status="200",wire="tomtom"' in page
    assert "no-number" not in page
    assert "haulier_jobs{" in page


def test_a_server_without_a_worker_is_alive_and_not_ready(world: World) -> None:
    assert world.ask("GET", "/healthz", key="").json() == {"status": "alive"}
    ready = world.ask("GET", "/readyz", key="")

    assert ready.status_code == 503
    assert ready.json()["checks"]["database"]["ok"]
    assert not ready.json()["checks"]["worker"]["ok"]


def test_a_trace_is_taken_up(world: World) -> None:
    parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

    assert world.ask("GET", "/healthz", headers={"traceparent": parent}).status_code == 200
    assert world.ask("GET", "/healthz", headers={"traceparent": "junk"}).status_code == 200


def test_a_key_is_taken_as_the_password_or_the_user_of_basic(world: World) -> None:
    key, path = world.keys["owner"], JOB.format(submitted(world).number)

    for user, password in (("anybody", key), (key, ""), (key, "x-oauth-basic")):
        assert world.client.get(path, auth=(user, password)).status_code == 200
    assert world.client.get(path, auth=("anybody", "wrong")).status_code == 401


@pytest.mark.parametrize(
    "value", ["Bearer", "Bearer ", "Basic", "Basic !!!", "Basic /w==", "Digest x", "hlr_x"]
)
def test_odd_credentials_are_refused_and_break_nothing(world: World, value: str) -> None:
    answer = world.ask("GET", "/jobs", key="", headers={"authorization": value})

    assert answer.status_code == 401


@pytest.mark.parametrize(
    "path",
    [
        "/jobs/9223372036854775808",
        "/jobs/99999999999999999999999999",
        JOB.format(2**63),
        JOB.format("-1"),
        JOB.format("1.0"),
        JOB.format("٣"),
        "/catalog/private_wrapped/x",
    ],
)
def test_names_that_nothing_can_have_are_not_found(world: World, path: str) -> None:
    assert world.ask("GET", path).status_code == 404


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=10001",
        "limit=x",
        "cursor=x",
        "cursor=b99999999999999999999",
        "status=done",
        "type=thing",
        "datetime=yesterday",
        "datetime=2026-01-02T00:00:00Z/2026-01-01T00:00:00Z",
        "datetime=0001-01-01T00:00:00%2B14:00",
        "minDuration=-1",
        "minDuration=nan",
        "minDuration=1e999",
    ],
)
def test_a_bad_query_is_told_by_name(world: World, query: str) -> None:
    answer = world.ask("GET", f"/jobs?{query}")

    assert answer.status_code in {200, 400}, answer.text
    if answer.status_code == 400:
        name, _, value = query.partition("=")
        assert answer.json()["errors"][0]["parameter"] == name
        assert value.partition("%")[0] in answer.json()["detail"]


WRONG = {"parts": "many", "steps": 0, "zzz": 1}


@pytest.mark.parametrize(
    ("path", "body", "places"),
    [
        (
            "/processes/trouble/execution",
            {"inputs": WRONG},
            lambda said: [each["pointer"].removeprefix("#/inputs/") for each in said["errors"]],
        ),
        (
            f"/compute/orgs/{uuid4()}/faults/trouble",
            {"parameters": WRONG},
            lambda said: [
                each["name"].removeprefix("parameters.") for each in said["invalid-params"]
            ],
        ),
        (
            "/maps/orbis/platform/gem/jobs",
            {"job_type": "TROUBLE", "storage_id": "storage-001", "filename": "a", "options": WRONG},
            lambda said: [each["field"].removeprefix("options.") for each in said["details"]],
        ),
    ],
    ids=["ogc", "evo", "tomtom"],
)
def test_every_wrong_parameter_is_told_in_the_wires_own_words(
    world: World, path: str, body: dict[str, Any], places: Callable[[Any], list[str]]
) -> None:
    answer = world.ask("POST", path, json=body)

    assert 400 <= answer.status_code < 500, answer.text
    assert places(answer.json()) == ["parts", "steps", "zzz"]


def test_a_query_parameter_that_is_not_in_the_document_is_refused_everywhere(world: World) -> None:
    paths = world.ask("GET", "/api", key="").json()["paths"]
    operations = [
        (method.upper(), re.sub(r"{\w+}", "x", path), operation)
        for path, item in paths.items()
        for method, operation in item.items()
    ]
    assert len(operations) > 30

    for method, path, operation in operations:
        known = [one["name"] for one in operation.get("parameters", ()) if one["in"] == "query"]
        query = "&".join(f"{name}=1" for name in (*known, "no_such", "f"))
        answer = world.ask(method, f"{path}?{query}")

        assert answer.status_code == 400, (method, path)
        if method != "HEAD":
            told = answer.json()
            assert told["type"].endswith("/invalid-query-parameter-value")
            assert [each["parameter"] for each in told["errors"]] == ["no_such", "f"]


def test_the_format_that_is_given_anyway_may_be_asked_for(world: World) -> None:
    assert world.ask("GET", "/processes?f=json").status_code == 200
    assert world.ask("GET", "/processes?f=html").status_code == 400


def test_who_asks_is_looked_at_before_the_query_and_other_wires_ignore_it(world: World) -> None:
    assert world.ask("GET", "/jobs?no_such=1", key="").status_code == 401
    assert world.ask("GET", JOB.format(submitted(world).number) + "?no_such=1").status_code == 200


def test_no_type_of_ours_breaks_the_process_when_it_is_freed() -> None:
    strict = os.environ | {"PYTHONMALLOC": "debug"}
    done = subprocess.run(
        [sys.executable, "-c", USE_ALL_TYPES],
        env=strict, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert (done.returncode, done.stderr) == (0, "")
