"""The rows of the catalog: the newest version of each entry, and the earlier ones apart."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from msgspec import structs

from haulier.core.entry import Entry, Publication
from haulier.core.identity import new_job_id
from haulier.engine.database import begin_writing
from haulier.engine.reach import SHARED
from haulier.engine.tables import catalog, revisions


class StaleError(Exception):
    """An entry is not of the version that was to be replaced: somebody was faster."""


def write(
    connection: sa.Connection,
    organisation: str,
    wanted: Publication,
    *,
    now: datetime,
    by: str = "",
) -> Entry:
    """Write one version of an entry.

    Raises:
        StaleError: the entry is not of the version that is expected.
    """
    if wanted.expects:
        return _replace(connection, organisation, wanted, by=by, now=now)
    return _insert(connection, organisation, wanted, by=by, now=now)


def _replace(
    connection: sa.Connection, organisation: str, wanted: Publication, *, by: str, now: datetime
) -> Entry:
    here = [
        *_is(organisation, wanted.type, wanted.name),
        catalog.c.version == wanted.expects,
    ]
    if wanted.id:  # another entry may have come to the name, and to the same version
        here.append(catalog.c.id == str(UUID(wanted.id)))
    kept = sa.select(
        catalog.c.id, catalog.c.version, catalog.c.body, catalog.c.by, catalog.c.updated_at
    ).where(*here)
    columns = ["entry", "version", "body", "by", "updated_at"]
    try:
        # A second one who keeps the same version meets the first one's row.
        with connection.begin_nested():
            connection.execute(sa.insert(revisions).from_select(columns, kept))
    except sa.exc.IntegrityError:
        raise StaleError from None
    change = (
        sa.update(catalog)
        .where(*here)
        .values(body=wanted.body, version=catalog.c.version + 1, by=by, updated_at=now)
        .returning(*catalog.c)
    )
    row = connection.execute(change).one_or_none()
    if row is None:
        raise StaleError
    return _entry(row)


def _insert(
    connection: sa.Connection, organisation: str, wanted: Publication, *, by: str, now: datetime
) -> Entry:
    new = (
        sa.insert(catalog)
        .values(
            id=str(UUID(wanted.id)) if wanted.id else str(new_job_id(_milliseconds(now))),
            organisation=organisation,
            type=wanted.type,
            name=wanted.name,
            version=1,
            body=wanted.body,
            by=by,
            created_at=now,
            updated_at=now,
        )
        .returning(*catalog.c)
    )
    try:
        with connection.begin_nested():
            return _entry(connection.execute(new).one())
    except sa.exc.IntegrityError:
        raise StaleError from None


def _milliseconds(now: datetime) -> int:
    return int(now.timestamp() * 1000)


def seen(
    connection: sa.Connection, organisation: str, type_: str, name: str | None = None
) -> Sequence[Entry]:
    """Give what an organisation sees of a type; of two with one name, its own comes last."""
    query = (
        sa.select(*catalog.c)
        .where(
            catalog.c.type == type_,
            catalog.c.organisation.in_((organisation, SHARED)),
            catalog.c.deleted_at.is_(None),
        )
        .order_by(sa.case((catalog.c.organisation == SHARED, 0), else_=1))
    )
    if name is not None:
        query = query.where(catalog.c.name == name)
    return [_entry(row) for row in connection.execute(query)]


def held(connection: sa.Connection, organisation: str, type_: str, name: str) -> int:
    """Give the newest version of an entry, which nobody changes before the transaction ends.

    0: there is none.
    """
    begin_writing(connection)
    query = sa.select(catalog.c.version).where(*_is(organisation, type_, name)).with_for_update()
    return connection.execute(query).scalar_one_or_none() or 0


def by_id(connection: sa.Connection, organisation: str, type_: str, id_: str) -> Entry | None:
    """Give the newest version of an entry that an organisation may see, also one put away."""
    query = sa.select(*catalog.c).where(
        catalog.c.id == id_,
        catalog.c.type == type_,
        catalog.c.organisation.in_((organisation, SHARED)),
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else _entry(row)


def by_number(
    connection: sa.Connection, organisation: str, type_: str, number: int
) -> Entry | None:
    """Give the newest version of an entry that an organisation sees, by its number."""
    query = sa.select(*catalog.c).where(
        catalog.c.number == number,
        catalog.c.type == type_,
        catalog.c.organisation.in_((organisation, SHARED)),
        catalog.c.deleted_at.is_(None),
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else _entry(row)


def earlier(connection: sa.Connection, entry: Entry, version: int) -> Entry | None:
    """Give an earlier version of an entry."""
    query = sa.select(*revisions.c).where(
        revisions.c.entry == entry.id, revisions.c.version == version
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else _as_it_was(entry, row)


def history(connection: sa.Connection, entry: Entry) -> Sequence[Entry]:
    """Give every version of an entry up to this one, newest first."""
    query = (
        sa.select(*revisions.c)
        .where(revisions.c.entry == entry.id, revisions.c.version < entry.version)
        .order_by(revisions.c.version.desc())
    )
    return [entry, *(_as_it_was(entry, row) for row in connection.execute(query))]


def page(
    connection: sa.Connection,
    place: tuple[str, str, str],
    *,
    deleted: bool,
    limit: int,
    offset: int,
) -> tuple[Sequence[Entry], int]:
    """Give some of an organisation's own entries, by name, and how many there are.

    Args:
        connection: to the database.
        place: organisation, type, and how the names begin.
        deleted: those that were put away, instead of the others.
        limit: how many at most.
        offset: how many to leave out first.
    """
    organisation, type_, prefix = place
    away = catalog.c.deleted_at
    here = [
        catalog.c.organisation == organisation,
        catalog.c.type == type_,
        away.is_not(None) if deleted else away.is_(None),
    ]
    if prefix:
        here.append(catalog.c.name.startswith(prefix, autoescape=True))
    total = connection.execute(sa.select(sa.func.count()).select_from(catalog).where(*here))
    query = sa.select(*catalog.c).where(*here).order_by(catalog.c.name, catalog.c.number)
    rows = connection.execute(query.limit(limit).offset(offset))
    return [_entry(row) for row in rows], total.scalar_one()


def mark(
    connection: sa.Connection,
    entry: tuple[str, str, str],
    deleted_at: datetime | None,
    *,
    name: str = "",
) -> Entry | None:
    """Put an entry away, or bring it back; None where it is not in the other state.

    Args:
        connection: to the database.
        entry: organisation, type and id.
        deleted_at: when it is put away; None brings it back.
        name: its new name; empty: the one it has.
    """
    away = catalog.c.deleted_at
    change = (
        sa.update(catalog)
        .where(*_has_id(entry), away.is_not(None) if deleted_at is None else away.is_(None))
        .values(deleted_at=deleted_at, **({"name": name} if name else {}))
        .returning(*catalog.c)
    )
    row = connection.execute(change).one_or_none()
    return None if row is None else _entry(row)


def rename(connection: sa.Connection, entry: tuple[str, str, str], name: str, version: int) -> None:
    """Give an entry another name, where it is still of this version.

    Args:
        connection: to the database.
        entry: organisation, type and id.
        name: its new name.
        version: the newest that the caller knows.

    Raises:
        StaleError: it is not of that version.
    """
    here = (*_has_id(entry), catalog.c.version == version, catalog.c.deleted_at.is_(None))
    if not connection.execute(sa.update(catalog).where(*here).values(name=name)).rowcount:
        raise StaleError


def _has_id(entry: tuple[str, str, str]) -> tuple[sa.ColumnElement[bool], ...]:
    organisation, type_, id_ = entry
    return (
        catalog.c.id == id_,
        catalog.c.organisation == organisation,
        catalog.c.type == type_,
    )


def forget(connection: sa.Connection, organisation: str, type_: str, name: str) -> int:
    """Remove an entry with all of its versions; give how many there were."""
    gone = sa.delete(catalog).where(*_is(organisation, type_, name))
    return connection.execute(gone).rowcount


def _is(organisation: str, type_: str, name: str) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        catalog.c.organisation == organisation,
        catalog.c.type == type_,
        catalog.c.name == name,
        catalog.c.deleted_at.is_(None),
    )


def _entry(row: sa.Row[Any]) -> Entry:
    return Entry(**row._mapping)  # noqa: SLF001 -- SQLAlchemy's public name for it


def _as_it_was(entry: Entry, row: sa.Row[Any]) -> Entry:
    return structs.replace(
        entry, version=row.version, body=row.body, by=row.by, updated_at=row.updated_at
    )
