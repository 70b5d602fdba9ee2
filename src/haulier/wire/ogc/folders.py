"""Artifacts that are folders: whole as a tar archive, or file by file as viewers read them."""

import tarfile
from collections.abc import AsyncIterator, Sequence
from typing import Final

from litestar.response import Stream

from haulier.core.artifact import Artifact, check_path
from haulier.core.problem import Code, Problem
from haulier.engine.blob import Blob
from haulier.engine.storage import Storage
from haulier.wire.dialect import AnyRequest, AnyResponse, services_of
from haulier.wire.ranges import Content, download

TAR: Final = "application/x-tar"
#: What viewers in browsers want to be told; everything else is bytes.
TYPES: Final = {
    "json": "application/json",
    "html": "text/html; charset=utf-8",
    "laz": "application/vnd.laszip",
}
OCTETS: Final = "application/octet-stream"


async def send_folder(request: AnyRequest, artifact: Artifact) -> Stream:
    """Answer with every file of a folder, as one archive that is made while it is sent."""
    storage = services_of(request).storage
    blobs = await storage.list(artifact.key)
    sizes = [len(_header(_name(artifact, blob), blob)) + _padded(blob.size_bytes) for blob in blobs]
    headers = {
        "content-type": TAR,
        "content-length": str(sum(sizes) + 2 * tarfile.BLOCKSIZE),
        "content-disposition": f'attachment; filename="{artifact.filename}.tar"',
    }
    body = _nothing() if request.method == "HEAD" else _archive(storage, artifact, blobs)
    return Stream(body, headers=headers)


async def _archive(
    storage: Storage, artifact: Artifact, blobs: Sequence[Blob]
) -> AsyncIterator[bytes]:
    for blob in blobs:
        yield _header(_name(artifact, blob), blob)
        async for chunk in await storage.read(blob.key):
            yield chunk
        yield bytes(_padded(blob.size_bytes) - blob.size_bytes)
    yield bytes(2 * tarfile.BLOCKSIZE)


def _name(artifact: Artifact, blob: Blob) -> str:
    return f"{artifact.filename}/{blob.key.removeprefix(f'{artifact.key}/')}"


def _header(name: str, blob: Blob) -> bytes:
    info = tarfile.TarInfo(name)
    info.size = blob.size_bytes
    info.mtime = int(blob.modified_at.timestamp())
    return info.tobuf(tarfile.PAX_FORMAT)


def _padded(size: int) -> int:
    return -(-size // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE


async def _nothing() -> AsyncIterator[bytes]:
    empty: tuple[bytes, ...] = ()
    for chunk in empty:
        yield chunk


async def send_member(request: AnyRequest, artifact: Artifact, path: str) -> AnyResponse:
    """Answer with one file of a folder, or the range of it that was asked.

    Raises:
        Problem: NOT_FOUND; the artifact is no folder, or has no such file.
    """
    storage = services_of(request).storage
    blob = (
        await storage.find(f"{artifact.key}/{check_path(path, at='path')}")
        if artifact.folder
        else None
    )
    if blob is None:
        detail = f"artifact '{artifact.name}' has no file '{path}'"
        raise Problem(Code.NOT_FOUND, detail, at="artifact")
    content = Content(
        filename=path.rpartition("/")[2],
        size_bytes=blob.size_bytes,
        etag=blob.etag,
        media_type=TYPES.get(path.rpartition(".")[2], OCTETS),
        modified_at=blob.modified_at,
    )

    async def opener(start: int, end: int) -> AsyncIterator[bytes]:
        return await storage.read(blob.key, start, end)

    return await download(request, content, opener)
