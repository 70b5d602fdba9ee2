"""Competition: a closer road takes a segment, its twin does not, nor the other carriageway."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haulier.families.roads.method.compete import compete
from haulier.families.roads.method.match import match_tile
from haulier.families.roads.method.matches import (
    CLAIMED,
    CLAIMED_BY,
    FEATURES,
    SIGMA,
    Matches,
    join,
    pick,
)
from haulier.families.roads.method.network import Customer, Reference
from haulier.families.roads.method.settings import THRESHOLD, Settings

SIGMA_M = 3.0


def matches_of(rows: list[tuple[int, int, float, float, float, bool]]) -> Matches:
    """Make matches from road, segment, from, to, signed offset and direction."""
    road, segment, low, high, signed, forward = (
        np.array(column) for column in zip(*rows, strict=True)
    )
    n = len(rows)
    features = np.zeros((n, len(FEATURES)), np.float32)
    features[:, SIGMA] = SIGMA_M
    percent = np.full(n, 90, np.uint8)
    return Matches(
        road=road.astype(np.int32),
        segment=segment.astype(np.int32),
        road_from=np.zeros(n),
        road_to=np.ones(n),
        segment_from=low.astype(np.float64),
        segment_to=high.astype(np.float64),
        forward=forward.astype(np.bool_),
        offset_m=np.abs(signed).astype(np.float32),
        signed_m=signed.astype(np.float32),
        sequence=np.zeros(n, np.int32),
        confidence=percent,
        alone=percent,
        features=features,
        penalty=np.zeros(n, np.float32),
    )


def claims(matches: Matches) -> list[float]:
    done = compete(matches, matches.road, matches.segment)
    return [float(v) for v in done.features[:, CLAIMED]]


def test_a_closer_road_claims_what_it_shares_and_no_more() -> None:
    both = matches_of([(0, 5, 0.0, 0.5, 1.0, True), (1, 5, 0.25, 1.0, 9.0, True)])

    assert claims(both) == pytest.approx([0.0, 1 / 3])


def test_roads_on_different_segments_do_not_meet() -> None:
    apart = matches_of([(0, 5, 0.0, 1.0, 1.0, True), (1, 6, 0.0, 1.0, 9.0, True)])

    assert claims(apart) == [0.0, 0.0]


def test_a_road_does_not_compete_with_itself() -> None:
    loop = matches_of([(0, 5, 0.0, 1.0, 1.0, True), (0, 5, 0.0, 1.0, 9.0, True)])

    assert claims(loop) == [0.0, 0.0]


def test_two_copies_of_one_road_hardly_hurt_each_other() -> None:
    copies = matches_of([(0, 5, 0.0, 1.0, 2.0, True), (1, 5, 0.0, 1.0, 2.2, True)])

    assert max(claims(copies)) < 0.1


def test_carriageways_on_both_sides_of_a_centreline_both_keep_it() -> None:
    dual = matches_of([(0, 5, 0.0, 1.0, 6.0, True), (1, 5, 0.0, 1.0, -7.0, False)])

    assert claims(dual) == [0.0, 0.0]


def test_roads_on_both_sides_that_run_alike_are_no_carriageways() -> None:
    alike = matches_of([(0, 5, 0.0, 1.0, 4.0, True), (1, 5, 0.0, 1.0, -7.0, True)])

    assert claims(alike)[1] == pytest.approx(1.0)


stretches = st.tuples(
    st.integers(0, 5),
    st.integers(0, 2),
    st.floats(0, 0.5),
    st.floats(0.5, 1),
    st.floats(-20, 20),
    st.booleans(),
)


@settings(deadline=None, max_examples=60)
@given(st.lists(stretches, min_size=1, max_size=12), st.randoms())
def test_claims_are_shares_whatever_the_order_of_the_rows(
    rows: list[tuple[int, int, float, float, float, bool]], random: object
) -> None:
    matches = matches_of(rows)
    order = np.random.default_rng(hash(random) % 2**32).permutation(len(rows))

    straight = compete(matches, matches.road, matches.segment)
    shuffled = pick(matches, order)
    shuffled = compete(shuffled, shuffled.road, shuffled.segment)

    claimed = straight.features[:, [CLAIMED, CLAIMED_BY]]
    assert (claimed[:, 0] >= 0).all()
    assert (claimed[:, 0] <= 1).all()
    np.testing.assert_allclose(
        shuffled.features[:, [CLAIMED, CLAIMED_BY]], claimed[order], atol=1e-5
    )


def test_tiles_joined_compete_as_one_tile_does() -> None:
    rows = [(0, 5, 0.0, 0.6, 1.0, True), (1, 5, 0.2, 1.0, 8.0, True), (2, 5, 0.0, 1.0, 3.0, True)]
    together = claims(matches_of(rows))

    parts = join([pick(matches_of(rows), np.array([0, 2])), pick(matches_of(rows), np.array([1]))])

    assert claims(parts) == pytest.approx([together[0], together[2], together[1]])


def test_a_copy_of_a_missing_street_loses_to_the_street_that_is_there(
    reference_of: Callable[..., Reference], customer_of: Callable[..., Customer]
) -> None:
    street = [(0.0, 0.0), (150.0, 0.0), (300.0, 0.0)]
    roads = customer_of([[(0.0, 0.4), (300.0, 0.4)], [(0.0, 11.0), (300.0, 11.0)]])

    found = match_tile(roads, reference_of([street]), Settings())

    assert found.road[found.confidence >= THRESHOLD].tolist() == [0]
