"""Files in a storage by the block-blob protocol, so that Azure's clients up- and download."""

import base64
import hashlib
from collections.abc import AsyncIterator
from typing import Annotated, Any, Final

from litestar import HttpMethod, MediaType, Request, Response, delete, put, route
from litestar.datastructures import State
from litestar.params import Parameter
from litestar.response import Stream

from haulier.core.artifact import check_filename
from haulier.core.caller import Caller
from haulier.core.problem import Code, Problem
from haulier.engine.files import FileInfo
from haulier.wire.auth import caller_of
from haulier.wire.blobs.azure import XML, headers_of
from haulier.wire.blobs.blocks import block_name, parse_block_list
from haulier.wire.dialect import AnyRequest, ProblemShape, services_of
from haulier.wire.ranges import Content, download, http_date, matches, uploaded
from haulier.wire.tomtom.paths import BLOBS, CONTAINER

BLOB: Final = f"{BLOBS}/{{storage_id:str}}/{CONTAINER}/{{filename:str}}"
OPT: Final = {"key_query": "sig", "storage": "storage_id", "problem": ProblemShape(XML)}
MD5: Final = "header.content-md5"
#: Requests that would mean something else than what we do; taking them would lose data.
REFUSED: Final = ("x-ms-copy-source", "x-ms-structured-body", "x-ms-encryption-key")
LIST_BYTES: Final = 8 * 1024 * 1024

Asked = Request[Caller, None, State]

StorageId = Annotated[str, Parameter(description="The storage's id.")]
BlobName = Annotated[str, Parameter(description="The file's name.")]
Comp = Annotated[str, Parameter(description="`block` or `blocklist`; empty: the whole blob.")]


@put(BLOB, status_code=201, opt=OPT, request_max_body_size=None)
async def put_blob(
    request: Asked,
    storage_id: StorageId,
    filename: BlobName,
    comp: Comp = "",
    blockid: Annotated[str, Parameter(description="Base64, with `comp=block`.")] = "",
) -> Response[None]:
    """Upload a file at once, or stage a block of it, or make it of its staged blocks."""
    _check_request(request, filename)
    if comp == "block":
        headers = await _stage(request, storage_id, filename, blockid)
    elif comp in {"", "blocklist"}:
        await _check_conditions(request, storage_id, filename)
        write = _commit if comp else _upload
        headers = _written(await write(request, storage_id, filename))
    else:
        raise _no_such_comp(comp)
    return Response(
        None, status_code=201, media_type=MediaType.TEXT, headers=headers_of(request) | headers
    )


def _check_request(request: AnyRequest, filename: str) -> None:
    check_filename(filename)
    for name in REFUSED:
        if name in request.headers:
            detail = f"{name} is not supported here; upload the bytes themselves"
            raise Problem(Code.UNSUPPORTED, detail, at=f"header.{name}")
    kind = request.headers.get("x-ms-blob-type", "BlockBlob")
    if kind != "BlockBlob":
        detail = f"x-ms-blob-type must be BlockBlob, got {kind!r}"
        raise Problem(Code.INVALID, detail, at="header.x-ms-blob-type")


def _no_such_comp(comp: str) -> Problem:
    detail = f"comp must be 'block' or 'blocklist' here, or left out, got {comp!r}"
    return Problem(Code.INVALID, detail, at="query.comp")


async def _stage(request: AnyRequest, storage: str, filename: str, block_id: str) -> dict[str, str]:
    name = block_name(block_id)
    files, caller = services_of(request).files, caller_of(request)
    await files.stage_block(caller, storage, filename, name, _checked(request))
    return {"x-ms-request-server-encrypted": "false"}


async def _upload(request: AnyRequest, storage: str, filename: str) -> FileInfo:
    files = services_of(request).files
    return await files.upload(caller_of(request), storage, filename, _checked(request))


async def _commit(request: AnyRequest, storage: str, filename: str) -> FileInfo:
    body = b""
    async for chunk in _checked(request):
        body += chunk
        if len(body) > LIST_BYTES:
            raise Problem(Code.TOO_LARGE, f"a block list must be at most {LIST_BYTES} bytes")
    files, ids = services_of(request).files, parse_block_list(body)
    return await files.commit_blocks(caller_of(request), storage, filename, ids)


async def _checked(request: AnyRequest) -> AsyncIterator[bytes]:
    """Give the body's chunks; refuse at its end if they are not what Content-MD5 says.

    The file is published only after its last chunk, so a refusal leaves what was there.
    """
    wanted = request.headers.get("content-md5", "")
    tally = hashlib.md5(usedforsecurity=False)
    async for chunk in uploaded(request):
        if wanted:
            tally.update(chunk)
        yield chunk
    got = base64.b64encode(tally.digest()).decode()
    if wanted and wanted != got:
        detail = f"the body's MD5 is {got}, Content-MD5 says {wanted}"
        raise Problem(Code.INVALID, detail, at=MD5)


async def _check_conditions(request: AnyRequest, storage: str, filename: str) -> None:
    """Refuse a change that the caller wants only of what it knows, or only where nothing is."""
    same, other = (request.headers.get(name, "") for name in ("if-match", "if-none-match"))
    if not (same or other):
        return
    info = await _find(request, storage, filename)
    if same and (info is None or not matches(same, info.etag)):
        raise Problem(
            Code.PRECONDITION, f"'{filename}' is not as If-Match says", at="header.if-match"
        )
    if other and info is not None and matches(other, info.etag):
        if other.strip() == "*":
            raise Problem(Code.CONFLICT, f"'{filename}' is there already", at="filename")
        raise Problem(Code.PRECONDITION, f"'{filename}' is as If-None-Match says")


async def _find(request: AnyRequest, storage: str, filename: str) -> FileInfo | None:
    try:
        return await services_of(request).files.stat(caller_of(request), storage, filename)
    except Problem as problem:
        if problem.code is Code.NOT_FOUND and problem.at == "filename":
            return None
        raise


def _written(info: FileInfo) -> dict[str, str]:
    return {
        "etag": f'"{info.etag}"',
        "last-modified": http_date(info.modified_at),
        "x-ms-request-server-encrypted": "false",
    }


@route(BLOB, http_method=[HttpMethod.GET, HttpMethod.HEAD], opt=OPT)
async def get_blob(
    request: Asked, storage_id: StorageId, filename: BlobName, comp: Comp = ""
) -> Stream:
    """Download a file, or the range of it that is asked; or look at it only."""
    if comp:
        raise _no_such_comp(comp)
    files, caller = services_of(request).files, caller_of(request)
    info = await files.stat(caller, storage_id, filename)
    _check_known(request, info)

    async def opener(start: int, end: int) -> AsyncIterator[bytes]:
        return (await files.open(caller, storage_id, filename, start, end))[1]

    content = Content(
        filename=filename,
        size_bytes=info.size_bytes,
        sha256=info.sha256,
        etag=info.etag,
        modified_at=info.modified_at,
    )
    return await download(  # type: ignore[return-value]  # 304 has no stream
        request, content, opener, extra=_properties(request, info), range_header="x-ms-range"
    )


def _check_known(request: AnyRequest, info: FileInfo) -> None:
    condition = request.headers.get("if-match", "")
    if condition and not matches(condition, info.etag):
        detail = f"'{info.filename}' has changed since If-Match was true"
        raise Problem(Code.PRECONDITION, detail, at="header.if-match")


def _properties(request: AnyRequest, info: FileInfo) -> dict[str, str]:
    return headers_of(request) | {
        "x-ms-blob-type": "BlockBlob",
        "x-ms-creation-time": http_date(info.modified_at),
        "x-ms-lease-status": "unlocked",
        "x-ms-lease-state": "available",
        "x-ms-server-encrypted": "false",
    }


@delete(BLOB, status_code=202, opt=OPT)
async def delete_blob(request: Asked, storage_id: StorageId, filename: BlobName) -> Response[Any]:
    """Remove a file."""
    await _check_conditions(request, storage_id, filename)
    await services_of(request).files.delete(caller_of(request), storage_id, filename)
    return Response(None, status_code=202, media_type=MediaType.TEXT, headers=headers_of(request))
