"""Block models: made, listed, changed, deleted; and their versions."""

from http import HTTPStatus
from typing import Annotated, Final

import msgspec
from litestar import Request, delete, get, patch, post
from litestar.datastructures import State
from litestar.params import JSONBody, Parameter

from haulier.core.caller import Caller
from haulier.wire.evo.blockbodies import ModelBody, ModelVersion, NewModel, model_body
from haulier.wire.evo.blockplaces import ModelId, block_shelf_of, job_url, shown_version
from haulier.wire.evo.blockrequests import Changes
from haulier.wire.evo.blockshelf import creation_id
from haulier.wire.evo.paths import MODEL, MODELS, OrgId, WorkspaceId
from haulier.wire.serial import LAST

MOST: Final = 100

Asked = Request[Caller, None, State]

Limit = Annotated[int, Parameter(ge=1, le=MOST, description="At most so many.")]
Offset = Annotated[int, Parameter(ge=0, le=LAST, description="So many are left out first.")]


class ModelList(msgspec.Struct, frozen=True, kw_only=True):
    """A page of block models."""

    results: tuple[ModelBody, ...]
    count: int
    limit: int
    offset: int
    total: int


class VersionList(msgspec.Struct, frozen=True, kw_only=True):
    """A page of versions, newest first."""

    results: tuple[ModelVersion, ...]
    count: int
    limit: int
    offset: int
    total: int
    referenced_units: tuple[str, ...] = ()


@post(MODELS, status_code=HTTPStatus.CREATED)
async def create_block_model(
    request: Asked, org_id: OrgId, workspace_id: WorkspaceId, data: JSONBody[NewModel]
) -> ModelBody:
    """Make a regular block model without columns, and the object that stands for it."""
    shelf = block_shelf_of(request, org_id, workspace_id)
    entry = await shelf.services.write(shelf.make, data)
    return model_body(entry, job_url=job_url(request, entry, creation_id(entry.name)))


@get(MODELS)
async def list_block_models(
    request: Asked,
    org_id: OrgId,
    workspace_id: WorkspaceId,
    *,
    limit: Limit = MOST,
    offset: Offset = 0,
    deleted: Annotated[bool, Parameter(description="Those that were deleted, instead.")] = False,
    order_by: Annotated[str, Parameter(description="Such as `desc:created_at,name`.")] = "",
) -> ModelList:
    """Give the block models of a workspace, those that changed last first."""
    shelf = block_shelf_of(request, org_id, workspace_id)
    found = await shelf.services.write(lambda: shelf.listed(order_by, deleted=deleted))
    shown = tuple(model_body(entry) for entry in found[offset : offset + limit])
    return ModelList(results=shown, count=len(shown), limit=limit, offset=offset, total=len(found))


@get(MODEL)
async def get_block_model(
    request: Asked, org_id: OrgId, workspace_id: WorkspaceId, bm_id: ModelId
) -> ModelBody:
    """Give a block model."""
    shelf = block_shelf_of(request, org_id, workspace_id)
    return model_body(await shelf.services.write(shelf.get, bm_id))


@patch(MODEL, status_code=HTTPStatus.OK)
async def update_block_model(
    request: Asked,
    org_id: OrgId,
    workspace_id: WorkspaceId,
    bm_id: ModelId,
    data: JSONBody[Changes],
) -> ModelBody:
    """Change what a block model says of itself."""
    shelf = block_shelf_of(request, org_id, workspace_id)
    changes = msgspec.to_builtins(data)
    return model_body(await shelf.services.write(lambda: shelf.change(shelf.get(bm_id), changes)))


@delete(MODEL, status_code=HTTPStatus.NO_CONTENT)
async def delete_block_model(
    request: Asked, org_id: OrgId, workspace_id: WorkspaceId, bm_id: ModelId
) -> None:
    """Put a block model away, and the object that stands for it."""
    shelf = block_shelf_of(request, org_id, workspace_id)
    await shelf.services.write(lambda: shelf.put_away(shelf.get(bm_id)))


@get(f"{MODEL}/versions")
async def list_block_model_versions(
    request: Asked,
    org_id: OrgId,
    workspace_id: WorkspaceId,
    bm_id: ModelId,
    *,
    limit: Limit = MOST,
    offset: Offset = 0,
) -> VersionList:
    """Give the versions of a block model, newest first."""
    shelf = block_shelf_of(request, org_id, workspace_id)
    found = await shelf.services.write(lambda: shelf.services.catalog.versions(shelf.get(bm_id)))
    shown = tuple(shown_version(entry) for entry in found[offset : offset + limit])
    return VersionList(
        results=shown, count=len(shown), limit=limit, offset=offset, total=len(found)
    )


@get(f"{MODEL}/versions/{{version_id:str}}")
async def get_block_model_version(
    request: Asked,
    org_id: OrgId,
    workspace_id: WorkspaceId,
    bm_id: ModelId,
    version_id: Annotated[str, Parameter(description="The version's UUID.")],
) -> ModelVersion:
    """Give a version of a block model."""
    shelf = block_shelf_of(request, org_id, workspace_id)
    return shown_version(
        await shelf.services.write(lambda: shelf.version(shelf.get(bm_id), version_id))
    )
