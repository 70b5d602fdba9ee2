"""The catalog: named things such as releases, which jobs refer to by name."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final

import msgspec
from litestar import Request, Response, delete, get, put
from litestar.datastructures import State
from litestar.params import JSONBody, Parameter

from haulier.core.caller import Caller, Scope
from haulier.core.problem import Code, Problem
from haulier.engine.catalog import Entry
from haulier.wire.auth import caller_of
from haulier.wire.dialect import services_of
from haulier.wire.ranges import matches

NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~@+-]{0,127}")
TYPE: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
#: Types that begin so are a dialect's own book-keeping, and nobody's to read or write.
HIDDEN: Final = "private_"
#: Types that an organisation may read and only the server's operator writes.
OPERATORS: Final = frozenset({"limits"})

Asked = Request[Caller, None, State]

TypeName = Annotated[str, Parameter(description="What it is, such as `overture_release`.")]
EntryName = Annotated[str, Parameter(description="Its name, such as `2026-01-21.0`.")]


class EntryBody(msgspec.Struct, frozen=True):
    """A named thing of the organisation; `shared` ones belong to everybody."""

    type: str
    name: str
    version: int
    body: Mapping[str, Any]
    shared: bool
    created_at: datetime
    updated_at: datetime


class EntryList(msgspec.Struct, frozen=True):
    """The named things of a type."""

    entries: tuple[EntryBody, ...]


@get("/catalog/{type_name:str}")
async def list_entries(request: Asked, type_name: TypeName) -> EntryList:
    """Give the things of a type that the organisation sees, by name."""
    services, caller = services_of(request), caller_of(request)
    found = await services.write(services.catalog.list, caller.organisation, _type(type_name))
    return EntryList(tuple(_body(entry, caller) for entry in found))


@get("/catalog/{type_name:str}/{name:str}")
async def get_entry(request: Asked, type_name: TypeName, name: EntryName) -> Response[EntryBody]:
    """Give one thing."""
    services, caller = services_of(request), caller_of(request)
    type_ = _type(type_name)
    entry = await services.read(services.catalog.get, caller.organisation, type_, name)
    return _answer(entry, caller)


@put("/catalog/{type_name:str}/{name:str}", opt={"scope": Scope.ADMIN})
async def put_entry(
    request: Asked, type_name: TypeName, name: EntryName, data: JSONBody[dict[str, Any]]
) -> Response[EntryBody]:
    """Make a thing, or give it a new body; `If-Match` refuses where it has changed meanwhile."""
    services, caller = services_of(request), caller_of(request)
    type_ = _written(type_name)
    if NAME.fullmatch(name) is None:
        detail = f"name must be 1 to 128 letters, digits and ._~@+-, got {name!r}"
        raise Problem(Code.INVALID, detail, at="path.name")
    condition = request.headers.get("if-match", "")
    if condition:
        old = await services.read(services.catalog.find, caller.organisation, type_, name)
        if old is None or not matches(condition, str(old.version)):
            raise Problem(Code.PRECONDITION, f"{type_} '{name}' is not as If-Match says")
    entry = await services.write(services.catalog.put, caller.organisation, type_, name, data)
    return _answer(entry, caller)


@delete("/catalog/{type_name:str}/{name:str}", opt={"scope": Scope.ADMIN})
async def delete_entry(request: Asked, type_name: TypeName, name: EntryName) -> None:
    """Forget a thing; what it points to is left alone."""
    services, caller = services_of(request), caller_of(request)
    type_ = _written(type_name)
    await services.write(services.catalog.delete, caller.organisation, type_, name)


def _type(type_name: str) -> str:
    if TYPE.fullmatch(type_name) is None or type_name.startswith(HIDDEN):
        raise Problem(Code.NOT_FOUND, f"no type '{type_name}' in the catalog", at="type")
    return type_name


def _written(type_name: str) -> str:
    if type_name in OPERATORS:
        detail = f"{type_name} are set by the server's operator: see `haulier {type_name} --help`"
        raise Problem(Code.FORBIDDEN, detail, at="type")
    return _type(type_name)


def _answer(entry: Entry, caller: Caller) -> Response[EntryBody]:
    return Response(_body(entry, caller), headers={"etag": f'"{entry.version}"'})


def _body(entry: Entry, caller: Caller) -> EntryBody:
    return EntryBody(
        type=entry.type,
        name=entry.name,
        version=entry.version,
        body=entry.body,
        shared=entry.organisation != caller.organisation,
        created_at=entry.created_at,
        updated_at=entry.updated_at,
    )
