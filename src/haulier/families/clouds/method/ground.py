"""Find the terrain under a surface of lowest points, by openings with growing windows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from haulier.families.clouds.method.openings import Raster, Shape, opened
from haulier.families.clouds.method.voids import ROUNDS, fill_voids
from haulier.families.kernels import kernel

Mask = NDArray[np.bool_]

#: How steep a surface must fall into one cell, and rise out of it, for that to be noise.
LOW_SLOPE: Final = 5.0
#: Voids that are filled before the openings, in cells: those between the lines of a scan.
FIRST_REACH: Final = 16
#: Terrain under objects is filled from so many windows away.
LAST_REACH_WINDOWS: Final = 4


def cells_across(length_m: float, cell_m: float) -> int:
    """Give how many cells a length takes; of cells that are next to nothing, 2**31."""
    return math.ceil(length_m / max(cell_m, length_m * 2.0**-31) - 1e-9)


@dataclass(frozen=True)
class Filter:
    """What tells objects from terrain.

    Attributes:
        cell_m: side of a cell, in metres on the ground.
        slope: rise over run that terrain has at most where it is not known better.
        window_m: radius of the largest opening: half the width of the widest building.
        threshold_m: height above the terrain up to which a point belongs to it.
        scalar_m: how much more it may be for each unit of slope of the terrain.
        shape: of the windows.
    """

    cell_m: float = 1.0
    slope: float = 0.15
    window_m: float = 18.0
    threshold_m: float = 0.5
    scalar_m: float = 1.25
    shape: Shape = "square"

    @property
    def radius(self) -> int:
        """Give the radius of the largest window in cells."""
        return max(cells_across(self.window_m, self.cell_m), 1)

    @property
    def last_reach(self) -> int:
        """Give how far away, in cells, the terrain under objects is filled from."""
        return LAST_REACH_WINDOWS * self.radius

    @property
    def halo(self) -> int:
        """Give how many cells away may decide what a cell gets."""
        fills = 2 * (FIRST_REACH + ROUNDS) + self.last_reach + ROUNDS
        return fills + 2 + 2 * self.radius + 2  # the openings for noise and objects, the slope


def terrain(lowest: Raster, settings: Filter) -> Raster:
    """Give the terrain under the lowest points of cells.

    Cells of low noise are taken out first: those that an opening of the surface turned upside
    down cuts off. Then openings with windows of radius 1, 2, ... cells each cut off what is
    narrower; a cell that one of them lowers by more than `slope` times the radius is an object.
    The terrain is the surface without objects, noise and voids, filled from around.

    The openings are of one surface, not each of the last: for squares this is the same, and it
    keeps what a cell gets to the `halo`.

    Args:
        lowest: (rows, columns) heights in metres, NaN where a cell has no point.
        settings: what tells objects from terrain.

    Returns:
        (rows, columns) heights in metres; NaN where no terrain is near enough to fill from.

    Source:
        Pingel, Clarke & McBride (2013), An improved simple morphological filter for the terrain
        classification of airborne LIDAR data, ISPRS J. 77, 21-30.
    """
    surface = fill_voids(lowest, FIRST_REACH)
    noise = low_noise(surface, settings)
    known = np.where(noise, np.float32(np.nan), lowest)
    surface = fill_voids(known, FIRST_REACH)
    known[objects(surface, settings)] = np.nan
    return fill_voids(known, settings.last_reach, outwards=True)


def low_noise(surface: Raster, settings: Filter) -> Mask:
    """Give the cells that lie far below all of their neighbours."""
    cut = -surface - opened(-surface, 1, settings.shape)
    return np.asarray(cut > LOW_SLOPE * settings.cell_m)


def objects(surface: Raster, settings: Filter) -> Mask:
    """Give the cells that stand out of the terrain."""
    found = np.zeros(surface.shape, dtype=np.bool_)
    last = surface
    for radius in radii(settings.radius):
        lowered = opened(surface, radius, settings.shape)
        found |= last - lowered > settings.slope * radius * settings.cell_m
        last = lowered
        if radius >= max(surface.shape):
            break  # wider windows see all that there is, as this one does
    return found


def radii(largest: int) -> list[int]:
    """Give the radii of the windows: one more each time, and a tenth more where that is more."""
    found = [1]
    while found[-1] < largest:
        found.append(min(found[-1] + max(found[-1] // 10, 1), largest))
    return found


@kernel
def slope_of(heights: Raster, cell: float) -> Raster:
    """Give the slope of each cell as rise over run, from its neighbours.

    Args:
        heights: (rows, columns), NaN where void.
        cell: side of a cell, in the unit of the heights.

    Returns:
        (rows, columns); by the neighbour on one side where there is none on the other, and zero
        where there is none on either; NaN where void.
    """
    rows, columns = heights.shape
    slopes = np.full((rows, columns), np.float32(np.nan), dtype=np.float32)
    for r in range(rows):
        for c in range(columns):
            here = heights[r, c]
            if np.isnan(here):
                continue
            up = heights[r - 1, c] if r > 0 else np.float32(np.nan)
            down = heights[r + 1, c] if r + 1 < rows else np.float32(np.nan)
            left = heights[r, c - 1] if c > 0 else np.float32(np.nan)
            right = heights[r, c + 1] if c + 1 < columns else np.float32(np.nan)
            south, east = _rise(up, here, down), _rise(left, here, right)
            slopes[r, c] = np.sqrt(south * south + east * east) / cell
    return slopes


@kernel
def _rise(before: np.float32, here: np.float32, after: np.float32) -> np.float32:
    """Give the rise over one cell between neighbours on a line."""
    if not np.isnan(before) and not np.isnan(after):
        return (after - before) / np.float32(2.0)
    if not np.isnan(after):
        return after - here
    if not np.isnan(before):
        return here - before
    return np.float32(0.0)
