"""A cloud from above in few cells, whose size grows with what comes: for pictures."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from haulier.families.kernels import kernel

Int32Array = NDArray[np.int32]
Int64Array = NDArray[np.int64]

#: Cells along an axis at most; there are half as many at least, where stored places allow it.
MOST_CELLS: Final = 1024
#: The height of a cell that has none.
NO_HEIGHT: Final = -(2**31)
#: Cells that are added where points lie beyond those there are, so that this is seldom.
SLACK: Final = 128


@dataclass(frozen=True)
class Overview:
    """What lies in each cell: whole numbers alone, so that no order of points matters.

    A cell holds the points whose stored X and Y are equal after a shift to the right. Rows go
    from south to north, columns from west to east.

    Attributes:
        bits: the shift along X and along Y; they differ where stored steps do.
        low: the numbers of the first column and row.
        count: (rows, columns) points.
        seen: points that count for heights.
        high: the greatest stored height of these; NO_HEIGHT where there are none.
        intensity: the sum of theirs.
        ground: points of the ground.
        ground_total: the sum of their stored heights.
    """

    bits: tuple[int, int]
    low: tuple[int, int]
    count: Int32Array
    seen: Int32Array
    high: Int32Array
    intensity: Int64Array
    ground: Int32Array
    ground_total: Int64Array

    @property
    def shape(self) -> tuple[int, int]:
        """Give rows and columns."""
        return self.count.shape[0], self.count.shape[1]

    @property
    def edges(self) -> tuple[int, int, int, int]:
        """Give first column and row, and those after the last."""
        rows, columns = self.shape
        return self.low[0], self.low[1], self.low[0] + columns, self.low[1] + rows

    def coarser(self, bits: int) -> Overview:
        """Give it in cells that are so many times twice as wide."""
        if not bits or not self.count.size:
            return replace(self, bits=(self.bits[0] + bits, self.bits[1] + bits))
        # Only cells there are: padded to whole wide ones, few cells could be made of terabytes.
        rows, columns = (
            _firsts(low, length, bits)
            for low, length in zip(reversed(self.low), self.shape, strict=True)
        )
        given = {}
        for name in LAYERS:
            layer, reduce = getattr(self, name), np.maximum if name == "high" else np.add
            for axis, firsts in enumerate((rows, columns)):
                layer = reduce.reduceat(layer, firsts, axis, dtype=layer.dtype)
            given[name] = layer
        low = (self.low[0] >> bits, self.low[1] >> bits)
        return Overview((self.bits[0] + bits, self.bits[1] + bits), low, **given)

    def window(self, edges: tuple[int, int, int, int]) -> Overview:
        """Give other cells of the same size; those that are new are empty."""
        left, bottom, right, top = edges
        shape = (top - bottom, right - left)
        rows = slice(max(bottom, self.low[1]), min(top, self.edges[3]))
        columns = slice(max(left, self.low[0]), min(right, self.edges[2]))
        given = {}
        for name in LAYERS:
            old = getattr(self, name)
            new = np.full(shape, NO_HEIGHT if name == "high" else 0, old.dtype)
            if rows.start < rows.stop and columns.start < columns.stop:
                new[_moved(rows, bottom), _moved(columns, left)] = old[
                    _moved(rows, self.low[1]), _moved(columns, self.low[0])
                ]
            given[name] = new
        return Overview(self.bits, (left, bottom), **given)

    def trimmed(self) -> Overview:
        """Give it without empty rows and columns around."""
        rows = np.flatnonzero(self.count.any(axis=1))
        columns = np.flatnonzero(self.count.any(axis=0))
        if not len(rows):
            return empty(self.bits)
        x, y = self.low
        return self.window(
            (x + int(columns[0]), y + int(rows[0]), x + int(columns[-1]) + 1, y + int(rows[-1]) + 1)
        )


LAYERS: Final = tuple(each.name for each in fields(Overview) if each.name not in {"bits", "low"})


def _firsts(low: int, length: int, bits: int) -> NDArray[np.intp]:
    """Give where along an axis the first cell of each wider one stands."""
    wide = (low + np.arange(length, dtype=np.int64)) >> bits
    return np.flatnonzero(np.diff(wide, prepend=wide[0] - 1))


def _moved(cells: slice, origin: int) -> slice:
    return slice(cells.start - origin, cells.stop - origin)


def empty(bits: tuple[int, int] = (0, 0)) -> Overview:
    """Give what lies in no cells."""
    none, wide = np.zeros((0, 0), np.int32), np.zeros((0, 0), np.int64)
    return Overview(bits, (0, 0), none, none, none, wide, none, wide)


def base_bits(scale_x: float, scale_y: float) -> tuple[int, int]:
    """Give the shifts with which cells are about square where stored steps are not."""
    ratio = int(np.clip(np.rint(np.log2(scale_x / scale_y)), -16, 16))
    return max(-ratio, 0), max(ratio, 0)


class Gatherer:
    """Gathers points as they come, in cells as small as MOST_CELLS along an axis allow."""

    def __init__(self, bits: tuple[int, int]) -> None:
        """Begin with cells of one stored step, or of `base_bits`."""
        self._cells = empty(bits)
        self._span: tuple[int, int, int, int] | None = None  # in cells, of what really came

    def add(
        self,
        places: tuple[Int32Array, Int32Array, Int32Array],
        intensity: NDArray[np.uint16],
        marks: NDArray[np.uint8],
    ) -> None:
        """Gather points.

        Args:
            places: stored X, Y and Z, (n,) each.
            intensity: (n,)
            marks: (n,) 0: the point is counted; 1: its height counts too; 2: it is ground as well.
        """
        if not len(marks):
            return
        x, y, z = (np.ascontiguousarray(each) for each in places)
        low, high = (int(x.min()), int(y.min())), (int(x.max()), int(y.max()))
        self._reach((*low, *high), shifted=False)
        cells = self._cells
        layers = tuple(getattr(cells, name) for name in LAYERS)
        _scatter(x, y, z, np.ascontiguousarray(intensity), marks, (*cells.bits, *cells.low), layers)

    def join(self, other: Overview) -> None:
        """Gather what was gathered elsewhere from the same stored steps."""
        if not other.count.size:
            return
        while self._cells.bits[0] < other.bits[0]:
            self._coarsen()
        other = other.coarser(self._cells.bits[0] - other.bits[0])
        left, bottom, right, top = other.edges
        self._reach((left, bottom, right - 1, top - 1), shifted=True)
        other = other.coarser(self._cells.bits[0] - other.bits[0])
        mine = self._cells
        rows = slice(other.low[1] - mine.low[1], other.edges[3] - mine.low[1])
        columns = slice(other.low[0] - mine.low[0], other.edges[2] - mine.low[0])
        for name in LAYERS:
            layer, more = getattr(mine, name), getattr(other, name)
            if name == "high":
                layer[rows, columns] = np.maximum(layer[rows, columns], more)
            else:
                layer[rows, columns] += more

    def overview(self) -> Overview:
        """Give what was gathered."""
        return self._cells.trimmed()

    def _reach(self, ends: tuple[int, int, int, int], *, shifted: bool) -> None:
        """Make room: coarser cells if there would be too many, more of them if there are not.

        Args:
            ends: least X and Y and greatest, of what comes.
            shifted: these are numbers of cells, not of stored steps.
        """
        while True:
            bits = (0, 0) if shifted else self._cells.bits
            left, bottom, right, top = (end >> bits[i % 2] for i, end in enumerate(ends))
            span = (left, bottom, right + 1, top + 1)
            if self._span is not None:
                span = _around(span, self._span)
            if max(span[2] - span[0], span[3] - span[1]) <= MOST_CELLS:
                break
            self._coarsen()
            ends = tuple(end >> 1 for end in ends) if shifted else ends  # type: ignore[assignment]
        self._span = span
        there = self._cells.edges
        if not self._cells.count.size or _around(there, span) != there:
            room = (span[0] - SLACK, span[1] - SLACK, span[2] + SLACK, span[3] + SLACK)
            self._cells = self._cells.window(room)

    def _coarsen(self) -> None:
        self._cells = self._cells.coarser(1)
        if self._span is not None:
            left, bottom, right, top = self._span
            self._span = (left >> 1, bottom >> 1, (right - 1 >> 1) + 1, (top - 1 >> 1) + 1)


def warm() -> None:
    """Load or compile the kernel."""
    place = np.zeros(1, np.int32)
    Gatherer((0, 0)).add((place, place, place), np.zeros(1, np.uint16), np.ones(1, np.uint8))


def _around(
    one: tuple[int, int, int, int], other: tuple[int, int, int, int]
) -> tuple[int, int, int, int]:
    return (
        min(one[0], other[0]), min(one[1], other[1]), max(one[2], other[2]), max(one[3], other[3]),
    )  # fmt: skip


@kernel
def _scatter(
    x: Int32Array,
    y: Int32Array,
    z: Int32Array,
    intensity: NDArray[np.uint16],
    marks: NDArray[np.uint8],
    place: tuple[int, int, int, int],
    layers: tuple[Any, ...],
) -> None:
    count, seen, high, bright, ground, ground_total = layers
    for i in range(len(x)):
        column = (np.int64(x[i]) >> place[0]) - place[2]
        row = (np.int64(y[i]) >> place[1]) - place[3]
        count[row, column] += 1
        if marks[i] == 0:
            continue
        seen[row, column] += 1
        high[row, column] = max(high[row, column], z[i])
        bright[row, column] += intensity[i]
        if marks[i] > 1:
            ground[row, column] += 1
            ground_total[row, column] += z[i]
