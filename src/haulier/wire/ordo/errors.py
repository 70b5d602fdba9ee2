"""Problems on this wire: one sentence, and the HTTP status."""

from typing import Final

import msgspec
from litestar import Response

from haulier.core.problem import Code, Problem
from haulier.wire.dialect import AnyRequest, AnyResponse
from haulier.wire.statuses import REPLIES

JSON: Final = "application/json"


class Detail(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that is wrong, of several: ours, the vendor tells the first alone."""

    path: str
    code: str
    message: str
    did_you_mean: str = ""


class ErrorBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """An error in one sentence; where several things are wrong, all of them in `errors`."""

    error: str
    errors: tuple[Detail, ...] = ()


def render_problem(problem: Problem, request: AnyRequest) -> AnyResponse:
    """Give the answer to a problem."""
    body = ErrorBody(_sentence(problem, request), details_of(problem))
    status = REPLIES[problem.code].status
    return Response(msgspec.json.encode(body), status_code=status, media_type=JSON)


def details_of(problem: Problem) -> tuple[Detail, ...]:
    """Give everything that is wrong, where there is more to say than one sentence."""
    if problem.code is Code.UNAUTHENTICATED:
        return (Detail("header.authorization", "UNAUTHENTICATED", problem.detail),)
    return tuple(
        Detail(fault.at, fault.word or "INVALID", fault.detail, fault.suggestion)
        for fault in problem.faults
        if fault.detail != problem.detail or fault.at or len(problem.faults) > 1
    )


def _sentence(problem: Problem, request: AnyRequest) -> str:
    """Give the vendor's own words where it has some."""
    if problem.code is not Code.UNAUTHENTICATED:
        return problem.detail
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    missing = scheme.lower() != "bearer" or not token
    return "Missing or invalid Authorization header" if missing else "Invalid token"
