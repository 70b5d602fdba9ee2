"""HTTP statuses of problems, for wires whose vendors have no words of their own beside them."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from haulier.core.problem import Code
from haulier.wire.dialect import Reply

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

#: The word of each is HTTP's own: Unauthorized, Not Found, Internal Server Error.
REPLIES: Final[Mapping[Code, Reply]] = {
    code: Reply(status, HTTPStatus(status).phrase) for code, status in STATUSES.items()
}
