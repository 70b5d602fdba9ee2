"""The lists of objects: those of a workspace, and those of an organisation."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Final, NamedTuple

import msgspec
from litestar import Request, get
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide
from litestar.params import Parameter

from haulier.core.caller import Caller
from haulier.core.entry import Entry
from haulier.core.problem import Code, Problem
from haulier.wire.auth import caller_of
from haulier.wire.dialect import AnyRequest, base_url, services_of
from haulier.wire.evo.listing import Wanted, found
from haulier.wire.evo.objectbodies import ListedObject, OrgListedObject
from haulier.wire.evo.objects import renderer_of, shelf_of
from haulier.wire.evo.pages import page_urls
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


class Query(NamedTuple):
    """What both lists can be asked: which objects, in which order, and which page of them."""

    wanted: Wanted
    limit: int
    offset: int
    deleted: bool


async def query_of(  # noqa: PLR0913 -- one argument a parameter of the vendor's
    *,
    limit: Limit = MOST,
    offset: Offset = 0,
    deleted: Deleted = False,
    order_by: OrderBy = "",
    created_by: Users = None,
    created_at: Dates = None,
    modified_by: Users = None,
    modified_at: Dates = None,
    deleted_at: Dates = None,
    object_name: Names = None,
    schema_id: Words = None,
    geojson_bounding_box: Boxes = None,
) -> Query:
    """Read the query of a list.

    Raises:
        Problem: UNSUPPORTED; objects have no place on the globe here.
    """
    if geojson_bounding_box:
        detail = "geojson_bounding_box is not supported: objects have no place on the globe here"
        raise Problem(Code.UNSUPPORTED, detail, at="query.geojson_bounding_box")
    wanted = Wanted(
        order_by=order_by,
        schema_id=tuple(schema_id or ()),
        object_name=tuple(object_name or ()),
        created_by=tuple(created_by or ()),
        modified_by=tuple(modified_by or ()),
        created_at=tuple(created_at or ()),
        modified_at=tuple(modified_at or ()),
        deleted_at=tuple(deleted_at or ()),
    )
    return Query(wanted, limit, offset, deleted)


QUERY: Final = {"list_query": Provide(query_of)}


@get(f"{WORKSPACE}/objects", dependencies=QUERY)
async def list_objects(
    request: Asked,
    org_id: OrgId,
    workspace_id: WorkspaceId,
    list_query: NamedDependency[Query],
    author: Users = None,
) -> ObjectList:
    """Give the objects of a workspace, each in its newest version, by path."""
    shelf, base = shelf_of(request, org_id, workspace_id), base_url(request)
    creators = (*list_query.wanted.created_by, *(author or ()))
    wanted = msgspec.structs.replace(list_query.wanted, created_by=creators)

    def shown(entries: Sequence[Entry]) -> tuple[ListedObject, ...]:
        renderer = renderer_of(shelf.services, base)
        stages = all_stages(shelf.services, shelf.caller.organisation)
        return tuple(
            renderer.listed(entry, stages.get((entry.id, entry.version))) for entry in entries
        )

    list_query = list_query._replace(wanted=wanted)
    return ObjectList(**await _page(request, list_query, shelf.prefix, shown))


@get(f"{ORG}/objects", dependencies=QUERY)
async def list_objects_by_org(
    request: Asked,
    org_id: OrgId,
    list_query: NamedDependency[Query],
    *,
    permitted_workspaces_only: Annotated[
        bool, Parameter(description="A key reaches every workspace, so it changes nothing.")
    ] = True,
) -> OrgObjectList:
    """Give the objects of all workspaces of an organisation, each in its newest version."""
    del permitted_workspaces_only
    services, caller, base = services_of(request), caller_of(request), base_url(request)
    org = uuid_of(org_id, "org_id")

    def shown(entries: Sequence[Entry]) -> tuple[OrgListedObject, ...]:
        renderer, names = renderer_of(services, base), names_of(services, caller, org)
        stages = all_stages(services, caller.organisation)
        return tuple(
            renderer.listed_by_org(entry, stages.get((entry.id, entry.version)), names)
            for entry in entries
        )

    return OrgObjectList(**await _page(request, list_query, f"{org}/", shown))


async def _page(
    request: AnyRequest, query: Query, prefix: str, shown: Callable[[Sequence[Entry]], Any]
) -> dict[str, Any]:
    """Give the members of a page of the objects whose names in the catalog begin so."""
    wanted, limit, offset, deleted = query
    services, organisation = services_of(request), caller_of(request).organisation

    def listed() -> tuple[int, tuple[object, ...]]:
        page = (limit, offset, deleted)
        some = found(services.catalog, organisation, prefix, wanted, page)
        return some.total, shown(some.entries)

    total, objects = await services.write(listed)
    url = page_urls(request, limit)
    return {
        "objects": objects,
        "count": len(objects),
        "limit": limit,
        "offset": offset,
        "total": total,
        "links": PageLinks(
            url(offset + limit) if offset + limit < total else None,
            url(max(0, offset - limit)) if offset else None,
        ),
    }
