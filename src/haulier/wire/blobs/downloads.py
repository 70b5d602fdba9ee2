"""Downloads: a blob, or the range of it that is asked, or what is known of it."""

from collections.abc import AsyncIterator

from haulier.core.problem import Code, Problem
from haulier.engine.files import FileInfo
from haulier.wire.blobs.azure import headers_of
from haulier.wire.blobs.blob import Blob, no_such_comp
from haulier.wire.dialect import AnyRequest, AnyResponse, services_of
from haulier.wire.ranges import Content, download, http_date, matches


async def get(request: AnyRequest, blob: Blob, *, comp: str = "") -> AnyResponse:
    """Answer GET or HEAD of a blob.

    Raises:
        Problem: NOT_FOUND; PRECONDITION; RANGE; INVALID; a part of it was asked that we lack.
    """
    if comp:
        raise no_such_comp(comp)
    files = services_of(request).files
    info = await files.stat(blob.caller, blob.storage, blob.filename)
    _check_known(request, info)

    async def opener(start: int, end: int) -> AsyncIterator[bytes]:
        return (await files.open(blob.caller, blob.storage, blob.filename, start, end))[1]

    content = Content(
        filename=blob.filename,
        size_bytes=info.size_bytes,
        sha256=info.sha256,
        etag=info.etag,
        modified_at=info.modified_at,
    )
    return await download(
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
