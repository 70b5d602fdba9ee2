"""Geoscience objects: made at a path, read, replaced, moved, put away and brought back."""

from http import HTTPStatus
from typing import Annotated, Any, Final

import msgspec
from litestar import MediaType, Request, Response, delete, get, post
from litestar.datastructures import State
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import HeaderParameter, JSONBody, Parameter

from haulier.core.caller import Caller
from haulier.core.entry import Entry
from haulier.core.problem import Code, Problem
from haulier.engine.services import Services
from haulier.wire.auth import caller_of
from haulier.wire.dialect import AnyRequest, base_url, services_of
from haulier.wire.evo.document import check_path
from haulier.wire.evo.objectbodies import ObjectBody, Renderer
from haulier.wire.evo.paths import OBJECT, OBJECT_PATH, OrgId, WorkspaceId, uuid_of
from haulier.wire.evo.shelf import Shelf
from haulier.wire.evo.signing import signer_of
from haulier.wire.evo.stages import stages_of
from haulier.wire.ranges import matches
from haulier.wire.serial import find_number

Asked = Request[Caller, None, State]

ObjectId = Annotated[str, Parameter(description="The object's UUID.")]
ObjectPath = Annotated[str, Parameter(description="Folders and file name, with '/' between.")]
Version = Annotated[str, Parameter(description="The version's id; empty: the newest.")]
WithVersions = Annotated[bool, Parameter(description="List the versions there are, too.")]
IfMatch = Annotated[
    str, HeaderParameter(name="if-match", description="Only if this version is the newest.")
]
IfNoneMatch = Annotated[
    str, HeaderParameter(name="if-none-match", description="Only if it is not this version.")
]
Document = dict[str, Any]
UNCHANGED: Final = {304: ResponseSpec(None, description="It is the version that you have.")}
RESTORED: Final = {
    204: ResponseSpec(None, description="It is back at its path."),
    303: ResponseSpec(ObjectBody, description="It is back, at another path."),
}


@post(OBJECT_PATH, status_code=HTTPStatus.CREATED)
async def post_object(
    request: Asked,
    org_id: OrgId,
    workspace_id: WorkspaceId,
    objects_path: ObjectPath,
    data: JSONBody[Document],
    if_match: IfMatch = "",
) -> Response[ObjectBody]:
    """Make an object at a path; with the uuid of one, give it a new version, or move it there."""
    shelf, path = shelf_of(request, org_id, workspace_id), check_path(objects_path)
    entry = await shelf.services.write(shelf.put, path, data, if_match)
    return await _answer(request, entry, HTTPStatus.CREATED)


@post(OBJECT, status_code=HTTPStatus.CREATED, responses=RESTORED)
async def update_object(
    request: Asked,
    org_id: OrgId,
    workspace_id: WorkspaceId,
    object_id: ObjectId,
    data: JSONBody[Document | None] = None,
    *,
    deleted: Annotated[bool | None, Parameter(description="`false` restores it.")] = None,
    if_match: IfMatch = "",
) -> Response[Any]:
    """Give an object a new version; or, without a body, bring back one that was deleted."""
    shelf = shelf_of(request, org_id, workspace_id)
    if deleted is None and data is not None:
        entry = await shelf.services.write(shelf.replace, object_id, data, if_match)
        return await _answer(request, entry, HTTPStatus.CREATED)
    if deleted is False and data is None:
        entry, renamed = await shelf.services.write(shelf.restore, object_id)
        if renamed:
            return await _answer(request, entry, HTTPStatus.SEE_OTHER)
        return Response(None, status_code=HTTPStatus.NO_CONTENT, media_type=MediaType.TEXT)
    detail = "send the object to update it, or deleted=false and no body to restore it"
    raise Problem(Code.INVALID, detail, at="query.deleted")


@get(OBJECT_PATH, responses=UNCHANGED)
async def get_object(
    request: Asked,
    org_id: OrgId,
    workspace_id: WorkspaceId,
    objects_path: ObjectPath,
    *,
    version: Version = "",
    include_versions: WithVersions = False,
    if_none_match: IfNoneMatch = "",
) -> Response[ObjectBody]:
    """Give the object at a path, with URLs for its data."""
    shelf, path = shelf_of(request, org_id, workspace_id), check_path(objects_path)
    entry = await shelf.services.write(shelf.by_path, path, number_of(version))
    return await _shown(request, entry, if_none_match, include_versions=include_versions)


@get(OBJECT, responses=UNCHANGED)
async def get_object_by_id(  # noqa: PLR0913 -- as above
    request: Asked,
    org_id: OrgId,
    workspace_id: WorkspaceId,
    object_id: ObjectId,
    *,
    version: Version = "",
    include_versions: WithVersions = False,
    deleted: Annotated[bool, Parameter(description="Also one that was deleted.")] = False,
    if_none_match: IfNoneMatch = "",
) -> Response[ObjectBody]:
    """Give an object, with URLs for its data."""
    shelf = shelf_of(request, org_id, workspace_id)
    entry = await shelf.services.write(shelf.by_id, object_id, number_of(version), deleted=deleted)
    return await _shown(request, entry, if_none_match, include_versions=include_versions)


@delete(OBJECT_PATH, status_code=HTTPStatus.NO_CONTENT)
async def delete_object_by_path(
    request: Asked, org_id: OrgId, workspace_id: WorkspaceId, objects_path: ObjectPath
) -> None:
    """Put the object at a path away; it can be restored by its id."""
    shelf, path = shelf_of(request, org_id, workspace_id), check_path(objects_path)
    await shelf.services.write(lambda: shelf.put_away(shelf.by_path(path)))


@delete(OBJECT, status_code=HTTPStatus.NO_CONTENT)
async def delete_object(
    request: Asked, org_id: OrgId, workspace_id: WorkspaceId, object_id: ObjectId
) -> None:
    """Put an object away; it can be restored by its id."""
    shelf = shelf_of(request, org_id, workspace_id)
    await shelf.services.write(lambda: shelf.put_away(shelf.by_id(object_id)))


def shelf_of(request: AnyRequest, org_id: str, workspace_id: str) -> Shelf:
    """Give the workspace that a request is about.

    Raises:
        Problem: INVALID; one of them is no UUID.
    """
    space = (uuid_of(org_id, "org_id"), uuid_of(workspace_id, "workspace_id"))
    return Shelf(services_of(request), caller_of(request), space)


def number_of(version: str) -> int:
    """Give the number that a version's id is; 0 where none is asked for.

    Raises:
        Problem: NOT_FOUND; it can be none.
    """
    if not version:
        return 0
    number = find_number(version)
    if not number:
        detail = f"no version {version[:100]!r}: ids of versions are numbers from 1"
        raise Problem(Code.NOT_FOUND, detail, at="query.version")
    return number


def renderer_of(services: Services, base: str) -> Renderer:
    """Give what shows objects to whoever sees the server there."""
    return Renderer(base, signer_of(services), services.clock.now())


async def _shown(
    request: AnyRequest, entry: Entry, if_none_match: str, *, include_versions: bool
) -> Response[Any]:
    if matches(if_none_match, str(entry.version)):
        return Response(None, status_code=304, media_type=MediaType.TEXT, headers=_headers(entry))
    return await _answer(request, entry, HTTPStatus.OK, include_versions=include_versions)


async def _answer(
    request: AnyRequest, entry: Entry, status: HTTPStatus, *, include_versions: bool = False
) -> Response[Any]:
    services, base = services_of(request), base_url(request)

    def rendered() -> bytes:
        renderer, stages = renderer_of(services, base), stages_of(services, entry)
        versions = None
        if include_versions:
            known = services.catalog.versions(entry)
            versions = [renderer.version(each, stages.get(each.version)) for each in known]
        return msgspec.json.encode(renderer.object(entry, stages.get(entry.version), versions))

    body = await services.write(rendered)
    return Response(body, status_code=status, media_type=MediaType.JSON, headers=_headers(entry))


def _headers(entry: Entry) -> dict[str, str]:
    return {"etag": f'"{entry.version}"', "cache-control": "private, no-cache"}
