"""Uploads: a blob at once, or a block of it, or the blob of its staged blocks; and its end."""

import base64
import hashlib
from collections.abc import AsyncIterator
from typing import Any, Final

from litestar import MediaType, Response

from haulier.core.artifact import check_filename
from haulier.core.problem import Code, Problem
from haulier.engine.files import FileInfo
from haulier.wire.blobs.azure import headers_of
from haulier.wire.blobs.blob import Blob, find, no_such_comp
from haulier.wire.blobs.blocks import block_name, parse_block_list
from haulier.wire.dialect import AnyRequest, services_of
from haulier.wire.ranges import http_date, matches, uploaded

MD5: Final = "header.content-md5"
#: Requests that would mean something else than what we do; taking them would lose data.
REFUSED: Final = ("x-ms-copy-source", "x-ms-structured-body", "x-ms-encryption-key")
LIST_BYTES: Final = 8 * 1024 * 1024


async def put(request: AnyRequest, blob: Blob, *, comp: str, block_id: str) -> Response[None]:
    """Answer PUT of a blob.

    Args:
        request: its body is read as it arrives.
        blob: what it is about.
        comp: `block` or `blocklist`; empty: the whole blob.
        block_id: base64, with `block`.

    Raises:
        Problem: INVALID, UNSUPPORTED or TOO_LARGE; PRECONDITION or CONFLICT; NOT_FOUND.
    """
    _check_request(request, blob.filename)
    if comp == "block":
        headers = await _stage(request, blob, block_id)
    elif comp in {"", "blocklist"}:
        await _check_conditions(request, blob)
        write = _commit if comp else _upload
        headers = _written(await write(request, blob))
    else:
        raise no_such_comp(comp, "block", "blocklist")
    return Response(
        None, status_code=201, media_type=MediaType.TEXT, headers=headers_of(request) | headers
    )


async def remove(request: AnyRequest, blob: Blob) -> Response[Any]:
    """Answer DELETE of a blob.

    Raises:
        Problem: NOT_FOUND; PRECONDITION.
    """
    await _check_conditions(request, blob)
    await services_of(request).files.delete(blob.caller, blob.storage, blob.filename)
    return Response(None, status_code=202, media_type=MediaType.TEXT, headers=headers_of(request))


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


async def _stage(request: AnyRequest, blob: Blob, block_id: str) -> dict[str, str]:
    name = block_name(block_id)
    files = services_of(request).files
    await files.stage_block(blob.caller, blob.storage, blob.filename, name, _checked(request))
    return {"x-ms-request-server-encrypted": "false"}


async def _upload(request: AnyRequest, blob: Blob) -> FileInfo:
    return await services_of(request).files.upload(
        blob.caller,
        blob.storage,
        blob.filename,
        _checked(request),
        expected_sha256=blob.sha256,
    )


async def _commit(request: AnyRequest, blob: Blob) -> FileInfo:
    body = b""
    async for chunk in _checked(request):
        body += chunk
        if len(body) > LIST_BYTES:
            raise Problem(Code.TOO_LARGE, f"a block list must be at most {LIST_BYTES} bytes")
    return await services_of(request).files.commit_blocks(
        blob.caller,
        blob.storage,
        blob.filename,
        parse_block_list(body),
        expected_sha256=blob.sha256,
    )


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


async def _check_conditions(request: AnyRequest, blob: Blob) -> None:
    """Refuse a change that the caller wants only of what it knows, or only where nothing is."""
    same, other = (request.headers.get(name, "") for name in ("if-match", "if-none-match"))
    if not (same or other):
        return
    info, filename = await find(request, blob), blob.filename
    if same and (info is None or not matches(same, info.etag)):
        raise Problem(
            Code.PRECONDITION, f"'{filename}' is not as If-Match says", at="header.if-match"
        )
    if other and info is not None and matches(other, info.etag):
        if other.strip() == "*":
            raise Problem(Code.CONFLICT, f"'{filename}' is there already", at="filename")
        raise Problem(Code.PRECONDITION, f"'{filename}' is as If-None-Match says")


def _written(info: FileInfo) -> dict[str, str]:
    return {
        "etag": f'"{info.etag}"',
        "last-modified": http_date(info.modified_at),
        "x-ms-request-server-encrypted": "false",
    }
