"""What a road's matches make of it: full, partial or not at all, and the reason."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haulier.families.roads.method.matches import Matches, join, no_matches
from haulier.families.roads.method.status import Reason, RoadStatus, Status, road_status

Row = tuple[int, float, float, int, int]  # road, from, to, confidence, confidence alone


def matches_of(rows: Sequence[Row]) -> Matches:
    n = len(rows)
    table = np.array(rows, dtype=np.float64).reshape(n, 5)
    zeros = np.zeros(n)
    return replace(
        no_matches(),
        road=table[:, 0].astype(np.int32),
        segment=np.arange(n, dtype=np.int32),
        road_from=table[:, 1],
        road_to=table[:, 2],
        segment_from=zeros,
        segment_to=zeros + 1,
        confidence=table[:, 3].astype(np.uint8),
        alone=table[:, 4].astype(np.uint8),
    )


def status_of(rows: Sequence[Row], length_m: float = 200.0) -> RoadStatus:
    return road_status(1, np.array([length_m]), matches_of(rows))


@pytest.mark.parametrize(
    ("rows", "status", "reason"),
    [
        ([(0, 0.0, 0.95, 90, 90)], Status.FULL, Reason.MATCHED),
        ([(0, 0.0, 0.5, 90, 90), (0, 0.5, 1.0, 60, 60)], Status.FULL, Reason.MATCHED),
        ([(0, 0.0, 0.6, 90, 90)], Status.PARTIAL, Reason.MATCHED),
        ([(0, 0.0, 0.05, 90, 90)], Status.UNMATCHED, Reason.TOO_LITTLE),
        ([(0, 0.0, 1.0, 59, 59)], Status.UNMATCHED, Reason.BELOW_THRESHOLD),
        ([(0, 0.0, 1.0, 20, 90)], Status.UNMATCHED, Reason.COMPETITION),
        ([], Status.UNMATCHED, Reason.NO_CANDIDATE),
    ],
)
def test_a_road_has_the_status_its_matches_give_it(
    rows: list[Row], status: Status, reason: Reason
) -> None:
    got = status_of(rows)

    assert (got.status[0], got.reason[0]) == (status, reason)


def test_a_short_road_may_miss_ten_metres() -> None:
    rows = [(0, 0.0, 0.7, 90, 90)]

    assert status_of(rows, 30.0).status[0] == Status.FULL
    assert status_of(rows, 300.0).status[0] == Status.PARTIAL


def test_a_road_nobody_was_to_match_says_so() -> None:
    got = road_status(1, np.array([100.0]), no_matches(), navigable=np.array([False]))

    assert got.reason[0] == Reason.NOT_NAVIGABLE


rows_of_roads = st.tuples(
    st.integers(0, 3), st.floats(0, 0.5), st.floats(0.5, 1), st.integers(0, 100), st.just(100)
)


@settings(deadline=None, max_examples=60)
@given(st.lists(rows_of_roads, max_size=10), st.integers(1, 100))
def test_a_road_is_matched_when_its_reason_says_so(rows: list[Row], threshold: int) -> None:
    got = road_status(4, np.full(4, 150.0), matches_of(rows), threshold)

    np.testing.assert_array_equal(got.status != Status.UNMATCHED, got.reason == Reason.MATCHED)
    assert (got.coverage <= 1.0).all()
    assert (got.n_segments[got.status == Status.UNMATCHED] <= len(rows)).all()


def test_tables_put_together_have_all_their_rows() -> None:
    assert len(join([])) == 0
    assert len(join([no_matches(), matches_of([(0, 0.0, 1.0, 1, 1)])])) == 1
