"""Count whole numbers in cells whose width grows with what comes: powers of two, few cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]

#: Numbers on both sides of zero never come into one cell, however wide it is.
LEAST_CELLS: Final = 2


@dataclass(frozen=True)
class Tally:
    """Counts by cell, in one direction or in two.

    A cell holds the numbers that are equal after a shift to the right. The shift is the smallest
    with which all that was counted lies in at most `cells` cells along each axis, so that it does
    not matter in which order, or by how many, the numbers were counted.

    Attributes:
        cells: the most there may be along an axis.
        shift: bits to the right that make a number the number of its cell.
        low: the number of the first cell along each axis.
        counts: by cell, an axis a direction.
    """

    cells: int
    shift: int
    low: tuple[int, ...]
    counts: IntArray

    @property
    def total(self) -> int:
        """Give how many there are."""
        return int(self.counts.sum())

    @property
    def high(self) -> IntArray:
        """Give the number after that of the last cell along each axis."""
        ends = zip(self.low, self.counts.shape, strict=True)
        return np.array([first + length for first, length in ends], np.int64)

    def plus(self, other: Tally) -> Tally:
        """Give what two tallies have together."""
        if not self.counts.size or not other.counts.size:
            return other if not self.counts.size else self
        shift = max(self.shift, other.shift)
        while True:
            one, two = (each.coarser(shift - each.shift) for each in (self, other))
            low = np.minimum(one.low, two.low)
            high = np.maximum(one.high, two.high)
            if (high - low <= self.cells).all():
                break
            shift += 1
        counts = np.zeros(high - low, np.int64)
        for each in (one, two):
            where = zip(each.low - low, each.high - low, strict=True)
            counts[tuple(slice(a, b) for a, b in where)] += each.counts
        return Tally(self.cells, shift, tuple(low.tolist()), counts)

    def filled(self, points: int) -> Tally:
        """Give the tally in cells of which those that are not empty hold so many on average."""
        tally = self
        while max(tally.counts.shape) > LEAST_CELLS and tally.total < points * np.count_nonzero(
            tally.counts
        ):
            tally = tally.coarser(1)
        return tally

    def coarser(self, bits: int) -> Tally:
        """Give the tally in cells that are so many times twice as wide."""
        counts, low = self.counts, np.array(self.low)
        if not bits or not counts.size:
            return self
        for axis, first in enumerate(self.low):
            cells = np.arange(first, first + counts.shape[axis]) >> bits
            starts = np.flatnonzero(np.diff(cells, prepend=cells[0] - 1))
            counts = np.add.reduceat(counts, starts, axis=axis)
        return Tally(self.cells, self.shift + bits, tuple((low >> bits).tolist()), counts)


def nothing(cells: int, axes: int) -> Tally:
    """Give the tally of nothing."""
    return Tally(cells, 0, (0,) * axes, np.zeros((0,) * axes, np.int64))


def tally_of(cells: int, *columns: NDArray[np.integer]) -> Tally:
    """Count numbers.

    Args:
        cells: the most cells there may be along an axis, two or more.
        columns: (n,) whole numbers of each axis.
    """
    if not len(columns[0]):
        return nothing(cells, len(columns))
    ends = [(int(column.min()), int(column.max())) for column in columns]
    shift = 0
    while any((high >> shift) - (low >> shift) >= cells for low, high in ends):
        shift += 1
    low = [least >> shift for least, _ in ends]
    shape = [(most >> shift) - first + 1 for (_, most), first in zip(ends, low, strict=True)]
    flat = np.zeros(len(columns[0]), np.int64)
    for column, first, length in zip(columns, low, shape, strict=True):
        flat = flat * length + ((column.astype(np.int64) >> shift) - first)
    counts = np.bincount(flat, minlength=int(np.prod(shape))).reshape(shape)
    return Tally(cells, shift, tuple(low), counts.astype(np.int64))
