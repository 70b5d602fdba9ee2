"""Jobs of block models: columns written by uploads, and tables read by queries."""

from http import HTTPStatus
from typing import Annotated, Final

import msgspec
from litestar import Request, get, patch, post
from litestar.datastructures import State
from litestar.params import JSONBody, Parameter

from haulier.core.caller import Caller
from haulier.core.entry import Entry
from haulier.core.job import Job
from haulier.core.lifecycle import State as JobState
from haulier.core.problem import Problem
from haulier.wire.dialect import AnyRequest, base_url
from haulier.wire.evo.blockbodies import JobBody
from haulier.wire.evo.blockplaces import ModelId, block_shelf_of, job_url, shown_version
from haulier.wire.evo.blockrequests import (
    QueryBody,
    QueryStarted,
    Started,
    UpdateBody,
    Uploaded,
    query_params,
    update_params,
    whole_box,
)
from haulier.wire.evo.blockshelf import BlockShelf, creation_id, version_id
from haulier.wire.evo.bodies import CANCELLED, SILENT
from haulier.wire.evo.errors import describe, renamed
from haulier.wire.evo.paths import MODEL, OrgId, WorkspaceId
from haulier.wire.evo.signing import Right, signer_of

Asked = Request[Caller, None, State]

JobId = Annotated[str, Parameter(description="The job's UUID.")]
#: Where members of a job's parameters stand in a request.
UPDATE_MEMBERS: Final = {
    "new": "columns.new",
    "update": "columns.update",
    "delete": "columns.delete",
    "change": "columns.rename",
}


@patch(f"{MODEL}/blocks", status_code=HTTPStatus.ACCEPTED)
async def update_blocks(
    request: Asked,
    org_id: OrgId,
    workspace_id: WorkspaceId,
    bm_id: ModelId,
    data: JSONBody[UpdateBody],
) -> Started:
    """Begin an update: upload its table where the answer says, and then say so."""
    shelf = block_shelf_of(request, org_id, workspace_id)
    params = update_params(data)

    def begun() -> tuple[Entry, Entry]:
        entry = shelf.get(bm_id)
        return entry, shelf.begin(entry, params)

    entry, pending = await shelf.services.write(begun)
    return Started(
        job_uuid=pending.name,
        job_url=job_url(request, entry, pending.name),
        version_uuid=version_id(entry.name, entry.version + 1),
        upload_url=await _upload_url(request, shelf, pending),
        changes=data,
    )


@post(f"{MODEL}/jobs/{{job_id:str}}/uploaded", status_code=HTTPStatus.CREATED)
async def notify_uploaded(
    request: Asked, org_id: OrgId, workspace_id: WorkspaceId, bm_id: ModelId, job_id: JobId
) -> Uploaded:
    """Start an update whose table, if it has one, is uploaded."""
    shelf = block_shelf_of(request, org_id, workspace_id)

    def started() -> Entry:
        entry = shelf.get(bm_id)
        try:
            shelf.run(entry, job_id)
        except Problem as problem:
            raise Problem.of(renamed(problem.body(), update_member)) from None
        return entry

    entry = await shelf.services.write(started)
    return Uploaded(job_url(request, entry, job_id))


@post(f"{MODEL}/blocks", status_code=HTTPStatus.OK)
async def query_blocks(
    request: Asked,
    org_id: OrgId,
    workspace_id: WorkspaceId,
    bm_id: ModelId,
    data: JSONBody[QueryBody],
) -> QueryStarted:
    """Begin a query of blocks."""
    shelf = block_shelf_of(request, org_id, workspace_id)

    def begun() -> tuple[Entry, Job]:
        entry = shelf.get(bm_id)
        if data.version_uuid:
            entry = shelf.version(entry, data.version_uuid)
        return entry, shelf.query(entry, query_params(data, entry))

    entry, job = await shelf.services.write(begun)
    version = shown_version(entry)
    return QueryStarted(
        bm_uuid=version.bm_uuid,
        bbox=data.bbox or whole_box(entry),
        columns=data.columns,
        job_url=job_url(request, entry, str(job.id)),
        mapping=version.mapping,
        version_id=version.version_id,
        version_uuid=version.version_uuid,
    )


@get(f"{MODEL}/jobs/{{job_id:str}}")
async def get_block_model_job(
    request: Asked, org_id: OrgId, workspace_id: WorkspaceId, bm_id: ModelId, job_id: JobId
) -> JobBody:
    """Give how a job of a block model stands, and what it gave."""
    shelf = block_shelf_of(request, org_id, workspace_id)
    entry = await shelf.services.write(shelf.get, bm_id)
    if job_id == creation_id(entry.name):
        first = await shelf.services.write(shelf.version, entry, version_id(entry.name, 1))
        return _complete(first)
    pending = await shelf.services.write(shelf.pending, entry, job_id)
    if pending is not None and not pending.body["job"]:
        url = await _upload_url(request, shelf, pending)
        return JobBody(job_status="PENDING_UPLOAD", payload={"upload_url": url})
    wanted = pending.body["job"] if pending is not None else job_id
    job = await shelf.services.read(shelf.job, entry, wanted)
    return await _shown(request, shelf, entry, job, is_update=pending is not None)


async def _shown(
    request: AnyRequest, shelf: BlockShelf, entry: Entry, job: Job, *, is_update: bool
) -> JobBody:
    if job.state is JobState.QUEUED:
        return JobBody(job_status="QUEUED")
    if not job.terminal:
        return JobBody(job_status="PROCESSING")
    if job.state is not JobState.SUCCEEDED:
        problem = CANCELLED if job.state is JobState.CANCELLED else job.problem or SILENT
        shown = renamed(problem, update_member) if is_update else problem
        return JobBody(job_status="FAILED", payload=msgspec.to_builtins(describe(shown)))
    if is_update:
        made = version_id(entry.name, int((job.result or {})["version_id"]))
        version = await shelf.services.write(shelf.version, entry, made)
        return _complete(version)
    right = Right(job.organisation, "tables", str(job.id), "r")
    return JobBody(
        job_status="COMPLETE", payload={"download_url": await _sign(request, shelf, right)}
    )


def update_member(at: str) -> str:
    """Give what a request for an update calls a parameter of its job."""
    head = at.partition(".")[0].partition("[")[0]
    return UPDATE_MEMBERS.get(head, head) + at.removeprefix(head)


def _complete(version: Entry) -> JobBody:
    return JobBody(job_status="COMPLETE", payload=msgspec.to_builtins(shown_version(version)))


async def _upload_url(request: AnyRequest, shelf: BlockShelf, pending: Entry) -> str | None:
    if not pending.body["params"]["file"]:
        return None
    right = Right(shelf.caller.organisation, "uploads", pending.name, "w")
    return await _sign(request, shelf, right)


async def _sign(request: AnyRequest, shelf: BlockShelf, right: Right) -> str:
    signer = await shelf.services.write(signer_of, shelf.services)
    return signer.url(base_url(request), right, shelf.services.clock.now())
