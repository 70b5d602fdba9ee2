"""Openings of a surface: what is left of it when all that is narrower than a window is cut off."""

from __future__ import annotations

from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from haulier.families.kernels import kernel

Raster = NDArray[np.float32]
Shape = Literal["square", "disc"]
HIGHEST: Final = np.float32(np.inf)


def opened(surface: Raster, radius: int, shape: Shape) -> Raster:
    """Open a surface: the greatest of the least values in windows over a cell.

    Void cells count neither as low nor as high, and so does what is beyond the edge. What a cell
    gets depends on cells up to `2 * radius` away alone.

    Args:
        surface: (rows, columns) in any unit, NaN where void.
        radius: of the window in cells; it is `2 * radius + 1` wide.
        shape: of the window.

    Returns:
        (rows, columns) never above the surface; NaN where that is void.

    Source:
        Serra (1982), Image analysis and mathematical morphology, ch. 2; in time that does not grow
        with the window by van Herk (1992), A fast algorithm for local minimum and maximum filters.
    """
    void = np.isnan(surface)
    lowest = _least(np.where(void, HIGHEST, surface), radius, shape)
    # A window that holds no known cell has no least value, and must not be the greatest one.
    lowest[np.isinf(lowest)] = -HIGHEST
    raised = -_least(-lowest, radius, shape)
    raised[void] = np.nan
    return raised


def _least(surface: Raster, radius: int, shape: Shape) -> Raster:
    """Give the least value in the window around each cell."""
    if shape == "square":
        return _least_in_columns(_least_in_rows(surface, radius), radius)
    return _least_in_discs(surface, half_widths(radius))


def half_widths(radius: int) -> NDArray[np.int64]:
    """Give how far a disc reaches to each side, row by row from its top to its bottom."""
    down = np.arange(-radius, radius + 1)
    return np.asarray(np.floor(np.sqrt(radius * radius - down * down)), dtype=np.int64)


@kernel
def _least_in_rows(surface: Raster, radius: int) -> Raster:
    rows, columns = surface.shape
    least = np.empty_like(surface)
    line = np.empty(columns, dtype=np.float32)
    for r in range(rows):
        _least_along(surface[r], radius, line)
        least[r] = line
    return least


@kernel
def _least_along(line: Raster, radius: int, least: Raster) -> None:
    """Give the least value in windows of a line, in three steps a cell (van Herk)."""
    length = len(line)
    width = 2 * radius + 1
    blocks = (length + 2 * radius + width - 1) // width
    padded = blocks * width
    ahead = np.empty(padded, dtype=np.float32)  # least from the start of the block on
    behind = np.empty(padded, dtype=np.float32)  # least to the end of the block
    for i in range(padded):
        at = i - radius
        ahead[i] = line[at] if 0 <= at < length else np.float32(np.inf)
        behind[i] = ahead[i]
    for block in range(blocks):
        first = block * width
        for i in range(first + 1, first + width):
            ahead[i] = min(ahead[i], ahead[i - 1])
        for i in range(first + width - 2, first - 1, -1):
            behind[i] = min(behind[i], behind[i + 1])
    for i in range(length):
        least[i] = min(behind[i], ahead[i + 2 * radius])


@kernel
def _least_in_columns(surface: Raster, radius: int) -> Raster:
    """Do the same downwards, a whole row at once, for a column's cells are far apart in memory."""
    rows, columns = surface.shape
    width = 2 * radius + 1
    least = np.full((rows, columns), np.float32(np.inf), dtype=np.float32)
    behind = np.empty((width, columns), dtype=np.float32)
    ahead = np.empty(columns, dtype=np.float32)
    for block in range((rows + 2 * radius + width - 1) // width):
        first = block * width - radius  # windows begin within this block, and end in the next
        behind[width - 1] = np.float32(np.inf)
        _lower(behind[width - 1], surface, first + width - 1)
        for i in range(width - 2, -1, -1):
            behind[i] = behind[i + 1]
            _lower(behind[i], surface, first + i)
        ahead[:] = np.float32(np.inf)
        for i in range(width):
            if i:
                _lower(ahead, surface, first + width + i - 1)
            into = first + i + radius
            if 0 <= into < rows:
                _lower(least[into], behind, i)
                least[into] = np.minimum(least[into], ahead)
    return least


@kernel
def _lower(line: Raster, surface: Raster, row: int) -> None:
    """Let a line be no higher than a row of a surface, if there is such a row."""
    if 0 <= row < len(surface):
        for column in range(len(line)):
            line[column] = min(line[column], surface[row, column])


@kernel
def _least_in_discs(surface: Raster, halves: NDArray[np.int64]) -> Raster:
    """Take the least of the rows of a disc, which are windows of a line each."""
    rows, columns = surface.shape
    radius = len(halves) // 2
    least = np.full((rows, columns), np.float32(np.inf), dtype=np.float32)
    line = np.empty(columns, dtype=np.float32)
    for r in range(rows):
        for index in range(radius + 1):
            _least_along(surface[r], halves[index], line)
            for down in (index - radius, radius - index):
                if 0 <= r + down < rows:
                    for c in range(columns):
                        least[r + down, c] = min(least[r + down, c], line[c])
                if down == 0:
                    break
    return least
