"""Workspaces: made, listed, changed, put away and brought back, and who one is in them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Final, Literal

import msgspec
from litestar import Request, delete, get, patch, post
from litestar.datastructures import State
from litestar.params import JSONBody, Parameter
from msgspec import UNSET, Meta, UnsetType

from haulier.core.caller import Caller, Scope
from haulier.core.entry import Entry
from haulier.core.problem import Code, Problem
from haulier.wire.auth import caller_of
from haulier.wire.dialect import AnyRequest, base_url, services_of
from haulier.wire.evo import rooms
from haulier.wire.evo.objectbodies import UserBody, creator_of, user
from haulier.wire.evo.ordering import Key, ordered, orders_of
from haulier.wire.evo.pages import page_urls
from haulier.wire.evo.paths import WORKSPACES, OrgId, WorkspaceId, user_of, uuid_of
from haulier.wire.serial import LAST

SPACES: Final = f"{WORKSPACES}/orgs/{{org_id:str}}/workspaces"
SPACE: Final = f"{SPACES}/{{workspace_id:str}}"
MOST: Final = 100

Asked = Request[Caller, None, State]

Role = Literal["owner", "editor", "viewer"]
Name = Annotated[str, Meta(min_length=1, max_length=60)]  # the vendor's own numbers, as below
Labels = Annotated[
    tuple[Annotated[str, Meta(min_length=1, max_length=100)], ...], Meta(max_length=20)
]
Ring = Annotated[tuple[tuple[float, float], ...], Meta(min_length=5, max_length=5)]

Limit = Annotated[int, Parameter(ge=1, le=MOST, description="Workspaces in a page.")]
Offset = Annotated[int, Parameter(ge=0, le=LAST, description="Workspaces to leave out first.")]
Deleted = Annotated[bool, Parameter(description="Those that were deleted, instead.")]
OrderBy = Annotated[str, Parameter(description="Such as `asc:name` or `desc:updated_at`.")]
NameLike = Annotated[str, Parameter(description="A part of the name.")]


class Box(msgspec.Struct, frozen=True):
    """A rectangle of longitudes and latitudes, as a closed ring of five corners."""

    type: Literal["Polygon"]
    coordinates: Annotated[tuple[Ring, ...], Meta(min_length=1, max_length=1)]


class NewWorkspace(msgspec.Struct, frozen=True, kw_only=True):
    """What a new workspace says of itself."""

    name: Name
    description: str = ""
    default_coordinate_system: str = ""
    bounding_box: Box | None = None
    labels: Labels | None = None


class Changes(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is to change of a workspace."""

    name: Name | UnsetType = UNSET
    description: str | UnsetType = UNSET
    default_coordinate_system: str | UnsetType = UNSET
    bounding_box: Box | UnsetType | None = UNSET
    labels: Labels | UnsetType = UNSET


class WorkspaceBody(msgspec.Struct, frozen=True, kw_only=True):
    """A workspace, and what the caller is in it."""

    id: str
    name: str
    description: str
    default_coordinate_system: str
    bounding_box: Box | None
    labels: Sequence[str]
    current_user_role: Role
    ml_enabled: bool = False
    created_at: datetime
    created_by: UserBody | None
    updated_at: datetime
    updated_by: UserBody | None
    self_link: str


class Summary(msgspec.Struct, frozen=True):
    """A workspace in two words."""

    id: str
    name: str


class PageLinks(msgspec.Struct, frozen=True, kw_only=True):
    """How many there are, and the pages beside this one."""

    count: int
    total: int
    first: str
    last: str
    next: str | None
    previous: str | None


class WorkspaceList(msgspec.Struct, frozen=True):
    """A page of workspaces."""

    results: tuple[WorkspaceBody, ...]
    links: PageLinks


class SummaryList(msgspec.Struct, frozen=True):
    """A page of workspaces in two words each."""

    results: tuple[Summary, ...]
    links: PageLinks


class UserRole(msgspec.Struct, frozen=True):
    """What somebody is in a workspace."""

    user_id: str
    role: Role


#: What a list can be ordered by; the role is the key's, and the same everywhere.
KEYS: Final[Mapping[str, Key]] = {
    "name": lambda entry: entry.body["name"],
    "created_at": lambda entry: entry.created_at,
    "updated_at": lambda entry: entry.updated_at,
    "user_role": lambda _: "",
}


@post(SPACES, status_code=HTTPStatus.CREATED)
async def create_workspace(
    request: Asked, org_id: OrgId, data: JSONBody[NewWorkspace]
) -> WorkspaceBody:
    """Make a workspace."""
    services, caller = services_of(request), caller_of(request)
    org, body = uuid_of(org_id, "org_id"), msgspec.to_builtins(data)
    entry = await services.write(rooms.make, services, caller, org, body)
    return _body(entry, caller, base_url(request))


@get(SPACES)
async def list_workspaces(
    request: Asked,
    org_id: OrgId,
    *,
    limit: Limit = 20,
    offset: Offset = 0,
    order_by: OrderBy = "",
    name: NameLike = "",
    deleted: Deleted = False,
) -> WorkspaceList:
    """Give the workspaces of an organisation."""
    found, links = await _page(request, org_id, (limit, offset, deleted), order_by, name)
    caller, base = caller_of(request), base_url(request)
    return WorkspaceList(tuple(_body(entry, caller, base) for entry in found), links)


@get(f"{SPACES}/summary")
async def list_workspaces_summary(
    request: Asked,
    org_id: OrgId,
    *,
    limit: Limit = 20,
    offset: Offset = 0,
    order_by: OrderBy = "",
    name: NameLike = "",
    deleted: Deleted = False,
) -> SummaryList:
    """Give the workspaces of an organisation in two words each."""
    found, links = await _page(request, org_id, (limit, offset, deleted), order_by, name)
    return SummaryList(
        tuple(Summary(rooms.id_of(entry), entry.body["name"]) for entry in found), links
    )


@get(SPACE)
async def get_workspace(
    request: Asked,
    org_id: OrgId,
    workspace_id: WorkspaceId,
    *,
    deleted: Annotated[bool, Parameter(description="Also one that was deleted.")] = False,
) -> WorkspaceBody:
    """Give a workspace."""
    entry = await _workspace(request, org_id, workspace_id, deleted=deleted)
    return _body(entry, caller_of(request), base_url(request))


@patch(SPACE, status_code=HTTPStatus.OK)
async def update_workspace(
    request: Asked, org_id: OrgId, workspace_id: WorkspaceId, data: JSONBody[Changes]
) -> WorkspaceBody:
    """Change what a workspace says of itself."""
    services, caller = services_of(request), caller_of(request)
    entry = await _workspace(request, org_id, workspace_id)
    changes = msgspec.to_builtins(data)
    entry = await services.write(rooms.change, services, caller, entry, changes)
    return _body(entry, caller, base_url(request))


@post(SPACE, status_code=HTTPStatus.NO_CONTENT)
async def restore_workspace(
    request: Asked,
    org_id: OrgId,
    workspace_id: WorkspaceId,
    *,
    deleted: Annotated[bool | None, Parameter(description="Must be `false`.")] = None,
) -> None:
    """Bring a workspace back that was deleted."""
    if deleted is not False:
        raise Problem(Code.INVALID, "deleted must be false here", at="query.deleted")
    services, caller = services_of(request), caller_of(request)
    entry = await _workspace(request, org_id, workspace_id, deleted=True)
    if entry.deleted_at is not None:
        await services.write(rooms.restore, services, caller, entry)


@delete(SPACE, status_code=HTTPStatus.NO_CONTENT)
async def delete_workspace(request: Asked, org_id: OrgId, workspace_id: WorkspaceId) -> None:
    """Put a workspace away; the objects in it stay where they are."""
    services, caller = services_of(request), caller_of(request)
    entry = await _workspace(request, org_id, workspace_id)
    await services.write(rooms.put_away, services, caller, entry)


@get(f"{SPACE}/current-user-role")
async def get_current_user_role(
    request: Asked, org_id: OrgId, workspace_id: WorkspaceId
) -> UserRole:
    """Give what the caller is in a workspace: what the key allows decides it."""
    await _workspace(request, org_id, workspace_id)
    caller = caller_of(request)
    return UserRole(user_of(caller.organisation, caller.subject), _role(caller))


async def _workspace(
    request: AnyRequest, org_id: str, workspace_id: str, *, deleted: bool = False
) -> Entry:
    services, caller = services_of(request), caller_of(request)
    org, workspace = uuid_of(org_id, "org_id"), uuid_of(workspace_id, "workspace_id")
    return await services.write(rooms.get, services, caller, org, workspace, deleted=deleted)


async def _page(
    request: AnyRequest, org_id: str, page: tuple[int, int, bool], order_by: str, name: str
) -> tuple[Sequence[Entry], PageLinks]:
    services, caller, org = services_of(request), caller_of(request), uuid_of(org_id, "org_id")
    limit, offset, deleted = page
    found = await services.write(rooms.every, services, caller, org, deleted=deleted)
    kept = [entry for entry in found if name.lower() in entry.body["name"].lower()]
    kept = ordered(kept, orders_of(order_by or "name", KEYS))
    shown, total = kept[offset : offset + limit], len(kept)
    return shown, _links(request, len(shown), total, limit, offset)


def _links(request: AnyRequest, count: int, total: int, limit: int, offset: int) -> PageLinks:
    url = page_urls(request, limit)
    return PageLinks(
        count=count,
        total=total,
        first=url(0),
        last=url(max(0, (total - 1) // limit * limit)),
        next=url(offset + limit) if offset + limit < total else None,
        previous=url(max(0, offset - limit)) if offset else None,
    )


def _role(caller: Caller) -> Role:
    if Scope.ADMIN in caller.scopes:
        return "owner"
    return "editor" if Scope.WRITE in caller.scopes else "viewer"


def _body(entry: Entry, caller: Caller, base: str) -> WorkspaceBody:
    body, workspace_id = entry.body, rooms.id_of(entry)
    org_id = entry.name.partition("/")[0]
    return WorkspaceBody(
        id=workspace_id,
        name=body["name"],
        description=body["description"],
        default_coordinate_system=body["default_coordinate_system"],
        bounding_box=msgspec.convert(body["bounding_box"], Box | None),
        labels=body["labels"] or (),
        current_user_role=_role(caller),
        created_at=entry.created_at,
        created_by=creator_of(entry),
        updated_at=entry.updated_at,
        updated_by=user(entry.organisation, entry.by),
        self_link=f"{base}{WORKSPACES}/orgs/{org_id}/workspaces/{workspace_id}",
    )
