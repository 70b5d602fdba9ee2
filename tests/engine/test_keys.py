"""API keys, on both databases: who a secret is, for how long, and what is kept of it."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from haulier.config import DEV_KEY
from haulier.core.caller import Caller, Scope
from haulier.core.clock import FrozenClock
from haulier.core.problem import Code, Problem
from haulier.engine.keys import BELIEVED_AT_ONCE, Keys

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock(START)


@pytest.fixture
def keys(database: sa.Engine, clock: FrozenClock) -> Iterator[Keys]:
    keys = Keys(database, clock)
    yield keys
    keys.settle()


def refused(keys: Keys, secret: str) -> bool:
    with pytest.raises(Problem) as caught:
        keys.authenticate(secret)
    return caught.value.code is Code.UNAUTHENTICATED


def test_a_secret_says_who_its_holder_is(keys: Keys) -> None:
    _, secret = keys.create("acme", subject="ci", scopes=(Scope.WRITE, Scope.READ))

    caller = keys.authenticate(secret)

    assert caller == Caller("acme", "ci", frozenset({Scope.READ, Scope.WRITE}))


def test_a_secret_has_256_random_bits_and_no_two_are_alike(keys: Keys) -> None:
    secrets = {keys.create("acme", scopes=[Scope.READ])[1] for _ in range(50)}

    assert len(secrets) == 50
    assert all(re.fullmatch(r"hlr_[A-Za-z0-9_-]{43}", secret) for secret in secrets)


def test_nothing_that_is_kept_contains_the_secret(keys: Keys, database: sa.Engine) -> None:
    _, secret = keys.create("acme", scopes=[Scope.READ])

    with database.connect() as connection:
        kept = connection.execute(sa.text("SELECT * FROM keys")).all()

    assert secret.removeprefix("hlr_") not in repr(kept)


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "hlr_",
        "hlr_" + "A" * 43,
        "Bearer x",
        "hlr_\udcff",
        "hlr_" + "x" * 1_000_000,
        "ü",
        DEV_KEY,
    ],
)
def test_a_secret_that_nobody_has_is_refused(keys: Keys, secret: str) -> None:
    keys.create("acme", scopes=[Scope.READ])

    assert refused(keys, secret)


def test_the_development_key_works_only_where_it_was_asked_for(
    database: sa.Engine, clock: FrozenClock
) -> None:
    caller = Keys(database, clock, dev=True).authenticate(DEV_KEY)

    assert caller == Caller("dev", "dev", frozenset(Scope))
    assert refused(Keys(database, clock), DEV_KEY)


def test_a_key_works_up_to_its_end_and_not_a_moment_longer(keys: Keys, clock: FrozenClock) -> None:
    end = START + timedelta(seconds=10)
    _, secret = keys.create("acme", scopes=[Scope.READ], expires_at=end)

    clock.move(9.9)
    keys.authenticate(secret)  # believed for a second, which ends with the key
    clock.move(0.1)

    assert refused(keys, secret)


def test_a_revoked_key_is_refused_at_once_here_and_within_a_second_elsewhere(
    keys: Keys, database: sa.Engine, clock: FrozenClock
) -> None:
    elsewhere = Keys(database, clock)
    info, secret = keys.create("acme", scopes=[Scope.READ])
    keys.authenticate(secret)
    elsewhere.authenticate(secret)
    elsewhere.settle()

    revoked = keys.revoke("acme", info.id)

    assert revoked.revoked_at == START
    assert refused(keys, secret)
    clock.move(1)
    assert refused(elsewhere, secret)


def test_revoking_twice_keeps_the_first_time(keys: Keys, clock: FrozenClock) -> None:
    info, _ = keys.create("acme", scopes=[Scope.READ])
    keys.revoke("acme", info.id)
    clock.move(60)

    assert keys.revoke("acme", info.id).revoked_at == START


def test_a_key_of_another_organisation_is_not_there(keys: Keys) -> None:
    info, secret = keys.create("acme", scopes=[Scope.READ])

    for look in (keys.get, keys.revoke):
        with pytest.raises(Problem) as caught:
            look("other", info.id)
        assert caught.value.code is Code.NOT_FOUND
    assert keys.authenticate(secret).organisation == "acme"


def test_the_last_use_is_noted_at_most_once_a_minute(keys: Keys, clock: FrozenClock) -> None:
    info, secret = keys.create("acme", scopes=[Scope.READ])
    assert info.used_at is None

    noted = []
    for seconds in (0, 59, 1, 59, 1):
        clock.move(seconds)
        keys.authenticate(secret)
        keys.settle()
        noted.append(keys.get("acme", info.id).used_at)

    first, second, third = (START + timedelta(seconds=at) for at in (0, 60, 120))
    assert noted == [first, first, second, second, third]


def test_a_key_that_is_used_all_the_time_asks_the_database_once_a_second(
    keys: Keys, database: sa.Engine, clock: FrozenClock
) -> None:
    _, secret = keys.create("acme", scopes=[Scope.READ])
    keys.authenticate(secret)
    keys.settle()
    asked: list[str] = []
    sa.event.listen(database, "before_cursor_execute", lambda *it: asked.append(it[2]))

    for _ in range(10):
        clock.move(0.09)
        keys.authenticate(secret)
    assert asked == []
    clock.move(0.1)
    keys.authenticate(secret)

    assert len(asked) == 1


def test_the_memory_of_secrets_is_bounded(keys: Keys) -> None:
    for number in range(BELIEVED_AT_ONCE + 10):
        keys.believe(f"{number:064}", Caller("acme", "", frozenset()), START)

    assert keys.believed == BELIEVED_AT_ONCE


def test_keys_are_listed_in_the_order_they_were_made(keys: Keys, clock: FrozenClock) -> None:
    made = []
    for organisation in ("b", "a", "b"):
        made.append(keys.create(organisation, scopes=[Scope.ADMIN])[0])
        clock.move(1)

    assert list(keys.list()) == made
    assert list(keys.list("b")) == [made[0], made[2]]
    assert list(keys.list("c")) == []


@pytest.mark.parametrize(
    ("changes", "at"),
    [
        ({"organisation": ""}, "organisation"),
        ({"organisation": "*"}, "organisation"),
        ({"organisation": " acme"}, "organisation"),
        ({"organisation": "x" * 129}, "organisation"),
        ({"organisation": "a\nb"}, "organisation"),
        ({"subject": "s" * 257}, "subject"),
        ({"subject": "a\x00"}, "subject"),
        ({"scopes": []}, "scopes"),
        ({"expires_at": START}, "expires_at"),
        ({"expires_at": START.replace(tzinfo=None) + timedelta(days=1)}, "expires_at"),
    ],
)
def test_a_key_that_can_not_be_is_refused_by_the_field(
    keys: Keys, changes: dict[str, object], at: str
) -> None:
    wanted: dict[str, object] = {"organisation": "acme", "scopes": [Scope.READ]} | changes

    with pytest.raises(Problem) as caught:
        keys.create(**wanted)  # type: ignore[arg-type]  # a table of arguments

    assert (caught.value.code, caught.value.at) == (Code.INVALID, at)
    assert list(keys.list()) == []
