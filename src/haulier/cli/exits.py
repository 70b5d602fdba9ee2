"""Which error ends a command with which exit code."""

from typing import Final

from haulier.cli.codes import Exit, ServedError, UsageError
from haulier.client.errors import (
    ForbiddenError,
    HaulierError,
    JobFailedError,
    NotFoundError,
    RefusedError,
    ServerError,
    UnauthenticatedError,
    UnreachableError,
    WaitTimeoutError,
)
from haulier.core.problem import Code, Problem

# fmt: off
#: The first that fits counts: a class stands before the classes it is made from.
CODES: Final[tuple[tuple[type[BaseException], Exit], ...]] = (
    (JobFailedError,       Exit.FAILED),
    (WaitTimeoutError,     Exit.TIMEOUT),
    (UnreachableError,     Exit.UNREACHABLE),
    (UnauthenticatedError, Exit.KEY),
    (ForbiddenError,       Exit.KEY),
    (NotFoundError,        Exit.NOT_FOUND),
    (ServerError,          Exit.SERVER),
    (RefusedError,         Exit.REFUSED),
    (HaulierError,         Exit.SERVER),
    (ServedError,          Exit.SERVED),
    (UsageError,           Exit.USAGE),
    (Problem,              Exit.USAGE),
    (ValueError,           Exit.USAGE),
    (OSError,              Exit.USAGE),
)
# fmt: on


def exit_of(error: BaseException) -> Exit | None:
    """Give the exit code that an error ends with; None: nobody foresaw it."""
    if isinstance(error, Problem) and error.code is Code.NOT_FOUND:
        return Exit.NOT_FOUND
    return next((code for kind, code in CODES if isinstance(error, kind)), None)


def described(error: BaseException) -> dict[str, object]:
    """Give an error for a machine: code, detail, and what the server said besides."""
    body: dict[str, object] = {"error": type(error).__name__, "detail": str(error)}
    if isinstance(error, RefusedError):
        body |= {
            "code": error.code,
            "status": error.status,
            "detail": error.detail,
            "fields": error.fields,
            "request_id": error.request_id,
        }
    if isinstance(error, Problem):
        body |= {"code": error.code, "at": error.at, "fields": error.faults}
    return body
