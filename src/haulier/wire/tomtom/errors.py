"""Problems on this wire: the vendor's HTTP errors, its vault's, and those of blob containers."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

import msgspec
from litestar import Response

from haulier.core.problem import Code, Fault, Problem
from haulier.wire.blobs import azure
from haulier.wire.dialect import AnyRequest, AnyResponse, Reply
from haulier.wire.tomtom.paths import BLOBS, UNWRAP
from haulier.wire.tomtom.vault import VaultErrors

JSON: Final = "application/json"
SOURCES: Final = frozenset({"query", "path", "header"})

# fmt: off
STATUSES: Final[Mapping[Code, int]] = {
    Code.INVALID:            400,
    Code.UNAUTHENTICATED:    401,
    Code.FORBIDDEN:          403,
    Code.NOT_FOUND:          404,
    Code.METHOD_NOT_ALLOWED: 405,
    Code.NOT_ACCEPTABLE:     406,
    Code.CONFLICT:           409,
    Code.NOT_READY:          409,
    Code.NO_RESULT:          404,
    Code.PRECONDITION:       412,
    Code.TOO_LARGE:          413,
    Code.UNSUPPORTED:        415,
    Code.RANGE:              416,
    Code.TOO_MANY:           429,
    Code.CANCELLED:          410,
    Code.TIMEOUT:            504,
    Code.OUT_OF_MEMORY:      507,
    Code.CRASHED:            500,
    Code.UNAVAILABLE:        503,
    Code.INTERNAL:           500,
}
# fmt: on

#: The vendor's error words are HTTP's own: Unauthorized, Not Found, Internal Server Error.
REPLIES: Final[Mapping[Code, Reply]] = {
    code: Reply(status, HTTPStatus(status).phrase) for code, status in STATUSES.items()
}


class FieldError(msgspec.Struct, frozen=True):
    """One thing that is wrong with a request, and where it stands."""

    field: str
    message: str


class ErrorBody(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An error. The vendor documents status and word alone; the rest is ours."""

    error: str
    message: str
    details: tuple[FieldError, ...] = ()


def render_problem(problem: Problem, request: AnyRequest) -> AnyResponse:
    """Give the answer to a problem, in the shape of the part of the wire that was asked."""
    path, reply = request.scope["path"], REPLIES[problem.code]
    if path.startswith(f"{BLOBS}/") or path == BLOBS:
        return azure.render_problem(problem, reply.status, request)
    body = VaultErrors((problem.detail,)) if path == UNWRAP else _error(problem, reply)
    return Response(msgspec.json.encode(body), status_code=reply.status, media_type=JSON)


def _error(problem: Problem, reply: Reply) -> ErrorBody:
    found = problem.faults or (Fault(problem.at, problem.detail),)
    details = tuple(FieldError(_field(fault.at), fault.detail) for fault in found if fault.at)
    return ErrorBody(error=reply.word, message=problem.detail, details=details)


def _field(at: str) -> str:
    source, _, name = at.partition(".")
    return name if source in SOURCES else at
