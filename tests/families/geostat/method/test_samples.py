"""Samples: what is refused, and what becomes of those that share a place."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from haulier.families.geostat.method.samples import Samples, merge_duplicates


@given(st.lists(st.tuples(st.integers(-1, 1), st.integers(-1, 1), st.integers(0, 9)), min_size=1))
def test_merging_leaves_one_a_place_and_loses_no_measurement(
    rows: list[tuple[int, int, int]],
) -> None:
    table = np.array(rows, dtype=np.float64)
    places = np.column_stack([table[:, :2], np.zeros(len(rows))])
    samples = Samples(places, table[:, 2], np.arange(len(rows)))

    merged = merge_duplicates(samples)

    seen = list(dict.fromkeys(map(tuple, places.tolist())))
    assert [tuple(place) for place in merged.places.tolist()] == seen
    counts = np.ones(len(merged), np.int64) if merged.counts is None else merged.counts
    for i, place in enumerate(seen):
        here = (places == place).all(axis=1)
        assert counts[i] == here.sum()
        assert merged.values[i] == pytest.approx(table[here, 2].mean())
        assert merged.holes is not None
        assert merged.holes[i] == np.flatnonzero(here)[0]


def test_samples_without_duplicates_stay_the_same_object() -> None:
    samples = Samples(np.eye(3), np.arange(3.0))

    assert merge_duplicates(samples) is samples


def test_merging_averages_every_column() -> None:
    samples = Samples(np.zeros((2, 3)), np.array([[1.0, 10.0], [3.0, 30.0]]))

    assert merge_duplicates(samples).values.tolist() == [[2.0, 20.0]]


def test_zero_and_minus_zero_are_one_place() -> None:
    samples = Samples(np.array([[0.0, 0, 0], [-0.0, 0, 0]]), np.array([1.0, 2.0]))

    assert len(merge_duplicates(samples)) == 1


@pytest.mark.parametrize(
    ("places", "values", "message"),
    [
        (np.empty((0, 3)), np.empty(0), "places must be .* n > 0"),
        (np.zeros((2, 2)), np.zeros(2), r"places must be .*got \(2, 2\)"),
        (np.zeros((2, 3)), np.zeros(3), "values must be"),
        (
            np.zeros((2, 3)),
            np.array([1.0, np.nan]),
            r"values must be finite, got nan in row 1, counted from 0",
        ),
        (np.array([[0, 0, np.inf]]), np.zeros(1), "places must be finite, got .* in row 0"),
    ],
)
def test_samples_that_do_not_fit_are_refused(
    places: np.ndarray[tuple[int, int], np.dtype[np.float64]],
    values: np.ndarray[tuple[int], np.dtype[np.float64]],
    message: str,
) -> None:
    with pytest.raises(ValueError, match=message):
        Samples(places, values)


def test_codes_must_be_one_a_sample() -> None:
    with pytest.raises(ValueError, match="holes must be"):
        Samples(np.zeros((2, 3)), np.zeros(2), np.zeros(3, np.int64))
