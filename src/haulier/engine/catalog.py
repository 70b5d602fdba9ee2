"""The catalog: named things of an organisation, such as releases and storages."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from haulier.core.clock import Clock
from haulier.core.identity import new_job_id
from haulier.core.problem import Code, Problem
from haulier.engine.reach import SHARED, Reach
from haulier.engine.tables import catalog

__all__ = ["SHARED", "Catalog", "Entry"]

NAMED: Final = 20  # how many names a refusal lists
TRIES: Final = 20


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A named thing; `version` rises with every change of its body."""

    id: str
    number: int
    organisation: str
    type: str
    name: str
    version: int
    body: Mapping[str, Any]
    created_at: datetime
    updated_at: datetime


class Catalog:
    """The entries of every organisation, and those of "*", which everybody sees.

    Args:
        engine: the database.
        clock: the time.
        reach: which places an organisation may name as the `url` of an entry.
    """

    def __init__(self, engine: sa.Engine, clock: Clock, reach: Reach) -> None:
        self._engine = engine
        self._clock = clock
        self._reach = reach

    def find(self, organisation: str, type_: str, name: str) -> Entry | None:
        """Give an entry that the organisation sees, its own first, if there is one."""
        seen = _seen(organisation, type_).where(catalog.c.name == name)
        with self._engine.connect() as connection:
            entries = [_entry(row) for row in connection.execute(seen)]
        return entries[-1] if entries else None

    def get(self, organisation: str, type_: str, name: str) -> Entry:
        """Give an entry that the organisation sees, its own first, to use what it names.

        Raises:
            Problem: NOT_FOUND, with the names that there are. FORBIDDEN at the type; it names
                a place that the operator does not allow, or no more.
        """
        entry = self.find(organisation, type_, name)
        if entry is None:
            names = [each.name for each in self.list(organisation, type_)]
            raise Problem(Code.NOT_FOUND, f"no {type_} '{name}'; {_there_are(names)}", at="name")
        self.check(entry)
        return entry

    def check(self, entry: Entry) -> None:
        """Refuse an entry that names a place which its organisation may not name.

        Raises:
            Problem: FORBIDDEN or INVALID, at the entry's type.
        """
        what = f"{entry.type} '{entry.name}'"
        self._reach.check(entry.organisation, what, entry.body, at=entry.type)

    def list(self, organisation: str, type_: str) -> Sequence[Entry]:
        """Give the entries of a type that the organisation sees, by name."""
        with self._engine.connect() as connection:
            rows = connection.execute(_seen(organisation, type_))
            by_name = {row.name: _entry(row) for row in rows}  # own ones come last, and win
        return [by_name[name] for name in sorted(by_name)]

    def put(self, organisation: str, type_: str, name: str, body: Mapping[str, Any]) -> Entry:
        """Make an entry of the organisation, or give the one there is a new body.

        Raises:
            Problem: FORBIDDEN or INVALID at "url"; the organisation may not name that place.
        """
        self._reach.check(organisation, f"{type_} '{name}'", body, at="url")
        for _ in range(TRIES):
            entry = self._replace(organisation, type_, name, body)
            if entry is None:
                entry = self._insert(organisation, type_, name, body)
            if entry is not None:
                return entry
        raise Problem(Code.CONFLICT, f"{type_} '{name}' is being made and deleted at once")

    def ensure(self, organisation: str, type_: str, name: str, body: Mapping[str, Any]) -> Entry:
        """Give the entry that the organisation sees, and make it where there is none."""
        for _ in range(TRIES):
            entry = self.find(organisation, type_, name)
            if entry is None:
                entry = self._insert(organisation, type_, name, body)
            if entry is not None:
                return entry
        raise Problem(Code.CONFLICT, f"{type_} '{name}' is being made and deleted at once")

    def delete(self, organisation: str, type_: str, name: str) -> None:
        """Forget an entry of the organisation's own.

        Raises:
            Problem: NOT_FOUND; it has none of that name.
        """
        gone = sa.delete(catalog).where(*_is(organisation, type_, name))
        with self._engine.begin() as connection:
            removed = connection.execute(gone).rowcount
        if not removed:
            own = [
                each.name
                for each in self.list(organisation, type_)
                if each.organisation == organisation
            ]
            detail = f"no {type_} '{name}' of organisation '{organisation}'; {_there_are(own)}"
            raise Problem(Code.NOT_FOUND, detail, at="name")

    def _replace(
        self, organisation: str, type_: str, name: str, body: Mapping[str, Any]
    ) -> Entry | None:
        change = (
            sa.update(catalog)
            .where(*_is(organisation, type_, name))
            .values(body=body, version=catalog.c.version + 1, updated_at=self._clock.now())
            .returning(*catalog.c)
        )
        with self._engine.begin() as connection:
            row = connection.execute(change).one_or_none()
        return None if row is None else _entry(row)

    def _insert(
        self, organisation: str, type_: str, name: str, body: Mapping[str, Any]
    ) -> Entry | None:
        """Make an entry; None if somebody else was faster."""
        now = self._clock.now()
        new = (
            sa.insert(catalog)
            .values(
                id=str(new_job_id(int(now.timestamp() * 1000))),
                organisation=organisation,
                type=type_,
                name=name,
                version=1,
                body=body,
                created_at=now,
                updated_at=now,
            )
            .returning(*catalog.c)
        )
        try:
            with self._engine.begin() as connection:
                return _entry(connection.execute(new).one())
        except sa.exc.IntegrityError:
            return None


def _seen(organisation: str, type_: str) -> sa.Select[Any]:
    """Select what an organisation sees of a type; of two with one name, its own comes last."""
    return (
        sa.select(*catalog.c)
        .where(catalog.c.type == type_, catalog.c.organisation.in_((organisation, SHARED)))
        .order_by(sa.case((catalog.c.organisation == SHARED, 0), else_=1))
    )


def _is(organisation: str, type_: str, name: str) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        catalog.c.organisation == organisation,
        catalog.c.type == type_,
        catalog.c.name == name,
    )


def _entry(row: sa.Row[Any]) -> Entry:
    return Entry(**row._mapping)  # noqa: SLF001 -- SQLAlchemy's public name for it


def _there_are(names: Sequence[str]) -> str:
    if not names:
        return "there is none"
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"there are: {', '.join(names[:NAMED])}{more}"
