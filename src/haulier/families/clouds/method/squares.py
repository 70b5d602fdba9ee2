"""A plane cut into squares, each with a margin that it shares with its neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

#: Squares, or cubes, that are farther from the first are not told apart.
FARTHEST: Final = 2.0**52


@dataclass(frozen=True)
class Squares:
    """Squares by column (along X) and row (along Y); an edge belongs to the square above it.

    Attributes:
        size: of a side, in any unit.
        origin: a corner of square 0, 0.
        margin: how far from its edge a square has points of others too, in the same unit.
    """

    size: float
    origin: tuple[float, float]
    margin: float = 0.0

    def own(self, x: FloatArray, y: FloatArray) -> tuple[IntArray, IntArray]:
        """Give column and row of the square that each place (n,) lies in."""
        return self._at(x, 0), self._at(y, 1)

    def shared(self, x: FloatArray, y: FloatArray) -> tuple[IntArray, IntArray, IntArray]:
        """Give, for every square that a place is within the margin of, but does not lie in, both.

        Args:
            x: (n,) and
            y: (n,) places.

        Returns:
            (m,) number of the place, column and row of the square; by place.
        """
        if not self.margin:
            none = np.zeros(0, np.int64)
            return none, none, none
        left, right = self._at(x - self.margin, 0), self._at(x + self.margin, 0)
        lower, upper = self._at(y - self.margin, 1), self._at(y + self.margin, 1)
        wide, high = right - left + 1, upper - lower + 1
        number = np.repeat(np.arange(len(x)), wide * high)
        first = np.repeat(np.cumsum(wide * high) - wide * high, wide * high)
        step = np.arange(len(number)) - first
        column = left[number] + step % wide[number]
        row = lower[number] + step // wide[number]
        own = self.own(x, y)
        other = (column != own[0][number]) | (row != own[1][number])
        return number[other], column[other], row[other]

    def bounds(self, column: int, row: int) -> tuple[float, float, float, float]:
        """Give least X and Y, greatest X and Y of a square without its margin."""
        x, y = self.origin
        return (
            x + column * self.size,
            y + row * self.size,
            x + (column + 1) * self.size,
            y + (row + 1) * self.size,
        )

    def _at(self, values: FloatArray, axis: int) -> IntArray:
        return np.floor((values - self.origin[axis]) / self.size).astype(np.int64)
