"""What Azure's blob clients expect of every answer: headers, and errors in XML."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final
from xml.sax.saxutils import escape

from litestar import Response

from haulier.core.problem import Code, Problem
from haulier.wire.dialect import AnyRequest, AnyResponse
from haulier.wire.ranges import http_date

XML: Final = "application/xml"
VERSION: Final = "2024-11-04"

# fmt: off
WORDS: Final[Mapping[Code, str]] = {
    Code.INVALID:            "InvalidInput",
    Code.UNAUTHENTICATED:    "InvalidAuthenticationInfo",
    Code.FORBIDDEN:          "AuthorizationPermissionMismatch",
    Code.NOT_FOUND:          "ResourceNotFound",
    Code.METHOD_NOT_ALLOWED: "UnsupportedHttpVerb",
    Code.NOT_ACCEPTABLE:     "InvalidHeaderValue",
    Code.CONFLICT:           "BlobAlreadyExists",
    Code.NOT_READY:          "ResourceNotFound",
    Code.NO_RESULT:          "ResourceNotFound",
    Code.PRECONDITION:       "ConditionNotMet",
    Code.TOO_LARGE:          "RequestBodyTooLarge",
    Code.UNSUPPORTED:        "UnsupportedHeader",
    Code.RANGE:              "InvalidRange",
    Code.TOO_MANY:           "ServerBusy",
    Code.CANCELLED:          "OperationTimedOut",
    Code.TIMEOUT:            "OperationTimedOut",
    Code.OUT_OF_MEMORY:      "InternalError",
    Code.CRASHED:            "InternalError",
    Code.UNAVAILABLE:        "ServerBusy",
    Code.INTERNAL:           "InternalError",
}

#: Where a problem is, to the more exact word that clients turn into an exception of their own.
EXACT: Final[Mapping[tuple[Code, str], str]] = {
    (Code.NOT_FOUND, "filename"):        "BlobNotFound",
    (Code.NOT_FOUND, "storage"):         "ContainerNotFound",
    (Code.CONFLICT, "storage"):          "ContainerAlreadyExists",
    (Code.INVALID, "header.content-md5"): "Md5Mismatch",
    (Code.INVALID, "blockid"):            "InvalidBlockId",
    (Code.INVALID, "blocklist"):          "InvalidBlockList",
    (Code.INVALID, "query.comp"):        "InvalidQueryParameterValue",
}
# fmt: on


def headers_of(request: AnyRequest, now: datetime | None = None) -> dict[str, str]:
    """Give the headers that every answer has."""
    headers = {
        "x-ms-version": VERSION,
        "x-ms-request-id": str(request.scope.get("state", {}).get("request_id", "")),
        "date": http_date(now or datetime.now(UTC)),
    }
    if sent := request.headers.get("x-ms-client-request-id"):
        headers["x-ms-client-request-id"] = sent
    return headers


def render_problem(problem: Problem, status: int, request: AnyRequest) -> AnyResponse:
    """Give the answer to a problem; its word is in a header too, for HEAD has no body."""
    word = EXACT.get((problem.code, problem.at), WORDS[problem.code])
    body = (
        '<?xml version="1.0" encoding="utf-8"?>'
        f"<Error><Code>{word}</Code><Message>{escape(problem.detail)}</Message></Error>"
    ).encode()
    headers = headers_of(request) | {"x-ms-error-code": word, "content-type": XML}
    return Response(body, status_code=status, headers=headers)
