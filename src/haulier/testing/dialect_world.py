"""What the conformance suite of dialects stands on: a server in this process, keys and jobs."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import httpx
from litestar import Litestar
from litestar.testing import TestClient

from haulier.app import build_services, prepare
from haulier.config import Settings
from haulier.core.artifact import FileRef
from haulier.core.caller import Caller, Scope
from haulier.core.job import Job, Submission
from haulier.core.lifecycle import TERMINAL, State
from haulier.core.problem import Code, ProblemBody
from haulier.core.progress import Progress
from haulier.engine.services import Services
from haulier.wire.dialect import Dialect
from haulier.wire.server import build_app

ORGANISATION: Final = "acme"
METHODS: Final = ("GET", "PUT", "POST", "DELETE", "PATCH")
FAULTS: Final = "haulier.testing.faults:FAMILY"
CREATED_AT: Final = datetime(2026, 2, 18, 10, 38, 59, 31762, UTC)
OWNER: Final = Caller(ORGANISATION, "suite", frozenset(Scope))


@dataclass(frozen=True, slots=True)
class World:
    """A server in this process.

    Attributes:
        client: speaks to it, without a key.
        keys: API keys by what they are: "owner" has every scope, "reader" may only read,
            "stranger" is of another organisation.
    """

    app: Litestar
    services: Services
    client: TestClient[Litestar]
    keys: Mapping[str, str]

    def ask(
        self,
        method: str,
        path: str,
        *,
        key: str = "owner",
        content: bytes | None = None,
        json: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Send a request with a key; none where the key's name is empty."""
        sent = {"authorization": f"Bearer {self.keys[key]}"} if key else {}
        body = {"content": content} if content is not None else {"json": json} if json else {}
        return self.client.request(
            method, path, headers={**sent, **(headers or {})}, follow_redirects=False, **body
        )


@contextmanager
def open_world(
    folder: Path,
    dialects: Sequence[Dialect] | None = None,
    *,
    families: str = FAULTS,
    path_aliases: str = "",
) -> Iterator[World]:
    """Build a server without a worker in a folder: jobs that are submitted stay queued."""
    settings = Settings(
        data=folder / "data", families=families, worker_name="suite", path_aliases=path_aliases
    )
    prepare(settings)
    services = build_services(settings)
    keys = {
        "owner": _key(services, ORGANISATION, *Scope),
        "reader": _key(services, ORGANISATION, Scope.READ),
        "stranger": _key(services, "others", *Scope),
    }
    app = build_app(services, dialects, aliases=settings.aliases)
    try:
        with TestClient(app, raise_server_exceptions=False) as client:
            yield World(app, services, client, keys)
    finally:
        services.engine.dispose()


def _key(services: Services, organisation: str, *scopes: Scope) -> str:
    return services.keys.create(organisation, subject="suite", scopes=scopes)[1]


def a_job(state: State, **changes: Any) -> Job:  # noqa: ANN401 -- any member of a job
    """Give a job as the engine would: in this state, with all that such a job has."""
    ended = state in TERMINAL
    ran = state is not State.QUEUED
    facts: dict[str, Any] = {
        "id": UUID("0195186c-7a57-7000-8000-000000000001"),
        "number": 123456789,
        "organisation": ORGANISATION,
        "subject": "suite",
        "family": "roads",
        "kind": "ROAD_MATCHING",
        "params": {
            "input": {"storage": "storage-001", "filename": "test_data.parquet"},
            "overture_release": "2026-01-21.0",
        },
        "deliver": {"results": FileRef("storage-001", "test_data.results.parquet")},
        "state": state,
        "progress": Progress(1.0 if ended else 0.5, "match", "tile 3 of 6", {"roads": 1200.0}),
        "created_at": CREATED_AT,
        "updated_at": CREATED_AT + timedelta(seconds=9751 if ended else 60),
        "started_at": CREATED_AT if ran else None,
        "finished_at": CREATED_AT + timedelta(seconds=9751) if ended else None,
    }
    if state in {State.SUCCEEDED, State.PARTIAL}:
        facts |= {"statistics": {"num_roads_processed": 397613}, "result": {"note": "done"}}
    if state is State.FAILED:
        facts["problem"] = ProblemBody(Code.INVALID, "row 7: id is used twice, got 12", at="id")
    return Job(**(facts | changes))


def submitted(world: World) -> Job:
    """Give a job that waits: there is no worker."""
    return world.services.jobs.submit(OWNER, Submission(kind="QUICK", params={}))


def operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Give path, method and description of every operation of a document."""
    for path, item in document["paths"].items():
        for method in METHODS:
            if method.lower() in item:
                yield path, method, item[method.lower()]


def filled(path: str) -> str:
    """Give a path with something in the place of each of its parameters."""
    return re.sub(r"{[^}]+}", "nothing-like-it", path)


def leaves(value: object) -> Iterator[object]:
    """Give everything in a JSON value that is no container."""
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from leaves(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from leaves(inner)
    else:
        yield value
