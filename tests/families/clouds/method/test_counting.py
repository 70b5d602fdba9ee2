"""Tallies and moments do not depend on how what they count was cut."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from haulier.families.clouds.method.moments import joined, moments_of
from haulier.families.clouds.method.outline import outline_of
from haulier.families.clouds.method.squares import Squares
from haulier.families.clouds.method.tallies import Tally, nothing, tally_of

NUMBERS = st.lists(st.integers(-(2**31), 2**31 - 1), max_size=40)


def same(one: Tally, two: Tally) -> bool:
    return (one.shift, one.low, one.counts.tolist()) == (two.shift, two.low, two.counts.tolist())


@given(NUMBERS, st.integers(0, 40), st.sampled_from([2, 7, 64]))
def test_a_tally_does_not_depend_on_where_it_was_cut(
    numbers: list[int], cut: int, cells: int
) -> None:
    values = np.array(numbers, np.int32)

    one = tally_of(cells, values)
    two = tally_of(cells, values[:cut]).plus(tally_of(cells, values[cut:]))

    assert same(one, two)
    assert one.total == len(numbers)


@given(st.lists(st.tuples(st.integers(-99, 99), st.integers(-9, 9)), min_size=1), st.integers(0, 9))
def test_a_map_counts_each_place_in_its_cell(places: list[tuple[int, int]], cut: int) -> None:
    x, y = np.array(places, np.int32).T

    whole = tally_of(16, x[:cut], y[:cut]).plus(tally_of(16, x[cut:], y[cut:]))

    assert max(whole.counts.shape) <= 16
    for a, b in places:
        cell = ((a >> whole.shift) - whole.low[0], (b >> whole.shift) - whole.low[1])
        assert whole.counts[cell] >= 1
    coarse = whole.coarser(2)
    assert same(coarse, tally_of(16, x, y).coarser(2))
    assert coarse.total == len(places)


def test_cells_on_both_sides_of_zero_stay_apart_and_that_is_no_endless_loop() -> None:
    tally = tally_of(8, np.array([-1, 0], np.int32), np.array([0, 0], np.int32))

    assert tally.filled(100).counts.shape == (2, 1)


def test_nothing_adds_nothing() -> None:
    some = tally_of(4, np.array([1, 2, 3], np.int32))

    assert same(nothing(4, 1).plus(some), some)
    assert same(some.plus(nothing(4, 1)), some)
    assert nothing(4, 2).filled(3).total == 0


def test_filled_cells_hold_so_many_on_average() -> None:
    tally = tally_of(1024, np.arange(1024, dtype=np.int32))

    filled = tally.filled(16)

    assert filled.shift == tally.shift + 4
    assert filled.total == 1024


@given(st.lists(st.floats(-1e6, 1e6), max_size=60), st.integers(1, 9))
def test_moments_of_batches_are_those_of_the_whole(numbers: list[float], size: int) -> None:
    values = np.array(numbers)
    batches = [values[start : start + size] for start in range(0, len(values), size)]

    (row,) = joined(np.array([[moments_of(each)] for each in batches]).reshape(-1, 1, 5))

    assert row[0] == len(values)
    if len(values):
        assert row[1:3].tolist() == [values.min(), values.max()]
        assert row[3] == pytest.approx(values.mean(), abs=1e-6)
        assert row[4] == pytest.approx(((values - values.mean()) ** 2).sum(), rel=1e-6, abs=1e-3)


def test_what_is_no_number_does_not_count() -> None:
    row = moments_of(np.array([1.0, np.nan, 3.0, np.inf]))

    assert row.tolist() == [2, 1.0, 3.0, 2.0, 2.0]
    assert moments_of(np.array([np.nan])).tolist() == [0, np.inf, -np.inf, 0, 0]


def test_an_outline_has_the_area_of_its_cells_and_their_holes() -> None:
    held = np.ones((5, 4), bool)
    held[2, 1] = False

    shape = outline_of(held, (100.0, 200.0), (2.0, 3.0))

    assert shape.area == 19 * 6
    assert shape.bounds == (100.0, 200.0, 110.0, 212.0)
    assert len(shape.interiors) == 1
    assert outline_of(np.zeros((2, 2), bool), (0, 0), (1, 1)).is_empty


@given(
    st.lists(st.tuples(st.floats(-50, 50), st.floats(-50, 50)), min_size=1, max_size=30),
    st.floats(0.5, 20),
    st.sampled_from([0.0, 0.25, 1.0, 1.5]),
)
def test_each_place_is_in_one_square_and_in_every_margin_that_reaches_it(
    places: list[tuple[float, float]], size: float, share: float
) -> None:
    margin = share * size
    squares = Squares(size, (1.0, -2.0), margin)
    x, y = np.array(places).T

    column, row = squares.own(x, y)
    number, columns, rows = squares.shared(x, y)

    shared = {
        (n, a, b) for n, a, b in zip(number.tolist(), columns.tolist(), rows.tolist(), strict=True)
    }
    assert len(shared) == len(number)
    for place, (a, b) in enumerate(zip(column.tolist(), row.tolist(), strict=True)):
        west, south, east, north = squares.bounds(a, b)
        assert west - 1e-9 <= x[place] <= east + 1e-9
        assert south - 1e-9 <= y[place] <= north + 1e-9
        assert (place, a, b) not in shared
        for beside in (a - 1, a + 1):
            near = x[place] - west if beside < a else east - x[place]
            if abs(near - margin) > 1e-6:
                assert ((place, beside, b) in shared) == (near < margin and margin > 0)
