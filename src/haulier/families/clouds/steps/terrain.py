"""Tiles of terrain: from ground points, or from the lowest points of cells by a filter."""

from __future__ import annotations

import math
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from haulier.core.family import Context
from haulier.families.clouds.io.cloud import Cloud
from haulier.families.clouds.method.cells import spread
from haulier.families.clouds.method.ground import Filter, cells_across, low_noise, terrain
from haulier.families.clouds.method.lattice import TILE, Window
from haulier.families.clouds.method.surface import NEIGHBOURS, Method, heights_of
from haulier.families.clouds.method.voids import ROUNDS, fill_voids
from haulier.families.clouds.notes import Note, trap
from haulier.families.clouds.params.ground import ClassifyGround
from haulier.families.clouds.steps.choice import NOISE, Choice, Returns
from haulier.families.clouds.steps.gridding import Gridded, read_cells
from haulier.families.clouds.steps.metric import Metric

Raster = NDArray[np.float32]
GROUND: Final = 2
#: Where so few cells have points, larger ones would serve better.
SPARSE: Final = 0.25
#: How many stretches of a cloud are looked into for points of the ground.
PROBES, PROBE_POINTS = 8, 50_000
#: Cells that a filter looks at for one tile, some ten arrays of them at once.
MOST_WIDE: Final = 100_000_000


class Heights(msgspec.Struct, frozen=True):
    """How cells become a surface.

    Attributes:
        method: for the height of a cell.
        fill_cells: how far voids are filled from.
        outwards: beyond the hull too.
    """

    method: Method
    fill_cells: int
    outwards: bool = False


class Search(msgspec.Struct, frozen=True):
    """How terrain is looked for.

    Attributes:
        params: of the filter.
        metric: what units are.
        at: the parameter that says how large cells are.
    """

    params: ClassifyGround
    metric: Metric
    at: str


def surface_tile(
    context: Context, cloud: Cloud, layer: tuple[str, Gridded], tile: Window, heights: Heights
) -> NDArray[np.float64]:
    """Give the heights of a tile, in the unit of Z; NaN where void."""
    name, gridded = layer
    wide = tile.grown(NEIGHBOURS + heights.fill_cells + ROUNDS, gridded.cells)
    wide = _around(tile, wide)
    cells = read_cells(context, gridded, name, wide)
    if not len(cells):
        return np.full(tile.shape, np.nan)
    raster = heights_of(cells, wide, heights.method, base=gridded.low, quantum=cloud.scales[2])
    if heights.fill_cells:
        raster = fill_voids(raster, heights.fill_cells, outwards=heights.outwards)
    return raster[tile.inside(wide)].astype(np.float64) + _base(cloud, gridded)


def terrain_tile(
    context: Context,
    cloud: Cloud,
    layer: tuple[str, Gridded],
    tile: Window,
    search: Search,
    *,
    between: int | None = None,
) -> NDArray[np.float64]:
    """Give the heights in metres of the terrain that a filter finds in a tile.

    Args:
        context: of the step.
        cloud: its points.
        layer: the name of the layer of lowest points, and what is in it.
        tile: the cells that are given.
        search: how it is looked for.
        between: give only cells with points, or between such cells that are so near; None: all.

    Raises:
        Problem: INVALID with CELLS_TOO_FINE or CLOTH_TOO_FINE.
    """
    metric = search.metric
    name, gridded = layer
    cell_m = gridded.cell * metric.ground_m
    halo = max(_halo(search.params, cell_m), (between or 0) + ROUNDS)
    wide = _around(tile, tile.grown(halo, gridded.cells))
    _check_wide(wide, halo, cell_m, search.at)
    cells = read_cells(context, gridded, name, wide)
    if not len(cells):
        return np.full(tile.shape, np.nan)
    rise = (cells["low"].astype(np.int64) - gridded.low) * (cloud.scales[2] * metric.height_m)
    lowest = spread(cells, rise.astype(np.float32), wide, np.nan)
    found = _found(lowest, search.params, cell_m)
    if between is not None:
        found[np.isnan(fill_voids(lowest, between))] = np.nan
    base_m = _base(cloud, gridded) * metric.height_m
    return found[tile.inside(wide)].astype(np.float64) + base_m


def _around(tile: Window, wide: Window) -> Window:
    """Give the window that holds a tile and what is around it, for a tile may reach further."""
    top, left = min(tile.top, wide.top), min(tile.left, wide.left)
    bottom, right = max(tile.bottom, wide.bottom), max(tile.right, wide.right)
    return Window(top, left, bottom - top, right - left)


def _base(cloud: Cloud, gridded: Gridded) -> float:
    return gridded.low * cloud.scales[2] + cloud.offsets[2]


def _filter(params: ClassifyGround, cell_m: float) -> Filter:
    return Filter(
        cell_m=cell_m,
        slope=params.slope,
        window_m=params.window_m,
        threshold_m=params.threshold_m,
        scalar_m=params.scalar_m,
        shape=params.window_shape,
    )


def _halo(params: ClassifyGround, cell_m: float) -> int:
    """Give how many cells around a tile a filter looks at."""
    if params.method == "smrf":
        return _filter(params, cell_m).halo
    from haulier.families.clouds.method.cloth import OVERLAP_M  # noqa: PLC0415 -- few need it

    return cells_across(OVERLAP_M, cell_m)


def _check_wide(wide: Window, halo: int, cell_m: float, at: str) -> None:
    cells = wide.rows * wide.columns
    if cells > MOST_WIDE:
        message = (
            f"for cells of {cell_m:.3g} m the filter looks at {halo:,} cells around each tile, "
            f"{cells:,} in all, at most {MOST_WIDE:,} may be"
        )
        hint = "ask for larger cells, or smaller windows"
        raise trap("CELLS_TOO_FINE", message, hint, at=at)


def _found(lowest: Raster, params: ClassifyGround, cell_m: float) -> Raster:
    settings = _filter(params, cell_m)
    if params.method == "smrf":
        return terrain(lowest, settings)
    from haulier.families.clouds.method.cloth import (  # noqa: PLC0415 -- few need it
        Cloth,
        TooFineError,
        terrain_by_cloth,
    )

    clean = np.where(low_noise(fill_voids(lowest, 16), settings), np.float32(np.nan), lowest)
    cloth = Cloth(
        cell_m=cell_m,
        mesh_m=params.cloth_m,
        rigidness=params.rigidness,
        iterations=params.iterations,
        steep=params.steep,
    )
    try:
        return terrain_by_cloth(clean, cloth)
    except TooFineError as error:
        hint = "raise cloth_m of CLASSIFY_GROUND, or take the method smrf"
        raise trap("CLOTH_TOO_FINE", str(error), hint, at="cloth_m") from None


def lowest_choice(returns: Returns) -> Choice:
    """Give the points whose lowest ones a filter looks at."""
    return Choice(without=NOISE, returns=returns)


def has_ground(cloud: Cloud) -> bool:
    """Say whether there are points of class 2 in some stretches all over a cloud."""
    step = max(cloud.point_count // PROBES, 1)
    for first in range(0, cloud.point_count, step):
        last = min(first + PROBE_POINTS, cloud.point_count)
        for records in cloud.read(first, last, fields=("classification",)):
            if np.any(records["classification"] == GROUND):
                return True
    return False


def cloth_notes(params: ClassifyGround, window: Window) -> tuple[Note, ...]:
    """Say what tiles do to what a cloth finds."""
    tiles = sum(1 for _ in window.tiles())
    if params.method != "csf" or tiles == 1:
        return ()
    from haulier.families.clouds.method.cloth import OVERLAP_M  # noqa: PLC0415 -- few need it

    message = (
        f"the cloth was let down in {tiles:,} tiles of {TILE:,} cells a side that overlap by "
        f"{OVERLAP_M:g} m: near their edges, terrain can be another than under one cloth"
    )
    hint = "take smrf where it must not depend on tiles, or cells so large that there is one tile"
    return (Note("CLOTH_IN_TILES", message, hint),)


def sparse_note(gridded: Gridded, occupied: int, metric: Metric) -> tuple[Note, ...]:
    """Warn where cells are much smaller than the distance of points."""
    share = occupied / max(gridded.cells.rows * gridded.cells.columns, 1)
    if not occupied or share >= SPARSE:
        return ()
    cell_m = gridded.cell * metric.ground_m
    better = cell_m * math.sqrt(0.6 / share)
    message = f"only {share:.0%} of the cells of {cell_m:.3g} m have points"
    return (Note("CELLS_SPARSE", message, f"cells of about {better:.2g} m would serve better"),)
