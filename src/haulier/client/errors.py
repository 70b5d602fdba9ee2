"""The errors of the client: one tree, read from problem documents (RFC 9457)."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

MAX_TEXT: Final = 500  # characters of a body that is no problem document
FIRST_ERROR: Final = 400
FIRST_SERVER_ERROR: Final = 500


class HaulierError(Exception):
    """Anything that goes wrong between a client and a server."""


class UnreachableError(HaulierError):
    """No answer: the server is not there, or the connection broke."""


class ProtocolError(HaulierError):
    """An answer that no Haulier server gives; perhaps the address is another service's."""


class IntegrityError(HaulierError):
    """The bytes that arrived are not the bytes that were promised."""


class WaitTimeoutError(HaulierError, TimeoutError):
    """The job had not ended when the time for waiting was over; it still runs."""


class JobFailedError(HaulierError):
    """The job ended without success; raised only where success was asked for."""


class FieldError(msgspec.Struct, frozen=True):
    """One field that the server refused: a JSON Pointer, a parameter or a header."""

    pointer: str
    detail: str


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """What a problem document says, with what its answer's head adds."""

    status: int
    code: str
    detail: str
    fields: tuple[FieldError, ...] = ()
    request_id: str = ""
    retry_after_s: float | None = None

    def sentence(self) -> str:
        """Give one line for a person, with every field that was wrong."""
        extra = [
            f"{field.pointer}: {field.detail}" if field.pointer else field.detail
            for field in self.fields
            if field.detail not in self.detail
        ]
        return "; ".join([self.detail, *extra])


class RefusedError(HaulierError):
    """The server understood, and said no.

    Attributes:
        status: the HTTP status.
        code: the server's word for it, such as "not_found".
        detail: the server's sentence.
        fields: each field that was wrong.
        request_id: what to quote when asking the server's operator.
        retry_after_s: how long the server asks to wait, where it said so.
    """

    def __init__(self, refusal: Refusal) -> None:
        """Make the error of a refusal."""
        super().__init__(refusal.sentence())
        self.status = refusal.status
        self.code = refusal.code
        self.detail = refusal.detail
        self.fields = refusal.fields
        self.request_id = refusal.request_id
        self.retry_after_s = refusal.retry_after_s
        self._refusal = refusal

    def __reduce__(self) -> tuple[object, ...]:
        """Give what rebuilds it, so that it may pass between processes."""
        return type(self), (self._refusal,)


class InvalidError(RefusedError):
    """The request or its data has a fault that the caller can mend."""


class UnauthenticatedError(RefusedError):
    """No key, or a key that is unknown, expired or revoked."""


class ForbiddenError(RefusedError):
    """The key is known, and does not allow this."""


class NotFoundError(RefusedError):
    """There is no such thing, or it belongs to another organisation."""


class NotReadyError(RefusedError):
    """The job has not ended, so it has no results yet."""


class NoResultError(RefusedError):
    """The job ended without a result."""


class ConflictError(RefusedError):
    """The thing exists, but not in a state that allows this."""


class TooLargeError(RefusedError):
    """More bytes than the server takes."""


class TooManyError(RefusedError):
    """More requests than the server takes; see `retry_after_s`."""


class ServerError(RefusedError):
    """The server failed; the fault is not in the request."""


class UnavailableError(ServerError):
    """The server is there, and cannot serve just now."""


# fmt: off
BY_CODE: Final[Mapping[str, type[RefusedError]]] = {
    "invalid":            InvalidError,
    "unauthenticated":    UnauthenticatedError,
    "forbidden":          ForbiddenError,
    "not_found":          NotFoundError,
    "method_not_allowed": InvalidError,
    "not_acceptable":     InvalidError,
    "conflict":           ConflictError,
    "not_ready":          NotReadyError,
    "no_result":          NoResultError,
    "precondition":       ConflictError,
    "too_large":          TooLargeError,
    "unsupported":        InvalidError,
    "range":              InvalidError,
    "too_many":           TooManyError,
    "cancelled":          NoResultError,
    "timeout":            NoResultError,
    "out_of_memory":      NoResultError,
    "crashed":            NoResultError,
    "unavailable":        UnavailableError,
    "internal":           ServerError,
}

BY_STATUS: Final[Mapping[int, str]] = {
    400: "invalid",      401: "unauthenticated", 403: "forbidden",   404: "not_found",
    405: "method_not_allowed",                   406: "not_acceptable",
    409: "conflict",     410: "no_result",       412: "precondition", 413: "too_large",
    415: "unsupported",  416: "range",           422: "invalid",      428: "precondition",
    429: "too_many",     502: "unavailable",     503: "unavailable",  504: "unavailable",
}

#: Tails of the OGC's type URIs that are not our own words.
BY_TYPE: Final[Mapping[str, str]] = {
    "no_such_process":               "not_found",
    "no_such_job":                   "not_found",
    "no_such_output":                "not_found",
    "result_not_ready":              "not_ready",
    "result_not_available":          "no_result",
    "invalid_query_parameter_value": "invalid",
}
# fmt: on


def read_refusal(
    status: int,
    body: bytes,
    *,
    request_id: str = "",
    retry_after_s: float | None = None,
) -> RefusedError:
    """Give the error that an answer with an error status stands for, whatever its body is."""
    document = _document(body)
    code = _code(status, document)
    refusal = Refusal(
        status=status,
        code=code,
        detail=_detail(status, document, body),
        fields=_fields(document.get("errors")),
        request_id=_text(document.get("request_id")) or request_id,
        retry_after_s=retry_after_s,
    )
    return _error_type(status, code)(refusal)


def conflict(detail: str) -> ConflictError:
    """Give the error of a thing whose state does not allow what was asked, found here."""
    return ConflictError(Refusal(status=409, code="conflict", detail=detail))


def _error_type(status: int, code: str) -> type[RefusedError]:
    if code in BY_CODE:
        return BY_CODE[code]
    return ServerError if status >= FIRST_SERVER_ERROR else RefusedError


def _document(body: bytes) -> Mapping[str, Any]:
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _code(status: int, document: Mapping[str, Any]) -> str:
    said = _text(document.get("code"))
    if said:
        return said
    tail = _text(document.get("type")).rstrip("/").rpartition("/")[2].rpartition("#")[2]
    word = tail.replace("-", "_").lower()
    if word in BY_TYPE:
        return BY_TYPE[word]
    if word in BY_CODE:
        return word
    return BY_STATUS.get(status, "internal" if status >= FIRST_SERVER_ERROR else "invalid")


def _detail(status: int, document: Mapping[str, Any], body: bytes) -> str:
    for name in ("detail", "title", "message"):
        said = _text(document.get(name))
        if said:
            return said
    text = "" if document else body.decode("utf-8", "replace").strip()
    return f"HTTP {status}: {text[:MAX_TEXT]}" if text else f"HTTP {status}"


def _fields(errors: object) -> tuple[FieldError, ...]:
    if not isinstance(errors, list):
        return ()
    return tuple(
        FieldError(
            _first_text(one, "pointer", "parameter", "header", "name"),
            _first_text(one, "detail", "message"),
        )
        for one in errors
        if isinstance(one, dict)
    )


def _first_text(document: Mapping[str, Any], *names: str) -> str:
    return next((text for name in names if (text := _text(document.get(name)))), "")


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
