"""`haulier limits`: how much one job may take, set by the operator on the server's own database."""

from typing import Any

from cyclopts import App

from haulier.cli import output
from haulier.cli.codes import Exit, UsageError
from haulier.cli.local import Local, require_database

TYPE = "limits"  # of the catalog; no wire lets an organisation write it
EVERYBODY = "*"

limits = App(name="limits", help="Set how much one job of an organisation may take.")
LOCAL = Local()


@limits.command(name="set")
def set_limit(
    family: str,
    limit: str,
    value: int,
    /,
    *,
    organisation: str = EVERYBODY,
    local: Local = LOCAL,
) -> Exit:
    """Set one limit of a family, such as `haulier limits set geostat max_blocks 1000000`.

    Args:
        family: Whose jobs are limited, such as geostat.
        limit: Which limit, such as max_blocks.
        value: The most that one job may have.
        organisation: Whose jobs; without it everybody's who has no limit of its own.
        local: The installation.
    """
    if value < 0:
        raise UsageError(f"a limit must be at least 0, got {value}")
    catalog, body = _catalog(local), {limit: value}
    found = catalog.find(organisation, TYPE, family)
    if found is not None and found.organisation == organisation:
        body = {**found.body, **body}
    entry = catalog.put(organisation, TYPE, family, body, by="operator")
    output.told(f"{family}.{limit} of {organisation} is {value:,}", entry, json=local.json)
    return Exit.OK


@limits.command(name="list")
def list_limits(organisation: str = EVERYBODY, /, *, local: Local = LOCAL) -> Exit:
    """List the limits that hold for an organisation.

    Args:
        organisation: Whose jobs; without it those of everybody who has none of its own.
        local: The installation.
    """
    found = _catalog(local).list(organisation, TYPE)
    if local.json:
        output.write_json(found)
        return Exit.OK
    rows = [
        (entry.name, name, f"{value:,}" if isinstance(value, int) else str(value))
        for entry in found
        for name, value in entry.body.items()
    ]
    output.table("", ("FAMILY", "LIMIT", "MOST"), rows)
    return Exit.OK


def _catalog(local: Local) -> Any:  # noqa: ANN401 -- the engine's, imported only when it is used
    from haulier import app  # noqa: PLC0415 -- SQLAlchemy and the engine; --help does not pay

    settings = local.settings()
    require_database(settings)
    return app.build_services(settings).catalog
