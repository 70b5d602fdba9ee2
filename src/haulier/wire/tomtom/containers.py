"""The container of a storage: its properties, and the list of the blobs in it."""

from collections.abc import Sequence
from typing import Annotated, Any, Final
from xml.sax.saxutils import escape, quoteattr

from litestar import HttpMethod, Request, Response, put, route
from litestar.datastructures import State
from litestar.params import Parameter

from haulier.core.caller import Caller
from haulier.core.problem import Code, Problem
from haulier.engine.files import FileInfo
from haulier.wire.auth import caller_of
from haulier.wire.blobs.azure import XML, headers_of
from haulier.wire.dialect import base_url, services_of
from haulier.wire.ranges import OCTETS, http_date
from haulier.wire.tomtom.blobs import OPT, StorageId
from haulier.wire.tomtom.paths import BLOBS, CONTAINER

CONTAINER_PATH: Final = f"{BLOBS}/{{storage_id:str}}/{CONTAINER}"
MOST: Final = 5000  # blobs in a page, the vendor's own number

Asked = Request[Caller, None, State]

Restype = Annotated[str, Parameter(description="Must be `container`.")]


@route(CONTAINER_PATH, http_method=[HttpMethod.GET, HttpMethod.HEAD], opt=OPT)
async def get_container(
    request: Asked,
    storage_id: StorageId,
    restype: Restype = "container",
    comp: Annotated[str, Parameter(description="`list`, or nothing for the properties.")] = "",
    prefix: Annotated[str, Parameter(description="Only names that begin so.")] = "",
    marker: Annotated[str, Parameter(description="As NextMarker of a page gave it.")] = "",
    maxresults: Annotated[int, Parameter(ge=1, description="Blobs at most.")] = MOST,
) -> Response[Any]:
    """Give the properties of a container, or the list of its blobs by name."""
    _check_restype(restype)
    if comp not in {"", "list"}:
        detail = f"comp must be 'list' here, or left out, got {comp!r}"
        raise Problem(Code.INVALID, detail, at="query.comp")
    services, caller = services_of(request), caller_of(request)
    headers = headers_of(request)
    if not comp:
        entry = await services.write(services.files.storage, caller, storage_id)
        headers |= {
            "etag": f'"{entry.version}"',
            "last-modified": http_date(entry.updated_at),
            "x-ms-lease-status": "unlocked",
            "x-ms-lease-state": "available",
        }
        return Response(b"", headers=headers)
    found = await services.files.list(caller, storage_id)
    chosen = sorted(
        (info for info in found if info.filename.startswith(prefix) and info.filename > marker),
        key=lambda info: info.filename,
    )
    endpoint = f"{base_url(request)}{BLOBS}/{storage_id}/"
    body = listing(endpoint, chosen, min(maxresults, MOST), prefix)
    return Response(body, headers=headers | {"content-type": XML})


def _check_restype(restype: str) -> None:
    if restype != "container":
        detail = f"restype must be 'container', got {restype!r}"
        raise Problem(Code.INVALID, detail, at="query.restype")


@put(CONTAINER_PATH, status_code=201, opt=OPT)
async def put_container(
    request: Asked, storage_id: StorageId, restype: Restype = "container"
) -> Response[Any]:
    """Say that the container of a storage is there already: it comes with the storage."""
    _check_restype(restype)
    services = services_of(request)
    await services.write(services.files.storage, caller_of(request), storage_id)
    detail = f"the container of storage '{storage_id}' is there already"
    raise Problem(Code.CONFLICT, detail, at="storage")


def listing(endpoint: str, found: Sequence[FileInfo], limit: int, prefix: str = "") -> bytes:
    """Give a page of a container's list, of blobs in order of their names."""
    shown = found[:limit]
    marker = escape(shown[-1].filename) if len(found) > limit else ""
    return (
        '<?xml version="1.0" encoding="utf-8"?>'
        f"<EnumerationResults ServiceEndpoint={quoteattr(endpoint)} "
        f'ContainerName="{CONTAINER}"><Prefix>{escape(prefix)}</Prefix>'
        f"<MaxResults>{limit}</MaxResults>"
        f"<Blobs>{''.join(_blob(info) for info in shown)}</Blobs>"
        f"<NextMarker>{marker}</NextMarker></EnumerationResults>"
    ).encode()


def _blob(info: FileInfo) -> str:
    return (
        f"<Blob><Name>{escape(info.filename)}</Name><Properties>"
        f"<Last-Modified>{http_date(info.modified_at)}</Last-Modified>"
        f"<Etag>{escape(info.etag)}</Etag>"
        f"<Content-Length>{info.size_bytes}</Content-Length>"
        f"<Content-Type>{OCTETS}</Content-Type><BlobType>BlockBlob</BlobType>"
        "<LeaseStatus>unlocked</LeaseStatus><LeaseState>available</LeaseState>"
        "</Properties></Blob>"
    )
