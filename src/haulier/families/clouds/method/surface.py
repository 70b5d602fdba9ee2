"""Turn cells of points into heights at the centres of cells."""

from __future__ import annotations

from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from haulier.families.clouds.method.cells import HEIGHTS, STEPS, Cells, spread
from haulier.families.clouds.method.lattice import Window
from haulier.families.kernels import kernel

FloatArray = NDArray[np.float64]
Raster = NDArray[np.float32]
Method = Literal["mean", "min", "max", "idw", "plane"]

#: How far away, in cells, may decide what a cell gets.
NEIGHBOURS: Final = 1
#: A cell may not weigh more than as if its points were so near to the centre, in cells.
NEAREST: Final = 0.05
#: A plane through places that lie almost on a line says nothing across it.
FLAT: Final = 1e-4


def fields_of(method: Method) -> tuple[str, ...]:
    """Give what must be known of cells for a method."""
    return (*HEIGHTS, "south", "east") if method in {"idw", "plane"} else HEIGHTS


def heights_of(
    cells: Cells, window: Window, method: Method, *, base: int, quantum: float
) -> Raster:
    """Give the height of each cell.

    Args:
        cells: of the window, with the fields of the method; heights in quanta.
        window: what is given.
        method: "mean", "min" or "max" of the points in the cell, wherever in it they are; "idw",
            the mean of the cell's and its eight neighbours' mean points by the inverse square of
            their distance from the centre; "plane", the mean of the cell moved to its centre along
            the plane that fits the mean points of these nine best, but not beyond their heights.
        base: the height that is counted from, in quanta, so that 32 bits are enough.
        quantum: the unit that heights are given in is that of Z, and a quantum is so much of it.

    Returns:
        (rows, columns) above the base in the unit of Z, NaN where there are no points.
    """
    if method in {"min", "max"}:
        name = "low" if method == "min" else "high"
        values = (cells[name].astype(np.int64) - base) * quantum
        return spread(cells, values.astype(np.float32), window, np.nan)
    number = cells["count"].astype(np.int64)
    means = (cells["total"] - number * base) / number * quantum
    if method == "mean":
        return spread(cells, means.astype(np.float32), window, np.nan)
    dense = [spread(cells, values, window, np.nan) for values in (means, *_offsets(cells, number))]
    if method == "idw":
        return _weighted(*dense)
    heavy = spread(cells, number.astype(np.float64), window, 0.0)
    return _tilted(dense[0], dense[1], dense[2], heavy)


def _offsets(cells: Cells, number: NDArray[Any]) -> tuple[FloatArray, FloatArray]:
    """Give the mean place of points from the centre of their cell, in cells."""
    south = cells["south"] / (number * STEPS) - 0.5
    return south, cells["east"] / (number * STEPS) - 0.5


@kernel
def _weighted(means: FloatArray, south: FloatArray, east: FloatArray) -> Raster:
    rows, columns = means.shape
    heights = np.full((rows, columns), np.float32(np.nan), dtype=np.float32)
    for r in range(rows):
        for c in range(columns):
            if np.isnan(means[r, c]):
                continue
            total, weights = 0.0, 0.0
            for y in range(max(r - 1, 0), min(r + 2, rows)):
                for x in range(max(c - 1, 0), min(c + 2, columns)):
                    if np.isnan(means[y, x]):
                        continue
                    down, right = y - r + south[y, x], x - c + east[y, x]
                    weight = 1.0 / max(down * down + right * right, NEAREST * NEAREST)
                    total += weight * means[y, x]
                    weights += weight
            heights[r, c] = total / weights
    return heights


@kernel
def _tilted(means: FloatArray, south: FloatArray, east: FloatArray, number: FloatArray) -> Raster:
    """Move means to the centres of their cells along planes by weighted least squares."""
    rows, columns = means.shape
    heights = np.full((rows, columns), np.float32(np.nan), dtype=np.float32)
    for r in range(rows):
        for c in range(columns):
            if np.isnan(means[r, c]):
                continue
            yy, xx, xy, yz, xz = 0.0, 0.0, 0.0, 0.0, 0.0
            least, most = means[r, c], means[r, c]
            # The plane goes through the cell's own mean point: only its tilt is looked for.
            for y in range(max(r - 1, 0), min(r + 2, rows)):
                for x in range(max(c - 1, 0), min(c + 2, columns)):
                    if np.isnan(means[y, x]):
                        continue
                    down = y - r + south[y, x] - south[r, c]
                    right = x - c + east[y, x] - east[r, c]
                    rise = means[y, x] - means[r, c]
                    weight = number[y, x]
                    least, most = min(least, means[y, x]), max(most, means[y, x])
                    yy += weight * down * down
                    xx += weight * right * right
                    xy += weight * down * right
                    yz += weight * down * rise
                    xz += weight * right * rise
            size = yy * xx - xy * xy
            moved = 0.0
            if size > FLAT * (yy + xx) ** 2:
                down_tilt = (yz * xx - xz * xy) / size
                right_tilt = (xz * yy - yz * xy) / size
                moved = -down_tilt * south[r, c] - right_tilt * east[r, c]
            heights[r, c] = min(max(means[r, c] + moved, least), most)
    return heights
