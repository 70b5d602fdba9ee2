"""Long roads: cut at vertices, matched in parts, and whole again afterwards."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haulier.families.roads.method.lines import Lines, lengths
from haulier.families.roads.method.long_roads import cut_long, rejoin
from haulier.families.roads.method.match import match_tile
from haulier.families.roads.method.network import Customer, Reference
from haulier.families.roads.method.settings import Settings


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(2, 12), min_size=1, max_size=5), st.integers(0, 1000))
def test_parts_follow_each_other_and_none_is_too_long(counts: list[int], seed: int) -> None:
    random = np.random.default_rng(seed)
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    lines = Lines(np.cumsum(random.uniform(-30, 90, (offsets[-1], 2)), axis=0), offsets)

    cut = cut_long(lines, lines, 200.0)

    parts_m, whole_m = lengths(cut.lines), lengths(lines)
    assert (np.diff(cut.parent) >= 0).all()
    assert ((parts_m <= 200.0 + 1e-6) | (np.diff(cut.lines.offsets) == 2)).all()
    np.testing.assert_allclose((cut.end - cut.begin) * whole_m[cut.parent], parts_m, atol=1e-6)
    for road in range(len(counts)):
        own = cut.parent == road
        assert cut.begin[own][0] == 0.0
        assert cut.end[own][-1] == 1.0
        np.testing.assert_array_equal(cut.begin[own][1:], cut.end[own][:-1])


def test_a_road_matched_in_parts_is_one_match_again(
    reference_of: Callable[..., Reference], draw: Callable[..., Lines]
) -> None:
    street = [(x, 0.0) for x in np.arange(0.0, 601.0, 50.0)]
    road = [(x, 1.0) for x in np.arange(0.0, 601.0, 50.0)]
    degrees, metres = draw([road]), Lines(np.array(road), np.array([0, len(road)]))
    cut = cut_long(degrees, metres, 200.0)
    customer = Customer(cut.lines, np.ones(len(cut.lines), np.bool_))

    parts = match_tile(customer, reference_of([street]), Settings(mode="fast"))
    whole = rejoin(parts, cut)

    assert len(parts) == 3
    assert whole.road.tolist() == [0]
    assert whole.sequence.tolist() == [0]
    assert (whole.road_from[0], whole.road_to[0]) == pytest.approx((0.0, 1.0), abs=1e-6)
    assert (whole.segment_from[0], whole.segment_to[0]) == pytest.approx((0.0, 1.0), abs=1e-3)
    assert whole.confidence[0] == parts.confidence.min()
