"""DENSITY: how many points there are, cell by cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
import numpy as np

from haulier.core.family import Context, Part, PartResult, StepResult
from haulier.core.recipe import StepPlan
from haulier.families.clouds.io.raster import MEDIA_TYPE, Band, frame_of_cells
from haulier.families.clouds.method.cells import spread
from haulier.families.clouds.params.rasters import Density
from haulier.families.clouds.steps import gridding, tiling
from haulier.families.clouds.steps.choice import Choice
from haulier.families.clouds.steps.gridding import Gridded, Gridding, Layer
from haulier.families.clouds.steps.rastersource import without_height_unit
from haulier.families.clouds.steps.rewriting import in_json
from haulier.families.clouds.steps.source import INPUT, Source, open_source

STAGES: Final = (gridding.STAGE, tiling.STAGE)
OUTPUT: Final = "output_tif"
LAYER: Final = "points"
#: Void cells of a density have none: that is zero, and known.
BANDS: Final = {
    "density": Band("float32", -1.0, "points per square metre"),
    "count": Band("uint32", 2**32 - 1, "points", "nearest"),
}


def split(step: StepPlan, context: Context) -> Sequence[Part]:
    """Give ranges of points, then tiles of cells."""
    params, source = _job(step, context)
    if step.stage == gridding.STAGE:
        choice = Choice(params.classes, returns=params.returns)
        wanted = Gridding(params.resolution, {LAYER: Layer(choice)})
        return gridding.split(source.cloud, wanted, f"inputs.{INPUT}")
    return tiling.split(gridding.layers_of(context)[LAYER].cells, {})


def run(step: StepPlan, part: Part, context: Context) -> PartResult:
    """Gather a range of points, or make a tile."""
    params, source = _job(step, context)
    if step.stage == gridding.STAGE:
        return gridding.run(source.cloud, part, context)
    tile = tiling.tile_of(part)
    cells = gridding.read_cells(context, gridding.layers_of(context)[LAYER], LAYER, tile)
    counts = spread(cells, cells["count"].astype(np.uint32), tile, 0)
    if params.quantity == "density":
        tiling.save(context, LAYER, (counts / _cell_area_m2(params, source)).astype(np.float32))
    else:
        tiling.save(context, LAYER, counts)
    values = {
        "tile": part.params["tile"],
        "points": int(counts.sum(dtype=np.int64)),
        "occupied": len(cells),
        "most": int(counts.max(initial=0)),
    }
    return PartResult(values, {"cells": float(counts.size)})


def merge(step: StepPlan, results: Mapping[str, PartResult], context: Context) -> StepResult:
    """Say what was gathered, or write the raster."""
    params, source = _job(step, context)
    if step.stage == gridding.STAGE:
        return gridding.merge(results, source.cloud.point_count)
    layer = gridding.layers_of(context)[LAYER]
    frame = frame_of_cells(layer.cells, params.resolution, source.wkt)
    path = context.write(OUTPUT, media_type=MEDIA_TYPE, filename="density.tif")
    described = (frame, BANDS[params.quantity], layer.cells)
    tiling.write_raster(path, LAYER, results, context, described)
    values = _values(params, source, layer, results)
    values["bounds"] = list(frame.bounds)
    return StepResult(values, {"cells": float(layer.cells.rows * layer.cells.columns)})


def _job(step: StepPlan, context: Context) -> tuple[Density, Source]:
    return msgspec.convert(dict(step.params), Density), open_source(step, context)


def _cell_area_m2(params: Density, source: Source) -> float:
    return float((params.resolution * source.metric.ground_m) ** 2)


def _values(
    params: Density, source: Source, layer: Gridded, results: Mapping[str, PartResult]
) -> dict[str, Any]:
    area = _cell_area_m2(params, source)
    occupied = sum(result.values["occupied"] for result in results.values())
    return {
        "rows": layer.cells.rows,
        "columns": layer.cells.columns,
        "resolution": params.resolution,
        "resolution_m": params.resolution * source.metric.ground_m,
        "point_count": sum(result.values["points"] for result in results.values()),
        "occupied_cells": occupied,
        "occupied_m2": occupied * area,
        "mean_density_per_m2": layer.points / (occupied * area),
        "highest_density_per_m2": max(r.values["most"] for r in results.values()) / area,
        "map_scale": source.metric.map_scale,
        "crs_wkt": source.wkt,
        "warnings": in_json(without_height_unit(source.notes)),
    }
