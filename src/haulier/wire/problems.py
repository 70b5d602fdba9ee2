"""Where every exception of a request ends: it becomes one problem, in the dialect's shape."""

import re
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import Any, Final

import structlog
from litestar.exceptions import HTTPException, ValidationException
from litestar.types import Empty, ExceptionHandler
from litestar.utils.scope.state import ScopeState

from haulier.core.problem import Code, Fault, Problem
from haulier.wire.auth import CHALLENGE
from haulier.wire.dialect import AnyRequest, AnyResponse, Dialect, owner

BODY: Final = "body"
SHOWN: Final = 80  # characters of a value that a detail repeats
LEFT_EARLY: Final = "client disconnected prematurely"  # litestar's own words

CODES: Final = {
    HTTPStatus.BAD_REQUEST: Code.INVALID,
    HTTPStatus.UNAUTHORIZED: Code.UNAUTHENTICATED,
    HTTPStatus.FORBIDDEN: Code.FORBIDDEN,
    HTTPStatus.NOT_FOUND: Code.NOT_FOUND,
    HTTPStatus.METHOD_NOT_ALLOWED: Code.METHOD_NOT_ALLOWED,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: Code.TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: Code.UNSUPPORTED,
    HTTPStatus.TOO_MANY_REQUESTS: Code.TOO_MANY,
}

#: What a body can be that its decoder does not refuse in its own words.
UNREADABLE: Final[dict[type[Exception], str]] = {
    RecursionError: "it is nested too deeply",
    UnicodeDecodeError: "it is no UTF-8",
}

_GOT: Final = re.compile(r", got `\w+`$")
_FIELD: Final = re.compile(r"^Object (?:missing required|contains unknown) field `([^`]+)`")
_STEP: Final = re.compile(r"[^.\[\]]+")

log = structlog.get_logger("haulier.wire")


def handler(dialects: Sequence[Dialect], limit_bytes: int) -> "ExceptionHandler[Exception]":
    """Give the one exception handler of the server.

    Args:
        dialects: the wires; the one that owns the path decides on the answer's shape.
        limit_bytes: the longest JSON body, to name it when one is longer.
    """

    def answer(request: AnyRequest, error: Exception) -> AnyResponse:
        problem = understood(error, request, limit_bytes)
        response = owner(dialects, request.scope["path"]).render_problem(problem, request)
        if problem.code is Code.UNAUTHENTICATED:
            response.headers["www-authenticate"] = CHALLENGE
        response.headers.update(getattr(error, "headers", None) or {})
        return response

    return answer


def understood(error: Exception, request: AnyRequest, limit_bytes: int) -> Problem:
    """Give the problem that an exception stands for; one that nobody foresaw is logged."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, ValidationException):
        return _validation(error, request)
    if type(error) in UNREADABLE and ScopeState.from_scope(request.scope).json is Empty:
        return Problem(Code.INVALID, f"the body must be JSON: {UNREADABLE[type(error)]}")
    if isinstance(error, HTTPException) and error.detail == LEFT_EARLY:
        return Problem(Code.INVALID, "the connection closed before the body was whole")
    code = CODES.get(HTTPStatus(error.status_code)) if isinstance(error, HTTPException) else None
    if isinstance(error, HTTPException) and code is not None:
        return Problem(code, _sentence(code, error, request, limit_bytes))
    request_id = request.scope.get("state", {}).get("request_id", "")
    log.error(
        "request failed",
        method=request.method,
        path=request.scope["path"],
        request_id=request_id,
        exc_info=error,
    )
    return Problem(
        Code.INTERNAL,
        f"something went wrong here; the request id '{request_id}' finds it in our log",
    )


def _sentence(code: Code, error: HTTPException, request: AnyRequest, limit_bytes: int) -> str:
    if code is Code.NOT_FOUND:
        return f"there is nothing at {request.scope['path']}"
    if code is Code.METHOD_NOT_ALLOWED:
        allowed = (error.headers or {}).get("allow", "")
        return f"{request.method} is not allowed here; allowed: {allowed}"
    if code is Code.TOO_LARGE:
        return f"the body must be at most {limit_bytes} bytes"
    if code is Code.INVALID:
        return f"the body must be JSON: {error.detail}"
    return error.detail


def _validation(error: ValidationException, request: AnyRequest) -> Problem:
    """Name every field that litestar refused, what was expected, and the value."""
    raw = error.extra if isinstance(error.extra, list) else []
    faults = [_fault(item, request) for item in raw]
    if not faults:
        return Problem(Code.INVALID, error.detail)
    detail = "; ".join(fault.detail for fault in faults)
    return Problem(Code.INVALID, detail, at=faults[0].at, faults=faults)


def _fault(item: dict[str, Any], request: AnyRequest) -> Fault:
    message, key = str(item.get("message", "")), str(item.get("key", ""))
    source = getattr(item.get("source"), "value", item.get("source")) or BODY
    if source == BODY:
        return _body_fault(message, "" if key == "data" else key, request)
    found = request.route_handler.parsed_fn_signature.parameters.get(key)
    key = getattr(found and found.kwarg_definition, "name", None) or key  # as it is in a request
    values = {"query": request.query_params, "path": request.path_params, "header": request.headers}
    value = values.get(source, {}).get(key)
    if found is not None and message.startswith("Invalid enum value"):
        choices = ", ".join(map(str, found.args))
        return Fault(f"{source}.{key}", f"{key} must be one of {choices}, got {_shown(value)}")
    return Fault(f"{source}.{key}", f"{key}: {_expectation(message)}, got {_shown(value)}")


def _body_fault(message: str, at: str, request: AnyRequest) -> Fault:
    if message == "'data'":
        return Fault("", "the request needs a JSON body")
    if named := _FIELD.match(message):
        field = f"{at}.{named[1]}" if at else named[1]
        missing = "missing" in message.partition("`")[0]
        return Fault(field, f"{field} is {'required' if missing else 'not a field of this body'}")
    value = _reach(ScopeState.from_scope(request.scope).json, at)
    return Fault(at, f"{at or 'the body'}: {_expectation(message)}, got {_shown(value)}")


def _expectation(message: str) -> str:
    sentence = _GOT.sub("", message)
    return sentence[:1].lower() + sentence[1:]


def _reach(value: object, at: str) -> object:
    """Follow a path such as `inputs.roads[2]` into a decoded body, as far as it goes."""
    for name in steps(at):
        if isinstance(value, dict) and name in value:
            value = value[name]
        elif isinstance(value, list) and name.isdecimal() and int(name) < len(value):
            value = value[int(name)]
    return value


def steps(at: str) -> Iterator[str]:
    """Give the names along a path such as `inputs.roads[2].id`."""
    return (found[0] for found in _STEP.finditer(at))


def pointer(at: str) -> str:
    """Give a path in a body as a JSON Pointer in a URI fragment (RFC 6901, section 6)."""
    return "#" + "".join(f"/{name.replace('~', '~0').replace('/', '~1')}" for name in steps(at))


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
