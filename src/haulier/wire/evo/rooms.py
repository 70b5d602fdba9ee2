"""Workspaces as the catalog keeps them: found, made, changed, put away and brought back."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import uuid4

from haulier.core.caller import Caller
from haulier.core.entry import Entry
from haulier.core.problem import Code, Problem
from haulier.engine.services import Services

TYPE: Final = "geoscience-workspace"
EVERY: Final = 100_000  # an organisation has fewer workspaces


def every(
    services: Services, caller: Caller, org_id: str, *, deleted: bool = False
) -> Sequence[Entry]:
    """Give the workspaces of an organisation."""
    organisation = caller.organisation
    entries, _ = services.catalog.page(
        organisation, TYPE, prefix=f"{org_id}/", limit=EVERY, deleted=deleted
    )
    return entries


def names_of(services: Services, caller: Caller, org_id: str) -> Mapping[str, str]:
    """Give the names of the workspaces of an organisation, by their ids."""
    return {id_of(entry): entry.body["name"] for entry in every(services, caller, org_id)}


def id_of(entry: Entry) -> str:
    """Give a workspace's UUID."""
    return entry.name.partition("/")[2]


def get(
    services: Services, caller: Caller, org_id: str, workspace_id: str, *, deleted: bool = False
) -> Entry:
    """Give a workspace.

    Raises:
        Problem: NOT_FOUND.
    """
    name = f"{org_id}/{workspace_id}"
    entry = services.catalog.find(caller.organisation, TYPE, name)
    if entry is None and deleted:
        known, _ = services.catalog.page(caller.organisation, TYPE, prefix=name, deleted=True)
        entry = known[-1] if known else None
    if entry is None:
        raise Problem(Code.NOT_FOUND, f"no workspace {workspace_id}", at="path.workspace_id")
    return entry


def make(services: Services, caller: Caller, org_id: str, body: Mapping[str, Any]) -> Entry:
    """Make a workspace.

    Raises:
        Problem: CONFLICT at "name"; another one has it.
    """
    _check_name(services, caller, org_id, str(body["name"]), "")
    return services.catalog.put(
        caller.organisation,
        TYPE,
        f"{org_id}/{uuid4()}",
        {**body, "created_by": caller.subject},
        by=caller.subject,
        expects=0,
    )


def change(services: Services, caller: Caller, entry: Entry, changes: Mapping[str, Any]) -> Entry:
    """Change what a workspace says of itself.

    Raises:
        Problem: CONFLICT; another one has its new name, or somebody changed it just now.
    """
    org_id = entry.name.partition("/")[0]
    if "name" in changes:
        _check_name(services, caller, org_id, str(changes["name"]), entry.id)
    return services.catalog.put(
        caller.organisation,
        TYPE,
        entry.name,
        {**entry.body, **changes},
        by=caller.subject,
        expects=entry.version,
    )


def put_away(services: Services, caller: Caller, entry: Entry) -> None:
    """Put a workspace away; the objects in it stay where they are."""
    services.catalog.put_away(caller.organisation, TYPE, entry.id)


def restore(services: Services, caller: Caller, entry: Entry) -> None:
    """Bring a workspace back.

    Raises:
        Problem: NOT_FOUND; it was not put away.
    """
    services.catalog.restore(caller.organisation, TYPE, entry.id)


def _check_name(services: Services, caller: Caller, org_id: str, name: str, except_id: str) -> None:
    for entry in every(services, caller, org_id):
        if entry.body["name"] == name and entry.id != except_id:
            detail = f"there is a workspace '{name}' already: {id_of(entry)}"
            raise Problem(Code.CONFLICT, detail, at="name")
