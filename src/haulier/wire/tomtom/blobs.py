"""Files in a storage by the block-blob protocol, so that Azure's clients up- and download."""

from typing import Annotated, Any, Final

from litestar import HttpMethod, Request, Response, delete, put, route
from litestar.datastructures import State
from litestar.params import Parameter
from litestar.response import Stream

from haulier.core.caller import Caller
from haulier.wire.auth import caller_of
from haulier.wire.blobs import downloads, uploads
from haulier.wire.blobs.azure import XML
from haulier.wire.blobs.blob import Blob
from haulier.wire.dialect import AnyRequest, ProblemShape
from haulier.wire.tomtom.paths import BLOBS, CONTAINER

BLOB: Final = f"{BLOBS}/{{storage_id:str}}/{CONTAINER}/{{filename:str}}"
OPT: Final = {"key_query": "sig", "storage": "storage_id", "problem": ProblemShape(XML)}

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
    blob = _blob(request, storage_id, filename)
    return await uploads.put(request, blob, comp=comp, block_id=blockid)


@route(BLOB, http_method=[HttpMethod.GET, HttpMethod.HEAD], opt=OPT)
async def get_blob(
    request: Asked, storage_id: StorageId, filename: BlobName, comp: Comp = ""
) -> Stream:
    """Download a file, or the range of it that is asked; or look at it only."""
    blob = _blob(request, storage_id, filename)
    return await downloads.get(request, blob, comp=comp)  # type: ignore[return-value]  # 304 has no stream


@delete(BLOB, status_code=202, opt=OPT)
async def delete_blob(request: Asked, storage_id: StorageId, filename: BlobName) -> Response[Any]:
    """Remove a file."""
    return await uploads.remove(request, _blob(request, storage_id, filename))


def _blob(request: AnyRequest, storage_id: str, filename: str) -> Blob:
    return Blob(caller_of(request), storage_id, filename)
