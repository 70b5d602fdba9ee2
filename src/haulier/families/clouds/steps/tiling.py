"""Rasters in tiles: parts that make them, and points that take their values from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from haulier.core.family import Context, Part, PartResult
from haulier.families.clouds.io.raster import Band, RasterFrame, raster_writer
from haulier.families.clouds.method.lattice import TILE, Window
from haulier.families.clouds.method.sampling import sample

Raster = NDArray[np.float32]
FloatArray = NDArray[np.float64]

STAGE: Final = "surface"
#: Cells beyond each edge of a tile, so that points on it lie between centres of cells.
APRON: Final = 1
OPEN_TILES: Final = 64


class Tiles(msgspec.Struct, frozen=True):
    """The tiles of a raster.

    Attributes:
        cell: side of a cell, in the unit of X and Y.
        window: top, left, rows and columns of all cells.
        size: cells along a side of a tile.
        keys: of the parts that made them, by top and left of the tile as "top,left".
    """

    cell: float
    window: tuple[int, int, int, int]
    size: int
    keys: dict[str, str]

    @property
    def cells(self) -> Window:
        """Give its window."""
        return Window(*self.window)


def split(window: Window, shared: Mapping[str, Any], size: int = TILE) -> Sequence[Part]:
    """Make each tile of a window a part.

    Args:
        window: of the whole raster.
        shared: what all parts get besides, for it decides what they give.
        size: cells along a side of a tile.
    """
    return [
        Part(
            f"{number:06d}",
            {"tile": [tile.top, tile.left, tile.rows, tile.columns], **shared},
            float(tile.rows * tile.columns),
        )
        for number, tile in enumerate(window.tiles(size))
    ]


def tile_of(part: Part) -> Window:
    """Give the tile that a part makes."""
    return Window(*part.params["tile"])


def save(context: Context, name: str, values: NDArray[Any]) -> None:
    """Keep an array of a part; one cell alone stands for a tile that is all void."""
    is_void = values.dtype.kind == "f" and bool(np.isnan(values).all())
    np.save(context.part_file(f"{name}.npy"), values[:1, :1] if is_void else values)


def tiles_of(
    cell: float, window: Window, results: Mapping[str, PartResult], size: int = TILE
) -> Tiles:
    """Say which part made which tile; the values of parts have their "tile"."""
    keys = {}
    for key, result in results.items():
        top, left, _, _ = result.values["tile"]
        keys[f"{top // size},{left // size}"] = key
    return Tiles(cell, (window.top, window.left, *window.shape), size, keys)


def write_raster(
    path: Path,
    name: str,
    results: Mapping[str, PartResult],
    context: Context,
    described: tuple[RasterFrame, Band, Window],
) -> None:
    """Write the tiles that parts kept as one GeoTIFF.

    Args:
        path: of the file.
        name: under which parts kept their cells.
        results: of the parts; their values have their "tile".
        context: of the step.
        described: where the raster is, what is in it, and the window of all its cells.
    """
    frame, band, whole = described
    with raster_writer(path, frame, band, context.scratch()) as writer:
        for number, (key, result) in enumerate(results.items(), 1):
            context.check()
            tile = Window(*result.values["tile"])
            place = Window(tile.top - whole.top, tile.left - whole.left, *tile.shape)
            values = np.load(context.part_file(f"{name}.npy", key))
            if values.shape == tile.shape:  # else all of it is void, as what is not written
                writer.write(place, values)
            context.report(0.7 * number / len(results), "writing tiles")
        context.report(0.7, "compressing the raster and its overviews")


class TileReader:
    """Takes values of tiles, kept with an apron, at points in any order."""

    def __init__(self, context: Context, tiles: Tiles, names: Sequence[str]) -> None:
        self._context = context
        self._tiles = tiles
        self._names = names
        self._open = lru_cache(maxsize=OPEN_TILES)(self._load)

    def at(self, x: FloatArray, y: FloatArray) -> list[FloatArray]:
        """Interpolate between centres of cells.

        Args:
            x: (n,) in the unit of the raster.
            y: (n,)

        Returns:
            An array (n,) for each name; NaN where the raster is void.
        """
        down, right = -y / self._tiles.cell, x / self._tiles.cell
        values = [np.full(len(x), np.nan) for _ in self._names]
        whole, size = self._tiles.cells, self._tiles.size
        rows = np.clip(np.floor(down), whole.top, whole.bottom - 1).astype(np.int64) // size
        columns = np.clip(np.floor(right), whole.left, whole.right - 1).astype(np.int64) // size
        codes = (rows - rows.min()) * (columns.max() - columns.min() + 1) + columns - columns.min()
        for code in np.unique(codes):
            here = np.flatnonzero(codes == code)
            opened = self._open(int(rows[here[0]]), int(columns[here[0]]))
            if opened is None:
                continue
            window, arrays = opened
            for given, array in zip(values, arrays, strict=True):
                given[here] = sample(array, down[here] - window.top, right[here] - window.left)
        return values

    def _load(self, row: int, column: int) -> tuple[Window, list[Raster]] | None:
        key = self._tiles.keys.get(f"{row},{column}")
        if key is None:
            return None
        size, whole = self._tiles.size, self._tiles.cells
        tile = Window(row * size, column * size, size, size).common(whole)
        if tile is None:
            return None
        files = [self._context.part_file(f"{name}.npy", key, stage=STAGE) for name in self._names]
        window = tile.grown(APRON, whole)
        return window, [np.broadcast_to(np.load(file), window.shape) for file in files]


def whole_of(part: Part) -> Window:
    """Give the window of the whole raster, where parts were given it."""
    return Window(*part.params["window"])


def whole_of_all(results: Mapping[str, PartResult]) -> Window:
    """Give the same from what parts gave."""
    return Window(*next(iter(results.values())).values["window"])
