"""Fill the voids of a raster between its known cells, from what is near, the same in any tile."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from haulier.families.kernels import kernel

FloatArray = NDArray[np.float64]
Raster = NDArray[np.float32]

#: Rounds in which filled cells become the mean of their neighbours: it takes away streaks.
ROUNDS: Final = 8
FOUR: Final = 4
#: The lines through a cell, as steps of rows and columns, and the length of such a step.
LINES: Final = ((0, 1, 1.0), (1, 0, 1.0), (1, 1, 2.0**0.5), (1, -1, 2.0**0.5))


def fill_voids(raster: Raster, reach: int, *, outwards: bool = False) -> Raster:
    """Fill cells that lie between known cells.

    A void cell gets the linear interpolation between the nearest known cells on both sides of it,
    along the row, the column and the two diagonals; where several of these four lines have both,
    their mean, a line counting by the inverse square of its length. Planes are so continued
    exactly. Then filled cells are smoothed. A cell that no line has both ends for lies outside of
    the hull of what is known, or too far from it, and stays void.

    What a cell gets depends on cells up to `reach + ROUNDS` away alone.

    Args:
        raster: (rows, columns) in any unit, NaN where void; it is not changed.
        reach: how many cells away along a line a known cell may be.
        outwards: cells that no line has both ends for get the mean of the ends there are, by the
            inverse square of their distance.

    Returns:
        (rows, columns) NaN where still void.

    Source:
        The lines: Shepard (1968), A two-dimensional interpolation function for irregularly-spaced
        data, with opposite neighbours in pairs. The smoothing: relaxation of Laplace's equation,
        as by the springs that Pingel et al. (2013) fill with.
    """
    void = np.isnan(raster)
    if not reach or not void.any():
        return raster.copy()
    pairs = np.zeros((2, *raster.shape))  # sums of weights, and of weights times values
    singles = np.zeros((2, *raster.shape))
    for down, right, length in LINES:
        _add_line(raster, (down, right, length), reach, pairs, singles)
    filled = raster.copy()
    _settle(filled, pairs, singles if outwards else np.zeros_like(singles))
    return _smooth(filled, void)


@kernel
def _add_line(
    raster: Raster,
    line: tuple[int, int, float],
    reach: int,
    pairs: FloatArray,
    singles: FloatArray,
) -> None:
    """Add what the ends of lines in one direction say of void cells."""
    rows, columns = raster.shape
    down, right, length = line
    far = np.zeros((rows, columns), dtype=np.int32)  # steps back to a known cell; 0: none
    value = np.zeros((rows, columns), dtype=np.float32)
    for r in range(rows):
        for c in range(columns):
            if np.isnan(raster[r, c]):
                far[r, c], value[r, c] = _end(raster, far, value, r - down, c - right, reach)
    ahead = np.zeros((rows, columns), dtype=np.int32)
    ahead_value = np.zeros((rows, columns), dtype=np.float32)
    for r in range(rows - 1, -1, -1):
        for c in range(columns - 1, -1, -1):
            if not np.isnan(raster[r, c]):
                continue
            steps, end = _end(raster, ahead, ahead_value, r + down, c + right, reach)
            ahead[r, c], ahead_value[r, c] = steps, end
            back = (far[r, c] * length, np.float64(value[r, c]))
            _add_ends(back, (steps * length, end), pairs[:, r, c], singles[:, r, c])


@kernel
def _end(
    raster: Raster, far: NDArray[np.int32], value: Raster, r: int, c: int, reach: int
) -> tuple[int, float]:
    """Give the end of a line that goes on over cell (r, c), which was looked at before."""
    rows, columns = raster.shape
    if r < 0 or r >= rows or c < 0 or c >= columns:
        return 0, 0.0
    if not np.isnan(raster[r, c]):
        return 1, raster[r, c]
    if far[r, c] == 0 or far[r, c] >= reach:
        return 0, 0.0
    return far[r, c] + 1, value[r, c]


@kernel
def _add_ends(
    back: tuple[float, float], ahead: tuple[float, float], pair: FloatArray, single: FloatArray
) -> None:
    """Add the ends of a line, each its distance and value; a distance of zero is no end."""
    if back[0] > 0.0 and ahead[0] > 0.0:
        whole = back[0] + ahead[0]
        pair[0] += 1.0 / whole**2
        pair[1] += (back[1] * ahead[0] + ahead[1] * back[0]) / whole**3
    for distance, value in (back, ahead):
        if distance > 0.0:
            single[0] += 1.0 / distance**2
            single[1] += value / distance**2


@kernel
def _settle(raster: Raster, pairs: FloatArray, singles: FloatArray) -> None:
    rows, columns = raster.shape
    for r in range(rows):
        for c in range(columns):
            if not np.isnan(raster[r, c]):
                continue
            if pairs[0, r, c] > 0.0:
                raster[r, c] = pairs[1, r, c] / pairs[0, r, c]
            elif singles[0, r, c] > 0.0:
                raster[r, c] = singles[1, r, c] / singles[0, r, c]


@kernel
def _smooth(raster: Raster, void: NDArray[np.bool_]) -> Raster:
    """Let filled cells become the mean of their neighbours, in rounds; all of a round at once."""
    rows, columns = raster.shape
    for _ in range(ROUNDS):
        before = raster.copy()
        for r in range(rows):
            for c in range(columns):
                if not void[r, c] or np.isnan(before[r, c]):
                    continue
                number, total = 0, 0.0
                for down, right in ((-1, 0), (0, -1), (0, 1), (1, 0)):
                    y, x = r + down, c + right
                    if y < 0 or y >= rows or x < 0 or x >= columns or np.isnan(before[y, x]):
                        continue
                    number += 1
                    total += before[y, x]
                if number == FOUR:
                    raster[r, c] = total / number
    return raster
