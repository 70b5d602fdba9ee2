"""The one error that callers see, and its closed list of codes."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

import msgspec


class Code(StrEnum):
    """What went wrong, in words that every dialect translates. The list is closed."""

    INVALID = "invalid"  # the request or the data can be mended by the caller
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    NOT_ACCEPTABLE = "not_acceptable"
    CONFLICT = "conflict"  # the thing exists, but not in a state that allows this
    NOT_READY = "not_ready"  # the job has not ended yet
    NO_RESULT = "no_result"  # the job ended without a result
    PRECONDITION = "precondition"
    TOO_LARGE = "too_large"
    UNSUPPORTED = "unsupported"  # a media type or a feature that we do not have
    RANGE = "range"  # bytes outside the file
    TOO_MANY = "too_many"
    CANCELLED = "cancelled"
    TIMEOUT = "timeout"
    OUT_OF_MEMORY = "out_of_memory"
    CRASHED = "crashed"  # the child process died under the work
    UNAVAILABLE = "unavailable"
    INTERNAL = "internal"


class Fault(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that is wrong: where, and what was expected.

    Attributes:
        word: what kind of fault it is, for machines, such as UNRESOLVED_REF.
        suggestion: what the caller may have meant.
    """

    at: str
    detail: str
    word: str = ""
    suggestion: str = ""


class ProblemBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """A problem as it is stored with a job and sent between processes."""

    code: Code
    detail: str
    at: str = ""
    faults: tuple[Fault, ...] = ()


class Problem(Exception):  # noqa: N818 -- the noun of RFC 9457, and ours
    """Something that a caller can understand, and usually mend.

    Attributes:
        code: which of the closed list.
        detail: what was wrong, what was expected, and the value.
        at: the path of the field, or empty.
        faults: every single fault where several were found at once.
    """

    def __init__(
        self, code: Code, detail: str, *, at: str = "", faults: Sequence[Fault] = ()
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.at = at
        self.faults = tuple(faults)

    def __reduce__(self) -> tuple[object, ...]:
        """Let it travel between processes."""
        return (_rebuild, (self.code, self.detail, self.at, self.faults))

    def body(self) -> ProblemBody:
        """Give the problem as a value that can be stored."""
        return ProblemBody(self.code, self.detail, self.at, self.faults)

    @staticmethod
    def of(body: ProblemBody) -> "Problem":
        """Give the problem that a stored body describes."""
        return Problem(body.code, body.detail, at=body.at, faults=body.faults)


def _rebuild(code: Code, detail: str, at: str, faults: tuple[Fault, ...]) -> Problem:
    return Problem(code, detail, at=at, faults=faults)


#: Ends of an attempt that say nothing about the work itself: another attempt may succeed.
TRANSIENT: Final = frozenset({Code.CRASHED, Code.UNAVAILABLE})
