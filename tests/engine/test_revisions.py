"""Versions of catalog entries, on both databases: kept, told apart, put away and brought back."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from uuid import uuid4

import pytest
import sqlalchemy as sa

from haulier.core.clock import FrozenClock
from haulier.core.entry import Publication
from haulier.core.problem import Code, Problem
from haulier.engine.catalog import SHARED, Catalog, StaleError
from haulier.engine.reach import Reach
from haulier.engine.tables import revisions

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock(START)


@pytest.fixture
def catalog(database: sa.Engine, clock: FrozenClock) -> Catalog:
    return Catalog(database, clock, Reach([]))


def refusal(call: Callable[[], object]) -> tuple[Code, str]:
    """Give code and place of the problem that a call raises."""
    with pytest.raises(Problem) as caught:
        call()
    return caught.value.code, caught.value.at


def test_every_version_is_kept_as_it_was_with_who_made_it(
    catalog: Catalog, clock: FrozenClock
) -> None:
    for number, who in enumerate(["ada", "bob", "cyd"], 1):
        catalog.put("acme", "grid", "g", {"n": number}, by=who)
        clock.move(60)

    newest = catalog.version("acme", "grid", name="g")
    second = catalog.version("acme", "grid", id=newest.id, version=2)

    assert (newest.version, newest.body, newest.by) == (3, {"n": 3}, "cyd")
    assert (second.body, second.by) == ({"n": 2}, "bob")
    assert (second.updated_at - START).total_seconds() == 60
    assert [each.version for each in catalog.versions(newest)] == [3, 2, 1]
    assert catalog.versions(newest)[1] == second


def test_an_entry_that_came_to_the_name_of_another_is_not_replaced(
    catalog: Catalog, database: sa.Engine
) -> None:
    first = catalog.put("acme", "grid", "g", {"n": 1})
    catalog.put_away("acme", "grid", first.id)
    second = catalog.put("acme", "grid", "g", {"n": 2})
    late = Publication(type="grid", name="g", body={"n": 3}, expects=1, id=first.id)

    with pytest.raises(StaleError), database.begin() as connection:
        catalog.publish(connection, "acme", late)

    assert catalog.versions(second) == [second]


@pytest.mark.parametrize("expects", [0, 1, 3])
def test_a_version_that_is_not_the_expected_one_is_not_replaced(
    catalog: Catalog, expects: int
) -> None:
    catalog.put("acme", "grid", "g", {"n": 1})
    catalog.put("acme", "grid", "g", {"n": 2}, expects=1)

    code, _ = refusal(lambda: catalog.put("acme", "grid", "g", {"n": 9}, expects=expects))

    assert code is Code.CONFLICT
    assert catalog.get("acme", "grid", "g").body == {"n": 2}


def test_of_many_who_expect_one_version_one_alone_replaces_it(catalog: Catalog) -> None:
    catalog.put("acme", "grid", "g", {"who": -1})

    def change(who: int) -> bool:
        try:
            catalog.put("acme", "grid", "g", {"who": who}, expects=1)
        except Problem:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(change, range(8)))

    assert won.count(True) == 1
    assert catalog.get("acme", "grid", "g").body == {"who": won.index(True)}


def test_many_who_put_at_once_make_a_version_each(catalog: Catalog) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: catalog.put("acme", "grid", "g", {"n": n}), range(12)))

    versions = catalog.versions(catalog.get("acme", "grid", "g"))
    assert [each.version for each in versions] == list(range(12, 0, -1))
    assert sorted(each.body["n"] for each in versions) == list(range(12))


def test_a_transaction_that_fails_leaves_neither_version_nor_revision(
    catalog: Catalog, database: sa.Engine
) -> None:
    entry = catalog.put("acme", "grid", "g", {"n": 1})
    wanted = Publication(type="grid", name="g", body={"n": 2}, expects=1)
    stale = Publication(type="grid", name="other", body={}, expects=4)

    def both() -> None:
        with database.begin() as connection:
            catalog.publish(connection, "acme", wanted)
            catalog.publish(connection, "acme", stale)

    with pytest.raises(StaleError):
        both()
    assert catalog.versions(catalog.get("acme", "grid", "g")) == [entry]
    with database.connect() as connection:  # a revision would keep all others from version 1
        assert connection.execute(sa.select(sa.func.count()).select_from(revisions)).scalar() == 0


def test_a_new_entry_may_bring_its_id(catalog: Catalog, database: sa.Engine) -> None:
    own = str(uuid4())
    new = Publication(type="grid", name="g", body={}, expects=0, id=own)

    with database.begin() as connection:
        catalog.publish(connection, "acme", new)

    assert catalog.version("acme", "grid", id=own).name == "g"


def test_a_version_that_is_not_there_is_named(catalog: Catalog) -> None:
    entry = catalog.put("acme", "grid", "g", {})
    nobody = str(uuid4())

    assert refusal(lambda: catalog.version("acme", "grid", name="g", version=2))[1] == "version"
    assert refusal(lambda: catalog.version("acme", "grid", id=nobody)) == (Code.NOT_FOUND, "id")
    assert refusal(lambda: catalog.version("acme", "cube", id=entry.id)) == (Code.NOT_FOUND, "id")
    assert refusal(lambda: catalog.version("other", "grid", id=entry.id)) == (Code.NOT_FOUND, "id")


def test_what_was_put_away_is_out_of_sight_and_its_name_is_free(catalog: Catalog) -> None:
    first = catalog.put("acme", "grid", "g", {"n": 1})
    away = catalog.put_away("acme", "grid", first.id)

    assert away.deleted_at == START
    assert catalog.find("acme", "grid", "g") is None
    assert refusal(lambda: catalog.version("acme", "grid", id=first.id)) == (Code.NOT_FOUND, "id")
    assert catalog.version("acme", "grid", id=first.id, deleted=True).body == {"n": 1}
    second = catalog.put("acme", "grid", "g", {"n": 2})
    assert (second.version, second.id != first.id) == (1, True)
    assert refusal(lambda: catalog.restore("acme", "grid", first.id)) == (Code.CONFLICT, "name")


def test_what_was_put_away_comes_back_with_its_versions(catalog: Catalog) -> None:
    catalog.put("acme", "grid", "g", {"n": 1})
    entry = catalog.put("acme", "grid", "g", {"n": 2})
    catalog.put_away("acme", "grid", entry.id)

    back = catalog.restore("acme", "grid", entry.id)

    assert back == entry
    assert [each.body["n"] for each in catalog.versions(back)] == [2, 1]
    again = refusal(lambda: catalog.restore("acme", "grid", entry.id))
    assert again == (Code.NOT_FOUND, "id")


def test_only_its_own_organisation_puts_an_entry_away(catalog: Catalog) -> None:
    shared = catalog.put(SHARED, "grid", "g", {})

    assert refusal(lambda: catalog.put_away("acme", "grid", shared.id))[0] is Code.NOT_FOUND


def test_a_forgotten_entry_takes_its_versions_along(catalog: Catalog, database: sa.Engine) -> None:
    catalog.put("acme", "grid", "g", {"n": 1})
    catalog.put("acme", "grid", "g", {"n": 2})

    catalog.delete("acme", "grid", "g")

    with database.connect() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM revisions")).scalar_one() == 0


def test_a_page_gives_own_entries_below_a_prefix_and_how_many_there_are(catalog: Catalog) -> None:
    for name in ["a/1", "a/2", "a/3", "a%/4", "b/5"]:
        catalog.put("acme", "grid", name, {})
    catalog.put(SHARED, "grid", "a/6", {})
    gone = catalog.put("acme", "grid", "a/7", {})
    catalog.put_away("acme", "grid", gone.id)

    entries, total = catalog.page("acme", "grid", prefix="a/", limit=2, offset=1)

    assert ([each.name for each in entries], total) == (["a/2", "a/3"], 3)
    assert [each.name for each in catalog.page("acme", "grid", prefix="a%")[0]] == ["a%/4"]
    assert [each.name for each in catalog.page("acme", "grid", deleted=True)[0]] == ["a/7"]


def test_an_entry_moves_with_its_history(catalog: Catalog) -> None:
    old = catalog.put("acme", "grid", "here", {"n": 1}, by="ada")

    wanted = Publication(type="grid", name="there", body={"n": 2}, expects=1, id=old.id)
    moved = catalog.move("acme", wanted, by="bob")

    assert (moved.id, moved.name, moved.version, moved.by) == (old.id, "there", 2, "bob")
    assert catalog.find("acme", "grid", "here") is None
    assert [each.body for each in catalog.versions(moved)] == [{"n": 2}, {"n": 1}]


@pytest.mark.parametrize(
    ("name", "expects", "organisation", "at"),
    [
        ("taken", 1, "acme", "name"),
        ("free", 2, "acme", "version"),
        ("free", 1, "others", "version"),
    ],
)
def test_a_move_that_cannot_be_changes_nothing(
    catalog: Catalog, name: str, expects: int, organisation: str, at: str
) -> None:
    old = catalog.put("acme", "grid", "here", {"n": 1})
    taken = catalog.put("acme", "grid", "taken", {"n": 7})
    wanted = Publication(type="grid", name=name, body={"n": 2}, expects=expects, id=old.id)

    assert refusal(lambda: catalog.move(organisation, wanted)) == (Code.CONFLICT, at)

    assert list(catalog.list("acme", "grid")) == [old, taken]


def test_what_was_put_away_comes_back_under_another_name_where_its_own_is_taken(
    catalog: Catalog,
) -> None:
    first = catalog.put("acme", "grid", "g", {"n": 1})
    catalog.put_away("acme", "grid", first.id)
    second = catalog.put("acme", "grid", "g", {"n": 2})

    restored = catalog.restore("acme", "grid", first.id, name="g (1)")

    assert (restored.id, restored.name, restored.deleted_at) == (first.id, "g (1)", None)
    assert catalog.find("acme", "grid", "g") == second
