"""Problems on this wire: RFC 7807 with the vendor's `invalid-params`, and Azure's for blobs."""

from collections.abc import Callable, Mapping
from typing import Final

import msgspec
from litestar import Response

from haulier.core.problem import Code, Fault, Problem, ProblemBody
from haulier.wire.blobs import azure
from haulier.wire.dialect import AnyRequest, AnyResponse, Reply
from haulier.wire.evo.paths import DATA

MEDIA_TYPE: Final = "application/problem+json"
TYPES_AT: Final = "/error-codes/"  # ours: the vendor's service does not document its own
SOURCES: Final = frozenset({"query", "path", "header"})

# fmt: off
REPLIES: Final[Mapping[Code, Reply]] = {
    Code.INVALID:            Reply(422, "Invalid request"),
    Code.UNAUTHENTICATED:    Reply(401, "Unauthorized"),
    Code.FORBIDDEN:          Reply(403, "Forbidden"),
    Code.NOT_FOUND:          Reply(404, "Not found"),
    Code.METHOD_NOT_ALLOWED: Reply(405, "Method not allowed"),
    Code.NOT_ACCEPTABLE:     Reply(406, "Not acceptable"),
    Code.CONFLICT:           Reply(409, "Conflict"),
    Code.NOT_READY:          Reply(409, "Not ready"),
    Code.NO_RESULT:          Reply(404, "No result"),
    Code.PRECONDITION:       Reply(412, "Changed meanwhile"),
    Code.TOO_LARGE:          Reply(413, "Too large"),
    Code.UNSUPPORTED:        Reply(415, "Not supported"),
    Code.RANGE:              Reply(416, "No such range"),
    Code.TOO_MANY:           Reply(429, "Too many requests"),
    Code.CANCELLED:          Reply(499, "Job cancelled"),  # ours, too: a client closed it
    Code.TIMEOUT:            Reply(504, "Timed out"),
    Code.OUT_OF_MEMORY:      Reply(507, "Out of memory"),
    Code.CRASHED:            Reply(500, "Crashed"),
    Code.UNAVAILABLE:        Reply(503, "Not available"),
    Code.INTERNAL:           Reply(500, "Internal error"),
}
# fmt: on

#: Ends of types that the vendor's client turns into errors of their own.
EXISTS: Final = "geoscienceobject/objects/already-exists"
MODIFIED: Final = "geoscienceobject/objects/modified"


class InvalidParam(msgspec.Struct, frozen=True):
    """One thing that is wrong with a request, and where it stands."""

    name: str
    reason: str


class ErrorBody(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={"invalid_params": "invalid-params"},
):
    """An error. `existing_id` and `object_path`: what is at the path already."""

    status: int
    type: str
    title: str
    detail: str = ""
    invalid_params: tuple[InvalidParam, ...] = ()
    existing_id: str = ""
    object_path: str = ""


class ObjectExistsError(Problem):
    """There is an object at a path already; the answer says which."""

    def __init__(self, path: str, object_id: str) -> None:
        super().__init__(Code.CONFLICT, f"there is an object at '{path}' already")
        self.path = path
        self.object_id = object_id


def describe(body: ProblemBody) -> ErrorBody:
    """Give the body of a problem."""
    reply = REPLIES[body.code]
    faults = body.faults or ((Fault(body.at, body.detail),) if body.at else ())
    params = tuple(InvalidParam(_name(fault.at), fault.detail) for fault in faults if fault.at)
    return ErrorBody(
        status=reply.status,
        type=TYPES_AT + (MODIFIED if body.code is Code.PRECONDITION else str(body.code)),
        title=reply.word,
        detail=body.detail,
        invalid_params=params,
    )


def renamed(body: ProblemBody, name: Callable[[str], str]) -> ProblemBody:
    """Give a problem of a job's parameters with the names that the request has for them."""

    def at(field: str) -> str:
        return name(field) if field else ""

    faults = tuple(msgspec.structs.replace(each, at=at(each.at)) for each in body.faults)
    return msgspec.structs.replace(body, at=at(body.at), faults=faults)


def render_problem(problem: Problem, request: AnyRequest) -> AnyResponse:
    """Give the answer to a problem, in the shape of the part of the wire that was asked."""
    path, status = request.scope["path"], REPLIES[problem.code].status
    if path.startswith(f"{DATA}/") or path == DATA:
        return azure.render_problem(problem, status, request)
    body = describe(problem.body())
    if isinstance(problem, ObjectExistsError):
        body = msgspec.structs.replace(
            body,
            type=TYPES_AT + EXISTS,
            existing_id=problem.object_id,
            object_path=problem.path,
        )
    return Response(msgspec.json.encode(body), status_code=status, media_type=MEDIA_TYPE)


def _name(at: str) -> str:
    source, _, name = at.partition(".")
    return name if source in SOURCES else at
