"""The small nouns: progress, identity, files, callers, clocks, problems."""

import math
import pickle
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from haulier.core.artifact import check_filename
from haulier.core.caller import Caller, Scope
from haulier.core.clock import FrozenClock, SystemClock
from haulier.core.identity import fingerprint, new_job_id
from haulier.core.problem import Code, Fault, Problem
from haulier.core.progress import added, clamp, weighted

FRACTIONS = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1e6)), min_size=1, max_size=20)


@given(st.floats())
def test_a_clamped_fraction_is_a_fraction(value: float) -> None:
    assert 0 <= clamp(value) <= 1
    if 0 <= value <= 1:
        assert clamp(value) == value


@given(FRACTIONS)
@example([(0.5, 5e-324)])
def test_a_whole_lies_between_its_members(members: list[tuple[float, float]]) -> None:
    fractions, weights = zip(*members, strict=True)
    whole = weighted(fractions, weights)
    if sum(weights) > 0:
        assert min(fractions) - 1e-9 <= whole <= max(fractions) + 1e-9
    else:
        assert whole == 0


@given(st.permutations([("a", 0.5, 1.0), ("b", 0.25, 3.0), ("c", 1.0, 0.0)]))
def test_the_order_of_members_does_not_matter(members: list[tuple[str, float, float]]) -> None:
    whole = weighted([m[1] for m in members], [m[2] for m in members])
    assert math.isclose(whole, 0.3125)


def test_counters_add_up_by_name() -> None:
    assert added([{"roads": 1, "gaps": 2}, {"roads": 4}, {}]) == {"roads": 5, "gaps": 2}


def test_job_ids_are_version_7_and_sort_by_time() -> None:
    ids = [new_job_id(milliseconds) for milliseconds in (1, 2, 1_700_000_000_000)]
    assert ids == sorted(ids)
    assert {one.version for one in ids} == {7}
    assert new_job_id(5) != new_job_id(5)
    assert ids[2].int >> 80 == 1_700_000_000_000


def test_equal_values_have_equal_fingerprints_whatever_their_order() -> None:
    assert fingerprint({"a": 1, "b": [2, None]}) == fingerprint({"b": [2, None], "a": 1})
    assert fingerprint({"a": 1}) != fingerprint({"a": 1.5})
    assert fingerprint([1, 2]) != fingerprint([2, 1])


@pytest.mark.parametrize("name", ["roads.parquet", "a b", "ø", "x" * 255, "..a"])
def test_a_plain_file_name_is_taken(name: str) -> None:
    assert check_filename(name) == name


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a\\b", "a\x00", "a\n", "x" * 256])
def test_a_path_is_no_file_name(name: str) -> None:
    with pytest.raises(Problem) as caught:
        check_filename(name, at="inputs.file")
    assert (caught.value.code, caught.value.at) == (Code.INVALID, "inputs.file")
    assert repr(name) in caught.value.detail


def test_an_admin_may_do_everything_and_a_reader_only_read() -> None:
    admin = Caller("o", "s", frozenset({Scope.ADMIN}))
    reader = Caller("o", "s", frozenset({Scope.READ}))
    for scope in Scope:
        admin.require(scope)
    reader.require(Scope.READ)
    with pytest.raises(Problem, match="lacks the scope 'write'"):
        reader.require(Scope.WRITE)


def test_a_frozen_clock_moves_only_when_moved() -> None:
    clock = FrozenClock(datetime(2026, 1, 1, tzinfo=UTC))
    assert clock.now() == clock.now()
    clock.move(90)
    assert clock.now() == datetime(2026, 1, 1, 0, 1, 30, tzinfo=UTC)
    assert SystemClock().now().tzinfo is UTC


def test_a_problem_travels_between_processes_and_through_its_body() -> None:
    problem = Problem(Code.INVALID, "x must be 1, got 2", at="x", faults=[Fault("x", "d")])
    for other in (pickle.loads(pickle.dumps(problem)), Problem.of(problem.body())):  # noqa: S301 -- our own bytes
        assert other.body() == problem.body()
        assert str(other) == "x must be 1, got 2"
