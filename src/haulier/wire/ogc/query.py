"""The query of the job list: words, intervals and lists as the standard writes them."""

from datetime import datetime
from typing import Final, get_args

import msgspec

from haulier.core.problem import Code, Problem
from haulier.engine.listing import JobFilter
from haulier.engine.registry import Kinds
from haulier.wire.ogc.status import Word, states_of

OPEN: Final = frozenset({"", ".."})
WORDS: Final[tuple[str, ...]] = get_args(Word)


class JobQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What the query says, still as text."""

    types: list[str] | None = None
    processes: list[str] | None = None
    statuses: list[str] | None = None
    interval: str | None = None
    min_duration_s: float | None = None
    max_duration_s: float | None = None


def filter_of(query: JobQuery, kinds: Kinds) -> JobFilter | None:
    """Give the filter that a query means; None: no job can pass it.

    Raises:
        Problem: INVALID at the parameter that cannot be understood.
    """
    words = _listed(query.statuses)
    _check("type", _listed(query.types), ("process",))
    _check("status", words, WORDS)
    begin, end = _interval(query.interval)
    slugs = {kind.slug: kind.name for kind in kinds.all()}
    wanted = _listed(query.processes)
    names = tuple(slugs[slug] for slug in wanted if slug in slugs)
    if wanted and not names:
        return None
    return JobFilter(
        kinds=names,
        states=states_of(msgspec.convert(words, tuple[Word, ...])),
        created_from=begin,
        created_to=end,
        min_duration_s=query.min_duration_s,
        max_duration_s=query.max_duration_s,
    )


def _listed(values: list[str] | None) -> list[str]:
    """Give the members of an array parameter, repeated or joined by commas."""
    return [item for value in values or () for item in value.split(",") if item]


def _check(name: str, values: list[str], known: tuple[str, ...]) -> None:
    for value in values:
        if value not in known:
            detail = f"{name} must be one of {', '.join(known)}, got {value!r}"
            raise Problem(Code.INVALID, detail, at=f"query.{name}")


def _interval(text: str | None) -> tuple[datetime | None, datetime | None]:
    """Read an RFC 3339 time or an interval of two, either end of which may be open."""
    if text is None:
        return None, None
    begin, slash, end = text.partition("/")
    if not slash:
        moment = _moment(begin, text)
        return moment, moment
    first = None if begin in OPEN else _moment(begin, text)
    last = None if end in OPEN else _moment(end, text)
    if first is None and last is None:
        raise _no_interval(text)
    if first is not None and last is not None and first > last:
        raise _no_interval(text)
    return first, last


def _moment(text: str, whole: str) -> datetime:
    try:
        # a plus sign that was not quoted arrives as a space
        moment = msgspec.convert(text.replace(" ", "+"), datetime)
    except msgspec.ValidationError:
        raise _no_interval(whole) from None
    if moment.tzinfo is None:
        raise _no_interval(whole)
    return moment


def _no_interval(text: str) -> Problem:
    return Problem(
        Code.INVALID,
        "datetime must be an RFC 3339 time with its zone, or two of them as begin/end of which "
        f"one may be '..', got {text!r}",
        at="query.datetime",
    )
