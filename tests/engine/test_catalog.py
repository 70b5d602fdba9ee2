"""The catalog, on both databases: whose entries are seen, and what a change changes."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from haulier.core.clock import FrozenClock
from haulier.core.problem import Code, Problem
from haulier.engine.catalog import SHARED, Catalog
from haulier.engine.reach import Reach

START = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock(START)


@pytest.fixture
def catalog(database: sa.Engine, clock: FrozenClock) -> Catalog:
    return Catalog(database, clock, Reach([], roots=["s3://ä/"]))


def test_an_entry_is_given_back_as_it_was_put(catalog: Catalog) -> None:
    body = {"url": "s3://ä/日本", "nested": [{"a": None, "b": 1.5}], "big": 2**53}

    put = catalog.put("acme", "release", "2026-01-21.0", body)

    assert put == catalog.get("acme", "release", "2026-01-21.0")
    assert put.body == body
    assert (put.version, put.created_at, put.updated_at) == (1, START, START)


def test_putting_again_keeps_the_identity_and_raises_the_version(
    catalog: Catalog, clock: FrozenClock
) -> None:
    first = catalog.put("acme", "release", "r", {"url": "s3://ä/old"})
    clock.move(60)

    second = catalog.put("acme", "release", "r", {"url": "s3://ä/new"})

    assert (second.id, second.number, second.created_at) == (first.id, first.number, START)
    assert (second.version, second.body) == (2, {"url": "s3://ä/new"})
    assert second.updated_at == clock.now()


def test_an_organisation_sees_its_own_entries_and_the_shared_ones_by_name(
    catalog: Catalog,
) -> None:
    catalog.put("acme", "release", "b", {"whose": "acme"})
    catalog.put(SHARED, "release", "a", {"whose": "all"})
    catalog.put(SHARED, "release", "b", {"whose": "all"})
    catalog.put("other", "release", "c", {"whose": "other"})
    catalog.put("acme", "storage", "d", {})

    seen = [(entry.name, entry.body["whose"]) for entry in catalog.list("acme", "release")]

    assert seen == [("a", "all"), ("b", "acme")]
    assert catalog.get("acme", "release", "b").body == {"whose": "acme"}
    assert catalog.get("other", "release", "b").body == {"whose": "all"}
    assert catalog.find("acme", "release", "c") is None


@pytest.mark.parametrize(
    "look",
    [
        lambda catalog: catalog.get("acme", "release", "x"),
        lambda catalog: catalog.delete("acme", "release", "x"),
        lambda catalog: catalog.delete("acme", "release", "shared"),
    ],
)
def test_what_is_not_there_is_refused_with_the_names_that_are(
    catalog: Catalog, look: Callable[[Catalog], object]
) -> None:
    catalog.put("acme", "release", "one", {})
    catalog.put("acme", "release", "two", {})
    catalog.put(SHARED, "release", "shared", {})

    with pytest.raises(Problem, match="one") as caught:
        look(catalog)

    assert caught.value.code is Code.NOT_FOUND
    assert "two" in caught.value.detail


def test_a_refusal_does_not_list_thousands_of_names(catalog: Catalog) -> None:
    for number in range(25):
        catalog.put("acme", "release", f"r{number:02}", {})

    with pytest.raises(Problem, match="and 5 more"):
        catalog.get("acme", "release", "x")


def test_a_deleted_entry_is_gone_and_its_number_is_not_given_again(catalog: Catalog) -> None:
    first = catalog.put("acme", "release", "r", {})

    catalog.delete("acme", "release", "r")

    assert catalog.find("acme", "release", "r") is None
    second = catalog.put("acme", "release", "r", {})
    assert second.number > first.number
    assert (second.version, second.id != first.id) == (1, True)


def test_many_writers_at_once_make_one_entry_and_lose_no_change(catalog: Catalog) -> None:
    with ThreadPoolExecutor(8) as pool:
        puts = [pool.submit(catalog.put, "acme", "t", "n", {"by": by}) for by in range(16)]
        versions = sorted(put.result().version for put in puts)

    assert versions == list(range(1, 17))


def test_what_is_ensured_is_made_once_and_never_overwritten(catalog: Catalog) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = [pool.submit(catalog.ensure, "acme", "t", "n", {"by": by}) for by in range(16)]
        entries = [one.result() for one in made]

    assert len({entry.id for entry in entries}) == 1
    assert {entry.version for entry in entries} == {1}


def test_a_whole_number_that_no_process_could_be_told_is_refused_where_it_is(
    catalog: Catalog,
) -> None:
    with pytest.raises(Problem) as caught:
        catalog.put("acme", "grid", "g", {"object": {"size": [10**400, 1, -(10**30)]}})

    assert caught.value.code is Code.INVALID
    assert [fault.at for fault in caught.value.faults] == ["object.size[0]", "object.size[2]"]
    catalog.put("acme", "grid", "g", {"size": [2**64 - 1, -(2**63)]})
