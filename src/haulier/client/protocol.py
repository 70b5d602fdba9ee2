"""The sans-I/O core: requests and answers as values, and when to try again.

A *flow* is a generator: it yields what it wants done (a `Request`, a `Pause`, a `Work`), is
sent what came of it (an `Answer` or a `Broken`, None, a `Done`), and returns its value. It
opens no socket, so the two faces, `Client` and `AsyncClient`, share every decision.
"""

import random
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar
from urllib.parse import quote

import msgspec

from haulier.client.errors import (
    FIRST_ERROR,
    ProtocolError,
    RefusedError,
    UnreachableError,
    read_refusal,
)
from haulier.client.headers import parse_retry_after

SAFE_TO_REPEAT: Final = frozenset({"GET", "HEAD", "PUT"})
MAX_SHOWN: Final = 120  # characters of an answer that could not be read


class Sink(Protocol):
    """Where the body of a successful answer goes, piece by piece."""

    def begin(self, answer: "Answer") -> None:
        """Take the head of the answer, before any byte of the body."""
        ...

    def write(self, chunk: bytes) -> None:
        """Take the next bytes."""
        ...


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request.

    Attributes:
        method: GET, POST and so on.
        path: below the server's address, already quoted.
        query: parameters in order; a name may come twice.
        headers: fields besides Authorization and Accept.
        body: bytes, or a file that is sent as a stream.
        sink: where the answer's body goes; None: it is kept in the answer.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | Path = b""
    sink: Sink | None = None

    @property
    def may_repeat(self) -> bool:
        """Whether it may be sent again when nobody knows if the first one arrived.

        DELETE may not: the first one cancels a job, a second would remove it.
        """
        return self.method in SAFE_TO_REPEAT


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said.

    Attributes:
        status: the HTTP status.
        headers: fields by lower-case name.
        body: the whole body; empty where a sink took it.
        url: what was asked, for messages.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = b""
    url: str = ""

    def header(self, name: str) -> str:
        """Give a field, or an empty string."""
        return self.headers.get(name.lower(), "")

    @property
    def retry_after_s(self) -> float | None:
        """Seconds that the server asks to wait, by its own clock where it shows one."""
        value = self.header("retry-after")
        return parse_retry_after(value, _date(self.header("date"))) if value else None


@dataclass(frozen=True, slots=True)
class Broken:
    """No whole answer came.

    Attributes:
        reason: what the network said.
        sent: whether the server may have seen the request.
    """

    reason: str
    sent: bool


@dataclass(frozen=True, slots=True)
class Pause:
    """Let time pass."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Work:
    """Do something slow with local files, where it blocks nobody."""

    call: Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Done:
    """What a `Work` gave."""

    value: Any


T = TypeVar("T")
Effect = Request | Pause | Work
Outcome = Answer | Broken | Done | None
Flow = Generator[Effect, Outcome, T]


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how fast to try again.

    Attributes:
        attempts: how many times a request is sent at most.
        first_s: the first pause; each following one is twice as long.
        longest_s: no pause of our own is longer.
        patience_s: a server that asks for a longer pause than this is believed, and left.
        noise: gives 0 to 1; a pause is between half and the whole of its length.
    """

    attempts: int = 5
    first_s: float = 0.25
    longest_s: float = 10.0
    patience_s: float = 120.0
    noise: Callable[[], float] = random.random

    def pause(self, attempt: int, retry_after_s: float | None) -> float | None:
        """Give the seconds to wait after the attempt (from 1); None: give up."""
        if attempt >= self.attempts:
            return None
        if retry_after_s is not None and retry_after_s > self.patience_s:
            return None
        backoff = min(self.first_s * 2.0 ** min(attempt - 1, 30), self.longest_s)
        return max(backoff * (0.5 + 0.5 * self.noise()), retry_after_s or 0.0)


def work(call: Callable[[], T]) -> Flow[T]:
    """Give what a slow local call gives."""
    outcome = yield Work(call)
    if not isinstance(outcome, Done):
        raise TypeError(f"the driver of a flow must do Work, gave {outcome!r}")
    value: T = outcome.value
    return value


def exchange(request: Request, policy: RetryPolicy) -> Flow[Answer]:
    """Send a request until it is answered for good.

    A request that may not be repeated is sent again only where the server surely did
    nothing: it was never reached, or it said 429.

    Raises:
        UnreachableError: no answer.
        RefusedError: an answer of 400 or more; its subclass says which.
    """
    attempt = 0
    while True:
        attempt += 1
        outcome = yield request
        if isinstance(outcome, Answer) and outcome.status < FIRST_ERROR:
            return outcome
        pause = None
        if worth_repeating(request, outcome):
            asked_s = outcome.retry_after_s if isinstance(outcome, Answer) else None
            pause = policy.pause(attempt, asked_s)
        if pause is None:
            raise failure(outcome)
        yield Pause(pause)


def worth_repeating(request: Request, outcome: Outcome) -> bool:
    """Whether sending it again may help, and can do no harm."""
    if isinstance(outcome, Broken):
        return request.may_repeat or not outcome.sent
    if isinstance(outcome, Answer):
        code = read_refusal(outcome.status, outcome.body).code
        return code == "too_many" or (request.may_repeat and code == "unavailable")
    return False


def failure(outcome: Outcome) -> RefusedError | UnreachableError:
    """Give the error that stands for an outcome that is no success."""
    if isinstance(outcome, Answer):
        return read_refusal(
            outcome.status,
            outcome.body,
            request_id=outcome.header("x-request-id"),
            retry_after_s=outcome.retry_after_s,
        )
    return UnreachableError(outcome.reason if isinstance(outcome, Broken) else "no answer")


def decode(answer: Answer, type_: type[T]) -> T:
    """Read an answer's JSON body.

    Raises:
        ProtocolError: it is not what the type asks for; the message shows where.
    """
    try:
        return msgspec.json.decode(answer.body, type=type_)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        shown = answer.body[:MAX_SHOWN].decode("utf-8", "replace")
        raise ProtocolError(
            f"the answer of {answer.url or 'the server'} is not what a Haulier server "
            f"gives: {error}; it begins {shown!r}"
        ) from error


def path_of(*segments: object) -> str:
    """Join path segments, each quoted whole: a name with a slash stays one segment.

    Raises:
        ValueError: a segment that no URL can carry as one: empty, "." or "..".
    """
    texts = [str(segment) for segment in segments]
    for text in texts:
        if text in {"", ".", ".."}:
            raise ValueError(f"a name must not be empty, '.' or '..', got {text!r}")
    return "".join(f"/{quote(text, safe='')}" for text in texts)


def query_of(**values: object) -> tuple[tuple[str, str], ...]:
    """Give query parameters; None and empty are left out, a sequence is joined by commas."""
    pairs: list[tuple[str, str]] = []
    for name, value in values.items():
        if value is None or value in ("", ()):
            continue
        text = ",".join(map(str, value)) if isinstance(value, (tuple, list)) else str(value)
        pairs.append((name, text))
    return tuple(pairs)


def _date(value: str) -> datetime:
    try:
        seen_at = parsedate_to_datetime(value)
    except (ValueError, OverflowError, IndexError, TypeError):
        return datetime.now(UTC)
    return seen_at if seen_at.tzinfo is not None else seen_at.replace(tzinfo=UTC)
