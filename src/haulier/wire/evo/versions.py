"""Versions of objects: the newest of many, chosen ones of one, and the stages they are at."""

from http import HTTPStatus
from typing import Annotated, Final

import msgspec
from litestar import Request, get, patch, post
from litestar.datastructures import State
from litestar.params import JSONBody

from haulier.core.caller import Caller
from haulier.core.problem import Code, Problem
from haulier.wire.auth import caller_of
from haulier.wire.dialect import base_url
from haulier.wire.evo.objectbodies import VersionBody
from haulier.wire.evo.objects import ObjectId, Version, number_of, renderer_of, shelf_of
from haulier.wire.evo.paths import OBJECT, ORG, WORKSPACE, OrgId, WorkspaceId, uuid_of
from haulier.wire.evo.shelf import Shelf
from haulier.wire.evo.stages import STAGES, StageBody, set_stage, stages_of

Asked = Request[Caller, None, State]

MOST: Final = 500  # the vendor's own number, as the next
VersionIds = Annotated[list[str], msgspec.Meta(min_length=1, max_length=100)]


class LatestVersion(msgspec.Struct, frozen=True):
    """The newest version of an object; null where there is no such object."""

    object_id: str
    version_id: str | None


class WantedVersions(msgspec.Struct, frozen=True):
    """Which versions of an object are wanted."""

    version_ids: VersionIds


class VersionList(msgspec.Struct, frozen=True):
    """Versions of an object."""

    versions: tuple[VersionBody, ...]


class Metadata(msgspec.Struct, frozen=True):
    """What is known of a version beside its document; null takes it away."""

    stage_id: str | None = None


class StageList(msgspec.Struct, frozen=True):
    """The stages that there are."""

    stages: tuple[StageBody, ...]


@patch(f"{WORKSPACE}/objects", status_code=HTTPStatus.OK)
async def list_latest_versions(
    request: Asked, org_id: OrgId, workspace_id: WorkspaceId, data: JSONBody[list[str]]
) -> list[LatestVersion]:
    """Give the newest version of each of some objects."""
    if len(data) > MOST:
        raise Problem(Code.INVALID, f"at most {MOST} ids can be asked for, got {len(data)}")
    shelf = shelf_of(request, org_id, workspace_id)
    return await shelf.services.write(lambda: [_latest(shelf, each) for each in data])


def _latest(shelf: Shelf, object_id: str) -> LatestVersion:
    try:
        return LatestVersion(object_id, str(shelf.by_id(object_id).version))
    except Problem as problem:
        if problem.code is not Code.NOT_FOUND:
            raise
        return LatestVersion(object_id, None)


@post(f"{OBJECT}/versions", status_code=HTTPStatus.OK)
async def list_versions(
    request: Asked,
    org_id: OrgId,
    workspace_id: WorkspaceId,
    object_id: ObjectId,
    data: JSONBody[WantedVersions],
) -> VersionList:
    """Give chosen versions of an object; 404 if one of them is not there."""
    shelf, base = shelf_of(request, org_id, workspace_id), base_url(request)

    def found() -> VersionList:
        renderer = renderer_of(shelf.services, base)
        entries = [shelf.by_id(object_id, number_of(each)) for each in data.version_ids]
        stages = stages_of(shelf.services, entries[0])
        return VersionList(
            tuple(renderer.version(each, stages.get(each.version)) for each in entries)
        )

    return await shelf.services.write(found)


@patch(f"{OBJECT}/metadata", status_code=HTTPStatus.NO_CONTENT)
async def update_metadata(
    request: Asked,
    org_id: OrgId,
    workspace_id: WorkspaceId,
    object_id: ObjectId,
    data: JSONBody[Metadata],
    version_id: Version = "",
) -> None:
    """Put a version of an object at a stage, or at none."""
    shelf, by = shelf_of(request, org_id, workspace_id), caller_of(request).subject

    def changed() -> None:
        entry = shelf.by_id(object_id, number_of(version_id))
        set_stage(shelf.services, entry, data.stage_id, by)

    await shelf.services.write(changed)


@get(f"{ORG}/stages")
async def list_stages(org_id: OrgId) -> StageList:
    """Give the stages that there are."""
    uuid_of(org_id, "org_id")
    return StageList(tuple(STAGES.values()))
