"""Problems as RFC 9457 documents, with the type URIs that the standard names."""

from collections.abc import Mapping
from typing import Final

import msgspec
from litestar import Response

from haulier.core.problem import Code, Fault, Problem, ProblemBody
from haulier.wire.dialect import AnyRequest, AnyResponse, Reply
from haulier.wire.problems import pointer

TYPES_AT: Final = "http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0/"
BLANK: Final = "about:blank"

# fmt: off
REPLIES: Final[Mapping[Code, Reply]] = {
    Code.INVALID:            Reply(400, "The request is not valid"),
    Code.UNAUTHENTICATED:    Reply(401, "No valid API key"),
    Code.FORBIDDEN:          Reply(403, "The API key does not allow this"),
    Code.NOT_FOUND:          Reply(404, "Not found"),
    Code.METHOD_NOT_ALLOWED: Reply(405, "Method not allowed"),
    Code.NOT_ACCEPTABLE:     Reply(406, "Not acceptable"),
    Code.CONFLICT:           Reply(409, "Not in a state that allows this"),
    Code.NOT_READY:          Reply(404, "The results are not ready"),
    Code.NO_RESULT:          Reply(404, "There are no results"),
    Code.PRECONDITION:       Reply(412, "A condition of the request does not hold"),
    Code.TOO_LARGE:          Reply(413, "Too large"),
    Code.UNSUPPORTED:        Reply(415, "Not supported"),
    Code.RANGE:              Reply(416, "No such range"),
    Code.TOO_MANY:           Reply(429, "Too many requests"),
    Code.CANCELLED:          Reply(410, "The work was cancelled"),
    Code.TIMEOUT:            Reply(504, "The work took longer than its limit"),
    Code.OUT_OF_MEMORY:      Reply(507, "The work took more memory than its limit"),
    Code.CRASHED:            Reply(500, "The work's process died"),
    Code.UNAVAILABLE:        Reply(503, "Not available just now"),
    Code.INTERNAL:           Reply(500, "Something went wrong on the server"),
}

#: Where the problem is, as the engine says it, to the standard's name for it.
NOT_FOUND_TYPES: Final[Mapping[str, str]] = {
    "process":  "no-such-process",
    "kind":     "no-such-process",
    "job":      "no-such-job",
    "artifact": "no-such-output",
}
# fmt: on


class FieldFault(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that is wrong with the request, and where it stands.

    Attributes:
        code: what kind of fault it is, where it has a word.
        did_you_mean: what may have been meant.
    """

    detail: str
    pointer: str = ""
    parameter: str = ""
    header: str = ""
    code: str = ""
    did_you_mean: str = ""


class ProblemDocument(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A problem, as RFC 9457 and the standard's exception schema write it."""

    type: str
    title: str
    status: int
    detail: str
    code: Code
    instance: str = ""
    request_id: str = ""
    errors: tuple[FieldFault, ...] = ()


def describe(body: ProblemBody, *, instance: str = "", request_id: str = "") -> ProblemDocument:
    """Give the document of a problem."""
    reply = REPLIES[body.code]
    faults = body.faults or ((Fault(body.at, body.detail),) if body.at else ())
    return ProblemDocument(
        type=type_of(body),
        title=reply.word,
        status=reply.status,
        detail=body.detail,
        code=body.code,
        instance=instance,
        request_id=request_id,
        errors=tuple(_located(fault) for fault in faults),
    )


def type_of(body: ProblemBody) -> str:
    """Give the standard's type URI of a problem; where it has none, `about:blank`."""
    tail = ""
    if body.code is Code.NOT_FOUND:
        tail = NOT_FOUND_TYPES.get(body.at, "")
    elif body.code is Code.NOT_READY:
        tail = "result-not-ready"
    elif body.code is Code.NO_RESULT:
        tail = "result-not-available"
    elif body.code is Code.INVALID and body.at.startswith("outputs"):
        tail = "no-such-output"
    elif body.code is Code.INVALID and body.at.startswith("query."):
        tail = "invalid-query-parameter-value"
    return TYPES_AT + tail if tail else BLANK


def _located(fault: Fault) -> FieldFault:
    source, _, name = fault.at.partition(".")
    if source == "query":
        return FieldFault(fault.detail, parameter=name)
    if source == "header":
        return FieldFault(fault.detail, header=name)
    return FieldFault(
        fault.detail, pointer=pointer(fault.at), code=fault.word, did_you_mean=fault.suggestion
    )


def render_problem(problem: Problem, request: AnyRequest) -> AnyResponse:
    """Give the answer to a problem."""
    document = describe(
        problem.body(),
        instance=request.scope["path"],
        request_id=request.scope.get("state", {}).get("request_id", ""),
    )
    # the official test suite compares the type to exactly this, without a charset
    return Response(
        b"" if request.method == "HEAD" else msgspec.json.encode(document),
        status_code=document.status,
        media_type="application/problem+json",
    )
