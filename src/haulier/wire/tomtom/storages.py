"""Storages of the vendor's private gateway, and the wrapped credentials to reach one."""

from typing import Annotated, Literal

import msgspec
from litestar import Request, get
from litestar.datastructures import State
from litestar.params import Parameter, QueryParameter

from haulier.core.caller import Caller
from haulier.engine.catalog import Entry
from haulier.wire.auth import caller_of
from haulier.wire.dialect import base_url, services_of
from haulier.wire.tomtom.paths import STORAGES, container_url
from haulier.wire.tomtom.vault import SCOPES, Access, wrap

Asked = Request[Caller, None, State]

StorageId = Annotated[str, Parameter(description="The storage's id.")]


class StorageBody(msgspec.Struct, frozen=True):
    """A storage: its id, and the address of its container."""

    id: str
    url: str
    type: Literal["AZURE_BLOB_STORAGE"] = "AZURE_BLOB_STORAGE"


class StoragesBody(msgspec.Struct, frozen=True):
    """The storages of the organisation."""

    storages: tuple[StorageBody, ...]


class CredentialsBody(msgspec.Struct, frozen=True):
    """A wrapped token: worth credentials, once, at the vault."""

    credentials: str


@get(STORAGES)
async def list_storages(request: Asked) -> StoragesBody:
    """Give the storages of the organisation."""
    services = services_of(request)
    entries = await services.write(services.files.storages, caller_of(request))
    base = base_url(request)
    return StoragesBody(tuple(_storage(entry, base) for entry in entries))


@get(f"{STORAGES}/{{storage_id:str}}")
async def get_storage(request: Asked, storage_id: StorageId) -> StorageBody:
    """Give one storage."""
    services = services_of(request)
    entry = await services.write(services.files.storage, caller_of(request), storage_id)
    return _storage(entry, base_url(request))


def _storage(entry: Entry, base: str) -> StorageBody:
    return StorageBody(entry.name, container_url(base, entry.name))


@get(f"{STORAGES}/{{storage_id:str}}/credentials")
async def get_credentials(
    request: Asked,
    storage_id: StorageId,
    access: Annotated[
        Access, QueryParameter(name="type", description="What the credentials are to allow.")
    ],
) -> CredentialsBody:
    """Give a token that the vault changes, once and within the hour, into credentials."""
    services, caller = services_of(request), caller_of(request)
    for scope in SCOPES[access]:
        caller.require(scope)
    entry = await services.write(services.files.storage, caller, storage_id)
    return CredentialsBody(await services.write(wrap, services, caller, entry.name, access))
