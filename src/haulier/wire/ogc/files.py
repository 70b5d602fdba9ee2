"""Files: the organisation's storages and the files in them."""

from collections.abc import AsyncIterator
from pathlib import PurePosixPath
from typing import Annotated, Final
from urllib.parse import quote

import msgspec
from litestar import HttpMethod, Request, Response, delete, get, put, route
from litestar.datastructures import State
from litestar.params import Parameter
from litestar.response import Stream

from haulier.core.artifact import check_path
from haulier.core.caller import Caller
from haulier.core.problem import Code, Problem
from haulier.engine.catalog import Entry
from haulier.engine.files import FileInfo
from haulier.wire.auth import caller_of
from haulier.wire.dialect import base_url, services_of
from haulier.wire.ogc.bodies import JSON, Link
from haulier.wire.ranges import Content, download, expected_sha256, matches, uploaded

GET_OR_HEAD: Final = [HttpMethod.GET, HttpMethod.HEAD]

Asked = Request[Caller, None, State]

StorageName = Annotated[str, Parameter(description="The storage's name.")]
FileName = Annotated[
    PurePosixPath, Parameter(description="The file's name, with '/' between folders.")
]


class StorageBody(msgspec.Struct, frozen=True):
    """A storage of the organisation; an empty `url` is the server's own."""

    name: str
    url: str
    links: tuple[Link, ...]


class StorageList(msgspec.Struct, frozen=True):
    """The storages of the organisation."""

    storages: tuple[StorageBody, ...]


class FileList(msgspec.Struct, frozen=True):
    """The files of a storage, by name."""

    files: tuple[FileInfo, ...]


@get("/storages")
async def list_storages(request: Asked) -> StorageList:
    """Give the storages of the organisation."""
    services = services_of(request)
    entries = await services.write(services.files.storages, caller_of(request))
    base = base_url(request)
    return StorageList(tuple(_storage(entry, base) for entry in entries))


@get("/storages/{storage:str}")
async def get_storage(request: Asked, storage: StorageName) -> StorageBody:
    """Give one storage."""
    services = services_of(request)
    entry = await services.write(services.files.storage, caller_of(request), storage)
    return _storage(entry, base_url(request))


def _storage(entry: Entry, base: str) -> StorageBody:
    own = f"{base}/storages/{quote(entry.name, safe='')}"
    links = (Link(own, "self", JSON), Link(f"{own}/files", "items", JSON, "files"))
    return StorageBody(entry.name, str(entry.body.get("url", "")), links)


@get("/storages/{storage:str}/files")
async def list_files(request: Asked, storage: StorageName) -> FileList:
    """Give the files of a storage, by name."""
    found = await services_of(request).files.list(caller_of(request), storage)
    return FileList(tuple(found))


@put("/storages/{storage:str}/files/{filename:path}", status_code=201, request_max_body_size=None)
async def put_file(request: Asked, storage: StorageName, filename: FileName) -> Response[FileInfo]:
    """Upload a file: streamed, of any length, and visible only when it is whole.

    `Content-Digest: sha-256=:…:` has the content checked; `If-None-Match: *` keeps a file
    that is there already.
    """
    files, caller, name = services_of(request).files, caller_of(request), _name(request, filename)
    wanted = expected_sha256(request)
    await _keep(request, storage, name)
    info = await files.upload(caller, storage, name, uploaded(request), expected_sha256=wanted)
    base = base_url(request)
    url = f"{base}/storages/{quote(storage, safe='')}/files/{quote(name)}"
    return Response(info, headers={"location": url, "etag": f'"{info.etag}"'})


def _name(request: Asked, filename: PurePosixPath) -> str:
    """Give the name as it was written: a path object would tidy what must be refused."""
    del filename
    return check_path(request.scope["path"].partition("/files/")[2])


async def _keep(request: Asked, storage: str, filename: str) -> None:
    """Refuse where the file that is there is one that the caller wants kept."""
    condition = request.headers.get("if-none-match", "")
    if not condition:
        return
    try:
        info = await services_of(request).files.stat(caller_of(request), storage, filename)
    except Problem as problem:
        if problem.code is not Code.NOT_FOUND or problem.at != "filename":
            raise
        return
    if matches(condition, info.etag):
        raise Problem(Code.PRECONDITION, f"file '{filename}' is there already")


@route("/storages/{storage:str}/files/{filename:path}", http_method=GET_OR_HEAD)
async def get_file(request: Asked, storage: StorageName, filename: FileName) -> Stream:
    """Download a file, or the range of it that is asked."""
    files, caller, name = services_of(request).files, caller_of(request), _name(request, filename)
    info = await files.stat(caller, storage, name)

    async def opener(start: int, end: int) -> AsyncIterator[bytes]:
        return (await files.open(caller, storage, name, start, end))[1]

    content = Content(
        filename=name.rpartition("/")[2],
        size_bytes=info.size_bytes,
        sha256=info.sha256,
        etag=info.etag,
        modified_at=info.modified_at,
    )
    return await download(request, content, opener)  # type: ignore[return-value]  # 304 has no stream


@delete("/storages/{storage:str}/files/{filename:path}")
async def delete_file(request: Asked, storage: StorageName, filename: FileName) -> None:
    """Remove a file."""
    name = _name(request, filename)
    await services_of(request).files.delete(caller_of(request), storage, name)
