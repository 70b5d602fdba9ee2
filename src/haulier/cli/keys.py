"""`haulier keys`: API keys, made and ended on the installation's own database."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from haulier.cli import output
from haulier.cli.codes import Exit, UsageError
from haulier.cli.local import Local, require_database
from haulier.core.caller import Scope

if TYPE_CHECKING:
    from haulier.engine.keys import KeyInfo

keys = App(name="keys", help="Make, list and revoke API keys, on the server's own database.")
LOCAL = Local()


@keys.command
def create(
    organisation: str,
    /,
    *,
    subject: str = "",
    scope: Annotated[tuple[Scope, ...], Parameter(negative=())] = (Scope.READ, Scope.WRITE),
    days: float | None = None,
    local: Local = LOCAL,
) -> Exit:
    """Make a key; its secret is shown this once, and only a hash of it is kept.

    Args:
        organisation: Whose jobs and files the key reaches.
        subject: Who or what uses it, for people.
        scope: What it allows: read, write, admin. May come several times.
        days: How long it is good for; else until it is revoked.
        local: The installation.
    """
    if days is not None and days <= 0:
        raise UsageError(f"--days must be more than 0, got {days:g}")
    from haulier import app  # noqa: PLC0415 -- SQLAlchemy and the engine; --help does not pay

    expires_at = datetime.now(UTC) + timedelta(days=days) if days is not None else None
    settings = local.settings()
    require_database(settings)  # a key of an installation made by mistake would open nothing
    app.prepare(settings)
    info, secret = app.build_services(settings).keys.create(
        organisation, subject=subject, scopes=scope, expires_at=expires_at
    )
    if local.json:
        output.write_json({"key": info, "secret": secret})
    else:
        output.write(secret)
        scopes = ", ".join(info.scopes)
        output.say(f"key {info.id} of organisation '{organisation}' allows {scopes}")
        output.say("the secret is not shown again; whoever has it is that organisation")
    return Exit.OK


@keys.command(name="list")
def list_keys(organisation: str = "", /, *, local: Local = LOCAL) -> Exit:
    """List keys; their secrets are known to nobody but their holders.

    Args:
        organisation: Only keys of this organisation.
        local: The installation.
    """
    from haulier import app  # noqa: PLC0415 -- SQLAlchemy and the engine; --help does not pay

    settings = local.settings()
    require_database(settings)
    found = app.build_services(settings).keys.list(organisation)
    if local.json:
        output.write_json(found)
    else:
        columns = ("KEY", "ORGANISATION", "SUBJECT", "SCOPES", "CREATED", "LAST USED", "ENDS")
        output.table("", columns, map(_row, found))
    return Exit.OK


def _row(key: "KeyInfo") -> tuple[str, ...]:
    ends = output.moment(key.expires_at)
    if key.revoked_at is not None:
        ends = f"revoked {output.moment(key.revoked_at)}"
    scopes, made = ", ".join(key.scopes), output.moment(key.created_at)
    used = output.moment(key.used_at) or "never"
    return key.id, key.organisation, key.subject, scopes, made, used, ends


@keys.command
def revoke(organisation: str, key: str, /, *, local: Local = LOCAL) -> Exit:
    """End a key for good; every process of the server refuses it within a second.

    Args:
        organisation: Whose key it is.
        key: Its id, as `haulier keys list` shows it.
        local: The installation.
    """
    from haulier import app  # noqa: PLC0415 -- SQLAlchemy and the engine; --help does not pay

    settings = local.settings()
    require_database(settings)
    info = app.build_services(settings).keys.revoke(organisation, key)
    output.told(f"key {info.id} revoked", info, json=local.json)
    return Exit.OK
