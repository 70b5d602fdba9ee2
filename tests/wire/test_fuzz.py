"""Requests made from the OpenAPI documents: every answer is as the document says, none is 5xx."""

from collections.abc import Iterator
from typing import Any, Final

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.specs.openapi import checks as conformance

from haulier.testing.dialect_world import World, open_world, submitted
from haulier.wire.dialect import Dialect, installed

EXAMPLES: Final = 6
CHECKS: Final[list[Any]] = [
    schemathesis.checks.not_a_server_error,
    conformance.status_code_conformance,
    conformance.content_type_conformance,
    conformance.response_headers_conformance,
    conformance.response_schema_conformance,
]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Give a server without a worker."""
    with open_world(tmp_path_factory.mktemp("fuzz")) as world:
        yield world


@pytest.mark.parametrize("found", [False, True], ids=["random-paths", "real-paths"])
@pytest.mark.parametrize("dialect", installed(), ids=lambda dialect: dialect.name)
def test_every_answer_is_as_its_document_says(world: World, dialect: Dialect, found: bool) -> None:  # noqa: FBT001 -- a parameter of pytest
    schema = schemathesis.openapi.from_dict(world.ask("GET", dialect.document_path).json())
    schema.config.update(base_url="http://testserver.local")

    for result in schema.get_all_operations():
        operation: Any = result.ok()  # type: ignore[union-attr]  # an Err raises here, as it should

        @given(operation.as_strategy())
        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        def answered(case: schemathesis.Case[Any]) -> None:
            if found:
                case.path_parameters.update(_real(world, case.path_parameters))
            wanted = case.as_transport_kwargs(headers={})
            headers = {name: str(value) for name, value in wanted["headers"].items()}
            headers["authorization"] = f"Bearer {world.keys['owner']}"
            answer = world.client.request(
                wanted["method"],
                wanted["url"],
                params=wanted["params"],
                headers={name: value.encode() for name, value in headers.items()},
                content=wanted.get("data"),
                json=wanted.get("json"),
                follow_redirects=False,
            )
            case.validate_response(answer, checks=CHECKS)

        answered()


def _real(world: World, names: Any) -> dict[str, Any]:
    """Give parameters of a path that name something: a new job each time, for jobs go."""
    job = submitted(world)
    known = {
        "job_id": str(job.id) if "topic" in names else job.number,
        "org_id": "00000000-0000-0000-0000-0000000000a1",
        "workspace_id": "00000000-0000-0000-0000-0000000000b2",
        "topic": "faults",
        "task": "quick",
        "process_id": "quick",
        "storage": "default",
        "storage_id": "default",
        "filename": "roads.parquet",
        "type_name": "overture_release",
        "name": "2026-01-21.0",
    }
    return {name: known[name] for name in names if name in known}
