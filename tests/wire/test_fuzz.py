"""Requests made from the OpenAPI documents: every answer is as the document says, none is 5xx."""

from collections.abc import Iterator
from typing import Any, Final

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import CHECKS, not_a_server_error
from schemathesis.pytest import from_fixture

from haulier.testing.dialect_suite import submitted
from haulier.testing.dialect_world import World, open_world
from haulier.wire.dialect import Dialect, installed

EXAMPLES: Final = 25
WANTED: Final = (
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Give a server with a job and a file, so that some of the requests find something."""
    with open_world(tmp_path_factory.mktemp("fuzz")) as world:
        submitted(world)
        yield world


@pytest.fixture(params=installed(), ids=lambda dialect: dialect.name)
def document(request: pytest.FixtureRequest, world: World) -> Any:
    """Give the requests that a dialect's document allows."""
    dialect: Dialect = request.param
    return schemathesis.openapi.from_asgi(dialect.document_path, world.app)


requests = from_fixture("document")


@requests.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_as_its_document_says(case: schemathesis.Case, world: World) -> None:
    headers = {"authorization": f"Bearer {world.keys['owner']}"}

    answer = case.call(headers=headers)

    checks = [not_a_server_error, *CHECKS.get_by_names(list(WANTED))]
    case.validate_response(answer, checks=checks, headers=headers)
