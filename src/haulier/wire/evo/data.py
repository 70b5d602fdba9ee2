"""Data of objects: files named by the SHA-256 of their content, by signed URLs of an hour."""

from collections.abc import Mapping
from typing import Annotated, Final
from uuid import UUID

import msgspec
from litestar import HttpMethod, Request, Response, put, route
from litestar.datastructures import State
from litestar.params import JSONBody, Parameter
from litestar.response import Stream

from haulier.core.artifact import FileRef
from haulier.core.caller import Caller
from haulier.core.problem import Code, Problem
from haulier.engine.services import Services
from haulier.wire.auth import caller_of
from haulier.wire.blobs import downloads, uploads
from haulier.wire.blobs.azure import XML
from haulier.wire.blobs.blob import Blob
from haulier.wire.dialect import AnyRequest, ProblemShape, base_url, services_of
from haulier.wire.evo.document import NAME
from haulier.wire.evo.objectbodies import data_id
from haulier.wire.evo.paths import BLOB, WORKSPACE, OrgId, WorkspaceId, uuid_of
from haulier.wire.evo.shelf import STORAGE
from haulier.wire.evo.signing import Right, signer_of
from haulier.wire.ranges import send_file

MOST: Final = 32  # the vendor's own number
LATEST_S: Final = 1 << 40
UPLOADS: Final = "geoscience-uploads"
TABLES: Final = "tables"
STORAGES: Final[Mapping[str, str]] = {"data": STORAGE, "uploads": UPLOADS}
SIGNED: Final = {"public": True, "problem": ProblemShape(XML)}  # the signature stands for a key

ROOMS: Final = frozenset({*STORAGES, TABLES})

Asked = Request[Caller, None, State]

Organisation = Annotated[str, Parameter(description="As the signed URL has it.")]
RoomName = Annotated[str, Parameter(description="What the file is, as the signed URL has it.")]
DataName = Annotated[str, Parameter(description="The file's name, as the signed URL has it.")]
EndsAt = Annotated[
    int, Parameter(ge=0, le=LATEST_S, description="When the URL ends, in seconds since 1970.")
]
Signature = Annotated[str, Parameter(description="That it is one of ours.")]
Comp = Annotated[str, Parameter(description="`block` or `blocklist`; empty: the whole file.")]


class Named(msgspec.Struct, frozen=True):
    """A file that is to be uploaded."""

    name: str


class Upload(msgspec.Struct, frozen=True, kw_only=True):
    """Where a file is to be uploaded to; nowhere, if it is there already."""

    id: str
    name: str
    exists: bool
    upload_url: str | None


@put(f"{WORKSPACE}/data")
async def put_data(
    request: Asked, org_id: OrgId, workspace_id: WorkspaceId, data: JSONBody[list[Named]]
) -> list[Upload]:
    """Say which files are to be uploaded, and get a URL for each that is not there."""
    uuid_of(org_id, "org_id")
    uuid_of(workspace_id, "workspace_id")
    names = _checked(data)
    services = services_of(request)
    return await services.write(_uploads, services, caller_of(request), base_url(request), names)


def _checked(data: list[Named]) -> list[str]:
    if not 0 < len(data) <= MOST:
        raise Problem(Code.INVALID, f"1 to {MOST} names must be given, got {len(data)}")
    for index, named in enumerate(data):
        if NAME.fullmatch(named.name) is None:
            at = f"[{index}].name"
            detail = (
                f"{at} must be the SHA-256 of the content in 64 lower-case hexadecimal digits, "
                f"got {named.name[:100]!r}"
            )
            raise Problem(Code.INVALID, detail, at=at)
    return [named.name for named in data]


def _uploads(services: Services, caller: Caller, base: str, names: list[str]) -> list[Upload]:
    organisation, files = caller.organisation, services.files
    files.ensure(organisation, STORAGE)
    signer, now = signer_of(services), services.clock.now()

    def upload(name: str) -> Upload:
        exists = files.taken(organisation, FileRef(STORAGE, name))
        right = Right(organisation, "data", name, "w")
        url = None if exists else signer.url(base, right, now)
        return Upload(id=data_id(name), name=name, exists=exists, upload_url=url)

    return [upload(name) for name in names]


@put(BLOB, status_code=201, opt=SIGNED, request_max_body_size=None)
async def put_blob(  # noqa: PLR0913 -- one argument a parameter of the protocol
    request: Asked,
    organisation: Organisation,
    room: RoomName,
    name: DataName,
    *,
    se: EndsAt = 0,
    sig: Signature = "",
    comp: Comp = "",
    blockid: Annotated[str, Parameter(description="Base64, with `comp=block`.")] = "",
) -> Response[None]:
    """Upload a file at once, or stage a block of it, or make it of its staged blocks."""
    right = Right(organisation, room, name, "w")
    caller = await _let_in(request, right, se, sig)
    hashed = name if room == "data" else ""
    blob = Blob(caller, STORAGES[room], name, sha256=hashed)
    return await uploads.put(request, blob, comp=comp, block_id=blockid)


@route(BLOB, http_method=[HttpMethod.GET, HttpMethod.HEAD], opt=SIGNED)
async def get_blob(
    request: Asked,
    organisation: Organisation,
    room: RoomName,
    name: DataName,
    *,
    se: EndsAt = 0,
    sig: Signature = "",
) -> Stream:
    """Download a file, or the range of it that is asked; or look at it only."""
    caller = await _let_in(request, Right(organisation, room, name, "r"), se, sig)
    if room == TABLES:
        return await _send_table(request, caller, UUID(name))
    blob = Blob(caller, STORAGES[room], name)
    return await downloads.get(request, blob)  # type: ignore[return-value]  # 304 has no stream


async def _let_in(request: AnyRequest, right: Right, se: int, sig: str) -> Caller:
    if right.room not in ROOMS:
        raise Problem(Code.NOT_FOUND, f"there is nothing at {request.scope['path']}")
    services = services_of(request)
    signer = await services.write(signer_of, services)
    return signer.caller(right, se, sig, services.clock.now())


async def _send_table(request: AnyRequest, caller: Caller, job_id: UUID) -> Stream:
    """Answer with the one file that a job gave."""
    services = services_of(request)
    (file,) = await services.read(services.jobs.artifacts, caller, job_id)
    return await send_file(request, file)  # type: ignore[return-value]  # as above
