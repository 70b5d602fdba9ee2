"""Gather points by the cell they lie in; what is kept of a cell does not depend on their order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from haulier.families.clouds.method.lattice import Window
from haulier.families.clouds.method.sorting import in_order_of
from haulier.families.kernels import kernel

FloatArray = NDArray[np.float64]
Int32Array = NDArray[np.int32]
Int64Array = NDArray[np.int64]
#: Rows of cells, sorted by block and within it by row and column; a cell occurs once.
Cells = NDArray[np.void]

#: Cells along a side of a block: what lies together in a table.
BLOCK_BITS: Final = 8
BLOCK: Final = 1 << BLOCK_BITS
#: Steps of a cell that places within it are counted in.
STEPS: Final = 1024
#: Points on the edge of a cell must not fall to either side as their decimals are rounded.
EDGE: Final = 1e-3
HALF: Final = 0.5

#: How two values of a cell become one. All are of whole numbers, so that order does not matter.
#: low, high, total: of heights in quanta; east, south: sums of places in the cell, in STEPS.
REDUCTIONS: Final[Mapping[str, np.ufunc]] = {
    "count": np.add,
    "low": np.minimum,
    "high": np.maximum,
    "total": np.add,
    "east": np.add,
    "south": np.add,
    "intensity": np.add,
    "red": np.add,
    "green": np.add,
    "blue": np.add,
    "nir": np.add,
    "class_low": np.minimum,
    "class_high": np.maximum,
}
TYPES: Final[Mapping[str, str]] = {
    "count": "<u4",
    "low": "<i4",
    "high": "<i4",
    "class_low": "u1",
    "class_high": "u1",
}
HEIGHTS: Final = ("count", "low", "high", "total")


def cells_dtype(fields: Sequence[str]) -> np.dtype[Any]:
    """Give the type of a table of cells with these values."""
    return np.dtype(
        [("row", "<i4"), ("column", "<i4"), *((name, TYPES.get(name, "<i8")) for name in fields)]
    )


def cell_of(
    numbers: Int32Array, scale: float, offset: float, cell: float
) -> tuple[Int32Array, FloatArray]:
    """Give the cell along an axis that each place lies in, and how far into it.

    Args:
        numbers: (n,) stored coordinates.
        scale: of a stored coordinate, in the unit of X and Y.
        offset: in that unit.
        cell: side of a cell, in that unit.

    Returns:
        Cells (n,), and fractions (n,) from 0 to 1 from the lower edge of the cell on.

    Raises:
        ValueError: there are more cells than 32 bits can count.
    """
    edge = min(EDGE * scale / cell, HALF)  # of cells far smaller than a step it would be infinite
    cells, fractions, farthest = _cell_loop(numbers, scale, offset, cell, edge)
    if farthest >= 2**31 - BLOCK:
        raise ValueError(f"a cell of {cell:g} is too small for places {farthest:.4g} cells away")
    return cells, fractions


@kernel
def _cell_loop(
    numbers: Int32Array, scale: float, offset: float, cell: float, edge: float
) -> tuple[Int32Array, FloatArray, float]:
    cells = np.empty(len(numbers), dtype=np.int32)
    fractions = np.empty(len(numbers), dtype=np.float64)
    farthest = 0.0
    for i in range(len(numbers)):
        along = (numbers[i] * scale + offset) / cell
        floor = np.floor(along + edge)
        farthest = max(farthest, abs(floor))
        cells[i] = np.int32(floor)
        fractions[i] = min(max(along - floor, 0.0), 1.0)
    return cells, fractions, farthest


def gather(rows: Int32Array, columns: Int32Array, values: Mapping[str, NDArray[Any]]) -> Cells:
    """Give one row for each cell that has points.

    Args:
        rows: (n,) of the cells of points.
        columns: (n,)
        values: (n,) arrays by name, of `REDUCTIONS`.
    """
    table: Cells = np.zeros(0, cells_dtype(list(values)))
    if not len(rows):
        return table
    keys = _keys_of(rows, columns)
    order = in_order_of(keys)
    sorted_keys = keys[order]
    starts = np.flatnonzero(np.diff(sorted_keys, prepend=sorted_keys[0] - 1))
    table = np.zeros(len(starts), table.dtype)
    first = order[starts]
    table["row"], table["column"] = rows[first], columns[first]
    if set(values) == set(HEIGHTS):
        count, low, high, total = (values[name] for name in HEIGHTS)
        _reduce_heights(order, np.append(starts, len(order)), (count, low, high, total), table)
        return table
    for name, given in values.items():
        wide = given[order].astype(table.dtype[name])
        table[name] = REDUCTIONS[name].reduceat(wide, starts)
    return table


def _keys_of(rows: Int32Array, columns: Int32Array) -> Int64Array:
    """Give numbers that sort cells by block, and then by row and column."""
    top = int(rows.min()) >> BLOCK_BITS
    left = int(columns.min()) >> BLOCK_BITS
    blocks = (int(columns.max()) >> BLOCK_BITS) - left + 1
    return _key_loop(rows, columns, top, left, blocks)


@kernel
def _key_loop(
    rows: Int32Array, columns: Int32Array, top: int, left: int, blocks: int
) -> Int64Array:
    keys = np.empty(len(rows), dtype=np.int64)
    for i in range(len(rows)):
        row, column = np.int64(rows[i]), np.int64(columns[i])
        block = ((row >> 8) - top) * blocks + ((column >> 8) - left)
        keys[i] = (block << 16) | ((row & 255) << 8) | (column & 255)
    return keys


@kernel
def _reduce_heights(
    order: Int32Array, edges: Int64Array, values: tuple[NDArray[Any], ...], table: Cells
) -> None:
    """Do what reductions would, four times as fast, for the values that most rasters are of."""
    count, low, high, total = values
    for group in range(len(edges) - 1):
        first = order[edges[group]]
        number, least, most, summed = 0, low[first], high[first], 0
        for place in range(edges[group], edges[group + 1]):
            point = order[place]
            number += count[point]
            least = min(least, low[point])
            most = max(most, high[point])
            summed += total[point]
        table[group]["count"] = number
        table[group]["low"] = least
        table[group]["high"] = most
        table[group]["total"] = summed


def join(tables: Sequence[Cells]) -> Cells:
    """Give the table of the points of several tables."""
    full = [table for table in tables if len(table)]
    if len(full) < 2:  # noqa: PLR2004 -- nothing to join
        return full[0] if full else tables[0]
    rows = np.concatenate([table["row"] for table in full])
    columns = np.concatenate([table["column"] for table in full])
    names = [name for name in full[0].dtype.names or () if name not in {"row", "column"}]
    values = {name: np.concatenate([table[name] for table in full]) for name in names}
    return gather(rows, columns, values)


def join_within(tables: Sequence[Cells], window: Window) -> Cells:
    """Give the cells of a window of the points of several tables, in any order.

    Heights alone are added up in arrays of the window, without sorting.
    """
    names = tables[0].dtype.names or ()
    if set(names) != {"row", "column", *HEIGHTS} or len(tables) == 1:
        return join([within(table, window) for table in tables])
    dense = np.zeros(window.shape, dtype=cells_dtype(HEIGHTS))
    for table in tables:
        _add_heights(table, window.top, window.left, dense)
    flat: Cells = dense.ravel()
    return flat[flat["count"] > 0]


@kernel
def _add_heights(table: Cells, top: int, left: int, dense: Cells) -> None:
    rows, columns = dense.shape
    for i in range(len(table)):
        row, column = table[i]["row"] - top, table[i]["column"] - left
        if row < 0 or column < 0 or row >= rows or column >= columns:
            continue
        here = dense[row, column]
        if here["count"] == 0:
            here["row"], here["column"] = table[i]["row"], table[i]["column"]
            here["low"], here["high"] = table[i]["low"], table[i]["high"]
        here["low"] = min(here["low"], table[i]["low"])
        here["high"] = max(here["high"], table[i]["high"])
        here["count"] += table[i]["count"]
        here["total"] += table[i]["total"]


def within(cells: Cells, window: Window) -> Cells:
    """Give the cells that lie in a window."""
    rows, columns = cells["row"], cells["column"]
    inside = (rows >= window.top) & (rows < window.bottom)
    inside &= (columns >= window.left) & (columns < window.right)
    return cells if bool(inside.all()) else cells[inside]


def spread(cells: Cells, values: NDArray[Any], window: Window, empty: float) -> NDArray[Any]:
    """Give values of cells as an array of a window, with `empty` where there is no cell."""
    dense = np.full(window.shape, empty, dtype=values.dtype)
    dense[cells["row"] - window.top, cells["column"] - window.left] = values
    return dense


def blocks_of(cells: Cells) -> Int64Array:
    """Give where blocks begin in a table: (b, 3) row and column of the block, and its first cell.

    The last entry is the end of the table.
    """
    if not len(cells):
        return np.zeros((0, 3), dtype=np.int64)
    rows, columns = cells["row"] >> BLOCK_BITS, cells["column"] >> BLOCK_BITS
    changes = np.flatnonzero((np.diff(rows) != 0) | (np.diff(columns) != 0)) + 1
    starts = np.concatenate([[0], changes]).astype(np.int64)
    return np.stack([rows[starts], columns[starts], starts], axis=1).astype(np.int64)


def runs_of(blocks: Int64Array, length: int, window: Window) -> list[tuple[int, int]]:
    """Give the ranges of a table whose blocks meet a window.

    Args:
        blocks: (b, 3) as `blocks_of` gives them.
        length: of the table.
        window: cells that are asked for.
    """
    ends = np.append(blocks[1:, 2], length)
    meets = (blocks[:, 0] >= window.top >> BLOCK_BITS) & (
        blocks[:, 0] <= (window.bottom - 1) >> BLOCK_BITS
    )
    meets &= (blocks[:, 1] >= window.left >> BLOCK_BITS) & (
        blocks[:, 1] <= (window.right - 1) >> BLOCK_BITS
    )
    runs: list[tuple[int, int]] = []
    for index in np.flatnonzero(meets).tolist():
        start, end = int(blocks[index, 2]), int(ends[index])
        if runs and runs[-1][1] == start:
            runs[-1] = (runs[-1][0], end)
        else:
            runs.append((start, end))
    return runs
