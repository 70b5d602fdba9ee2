"""The socket of dialects: what one wire must say about itself to be served."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any, Final, NamedTuple

import msgspec
from litestar import Request, Response
from litestar.types import ControllerRouterHandler

from haulier.core.caller import Caller
from haulier.core.job import Job
from haulier.core.lifecycle import State
from haulier.core.problem import Code, Problem
from haulier.engine.listing import JobFilter, Page
from haulier.engine.registry import Kinds
from haulier.engine.services import Services

GROUP: Final = "haulier.dialects"

AnyRequest = Request[Any, Any, Any]
AnyResponse = Response[Any]


class Reply(NamedTuple):
    """How a dialect answers one code of problem: the HTTP status and its own word."""

    status: int
    word: str


class ProblemShape(NamedTuple):
    """What problems look like where a handler's differ: `opt={"problem": ProblemShape(…)}`.

    Attributes:
        media_type: of the body.
        body: its type, where it is JSON.
    """

    media_type: str
    body: type[msgspec.Struct] | None = None


@dataclass(frozen=True, slots=True)
class View:
    """What a rendering needs to know besides the job.

    Attributes:
        base_url: scheme and host as the caller sees them, without a slash at the end.
        kinds: every kind that is installed.
    """

    base_url: str
    kinds: Kinds


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One wire. A package adds one by the entry point group `haulier.dialects`.

    Attributes:
        name: one lower-case word, in metrics and logs.
        title: its name for people, in its OpenAPI document.
        prefixes: the paths it owns; an unknown path below one is answered in its shape.
        key_headers: request headers that may carry the API key, besides Authorization.
        words: the dialect's word for each state.
        replies: the dialect's answer to each code of problem.
        document_path: where its OpenAPI document is served; the page for people is beside it.
        problem_type: the body of its errors, for the OpenAPI document.
        problem_media_type: the media type of that body.
        render: gives the body of a job, something that msgspec can encode.
        render_problem: gives the answer to a problem.
        routes: gives the handlers. All need a key unless they say `opt={"public": True}`.
        parse: reads its own body of a job back, where the dialect can.
        notice: gives the body that a webhook sends of a job that came in by this dialect, which
            names itself in the job's labels as "dialect"; without it, `render`.
        strict_query: a query parameter that no handler takes is refused, and not ignored.
    """

    name: str
    title: str
    prefixes: tuple[str, ...]
    key_headers: tuple[str, ...] = ()
    words: Mapping[State, str]
    replies: Mapping[Code, Reply]
    document_path: str
    problem_type: type[msgspec.Struct]
    problem_media_type: str = "application/json"
    render: Callable[[Job, View], object]
    render_problem: Callable[[Problem, AnyRequest], AnyResponse]
    routes: Callable[[Services], Sequence[ControllerRouterHandler]]
    parse: Callable[[Mapping[str, Any]], Job] | None = None
    notice: Callable[[Services, Job], object] | None = None
    strict_query: bool = False


def installed() -> tuple[Dialect, ...]:
    """Give every dialect that is installed, by name.

    Raises:
        TypeError: an entry point of the group gives something else.
    """
    found = [(point, point.load()) for point in entry_points(group=GROUP)]
    for point, dialect in found:
        if not isinstance(dialect, Dialect):
            raise TypeError(f"entry point {point.value} must give a Dialect, gave {dialect!r}")
    return tuple(sorted((dialect for _, dialect in found), key=lambda dialect: dialect.name))


def owner(dialects: Sequence[Dialect], path: str) -> Dialect:
    """Give the dialect with the longest prefix of a path; the first where none has one."""
    best, length = dialects[0], -1
    for dialect in dialects:
        for prefix in dialect.prefixes:
            if len(prefix) > length and _below(path, prefix):
                best, length = dialect, len(prefix)
    return best


def _below(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith(prefix if prefix.endswith("/") else f"{prefix}/")


def services_of(request: AnyRequest) -> Services:
    """Give what the server was built with."""
    services: Services = request.app.state["services"]
    return services


def base_url(request: AnyRequest) -> str:
    """Give scheme and host as the caller sees them, without a slash at the end."""
    public = services_of(request).public_url
    if public:
        return public
    return f"{request.scope['scheme']}://{request.headers.get('host', 'localhost')}"


async def list_jobs(
    request: AnyRequest, caller: Caller, wanted: JobFilter, *, limit: int, cursor: str
) -> Page:
    """Give a page of jobs.

    Raises:
        Problem: INVALID at "query.cursor"; it is none of ours.
    """
    services = services_of(request)
    try:
        return await services.write(services.jobs.list, caller, wanted, limit=limit, cursor=cursor)
    except Problem as problem:
        raise Problem(problem.code, problem.detail, at=f"query.{problem.at}") from None


def view_of(request: AnyRequest) -> View:
    """Give what a rendering needs to know of the request."""
    return View(base_url(request), services_of(request).kinds)
