"""CLASSIFY_GROUND: find the terrain by its lowest points, then say which points lie on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from haulier.core.family import Context, Part, PartResult, StepResult
from haulier.core.recipe import StepPlan
from haulier.families.clouds.io.cloud import coordinates
from haulier.families.clouds.io.layout import Records
from haulier.families.clouds.method.ground import slope_of
from haulier.families.clouds.params.ground import ClassifyGround
from haulier.families.clouds.steps import gridding, rewriting, tiling
from haulier.families.clouds.steps.choice import NOISE, Choice, chosen
from haulier.families.clouds.steps.gridding import Gridding, Layer
from haulier.families.clouds.steps.rewriting import Rewriting, in_json
from haulier.families.clouds.steps.source import INPUT, Source, open_source
from haulier.families.clouds.steps.terrain import (
    GROUND,
    Search,
    cloth_notes,
    lowest_choice,
    sparse_note,
    terrain_tile,
)

STAGES: Final = (gridding.STAGE, tiling.STAGE, rewriting.STAGE)
LOWEST: Final = "lowest"
HEIGHT, SLOPE = "height", "slope"
UNCLASSIFIED: Final = 1
#: The parameter that says how large cells are.
CELL: Final = "cell_m"


@dataclass(frozen=True)
class Job:
    """What a step is to do, and from what."""

    params: ClassifyGround
    source: Source

    @property
    def rewriting(self) -> Rewriting:
        """Give what the cloud becomes."""
        return Rewriting(self.source.cloud, self.source.cloud.layout, "classifying points")


def split(step: StepPlan, context: Context) -> Sequence[Part]:
    """Give ranges of points, then tiles of terrain, then ranges of points again."""
    job = _job(step, context)
    cloud = job.source.cloud
    if step.stage == gridding.STAGE:
        layers = {LOWEST: Layer(lowest_choice(job.params.returns))}
        cell = job.params.cell_m / job.source.metric.ground_m
        return gridding.split(cloud, Gridding(cell, layers, CELL), f"inputs.{INPUT}")
    if step.stage == tiling.STAGE:
        return tiling.split(gridding.layers_of(context)[LOWEST].cells, {})
    return rewriting.split(cloud)


def run(step: StepPlan, part: Part, context: Context) -> PartResult:
    """Gather lowest points, find terrain, or classify points."""
    job = _job(step, context)
    if step.stage == gridding.STAGE:
        return gridding.run(job.source.cloud, part, context)
    if step.stage == tiling.STAGE:
        return _find_terrain(job, part, context)
    return _classify(job, part, context)


def merge(step: StepPlan, results: Mapping[str, PartResult], context: Context) -> StepResult:
    """Say what the stage found; at last write the cloud."""
    job = _job(step, context)
    if step.stage == gridding.STAGE:
        return gridding.merge(results, job.source.cloud.point_count)
    if step.stage == tiling.STAGE:
        layer = gridding.layers_of(context)[LOWEST]
        tiles = tiling.tiles_of(layer.cell, layer.cells, results)
        occupied = sum(result.values["occupied"] for result in results.values())
        return StepResult({"tiles": msgspec.to_builtins(tiles), "occupied": occupied})
    occupied = context.values(f"stage:{tiling.STAGE}")["occupied"]
    layer = gridding.layers_of(context)[LOWEST]
    notes = (
        *job.source.notes,
        *sparse_note(layer, occupied, job.source.metric),
        *cloth_notes(job.params, layer.cells),
    )
    written = rewriting.merge(job.rewriting, results, context)
    counts = rewriting.tallies(results)
    values = {
        **written,
        **counts,
        "method": job.params.method,
        "map_scale": job.source.metric.map_scale,
        "warnings": in_json(notes),
    }
    return StepResult(values, {"points": float(job.source.cloud.point_count)})


def _job(step: StepPlan, context: Context) -> Job:
    params = msgspec.convert(dict(step.params), ClassifyGround)
    return Job(params, open_source(step, context, params.height_unit))


def _find_terrain(job: Job, part: Part, context: Context) -> PartResult:
    source, tile = job.source, tiling.tile_of(part)
    layer = gridding.layers_of(context)[LOWEST]
    # One cell more than the apron, for slopes at its edge need neighbours.
    wide = tile.grown(tiling.APRON + 1, layer.cells)
    search = Search(job.params, source.metric, at=CELL)
    heights = terrain_tile(context, source.cloud, (LOWEST, layer), wide, search)
    slopes = slope_of(heights.astype(np.float32), layer.cell * source.metric.ground_m)
    kept = tile.grown(tiling.APRON, layer.cells).inside(wide)
    tiling.save(context, HEIGHT, heights[kept])
    tiling.save(context, SLOPE, slopes[kept])
    occupied = len(gridding.read_cells(context, layer, LOWEST, tile))
    values = {"tile": part.params["tile"], "occupied": occupied}
    return PartResult(values, {"cells": float(tile.rows * tile.columns)})


def _classify(job: Job, part: Part, context: Context) -> PartResult:
    tiles = msgspec.convert(context.values(f"stage:{tiling.STAGE}")["tiles"], tiling.Tiles)
    reader = tiling.TileReader(context, tiles, (HEIGHT, SLOPE))
    found = {"ground_points": 0, "points_without_terrain": 0}

    def change(records: Records) -> Records:
        ground, unknown = _ground(job, records, reader)
        records["classification"] = new_classes(records["classification"], ground, job.params)
        found["ground_points"] += int(ground.sum())
        found["points_without_terrain"] += int(unknown.sum())
        return records

    facts = rewriting.run(job.rewriting, part, context, change)
    return rewriting.result_of(facts, part.params["last"] - part.params["first"], **found)


def _ground(
    job: Job, records: Records, reader: tiling.TileReader
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Say which records lie on the terrain, and where none is known."""
    cloud, params = job.source.cloud, job.params
    places = coordinates(records, cloud.scales, cloud.offsets)
    heights, slopes = reader.at(places[:, 0], places[:, 1])
    apart = np.abs(places[:, 2] * job.source.metric.height_m - heights)
    unknown = np.isnan(heights)
    near = apart <= params.threshold_m + params.scalar_m * np.nan_to_num(slopes)
    eligible = chosen(records, Choice(without=NOISE, returns=params.returns))
    return near & eligible & ~unknown, unknown


def new_classes(
    classes: NDArray[np.uint8], ground: NDArray[np.bool_], params: ClassifyGround
) -> NDArray[np.uint8]:
    """Give the classes of points: 2 where they are ground, and what others become."""
    given = classes.copy()
    if params.others == "reset":
        given[~np.isin(classes, NOISE)] = UNCLASSIFIED
    else:
        given[classes == GROUND] = UNCLASSIFIED
    given[ground] = GROUND
    return given
