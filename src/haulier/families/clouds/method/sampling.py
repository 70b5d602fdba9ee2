"""Take the value of a raster at points."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from haulier.families.kernels import kernel

FloatArray = NDArray[np.float64]
Raster = NDArray[np.float32]


@kernel
def sample(raster: Raster, down: FloatArray, right: FloatArray) -> FloatArray:
    """Interpolate between the centres of the four cells around each point.

    Args:
        raster: (rows, columns) NaN where void.
        down: (n,) in cells from the upper edge of the raster.
        right: (n,) in cells from its left edge.

    Returns:
        (n,) of the cells that are not void, the nearer the more they count; NaN where all four
        are void or the point lies outside of the raster.
    """
    rows, columns = raster.shape
    values = np.full(len(down), np.nan)
    for i in range(len(down)):
        if not (0.0 <= down[i] <= rows and 0.0 <= right[i] <= columns):
            continue
        r, c = int(np.floor(down[i] - 0.5)), int(np.floor(right[i] - 0.5))
        y, x = down[i] - 0.5 - r, right[i] - 0.5 - c
        total, weights = 0.0, 0.0
        for k in range(4):
            row, column = r + k // 2, c + k % 2
            weight = (y if k // 2 else 1.0 - y) * (x if k % 2 else 1.0 - x)
            if row < 0 or row >= rows or column < 0 or column >= columns:
                continue
            value = raster[row, column]
            if weight > 0.0 and not np.isnan(value):
                total += weight * value
                weights += weight
        if weights > 0.0:
            values[i] = total / weights
    return values
