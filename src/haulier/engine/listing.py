"""Lists of jobs: filters, and pages by key that cost the same at the first job and the last."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from haulier.core.clock import Clock
from haulier.core.job import Job
from haulier.core.lifecycle import State
from haulier.core.problem import Code, Problem
from haulier.engine.rows import JOB_COLUMNS, job_of
from haulier.engine.tables import EPOCH, MICROSECOND, jobs

LIMIT: Final = 10_000
#: "b": before this number, in older jobs; "a": after it, in newer ones.
CURSOR: Final = re.compile(r"([ab])(\d{1,18})")

#: How far the clocks of two servers may differ, for the jobs of a time to be found by number.
SKEW: Final = timedelta(hours=1)
DOOMSDAY: Final = datetime(9000, 1, 1, tzinfo=UTC)  # no time overflows that is before it
#: More pairs of kind and state than that are looked for in one pass through all jobs.
BRANCHES: Final = 70

Condition = sa.ColumnElement[bool]


class JobFilter(msgspec.Struct, frozen=True):
    """Which jobs to list; what is empty or None does not matter.

    Kinds, states and times of creation are found by an index. No index tells how long jobs
    ran: a filter by that alone looks at every job of the organisation until the page is full.
    """

    kinds: tuple[str, ...] = ()
    states: tuple[State, ...] = ()
    created_from: datetime | None = None
    created_to: datetime | None = None
    min_duration_s: float | None = None
    max_duration_s: float | None = None


class Page(msgspec.Struct, frozen=True):
    """Some jobs, newest first, and the cursors of the pages beside them, empty at an end."""

    jobs: tuple[Job, ...]
    next: str = ""
    previous: str = ""


def list_jobs(
    connection: sa.Connection,
    organisation: str,
    wanted: JobFilter,
    *,
    limit: int,
    cursor: str,
    clock: Clock,
) -> Page:
    """Give one page of an organisation's jobs.

    Raises:
        Problem: INVALID; the limit is not in 1 to 10,000, or the cursor is none of ours.
    """
    if not 1 <= limit <= LIMIT:
        raise Problem(Code.INVALID, f"limit must be 1 to {LIMIT}, got {limit}", at="limit")
    backwards, number = _position(cursor)
    conditions = [
        jobs.c.organisation == organisation,
        *_conditions(wanted, clock),
        *_bounds(connection, organisation, wanted),
    ]
    if number is not None:
        conditions.append(jobs.c.number > number if backwards else jobs.c.number < number)
    order = jobs.c.number.asc() if backwards else jobs.c.number.desc()
    found = _chosen(wanted, conditions, order, limit + 1)
    query = sa.select(*JOB_COLUMNS).where(*found).order_by(order).limit(limit + 1)
    rows = connection.execute(query).all()
    more = len(rows) > limit
    shown = [job_of(row) for row in rows[:limit]]
    if backwards:
        shown.reverse()
    return _page(shown, older=more or backwards, newer=more if backwards else number is not None)


def _page(shown: Sequence[Job], *, older: bool, newer: bool) -> Page:
    if not shown:
        return Page(())
    return Page(
        tuple(shown),
        next=f"b{shown[-1].number}" if older else "",
        previous=f"a{shown[0].number}" if newer else "",
    )


def _position(cursor: str) -> tuple[bool, int | None]:
    if not cursor:
        return False, None
    found = CURSOR.fullmatch(cursor)
    if found is None:
        detail = f"cursor must be one that a page gave, got {cursor!r}"
        raise Problem(Code.INVALID, detail, at="cursor")
    return found[1] == "a", int(found[2])


def _chosen(
    wanted: JobFilter,
    conditions: Sequence[Condition],
    order: sa.UnaryExpression[Any],
    count: int,
) -> Sequence[Condition]:
    """Give the conditions of the first `count` jobs, of each kind and state that is wanted.

    An index gives the jobs of one kind and state in their order. Of several it would give all,
    to be sorted for one page; so the first of each are taken, and the first of those.
    """
    kinds = [jobs.c.kind == kind for kind in dict.fromkeys(wanted.kinds)]
    states = [jobs.c.state == str(state) for state in dict.fromkeys(wanted.states)]
    same = list(product(*filter(None, (kinds, states))))
    if len(same) == 1:
        return [*conditions, *same[0]]
    if not 0 < len(same) <= BRANCHES:
        return [*conditions, *_plain(wanted)]
    branches = [
        sa.select(jobs.c.number).where(*conditions, *one).order_by(order).limit(count).subquery()
        for one in same
    ]
    return [jobs.c.number.in_(sa.union_all(*(sa.select(one.c.number) for one in branches)))]


def _plain(wanted: JobFilter) -> list[Condition]:
    found: list[Condition] = []
    if wanted.kinds:
        found.append(jobs.c.kind.in_(wanted.kinds))
    if wanted.states:
        found.append(jobs.c.state.in_([str(state) for state in wanted.states]))
    return found


def _bounds(connection: sa.Connection, organisation: str, wanted: JobFilter) -> Sequence[Condition]:
    """Give the numbers between which the jobs of a time lie, for the index to start and stop.

    Numbers rise with time, but for how the clocks of two servers differ. So the bounds are the
    next jobs beyond that; whether a job is within the time itself is asked besides.
    """
    at, found = jobs.c.created_at, list[Condition]()
    query = sa.select(jobs.c.number).where(jobs.c.organisation == organisation).limit(1)
    if wanted.created_from is not None:
        earliest = max(wanted.created_from, EPOCH) - SKEW
        earlier = query.where(at < earliest).order_by(at.desc())
        if (number := connection.execute(earlier).scalar()) is not None:
            found.append(jobs.c.number > number)
    if wanted.created_to is not None:
        latest = min(wanted.created_to, DOOMSDAY) + SKEW
        later = query.where(at > latest).order_by(at)
        if (number := connection.execute(later).scalar()) is not None:
            found.append(jobs.c.number < number)
    return found


def _conditions(wanted: JobFilter, clock: Clock) -> list[Condition]:
    found: list[Condition] = []
    if wanted.created_from is not None:
        found.append(jobs.c.created_at >= wanted.created_from)
    if wanted.created_to is not None:
        found.append(jobs.c.created_at <= wanted.created_to)
    if wanted.min_duration_s is not None:
        found.append(_ran_us(clock) >= wanted.min_duration_s * 1e6)
    if wanted.max_duration_s is not None:
        found.append(_ran_us(clock) <= wanted.max_duration_s * 1e6)
    return found


def _ran_us(clock: Clock) -> sa.ColumnElement[Any]:
    """Give how long a job ran, up to now where it still does; 0 before its first attempt."""
    now = (clock.now() - EPOCH) // MICROSECOND
    number = sa.type_coerce
    finished = sa.func.coalesce(number(jobs.c.finished_at, sa.BigInteger), now)
    return sa.func.coalesce(finished - number(jobs.c.started_at, sa.BigInteger), 0)
