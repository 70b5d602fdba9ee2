"""GENERATE_DEM: the terrain, the surface, or what stands between them, as a raster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from haulier.core.family import Context, Part, PartResult, StepResult
from haulier.core.recipe import StepPlan
from haulier.families.clouds.io.raster import MEDIA_TYPE, Band, frame_of_cells
from haulier.families.clouds.method.lattice import Window
from haulier.families.clouds.method.surface import Method, fields_of
from haulier.families.clouds.notes import Note
from haulier.families.clouds.params.ground import ClassifyGround
from haulier.families.clouds.params.rasters import GenerateDem
from haulier.families.clouds.steps import gridding, tiling
from haulier.families.clouds.steps.choice import NOISE, Choice
from haulier.families.clouds.steps.gridding import Gridded, Gridding, Layer
from haulier.families.clouds.steps.rewriting import in_json
from haulier.families.clouds.steps.source import INPUT, Source, open_source
from haulier.families.clouds.steps.terrain import (
    GROUND,
    Heights,
    Search,
    cloth_notes,
    has_ground,
    lowest_choice,
    surface_tile,
    terrain_tile,
)

STAGES: Final = (gridding.STAGE, tiling.STAGE)
OUTPUT: Final = "output_tif"
#: The layers that there may be.
FROM_CLASS, FROM_LOWEST, TOP = "ground", "lowest", "top"
DEM: Final = "dem"


@dataclass(frozen=True)
class Job:
    """What a step is to do, and from what."""

    params: GenerateDem
    source: Source


def split(step: StepPlan, context: Context) -> Sequence[Part]:
    """Give ranges of points, then tiles of cells."""
    job = _job(step, context)
    if step.stage == gridding.STAGE:
        return gridding.split(job.source.cloud, _gridding(job), f"inputs.{INPUT}")
    layers = gridding.layers_of(context)
    return tiling.split(_window(layers), {})


def run(step: StepPlan, part: Part, context: Context) -> PartResult:
    """Gather a range of points, or make a tile."""
    job = _job(step, context)
    if step.stage == gridding.STAGE:
        return gridding.run(job.source.cloud, part, context)
    tile = tiling.tile_of(part)
    heights = _tile(job, gridding.layers_of(context), tile, context).astype(np.float32)
    tiling.save(context, DEM, heights)
    known = heights[~np.isnan(heights)]
    values: dict[str, Any] = {"tile": part.params["tile"], "known": len(known)}
    if len(known):
        total = float(known.sum(dtype=np.float64))
        values |= {"low": float(known.min()), "high": float(known.max()), "total": total}
    return PartResult(values, {"cells": float(tile.rows * tile.columns)})


def merge(step: StepPlan, results: Mapping[str, PartResult], context: Context) -> StepResult:
    """Say what was gathered, or write the raster."""
    job = _job(step, context)
    if step.stage == gridding.STAGE:
        return gridding.merge(results, job.source.cloud.point_count)
    layers = gridding.layers_of(context)
    whole = _window(layers)
    frame = frame_of_cells(
        whole, job.params.resolution, job.source.wkt, job.source.metric.height_unit
    )
    path = context.write(OUTPUT, media_type=MEDIA_TYPE, filename=f"{job.params.surface}.tif")
    band = Band(description=job.params.surface)
    tiling.write_raster(path, DEM, results, context, (frame, band, whole))
    return StepResult(_values(job, layers, results), {"cells": float(whole.rows * whole.columns)})


def _job(step: StepPlan, context: Context) -> Job:
    params = msgspec.convert(dict(step.params), GenerateDem)
    return Job(params, open_source(step, context, params.height_unit))


def _gridding(job: Job) -> Gridding:
    """Say which points make which layer."""
    params = job.params
    layers: dict[str, Layer] = {}
    if params.surface != "dsm":
        layers |= _terrain_layer(job)
    if params.surface != "dtm":
        choice = Choice(params.classes, () if params.classes else NOISE, params.returns)
        layers[TOP] = Layer(choice, fields_of(_method(params, TOP)))
    return Gridding(params.resolution, layers)


def _terrain_layer(job: Job) -> dict[str, Layer]:
    params = job.params
    is_dtm = params.surface == "dtm"
    classes = params.classes if is_dtm else ()
    by_class = params.ground == "class" or bool(classes)
    if by_class or (params.ground == "auto" and has_ground(job.source.cloud)):
        choice = Choice(classes or (GROUND,), returns=params.returns if is_dtm else "all")
        return {FROM_CLASS: Layer(choice, fields_of(_method(params, FROM_CLASS)))}
    returns = params.returns if is_dtm and params.returns != "all" else "last"
    return {FROM_LOWEST: Layer(lowest_choice(returns))}


def _method(params: GenerateDem, layer: str) -> Method:
    """Give how the height of a cell is made; a canopy is always of what is seen from above."""
    is_asked_for = params.method != "auto" and (params.surface != "chm" or layer == FROM_CLASS)
    if params.method != "auto" and is_asked_for:
        return params.method
    return "plane" if layer == FROM_CLASS else "max"


def _window(layers: Mapping[str, Gridded]) -> Window:
    """Give the cells of the raster: of the surface where there is one, else of the terrain."""
    return layers[TOP].cells if TOP in layers else next(iter(layers.values())).cells


def _tile(
    job: Job, layers: Mapping[str, Gridded], tile: Window, context: Context
) -> NDArray[np.float64]:
    params = job.params
    if params.surface == "dtm":
        return _terrain(job, layers, tile, context)
    heights = Heights(_method(params, TOP), params.fill_cells)
    top = surface_tile(context, job.source.cloud, (TOP, layers[TOP]), tile, heights)
    if params.surface == "dsm":
        return top
    return np.maximum(top - _terrain(job, layers, tile, context), 0.0)


def _terrain(
    job: Job, layers: Mapping[str, Gridded], tile: Window, context: Context
) -> NDArray[np.float64]:
    params, source = job.params, job.source
    if FROM_CLASS in layers:
        outwards = params.surface == "chm"
        heights = Heights(_method(params, FROM_CLASS), params.fill_cells, outwards)
        layer = (FROM_CLASS, layers[FROM_CLASS])
        return surface_tile(context, source.cloud, layer, tile, heights)
    settings = _settings(params)
    layer = (FROM_LOWEST, layers[FROM_LOWEST])
    between = params.fill_cells if params.surface == "dtm" else None
    search = Search(settings, source.metric, at="resolution")
    found = terrain_tile(context, source.cloud, layer, tile, search, between=between)
    return found / source.metric.height_m


def _settings(params: GenerateDem) -> ClassifyGround:
    return ClassifyGround(method="csf" if params.ground == "csf" else "smrf")


def _values(
    job: Job, layers: Mapping[str, Gridded], results: Mapping[str, PartResult]
) -> dict[str, Any]:
    params, source = job.params, job.source
    whole = _window(layers)
    frame = frame_of_cells(whole, params.resolution, source.wkt)
    some = [result.values for result in results.values() if result.values["known"]]
    known = sum(values["known"] for values in some)
    return {
        "bounds": list(frame.bounds),
        "rows": whole.rows,
        "columns": whole.columns,
        "resolution": params.resolution,
        "resolution_m": params.resolution * source.metric.ground_m,
        "surface": params.surface,
        "point_counts": {name: layer.points for name, layer in layers.items()},
        "known_cells": known,
        "void_cells": whole.rows * whole.columns - known,
        "minimum": min((values["low"] for values in some), default=None),
        "maximum": max((values["high"] for values in some), default=None),
        "mean": sum(values["total"] for values in some) / known if known else None,
        "height_unit": source.metric.height_unit,
        "map_scale": source.metric.map_scale,
        "crs_wkt": source.wkt,
        "warnings": in_json((*source.notes, *_notes(job, layers))),
    }


def _notes(job: Job, layers: Mapping[str, Gridded]) -> Sequence[Note]:
    if FROM_LOWEST not in layers:
        return ()
    if job.params.ground != "auto":
        return cloth_notes(_settings(job.params), _window(layers))
    message = "no points of class 2 were found: the terrain is that of the lowest points of cells"
    hint = "run CLASSIFY_GROUND first for a terrain of all ground points"
    return [Note("GROUND_NOT_CLASSIFIED", message, hint)]
