"""Lists of objects: which are wanted, in which order, and which page of them."""

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

import msgspec

from haulier.core.entry import Entry
from haulier.core.problem import Code, Problem
from haulier.engine.catalog import Catalog
from haulier.wire.evo.document import uuid_or_none
from haulier.wire.evo.objectbodies import UserBody, creator_of, path_of, user
from haulier.wire.evo.ordering import Key, ordered, orders_of
from haulier.wire.evo.shelf import TYPE

PAGE: Final = 500  # entries that are read at once where all of them must be looked at
MOST_DATES: Final = 2
COMPARISONS: Final[Mapping[str, Callable[[datetime, datetime], bool]]] = {
    "lt": operator.lt,
    "lte": operator.le,
    "gt": operator.gt,
    "gte": operator.ge,
    "eq": operator.eq,
}


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What a query says, still as text."""

    order_by: str = ""
    schema_id: Sequence[str] = ()
    object_name: Sequence[str] = ()
    created_by: Sequence[str] = ()
    modified_by: Sequence[str] = ()
    created_at: Sequence[str] = ()
    modified_at: Sequence[str] = ()
    deleted_at: Sequence[str] = ()

    @property
    def plain(self) -> bool:
        """Whether all objects are wanted, by name: as the catalog has them."""
        return self == Wanted()


class Found(NamedTuple):
    """A page of a list."""

    entries: Sequence[Entry]
    total: int


def found(
    catalog: Catalog, organisation: str, prefix: str, wanted: Wanted, page: tuple[int, int, bool]
) -> Found:
    """Give a page of the objects that are wanted.

    Args:
        catalog: where they are.
        organisation: whose they are.
        prefix: how their names in the catalog begin.
        wanted: which, and in which order.
        page: how many at most, how many to leave out first, and whether deleted ones instead.

    Raises:
        Problem: INVALID at a parameter of the query.
    """
    limit, offset, deleted = page
    if wanted.plain:
        entries, total = catalog.page(
            organisation, TYPE, prefix=prefix, limit=limit, offset=offset, deleted=deleted
        )
        return Found(entries, total)
    keep, orders = _filter(wanted), orders_of(wanted.order_by, KEYS)
    every = every_entry(catalog, organisation, TYPE, prefix, deleted=deleted)
    kept = ordered(filter(keep, every), orders)
    return Found(kept[offset : offset + limit], len(kept))


def every_entry(
    catalog: Catalog, organisation: str, type_: str, prefix: str, *, deleted: bool
) -> Iterator[Entry]:
    """Give all entries of a type whose names begin so, by name; or those that were put away."""
    offset = 0
    while True:
        entries, _ = catalog.page(
            organisation, type_, prefix=prefix, limit=PAGE, offset=offset, deleted=deleted
        )
        yield from entries
        if len(entries) < PAGE:
            return
        offset += PAGE


def _filter(wanted: Wanted) -> Callable[[Entry], bool]:
    """Give what says whether an object is wanted: one of each parameter's values must hold."""
    tests: list[Callable[[Entry], bool]] = [
        *_dates("created_at", wanted.created_at, lambda entry: entry.created_at),
        *_dates("modified_at", wanted.modified_at, lambda entry: entry.updated_at),
        *_dates("deleted_at", wanted.deleted_at, lambda entry: entry.deleted_at),
        *_users("created_by", wanted.created_by, creator_of),
        *_users("modified_by", wanted.modified_by, _modifier_of),
    ]
    if wanted.schema_id:
        schemas = frozenset(wanted.schema_id)
        tests.append(lambda entry: entry.body["object"]["schema"] in schemas)
    if wanted.object_name:
        beginnings = tuple(wanted.object_name)
        tests.append(lambda entry: _filename(entry).startswith(beginnings))
    return lambda entry: all(test(entry) for test in tests)


def _modifier_of(entry: Entry) -> UserBody | None:
    return user(entry.organisation, entry.by)


def _filename(entry: Entry) -> str:
    return entry.name.rpartition("/")[2]


def _users(
    name: str, ids: Sequence[str], of: Callable[[Entry], UserBody | None]
) -> Iterator[Callable[[Entry], bool]]:
    known = {uuid_or_none(each) for each in ids}
    if None in known:
        detail = f"{name} must be a user's UUID, got {', '.join(ids)[:100]!r}"
        raise Problem(Code.INVALID, detail, at=f"query.{name}")

    def is_one(entry: Entry) -> bool:
        who = of(entry)
        return who is not None and who.id in known

    if known:
        yield is_one


def _dates(
    name: str, texts: Sequence[str], of: Callable[[Entry], datetime | None]
) -> Iterator[Callable[[Entry], bool]]:
    if len(texts) > MOST_DATES:
        detail = f"{name} must be given at most {MOST_DATES} times, got {len(texts)}"
        raise Problem(Code.INVALID, detail, at=f"query.{name}")
    for text in texts:
        compare, limit = _date(name, text)

        def holds(
            entry: Entry,
            compare: Callable[[datetime, datetime], bool] = compare,
            limit: datetime = limit,
        ) -> bool:
            moment = of(entry)
            return moment is not None and compare(moment, limit)

        yield holds


def _date(name: str, text: str) -> tuple[Callable[[datetime, datetime], bool], datetime]:
    """Read a time with an operator before it, such as `gte:2023-03-10T22:56:53Z`."""
    word, colon, rest = text.partition(":")
    known = colon and word in COMPARISONS
    said = rest if known else text
    try:
        # a plus sign that was not quoted arrives as a space
        moment = datetime.fromisoformat(said.replace(" ", "+") if "T" in said else said)
    except ValueError:
        words = ", ".join(COMPARISONS)
        wanted = f"an ISO 8601 time, with one of {words} and ':' before it, or none"
        detail = f"{name} must be {wanted}, got {text[:100]!r}"
        raise Problem(Code.INVALID, detail, at=f"query.{name}") from None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return COMPARISONS[word if known else "eq"], aware


def _subject(of: UserBody | None) -> str:
    return (of.name if of else "") or ""


def _moment(moment: datetime | None) -> float:
    return moment.timestamp() if moment else 0.0


#: What a list can be ordered by.
KEYS: Final[Mapping[str, Key]] = {
    "author": lambda entry: _subject(creator_of(entry)),
    "created_at": lambda entry: entry.created_at,
    "created_by": lambda entry: _subject(creator_of(entry)),
    "deleted_at": lambda entry: _moment(entry.deleted_at),
    "modified_at": lambda entry: entry.updated_at,
    "modified_by": lambda entry: _subject(_modifier_of(entry)),
    "object_name": lambda entry: (_filename(entry), path_of(entry)),
}
