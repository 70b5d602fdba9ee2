"""GENERATE_CONTOURS: lines of equal height, drawn tile by tile and joined over their edges."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray
from pyproj import CRS

from haulier.core.family import Context, Part, PartResult, StepResult
from haulier.core.recipe import StepPlan
from haulier.families.clouds.io.contourfile import (
    GEOJSON,
    Line,
    one_line,
    open_lines,
    save_lines,
    write_geojson,
)
from haulier.families.clouds.io.crs import horizontal
from haulier.families.clouds.io.raster import RasterFrame, open_raster
from haulier.families.clouds.method.contours import Lines, TooManyLinesError, chain, contours, join
from haulier.families.clouds.method.lattice import Window
from haulier.families.clouds.method.projection import find_operation, transform_of
from haulier.families.clouds.notes import Note, trap
from haulier.families.clouds.params.rasters import GenerateContours
from haulier.families.clouds.steps import tiling
from haulier.families.clouds.steps.rastersource import INPUT, crs_of_raster, one_band
from haulier.families.clouds.steps.rewriting import in_json

FloatArray = NDArray[np.float64]
OUTPUT: Final = "output_geojson"
AT: Final = f"inputs.{INPUT}"
DEGREE_DECIMALS, UNIT_DECIMALS = 8, 3
OPEN_FILES: Final = 64
HALF_CIRCLE: Final = 180.0


def split(step: StepPlan, context: Context) -> Sequence[Part]:
    """Make tiles of the raster the parts."""
    with open_raster(context.read(step.inputs[INPUT]), AT) as raster:
        one_band(raster, AT)
        return tiling.split(raster.frame.window, {})


def run(step: StepPlan, part: Part, context: Context) -> PartResult:
    """Draw the lines of a tile, from its centres to the first ones of the next tiles.

    Raises:
        Problem: INVALID with TOO_MANY_CONTOURS.
    """
    params = msgspec.convert(dict(step.params), GenerateContours)
    tile = tiling.tile_of(part)
    with open_raster(context.read(step.inputs[INPUT]), AT) as raster:
        whole = raster.frame.window
        wide = Window(tile.top, tile.left, tile.rows + 1, tile.columns + 1).common(whole) or tile
        heights = raster.read(wide).astype(np.float64) - params.origin
    try:
        lines = contours(heights, (wide.top, wide.left), whole.columns, params.interval)
    except TooManyLinesError as error:
        raise trap("TOO_MANY_CONTOURS", str(error), "raise the interval", at="interval") from None
    save_lines(context.part_file("levels.npy").parent, lines)
    return PartResult({"lines": len(lines.levels)}, {"cells": float(tile.rows * tile.columns)})


def merge(step: StepPlan, results: Mapping[str, PartResult], context: Context) -> StepResult:
    """Join the lines of all tiles, and write them."""
    params = msgspec.convert(dict(step.params), GenerateContours)
    with open_raster(context.read(step.inputs[INPUT]), AT) as raster:
        frame = raster.frame
        crs = crs_of_raster(raster, AT)
        transform, notes = _to_output(crs, params)
    keys = [key for key, result in results.items() if result.values["lines"]]
    decimals = UNIT_DECIMALS if transform is None else DEGREE_DECIMALS
    if crs is not None and horizontal(crs).is_geographic:
        decimals = DEGREE_DECIMALS
    path = context.write(OUTPUT, media_type=GEOJSON, filename="contours.geojson")
    name = _name_of(crs) if transform is None else ""
    drawn = _lines(keys, context, frame, params)
    if transform is not None:
        drawn = (piece for line in drawn for piece in _moved(line, transform))
    counter = _Heights()
    number = write_geojson(path, counter.count(drawn), decimals=decimals, crs_name=name)
    values = {
        "lines": number,
        "lowest": counter.lowest,
        "highest": counter.highest,
        "interval": params.interval,
        "crs": "OGC:CRS84" if transform else name,
        "warnings": in_json(notes),
    }
    return StepResult(values, {"lines": float(number)})


class _Heights:
    """Notes the lowest and the highest of lines that pass by."""

    lowest: float | None = None
    highest: float | None = None

    def count(self, lines: Iterator[Line]) -> Iterator[Line]:
        """Let lines pass."""
        for line in lines:
            self.lowest = line.height if self.lowest is None else min(self.lowest, line.height)
            self.highest = line.height if self.highest is None else max(self.highest, line.height)
            yield line


def _lines(
    keys: Sequence[str], context: Context, frame: RasterFrame, params: GenerateContours
) -> Iterator[Line]:
    """Give the joined lines of all tiles, by height and by the number of their first edge.

    Only the ends of lines are held in memory.
    """

    @lru_cache(maxsize=OPEN_FILES)
    def opened(tile: int) -> Lines:
        return open_lines(context.part_file("levels.npy", keys[tile]).parent)

    pieces = _pieces([opened(tile) for tile in range(len(keys))])
    order, starts = chain(pieces[:, 0], pieces[:, 1], pieces[:, 2])
    runs = [order[a:b] for a, b in pairwise(starts.tolist())]
    runs.sort(key=lambda run: (int(pieces[run[0], 0]), _begin(pieces[run])))
    for number, run in enumerate(runs):
        if number % 1000 == 0:
            context.check()
            context.report(number / len(runs), "joining lines")
        parts = [one_line(opened(int(pieces[i, 3])), int(pieces[i, 4])) for i in run]
        _, places = join(parts, range(len(parts)))
        x = frame.west + (places[:, 1] + 0.5) * frame.width
        y = frame.north - (places[:, 0] + 0.5) * frame.height
        height = params.origin + int(pieces[run[0], 0]) * params.interval
        yield Line(round(height, 9), np.stack([x, y], axis=1))


def _begin(run: NDArray[np.int64]) -> int:
    """Give the edge that a line of these pieces begins at; a closed one, where it is lowest."""
    is_closed = run[0, 1] == run[-1, 2]
    return int(run[:, 5].min() if is_closed else run[0, 1])


def _pieces(tiles: Sequence[Lines]) -> NDArray[np.int64]:
    """Give all lines of tiles, sorted: level, first edge, last edge, tile, number, lowest edge."""
    rows = [np.zeros((0, 6), dtype=np.int64)]
    for tile, lines in enumerate(tiles):
        number = len(lines.levels)
        lowest = np.minimum.reduceat(lines.edges, lines.starts[:-1])
        own = [lines.levels, *lines.ends.T, np.full(number, tile), np.arange(number), lowest]
        rows.append(np.stack(own, axis=1).astype(np.int64))
    table = np.concatenate(rows)
    return table[np.lexsort((table[:, 1], table[:, 0]))]


def _to_output(
    crs: CRS | None, params: GenerateContours
) -> tuple[Callable[..., Any] | None, list[Note]]:
    """Give what makes longitude and latitude of X and Y; None where they stay."""
    if params.coordinates == "source":
        return None, []
    if crs is None:
        message = "the raster says no coordinate system: lines keep its X and Y"
        hint = "say its system, or ask for coordinates of the source"
        return None, [Note("CRS_UNKNOWN", message, hint)]
    operation = find_operation(horizontal(crs), CRS.from_epsg(4326), None)
    notes = []
    if operation.missing_grids:
        missing = ", ".join(operation.missing_grids)
        message = f"grids are missing, lines may be metres away from where they are: {missing}"
        notes.append(Note("GRIDS_MISSING", message, 'ask for coordinates "source"'))
    return transform_of(operation.pipeline), notes


def _moved(line: Line, transform: Callable[..., Any]) -> Iterator[Line]:
    """Give a line in degrees, cut where it crosses 180 degrees, as RFC 7946, 3.1.9 asks."""
    lon, lat = transform(line.places[:, 0], line.places[:, 1])
    leaps = np.flatnonzero(np.abs(np.diff(lon)) > HALF_CIRCLE) + 1
    for piece in np.split(np.stack([lon, lat], axis=1), leaps):
        if len(piece) > 1:
            yield Line(line.height, piece)


def _name_of(crs: CRS | None) -> str:
    """Name a system as the old member of GeoJSON does."""
    authority = horizontal(crs).to_authority() if crs is not None else None
    if authority:
        return f"urn:ogc:def:crs:{authority[0]}::{authority[1]}"
    return crs.name if crs is not None else ""
