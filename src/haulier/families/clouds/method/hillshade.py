"""Shade a surface as if the sun stood at one place of the sky."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from haulier.families.kernels import kernel

Raster = NDArray[np.float32]
Shades = NDArray[np.uint8]

#: The value of cells without a shade; those with one have 1 to 255.
VOID: Final = 0
BRIGHTEST: Final = 254.0


def hillshade(
    heights: Raster,
    cell: tuple[float, float],
    *,
    z_factor: float = 1.0,
    azimuth_deg: float = 315.0,
    altitude_deg: float = 45.0,
) -> Shades:
    """Give how bright each cell is.

    Args:
        heights: (rows, columns) row 0 in the north; NaN where void.
        cell: width and height of a cell.
        z_factor: heights times it are in the unit of the cell.
        azimuth_deg: where light comes from, from north clockwise.
        altitude_deg: how high it stands.

    Returns:
        (rows, columns) 1, in the shade, to 255, straight in the light; 0 where void. Neighbours
        that are void or beyond the edge count as on the plane through those that are there.

    Source:
        Horn (1981), Hill shading and the reflectance map, Proc. IEEE 69(1), 14-47, whose gradient
        weighs the eight neighbours 1, 2, 1.
    """
    zenith = math.radians(90.0 - altitude_deg)
    azimuth = math.radians(azimuth_deg)
    light = (
        math.sin(azimuth) * math.sin(zenith),
        math.cos(azimuth) * math.sin(zenith),
        math.cos(zenith),
    )
    return _shade(heights, z_factor / (8.0 * cell[0]), z_factor / (8.0 * cell[1]), light)


@kernel
def _shade(
    heights: Raster, per_column: float, per_row: float, light: tuple[float, float, float]
) -> Shades:
    rows, columns = heights.shape
    shades = np.zeros((rows, columns), dtype=np.uint8)
    near = np.empty((3, 3))
    for r in range(rows):
        for c in range(columns):
            if np.isnan(heights[r, c]):
                continue
            _look_around(heights, r, c, near)
            east = near[0, 2] + 2.0 * near[1, 2] + near[2, 2]
            west = near[0, 0] + 2.0 * near[1, 0] + near[2, 0]
            north = near[0, 0] + 2.0 * near[0, 1] + near[0, 2]
            south = near[2, 0] + 2.0 * near[2, 1] + near[2, 2]
            rise_east, rise_north = (east - west) * per_column, (north - south) * per_row
            bright = light[2] - rise_east * light[0] - rise_north * light[1]
            bright /= np.sqrt(1.0 + rise_east * rise_east + rise_north * rise_north)
            shades[r, c] = np.uint8(1.5 + BRIGHTEST * max(bright, 0.0))
    return shades


@kernel
def _look_around(heights: Raster, r: int, c: int, near: NDArray[np.float64]) -> None:
    """Give a cell and its neighbours, those that are missing as a plane would have them."""
    rows, columns = heights.shape
    here = np.float64(heights[r, c])
    for down in range(-1, 2):
        for right in range(-1, 2):
            y, x = r + down, c + right
            inside = 0 <= y < rows and 0 <= x < columns
            near[down + 1, right + 1] = heights[y, x] if inside else np.nan
    near[0, 1], near[2, 1] = _both(near[0, 1], here, near[2, 1])
    near[1, 0], near[1, 2] = _both(near[1, 0], here, near[1, 2])
    for down in (0, 2):
        for right in (0, 2):
            if np.isnan(near[down, right]):
                near[down, right] = near[down, 1] + near[1, right] - here


@kernel
def _both(before: float, here: float, after: float) -> tuple[float, float]:
    """Give what is on both sides: where one is missing, as far on as the other is back."""
    if np.isnan(before):
        before = here if np.isnan(after) else 2.0 * here - after
    if np.isnan(after):
        after = 2.0 * here - before
    return before, after
