"""Problems on this wire: the vendor's HTTP errors, its vault's, and those of blob containers."""

from typing import Final

import msgspec
from litestar import Response

from haulier.core.problem import Fault, Problem
from haulier.wire.blobs import azure
from haulier.wire.dialect import AnyRequest, AnyResponse, Reply
from haulier.wire.statuses import REPLIES
from haulier.wire.tomtom.paths import BLOBS, UNWRAP
from haulier.wire.tomtom.vault import VaultErrors

JSON: Final = "application/json"
SOURCES: Final = frozenset({"query", "path", "header"})


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
