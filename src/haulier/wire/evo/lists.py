"""The lists of objects: those of a workspace, and those of an organisation."""

from collections.abc import Sequence
from typing import Annotated, Any, Final
from urllib.parse import parse_qsl, urlencode

import msgspec
from litestar import Request, get
from litestar.datastructures import State
from litestar.params import Parameter

from haulier.core.caller import Caller
from haulier.core.problem import Code, Problem
from haulier.wire.auth import caller_of
from haulier.wire.dialect import AnyRequest, base_url, services_of
from haulier.wire.evo.listing import Found, Wanted, found
from haulier.wire.evo.objectbodies import ListedObject, OrgListedObject
from haulier.wire.evo.objects import renderer_of, shelf_of
from haulier.wire.evo.paths import ORG, WORKSPACE, OrgId, WorkspaceId, uuid_of
from haulier.wire.evo.rooms import names_of
from haulier.wire.evo.stages import all_stages
from haulier.wire.serial import LAST

MOST: Final = 5000  # the vendor's client asks for so many

Asked = Request[Caller, None, State]

Limit = Annotated[int, Parameter(ge=1, le=MOST, description="Objects in a page.")]
Offset = Annotated[int, Parameter(ge=0, le=LAST, description="Objects to leave out first.")]
Deleted = Annotated[bool, Parameter(description="Those that were deleted, instead.")]
OrderBy = Annotated[str, Parameter(description="Such as `desc:modified_at,object_name`.")]
Words = Annotated[list[str] | None, Parameter(description="One of these, exactly.")]
Names = Annotated[list[str] | None, Parameter(description="How the file name begins.")]
Users = Annotated[list[str] | None, Parameter(description="UUIDs of users.")]
Dates = Annotated[list[str] | None, Parameter(description="Such as `gte:2026-01-31T12:00:00Z`.")]
Boxes = Annotated[list[str] | None, Parameter(description="Not supported.")]


class PageLinks(msgspec.Struct, frozen=True):
    """The pages beside this one."""

    next: str | None
    prev: str | None


class ObjectList(msgspec.Struct, frozen=True, kw_only=True):
    """A page of a workspace's objects."""

    objects: tuple[ListedObject, ...]
    count: int
    limit: int
    offset: int
    total: int
    links: PageLinks


class OrgObjectList(msgspec.Struct, frozen=True, kw_only=True):
    """A page of an organisation's objects."""

    objects: tuple[OrgListedObject, ...]
    count: int
    limit: int
    offset: int
    total: int
    links: PageLinks


@get(f"{WORKSPACE}/objects")
async def list_objects(  # noqa: PLR0913 -- one argument a parameter of the vendor's
    request: Asked,
    org_id: OrgId,
    workspace_id: WorkspaceId,
    *,
    limit: Limit = MOST,
    offset: Offset = 0,
    deleted: Deleted = False,
    order_by: OrderBy = "",
    author: Users = None,
    created_by: Users = None,
    created_at: Dates = None,
    modified_by: Users = None,
    modified_at: Dates = None,
    deleted_at: Dates = None,
    object_name: Names = None,
    schema_id: Words = None,
    geojson_bounding_box: Boxes = None,
) -> ObjectList:
    """Give the objects of a workspace, each in its newest version, by path."""
    shelf, base = shelf_of(request, org_id, workspace_id), base_url(request)
    _refuse_boxes(geojson_bounding_box)
    wanted = _wanted(
        order_by,
        schema_id=schema_id,
        object_name=object_name,
        created_by=[*(created_by or ()), *(author or ())],
        modified_by=modified_by,
        created_at=created_at,
        modified_at=modified_at,
        deleted_at=deleted_at,
    )

    def listed() -> tuple[Found, tuple[ListedObject, ...]]:
        services = shelf.services
        organisation, page = shelf.caller.organisation, (limit, offset, deleted)
        some = found(services.catalog, organisation, shelf.prefix, wanted, page)
        renderer, stages = renderer_of(services, base), all_stages(services, organisation)
        return some, tuple(
            renderer.listed(entry, stages.get((entry.id, entry.version))) for entry in some.entries
        )

    some, objects = await shelf.services.write(listed)
    return ObjectList(objects=objects, **_page(request, objects, some.total, limit, offset))


@get(f"{ORG}/objects")
async def list_objects_by_org(  # noqa: PLR0913 -- as above
    request: Asked,
    org_id: OrgId,
    *,
    limit: Limit = MOST,
    offset: Offset = 0,
    deleted: Deleted = False,
    permitted_workspaces_only: Annotated[
        bool, Parameter(description="A key reaches every workspace, so it changes nothing.")
    ] = True,
    order_by: OrderBy = "",
    created_by: Users = None,
    created_at: Dates = None,
    modified_by: Users = None,
    modified_at: Dates = None,
    deleted_at: Dates = None,
    object_name: Names = None,
    schema_id: Words = None,
    geojson_bounding_box: Boxes = None,
) -> OrgObjectList:
    """Give the objects of all workspaces of an organisation, each in its newest version."""
    del permitted_workspaces_only
    services, caller, base = services_of(request), caller_of(request), base_url(request)
    org = uuid_of(org_id, "org_id")
    _refuse_boxes(geojson_bounding_box)
    wanted = _wanted(
        order_by,
        schema_id=schema_id,
        object_name=object_name,
        created_by=created_by,
        modified_by=modified_by,
        created_at=created_at,
        modified_at=modified_at,
        deleted_at=deleted_at,
    )

    def listed() -> tuple[Found, tuple[OrgListedObject, ...]]:
        page = (limit, offset, deleted)
        some = found(services.catalog, caller.organisation, f"{org}/", wanted, page)
        renderer, stages = renderer_of(services, base), all_stages(services, caller.organisation)
        names = names_of(services, caller, org)
        return some, tuple(
            renderer.listed_by_org(entry, stages.get((entry.id, entry.version)), names)
            for entry in some.entries
        )

    some, objects = await services.write(listed)
    return OrgObjectList(objects=objects, **_page(request, objects, some.total, limit, offset))


def _wanted(order_by: str, **lists: list[str] | None) -> Wanted:
    return Wanted(order_by=order_by, **{name: tuple(some or ()) for name, some in lists.items()})


def _refuse_boxes(boxes: list[str] | None) -> None:
    if boxes:
        detail = "geojson_bounding_box is not supported: objects have no place on the globe here"
        raise Problem(Code.UNSUPPORTED, detail, at="query.geojson_bounding_box")


def _page(
    request: AnyRequest, objects: Sequence[object], total: int, limit: int, offset: int
) -> dict[str, Any]:
    pairs = parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True)
    rest = [(name, value) for name, value in pairs if name not in {"limit", "offset"}]
    url = f"{base_url(request)}{request.scope['path']}"

    def link(start: int) -> str:
        return f"{url}?{urlencode([*rest, ('limit', limit), ('offset', start)])}"

    return {
        "count": len(objects),
        "limit": limit,
        "offset": offset,
        "total": total,
        "links": PageLinks(
            link(offset + limit) if offset + limit < total else None,
            link(max(0, offset - limit)) if offset else None,
        ),
    }
