"""Flat polylines: measures against shapely, picking against Python's own lists."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from haulier.families.roads.method.lines import Lines, lengths, measures, no_lines, take

places = st.tuples(st.floats(-1e4, 1e4), st.floats(-1e4, 1e4))
paths = st.lists(st.lists(places, max_size=6), max_size=6)


def flat(rows: Sequence[Sequence[tuple[float, float]]]) -> Lines:
    offsets = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
    joined = [place for row in rows for place in row]
    return Lines(np.array(joined, dtype=np.float64).reshape(-1, 2), offsets)


@settings(deadline=None, max_examples=60)
@given(paths)
def test_a_line_is_as_long_as_shapely_says(rows: list[list[tuple[float, float]]]) -> None:
    expected = [shapely.LineString(row).length if len(row) > 1 else 0.0 for row in rows]

    np.testing.assert_allclose(lengths(flat(rows)), expected, rtol=1e-9, atol=1e-6)


@settings(deadline=None, max_examples=60)
@given(paths)
def test_measures_begin_at_zero_and_never_fall(rows: list[list[tuple[float, float]]]) -> None:
    lines = flat(rows)
    along = measures(lines)

    for first, last in zip(lines.offsets[:-1], lines.offsets[1:], strict=True):
        own = along[first:last]
        assert len(own) == 0 or abs(own[0]) < 1e-6
        assert (np.diff(own) >= -1e-6).all()


@settings(deadline=None, max_examples=60)
@given(paths, st.data())
def test_picked_lines_are_those_asked_for(
    rows: list[list[tuple[float, float]]], data: st.DataObject
) -> None:
    lines = flat(rows)
    wanted = data.draw(st.lists(st.integers(0, len(rows) - 1)) if rows else st.just([]))

    picked = take(lines, np.array(wanted, dtype=np.int64))

    assert len(picked) == len(wanted)
    expected = flat([rows[i] for i in wanted])
    np.testing.assert_array_equal(picked.coordinates, expected.coordinates)


def test_no_lines_has_no_length() -> None:
    assert lengths(no_lines()).tolist() == []


@pytest.mark.parametrize(
    ("shape", "offsets", "says"),
    [
        ((2, 3), [0, 2], "coordinates must have shape"),
        ((2, 2), [0, 1], "offsets must run from 0 to 2"),
        ((2, 2), [0, 3, 2], "offsets must not fall"),
    ],
)
def test_arrays_that_would_be_read_past_their_end_are_refused(
    shape: tuple[int, int], offsets: list[int], says: str
) -> None:
    make: Callable[[], Lines] = lambda: Lines(np.zeros(shape), np.array(offsets))  # noqa: E731 -- reads best here

    with pytest.raises(ValueError, match=says):
        make()
