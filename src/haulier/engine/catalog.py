"""The catalog: named things of an organisation, such as releases and storages."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa

from haulier.core.clock import Clock
from haulier.core.entry import Entry, Publication
from haulier.core.problem import Code, Problem
from haulier.engine import revisions
from haulier.engine.numbers import check_numbers
from haulier.engine.reach import SHARED, Reach
from haulier.engine.revisions import StaleError

__all__ = ["SHARED", "Catalog", "Entry", "StaleError"]

NAMED: Final = 20  # how many names a refusal lists
TRIES: Final = 20


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
        with self._engine.connect() as connection:
            entries = revisions.seen(connection, organisation, type_, name)
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
            entries = revisions.seen(connection, organisation, type_)
        by_name = {entry.name: entry for entry in entries}  # own ones come last, and win
        return [by_name[name] for name in sorted(by_name)]

    def put(
        self,
        organisation: str,
        type_: str,
        name: str,
        body: Mapping[str, Any],
        *,
        by: str = "",
        expects: int | None = None,
    ) -> Entry:
        """Make an entry of the organisation, or give the one there is a new body.

        Args:
            organisation: whose it is.
            type_: what it is.
            name: its name.
            body: its new body.
            by: who makes this version.
            expects: the version that is to be replaced, 0 for none; None replaces any.

        Raises:
            Problem: FORBIDDEN or INVALID at "url"; the organisation may not name that place.
                CONFLICT; the entry is not of the version that was expected.
        """
        for _ in range(TRIES):
            try:
                with self._engine.begin() as connection:
                    there = expects
                    if there is None:
                        there = revisions.held(connection, organisation, type_, name)
                    wanted = Publication(type=type_, name=name, body=body, expects=there)
                    return self.publish(connection, organisation, wanted, by=by)
            except StaleError:
                if expects is not None:
                    raise _conflict(type_, name, expects) from None
        raise Problem(Code.CONFLICT, f"{type_} '{name}' is being made and deleted at once")

    def publish(
        self, connection: sa.Connection, organisation: str, wanted: Publication, *, by: str = ""
    ) -> Entry:
        """Write one version of an entry within a transaction.

        Raises:
            StaleError: the entry is not of the version that the publication expects.
            Problem: FORBIDDEN or INVALID at "url"; the organisation may not name that place.
                INVALID at a whole number of the body that is too large.
        """
        check_numbers(wanted.body)
        what = f"{wanted.type} '{wanted.name}'"
        self._reach.check(organisation, what, wanted.body, at="url")
        return revisions.write(connection, organisation, wanted, by=by, now=self._clock.now())

    def ensure(self, organisation: str, type_: str, name: str, body: Mapping[str, Any]) -> Entry:
        """Give the entry that the organisation sees, and make it where there is none."""
        for _ in range(TRIES):
            entry = self.find(organisation, type_, name)
            if entry is not None:
                return entry
            try:
                with self._engine.begin() as connection:
                    new = Publication(type=type_, name=name, body=body, expects=0)
                    return revisions.write(connection, organisation, new, now=self._clock.now())
            except StaleError:
                continue  # somebody else was faster
        raise Problem(Code.CONFLICT, f"{type_} '{name}' is being made and deleted at once")

    def delete(self, organisation: str, type_: str, name: str) -> None:
        """Forget an entry of the organisation's own, with all of its versions.

        Raises:
            Problem: NOT_FOUND; it has none of that name.
        """
        with self._engine.begin() as connection:
            removed = revisions.forget(connection, organisation, type_, name)
        if not removed:
            own = [
                each.name
                for each in self.list(organisation, type_)
                if each.organisation == organisation
            ]
            detail = f"no {type_} '{name}' of organisation '{organisation}'; {_there_are(own)}"
            raise Problem(Code.NOT_FOUND, detail, at="name")

    def version(
        self,
        organisation: str,
        type_: str,
        *,
        name: str = "",
        id: str = "",  # noqa: A002 -- its name
        version: int = 0,
        deleted: bool = False,
    ) -> Entry:
        """Give a version of an entry that the organisation sees.

        Args:
            organisation: who looks.
            type_: what it is.
            name: its name, or else
            id: its id.
            version: which; 0 means the newest.
            deleted: also where the entry was put away; only by id.

        Raises:
            Problem: NOT_FOUND at "name", "id" or "version". FORBIDDEN or INVALID at the type; it
                names a place that the operator does not allow.
        """
        if not id:
            entry = self.get(organisation, type_, name)
        else:
            with self._engine.connect() as connection:
                found = revisions.by_id(connection, organisation, type_, id)
            if found is None or (found.deleted_at is not None and not deleted):
                raise Problem(Code.NOT_FOUND, f"no {type_} with the id {id}", at="id")
            self.check(found)
            entry = found
        if version in {0, entry.version}:
            return entry
        with self._engine.connect() as connection:
            earlier = revisions.earlier(connection, entry, version)
        if earlier is None:
            detail = f"{type_} '{entry.name}' has versions 1 to {entry.version}, got {version}"
            raise Problem(Code.NOT_FOUND, detail, at="version")
        self.check(earlier)
        return earlier

    def numbered(self, organisation: str, type_: str, number: int) -> Entry | None:
        """Give an entry that the organisation sees by its number, if there is one."""
        with self._engine.connect() as connection:
            entry = revisions.by_number(connection, organisation, type_, number)
        if entry is not None:
            self.check(entry)
        return entry

    def versions(self, entry: Entry) -> Sequence[Entry]:
        """Give every version of an entry, newest first."""
        with self._engine.connect() as connection:
            return revisions.history(connection, entry)

    def page(
        self,
        organisation: str,
        type_: str,
        *,
        prefix: str = "",
        limit: int = 1000,
        offset: int = 0,
        deleted: bool = False,
    ) -> tuple[Sequence[Entry], int]:
        """Give some of the organisation's own entries, by name, and how many there are.

        Args:
            organisation: whose.
            type_: what they are.
            prefix: how their names begin.
            limit: how many at most.
            offset: how many to leave out first.
            deleted: those that were put away, instead of the others.
        """
        with self._engine.connect() as connection:
            return revisions.page(
                connection,
                (organisation, type_, prefix),
                deleted=deleted,
                limit=limit,
                offset=offset,
            )

    def put_away(self, organisation: str, type_: str, id: str) -> Entry:  # noqa: A002 -- its name
        """Take an entry out of sight, to be restored by its id; its name is free again.

        Raises:
            Problem: NOT_FOUND at "id"; the organisation has no such entry in sight.
        """
        with self._engine.begin() as connection:
            entry = revisions.mark(connection, (organisation, type_, id), self._clock.now())
        if entry is None:
            raise Problem(Code.NOT_FOUND, f"no {type_} with the id {id}", at="id")
        return entry

    def restore(
        self,
        organisation: str,
        type_: str,
        id: str,  # noqa: A002 -- its name
        *,
        name: str = "",
    ) -> Entry:
        """Bring an entry back that was put away, under another name if one is given.

        Raises:
            Problem: NOT_FOUND at "id"; CONFLICT at "name"; another one has the name now.
        """
        try:
            with self._engine.begin() as connection:
                entry = revisions.mark(connection, (organisation, type_, id), None, name=name)
        except sa.exc.IntegrityError:
            detail = f"another {type_} has the name of the one with the id {id}; remove it first"
            raise Problem(Code.CONFLICT, detail, at="name") from None
        if entry is None:
            raise Problem(Code.NOT_FOUND, f"no {type_} with the id {id} was put away", at="id")
        return entry

    def move(self, organisation: str, wanted: Publication, *, by: str = "") -> Entry:
        """Give an entry another name, together with a new version.

        Args:
            organisation: whose it is.
            wanted: the new name and body; its id says which entry, and it expects a version.
            by: who makes this version.

        Raises:
            Problem: CONFLICT at "name"; another entry has it. CONFLICT at "version"; the entry
                is not of the version that was expected. FORBIDDEN or INVALID at "url".
        """
        entry = (organisation, wanted.type, wanted.id)
        try:
            with self._engine.begin() as connection:
                revisions.rename(connection, entry, wanted.name, wanted.expects)
                return self.publish(connection, organisation, wanted, by=by)
        except sa.exc.IntegrityError:
            raise _conflict(wanted.type, wanted.name, 0) from None
        except StaleError:
            raise _conflict(wanted.type, wanted.name, wanted.expects) from None


def _conflict(type_: str, name: str, expects: int) -> Problem:
    if not expects:
        return Problem(Code.CONFLICT, f"{type_} '{name}' is there already", at="name")
    detail = f"{type_} '{name}' is not of version {expects} any more: somebody changed it"
    return Problem(Code.CONFLICT, detail, at="version")


def _there_are(names: Sequence[str]) -> str:
    if not names:
        return "there is none"
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"there are: {', '.join(names[:NAMED])}{more}"
