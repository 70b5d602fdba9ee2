"""Pictures of a cloud from above: its surface, its ground, how dense its points are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from haulier.families.clouds.io.report import maps, plots
from haulier.families.clouds.method.overview import NO_HEIGHT, Overview
from haulier.families.clouds.method.voids import fill_voids
from haulier.families.clouds.steps.pages.seen import Seen
from haulier.families.reporting.document import Figure
from haulier.families.reporting.texts import number

FloatArray = NDArray[np.float64]

#: Cells are made coarser until those that have any have so many points on average.
SURFACE_POINTS, GROUND_POINTS, DENSITY_POINTS = 2.0, 1.5, 16.0
#: Voids are filled from so many cells away: between points, and under what stands on the ground.
SURFACE_REACH, GROUND_REACH = 4, 48
#: With fewer cells along a side, or fewer of them held, a picture shows nothing.
LEAST_SIDE, LEAST_HELD = 16, 120
LEAST_DENSITY_SIDE: Final = 4
COARSEST: Final = 40  # cells along the longer side that are never made fewer


@dataclass(frozen=True)
class Density:
    """How many points there are by area.

    Attributes:
        per_area: (rows, columns) row 0 in the north, NaN where there are none.
        unit: of the area: a square metre on the ground, or where that is not known a square unit.
        area: of all cells that hold points.
        cell: text of the size of a cell.
        overview: the cells.
    """

    per_area: FloatArray
    unit: str
    area: float
    cell: str
    overview: Overview

    @property
    def held(self) -> FloatArray:
        """Give the densities of cells that hold points."""
        return self.per_area[np.isfinite(self.per_area)]


def density_of(seen: Seen) -> Density:
    """Count points by area, in cells large enough that chance plays no part."""
    cells = _coarsened(seen.overview, "count", DENSITY_POINTS)
    rows = cells.shape[0]
    width, height = _cell(seen, cells)
    y = (cells.low[1] + np.arange(rows, dtype=np.float64) + 0.5) * height + seen.cloud.offsets[1]
    sides = seen.sides(y)
    areas = width * height * (sides.areas_m2 if sides else np.ones(rows))
    whole = np.broadcast_to(areas[:, None], cells.shape)
    values = np.where(cells.count > 0, cells.count / whole, np.nan)
    area = float(whole[cells.count > 0].sum())
    unit = "m\N{SUPERSCRIPT TWO}" if sides else "square unit"
    return Density(values[::-1], unit, area, cell_text(seen, cells), cells)


def surface(seen: Seen) -> Figure | None:
    """Draw the highest points, those of noise and withheld ones left out."""
    cells = _coarsened(seen.overview, "seen", SURFACE_POINTS)
    heights = np.where(cells.high == NO_HEIGHT, np.nan, cells.high * seen.cloud.scales[2])
    png = _relief(seen, cells, heights, SURFACE_REACH)
    if png is None:
        return None
    caption = (
        f"The highest point of each cell of {cell_text(seen, cells)}, lit from the north-west. "
        "Points of noise and withheld points are left out."
    )
    return Figure(
        "surface", f"Shaded relief of the surface of {seen.cloud.path.name}", png, caption
    )


def ground(seen: Seen) -> Figure | None:
    """Draw the mean of the points of the ground."""
    cells = _coarsened(seen.overview, "ground", GROUND_POINTS)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = cells.ground_total / np.where(cells.ground > 0, cells.ground, np.nan)
    png = _relief(seen, cells, means * seen.cloud.scales[2], GROUND_REACH)
    if png is None:
        return None
    caption = (
        f"The mean of the points of class 2 in each cell of {cell_text(seen, cells)}; what lies "
        "between is interpolated."
    )
    return Figure("ground", f"Shaded relief of the ground of {seen.cloud.path.name}", png, caption)


def density_map(seen: Seen, density: Density, *, wide: bool) -> Figure | None:
    """Draw points by area."""
    if min(density.per_area.shape) < LEAST_DENSITY_SIDE:
        return None
    label = f"points per {density.unit}"
    where = extent(seen, density.overview)
    png = maps.density(density.per_area, where, label=label, wide=wide)
    middle = float(np.median(density.held))
    alt = f"Map of point density: {number(middle, 3)} {label} in the median cell"
    caption = f"Points of all classes and returns, by cells of {density.cell}; white: no points."
    return Figure("density", alt, png, caption)


def density_spread(density: Density) -> Figure | None:
    """Draw how many cells are how dense, in bins of whole points; None where all are the same."""
    cells = density.overview
    counts = np.bincount(cells.count[cells.count > 0])
    if np.count_nonzero(counts) < 2:  # noqa: PLR2004 -- one bar says nothing
        return None
    middle = density.per_area[::-1] / np.where(cells.count > 0, cells.count, np.nan)
    point = float(np.nanmedian(middle))  # what one point in a cell is, by area
    label = f"points per {density.unit}"
    png = plots.histogram(-point / 2, point, counts, label, "cells")
    caption = f"How many cells of {density.cell} are how dense."
    return Figure("densities", f"Histogram of cells by {label}", png, caption)


def extent(seen: Seen, cells: Overview) -> maps.Ground:
    """Give where cells lie, and how long that is on the ground."""
    width, height = _cell(seen, cells)
    left, bottom, right, top = cells.edges
    x, y = seen.cloud.offsets[:2]
    low, high = bottom * height + y, top * height + y
    sides = seen.sides(np.array([(low + high) / 2]))
    x_m, y_m = sides.middle if sides else (None, None)
    unit = f" [{seen.unit}]" if seen.unit else ""
    names = ("X", "Y")
    if seen.believed is not None:
        names = ("Longitude", "Latitude") if seen.is_angular else ("Easting", "Northing")
    return maps.Ground(
        left * width + x, right * width + x, low, high, x_m, y_m,
        f"{names[0]}{unit}", f"{names[1]}{unit}",
    )  # fmt: skip


def cell_text(seen: Seen, cells: Overview) -> str:
    """Write the size of a cell, on the ground where that is known."""
    width, height = _cell(seen, cells)
    bottom, top = cells.low[1], cells.edges[3]
    sides = seen.sides(np.array([(bottom + top) / 2 * height + seen.cloud.offsets[1]]))
    if sides is None:
        return f"{number(width, 3)} by {number(height, 3)} units"
    across, along = sides.middle[0] * width, sides.middle[1] * height
    return f"{number(across, 2)} \N{MULTIPLICATION SIGN} {number(along, 2)} m"


def _cell(seen: Seen, cells: Overview) -> tuple[float, float]:
    """Give width and height of a cell in the unit of X and Y."""
    x_scale, y_scale = seen.cloud.scales[:2]
    return x_scale * 2.0 ** cells.bits[0], y_scale * 2.0 ** cells.bits[1]


def _coarsened(cells: Overview, layer: str, points: float) -> Overview:
    """Give cells large enough that those which hold any hold enough points."""
    while max(cells.shape) > COARSEST:
        counts = getattr(cells, layer)
        held = int(np.count_nonzero(counts))
        if not held or int(counts.sum()) >= points * held:
            break
        cells = cells.coarser(1)
    return cells


def _relief(seen: Seen, cells: Overview, heights: FloatArray, reach: int) -> bytes | None:
    held = np.isfinite(heights)
    if min(cells.shape) < LEAST_SIDE or np.count_nonzero(held) < LEAST_HELD:
        return None
    base = float(np.nanmin(heights))
    above = (heights[::-1] - base).astype(np.float32)
    filled = fill_voids(above, reach).astype(np.float64) + base + seen.cloud.offsets[2]
    unit = f" [{seen.height_unit}]" if seen.height_unit else ""
    return maps.relief(filled, extent(seen, cells), z_factor=seen.height_m, label=f"Height{unit}")
