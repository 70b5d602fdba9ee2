"""A catalog in memory, with every version of its entries: for running a family without a server."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

import msgspec

from haulier.core.entry import Entry, Publication

THEN: Final = datetime(2026, 1, 1, tzinfo=UTC)


def an_entry(type_: str, name: str, body: Mapping[str, Any], version: int = 1) -> Entry:
    """Give an entry whose id follows from its name."""
    return Entry(
        id=str(uuid5(NAMESPACE_URL, f"{type_}/{name}")),
        number=1,
        organisation="local",
        type=type_,
        name=name,
        version=version,
        body=body,
        created_at=THEN,
        updated_at=THEN,
    )


@dataclass(slots=True)
class Shelf:
    """Entries by type and name, each with all of its versions, oldest first."""

    _kept: dict[tuple[str, str], list[Entry]] = field(default_factory=dict)

    def put(self, wanted: Publication) -> Entry:
        """Add a version of an entry.

        Raises:
            AssertionError: its version is not the one that the publication expects.
        """
        kept = self._kept.setdefault((wanted.type, wanted.name), [])
        version = kept[-1].version if kept else 0
        if version != wanted.expects:
            detail = f"{wanted.type} '{wanted.name}' is of version {version}"
            raise AssertionError(f"{detail}, a step expected {wanted.expects}")
        body = msgspec.json.decode(msgspec.json.encode(wanted.body))
        entry = an_entry(wanted.type, wanted.name, body, version + 1)
        if kept:
            entry = msgspec.structs.replace(entry, id=kept[0].id)
        elif wanted.id:
            entry = msgspec.structs.replace(entry, id=wanted.id)
        kept.append(entry)
        return entry

    def remove(self, type_: str, name: str) -> None:
        """Take an entry away with all of its versions; its name is free again."""
        del self._kept[type_, name]

    def find(self, type_: str, name: str, id_: str, version: int) -> Entry | None:
        """Give a version of an entry by its name or its id; 0 means the newest."""
        for (kind, _), kept in self._kept.items():
            if kind == type_ and (kept[0].id == id_ if id_ else kept[0].name == name):
                return kept[version - 1] if version <= len(kept) else None
        return None

    def all(self) -> list[Entry]:
        """Give the newest version of every entry."""
        return [kept[-1] for kept in self._kept.values()]

    def names(self, type_: str) -> list[str]:
        """Give the names of the entries of a type."""
        return [name for kind, name in self._kept if kind == type_]
