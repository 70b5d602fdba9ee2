"""Cells of points do not depend on the order of points, nor on how they were cut."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haulier.families.clouds.method.cells import (
    BLOCK,
    HEIGHTS,
    Cells,
    blocks_of,
    cell_of,
    gather,
    join,
    join_within,
    runs_of,
)
from haulier.families.clouds.method.lattice import Window

FIELDS = (*HEIGHTS, "south", "east")
Ends = tuple[int, int]
#: `cell_of` gives no cells farther from zero.
FAR = 2**31 - BLOCK - 1
ENDS = st.sampled_from([-FAR, -FAR + 1, -256, -1, 0, 255, FAR - 1, FAR]) | st.integers(-FAR, FAR)


def some_points(seed: int, number: int = 500) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    rows = rng.integers(-600, 600, number).astype(np.int32)
    columns = rng.integers(-300, 300, number).astype(np.int32)
    return rows // 40, columns // 40, rng.integers(-1000, 1000, number).astype(np.int32)


def table_of(points: tuple[np.ndarray, ...], chosen: np.ndarray, fields: tuple[str, ...]) -> Cells:
    rows, columns, heights = (each[chosen] for each in points)
    values = dict.fromkeys(fields, heights) | {"count": np.ones(len(rows), dtype=np.int64)}
    return gather(rows, columns, values)


def in_rows(cells: Cells) -> Cells:
    return cells[np.lexsort((cells["column"], cells["row"]))]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.sampled_from([HEIGHTS, FIELDS]))
def test_cells_are_the_same_however_points_are_cut(
    seed: int, pieces: int, fields: tuple[str, ...]
) -> None:
    points = some_points(seed)
    order = np.random.default_rng(seed).permutation(len(points[0]))
    whole = table_of(points, np.arange(len(order)), fields)

    parts = [table_of(points, piece, fields) for piece in np.array_split(order, pieces)]

    assert np.array_equal(join(parts), whole)
    everywhere = Window(-100, -100, 200, 200)
    assert np.array_equal(in_rows(join_within(parts, everywhere)), in_rows(whole))


def test_a_cell_has_the_count_the_ends_and_the_sum_of_its_points() -> None:
    rows = np.array([0, 0, 5], dtype=np.int32)
    heights = np.array([7, -3, 4], dtype=np.int32)

    cells = table_of((rows, rows, heights), np.arange(3), HEIGHTS)

    assert cells.tolist() == [(0, 0, 2, -3, 7, 4), (5, 5, 1, 4, 4, 4)]


def test_blocks_find_the_cells_of_a_window() -> None:
    rows, columns, heights = some_points(3, 4000)
    cells = table_of((rows * 50, columns * 50, heights), np.arange(4000), HEIGHTS)
    window = Window(-200, 100, 300, 150)

    runs = runs_of(blocks_of(cells), len(cells), window)

    found = np.concatenate([np.arange(start, end) for start, end in runs])
    inside = (cells["row"] >= -200) & (cells["row"] < 100)
    inside &= (cells["column"] >= 100) & (cells["column"] < 250)
    assert set(np.flatnonzero(inside)) <= set(found)
    assert len(found) < len(cells)


@pytest.mark.parametrize(("number", "cell"), [(1000, 10), (999, 9), (-1, -1), (0, 0), (1, 0)])
def test_a_point_on_an_edge_lies_in_the_cell_above_whatever_its_decimals(
    number: int, cell: int
) -> None:
    cells, fractions = cell_of(np.array([number], dtype=np.int32), 0.01, 0.0, 1.0)

    assert cells.tolist() == [cell]
    assert 0.0 <= fractions[0] <= 1.0


def test_more_cells_than_can_be_counted_are_refused() -> None:
    with pytest.raises(ValueError, match="too small"):
        cell_of(np.array([2**31 - 1], dtype=np.int32), 1.0, 0.0, 0.001)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(ENDS, ENDS), min_size=1, max_size=20))
def test_cells_at_the_ends_of_what_can_be_counted_are_told_apart(places: list[Ends]) -> None:
    rows, columns = np.array(places, np.int32).T
    values = dict.fromkeys(HEIGHTS, np.ones(len(rows), np.int64))

    cells = gather(np.ascontiguousarray(rows), np.ascontiguousarray(columns), values)

    found = list(zip(cells["row"].tolist(), cells["column"].tolist(), strict=True))
    assert sorted(found) == sorted(set(places))
    assert int(cells["count"].sum()) == len(places)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(-(2**31), 2**31 - 1), min_size=1, max_size=9),
    st.floats(1e-12, 1e6),
    st.floats(-1e15, 1e15),
    st.floats(5e-324, 1e6),
)
def test_a_cell_is_that_of_the_place_or_is_refused(
    numbers: list[int], scale: float, offset: float, cell: float
) -> None:
    try:
        cells, into = cell_of(np.array(numbers, np.int32), scale, offset, cell)
    except ValueError as error:
        assert "is too small for places" in str(error)  # noqa: PT017 -- either is right
        return

    along = (np.array(numbers) * scale + offset) / cell
    assert np.isfinite(along).all()
    assert (np.abs(cells - along) <= 1 + np.abs(along) * 1e-9).all()
    assert ((into >= 0) & (into <= 1)).all()
