"""Who asks: finds the API key in a request, checks it, and checks what it allows."""

import base64
import binascii
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Final

from litestar.connection import ASGIConnection

from haulier.core.caller import Caller, Scope
from haulier.core.problem import Code, Problem
from haulier.engine.services import Services
from haulier.wire.dialect import AnyRequest, Dialect

SAFE: Final = frozenset({"GET", "HEAD"})
CHALLENGE: Final = 'Bearer realm="haulier", Basic realm="haulier"'
KEY_MARK: Final = "hlr_"
STORAGE_KEY: Final = "storage:"  # subjects of keys that open one storage and nothing else

Connection = ASGIConnection[Any, Any, Any, Any]


def guard(services: Services, dialect: Dialect) -> Callable[[AnyRequest], Awaitable[None]]:
    """Give the check that stands before every handler of a dialect.

    A handler opens itself with `opt={"public": True}`, asks for another scope than its
    method's with `opt={"scope": …}`, and takes a key from the query, as signed URLs carry
    it, with `opt={"key_query": "sig"}`. Keys for one storage get in where `opt={"storage": …}`
    names the path parameter that is the storage, and nowhere else.
    """

    async def check(request: AnyRequest) -> None:
        opt = request.route_handler.opt
        if opt.get("public"):
            return
        caller = await authenticate(services, dialect, request, str(opt.get("key_query", "")))
        _keep_to_storage(caller, request, str(opt.get("storage", "")))
        safe = request.method in SAFE
        caller.require(opt.get("scope") or (Scope.READ if safe else Scope.WRITE))
        request.scope["user"] = caller

    return check


def subject_for_storage(storage: str) -> str:
    """Give the subject of a key that is to open one storage and nothing else."""
    return STORAGE_KEY + storage


def _keep_to_storage(caller: Caller, connection: Connection, parameter: str) -> None:
    if not caller.subject.startswith(STORAGE_KEY):
        return
    asked = connection.path_params.get(parameter) if parameter else None
    if subject_for_storage(str(asked)) != caller.subject:
        name = caller.subject.removeprefix(STORAGE_KEY)
        raise Problem(Code.FORBIDDEN, f"this key opens the storage '{name}' only")


def caller_of(request: AnyRequest) -> Caller:
    """Give the caller that the guard let in."""
    caller: Caller = request.scope["user"]
    return caller


async def authenticate(
    services: Services, dialect: Dialect, connection: Connection, key_query: str = ""
) -> Caller:
    """Give the caller of the first key in the request that is one of ours.

    A second credential that is none of ours (a cloud's own token beside our key) is no fault.

    Raises:
        Problem: UNAUTHENTICATED.
    """
    refusal: Problem | None = None
    for secret in offered(connection, dialect.key_headers, key_query):
        try:
            return await services.read(services.keys.authenticate, secret)
        except Problem as problem:
            if problem.code is not Code.UNAUTHENTICATED:
                raise
            refusal = refusal or problem
    raise refusal or Problem(Code.UNAUTHENTICATED, _missing(dialect.key_headers))


def offered(
    connection: Connection, key_headers: tuple[str, ...], key_query: str = ""
) -> Iterator[str]:
    """Give every string in a request that may be an API key, the likeliest first."""
    headers = connection.headers
    for name in key_headers:
        if value := headers.get(name):
            yield value.strip()
    scheme, _, credential = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and credential:
        yield credential.strip()
    elif scheme.lower() == "basic":
        yield from _basic(credential)
    if key_query and (value := connection.query_params.get(key_query)):
        yield value


def _basic(credential: str) -> Iterator[str]:
    """Give password and user, the one that looks like a key first."""
    try:
        text = base64.b64decode(credential.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return
    user, _, password = text.partition(":")
    yield from sorted(filter(None, (password, user)), key=lambda it: not it.startswith(KEY_MARK))


def _missing(key_headers: tuple[str, ...]) -> str:
    named = "".join(f", or `{name}: <key>`" for name in key_headers)
    return f"this needs an API key: send `Authorization: Bearer <key>`{named}"
