"""COLORIZE_AS_DEM: points coloured as a map of heights would be, by ramp and hillshade."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from haulier.core.family import Context, Part, PartResult, StepResult
from haulier.core.problem import Code, Problem
from haulier.core.recipe import StepPlan
from haulier.families.clouds.io.cloud import coordinates
from haulier.families.clouds.io.layout import Records
from haulier.families.clouds.method.hillshade import BRIGHTEST, hillshade
from haulier.families.clouds.method.ramps import colours_of, parse_ramp
from haulier.families.clouds.params.colours import ColorizeAsDem
from haulier.families.clouds.steps import gridding, rewriting, tiling
from haulier.families.clouds.steps.choice import NOISE, Choice
from haulier.families.clouds.steps.colouring import coloured, paint
from haulier.families.clouds.steps.gridding import Gridding, Layer
from haulier.families.clouds.steps.rewriting import Rewriting, in_json
from haulier.families.clouds.steps.source import INPUT, Source, open_source
from haulier.families.clouds.steps.terrain import Heights, surface_tile

STAGES: Final = (gridding.STAGE, tiling.STAGE, rewriting.STAGE)
LAYER: Final = "points"
HEIGHT, SHADE = "height", "shade"
PALETTE: Final = "viridis"
#: Heights are counted in so many steps, to find those that a share of cells lies below.
STEPS: Final = 4096
LOW_SHARE, HIGH_SHARE = 0.02, 0.98


@dataclass(frozen=True)
class Job:
    """What a step is to do, and from what."""

    params: ColorizeAsDem
    source: Source
    ramp: NDArray[np.float64]

    @property
    def rewriting(self) -> Rewriting:
        """Give what the cloud becomes."""
        cloud = self.source.cloud
        return Rewriting(cloud, coloured(cloud.layout), "colouring points")


def split(step: StepPlan, context: Context) -> Sequence[Part]:
    """Give ranges of points, then tiles of heights, then ranges of points again."""
    job = _job(step, context)
    if step.stage == gridding.STAGE:
        wanted = Gridding(job.params.resolution, {LAYER: Layer(Choice(without=NOISE))})
        return gridding.split(job.source.cloud, wanted, f"inputs.{INPUT}")
    if step.stage == tiling.STAGE:
        return tiling.split(gridding.layers_of(context)[LAYER].cells, {})
    return rewriting.split(job.source.cloud)


def run(step: StepPlan, part: Part, context: Context) -> PartResult:
    """Gather points, make heights and shades, or colour points."""
    job = _job(step, context)
    if step.stage == gridding.STAGE:
        return gridding.run(job.source.cloud, part, context)
    return (_shade if step.stage == tiling.STAGE else _paint)(job, part, context)


def merge(step: StepPlan, results: Mapping[str, PartResult], context: Context) -> StepResult:
    """Say what the stage found; at last write the cloud."""
    job = _job(step, context)
    if step.stage == gridding.STAGE:
        return gridding.merge(results, job.source.cloud.point_count)
    if step.stage == tiling.STAGE:
        return _range(job, results, context)
    found = context.values(f"stage:{tiling.STAGE}")
    written = rewriting.merge(job.rewriting, results, context)
    values = {
        **written,
        **rewriting.tallies(results),
        "low": found["low"],
        "high": found["high"],
        "warnings": in_json(job.source.notes),
    }
    return StepResult(values, {"points": float(job.source.cloud.point_count)})


def _job(step: StepPlan, context: Context) -> Job:
    params = msgspec.convert(dict(step.params), ColorizeAsDem)
    if params.palette and params.pallete and params.palette != params.pallete:
        detail = f"palette and pallete are the same thing, got {params.palette!r} and another"
        raise Problem(Code.INVALID, detail, at="palette")
    try:
        ramp = parse_ramp(params.palette or params.pallete or PALETTE)
    except ValueError as error:
        at = "palette" if params.palette else "pallete"
        raise Problem(Code.INVALID, f"{at} {error}", at=at) from None
    return Job(params, open_source(step, context, params.height_unit), ramp)


def _shade(job: Job, part: Part, context: Context) -> PartResult:
    tile, layer = tiling.tile_of(part), gridding.layers_of(context)[LAYER]
    cloud = job.source.cloud
    wide = tile.grown(tiling.APRON + 1, layer.cells)
    heights = Heights("mean", job.params.fill_cells, outwards=True)
    raster = surface_tile(context, cloud, (LAYER, layer), wide, heights)
    z_factor = job.source.metric.z_factor
    shades = hillshade(raster.astype(np.float32), (layer.cell, layer.cell), z_factor=z_factor)
    apron = tile.grown(tiling.APRON, layer.cells).inside(wide)
    tiling.save(context, HEIGHT, raster[apron].astype(np.float32))
    light = np.where(shades == 0, np.nan, (shades - 1.0) / BRIGHTEST).astype(np.float32)
    tiling.save(context, SHADE, light[apron])
    cells = gridding.read_cells(context, layer, LAYER, tile)
    means = (cells["total"] / cells["count"] - layer.low) / max(layer.high - layer.low, 1)
    counts = np.bincount((means * (STEPS - 1)).astype(np.int64), minlength=STEPS)
    np.save(context.part_file("counts.npy"), counts)
    return PartResult({"tile": part.params["tile"]}, {"cells": float(tile.rows * tile.columns)})


def _range(job: Job, results: Mapping[str, PartResult], context: Context) -> StepResult:
    """Give the tiles, and the heights of the first and the last colour."""
    layer = gridding.layers_of(context)[LAYER]
    cloud, params = job.source.cloud, job.params
    counts = np.sum([np.load(context.part_file("counts.npy", key)) for key in results], axis=0)
    below = np.cumsum(counts) / counts.sum()
    quanta = layer.low + np.arange(STEPS) / (STEPS - 1) * (layer.high - layer.low)
    heights = quanta * cloud.scales[2] + cloud.offsets[2]
    ends = [
        float(heights[min(int(np.searchsorted(below, share)), STEPS - 1)])
        for share in (LOW_SHARE, HIGH_SHARE)
    ]
    low = ends[0] if params.low is None else params.low
    high = ends[1] if params.high is None else params.high
    if high < low:
        detail = f"high must not be below low, got {high:g} and {low:g}"
        raise Problem(Code.INVALID, detail, at="high")
    tiles = tiling.tiles_of(layer.cell, layer.cells, results)
    return StepResult({"tiles": msgspec.to_builtins(tiles), "low": low, "high": high})


def _paint(job: Job, part: Part, context: Context) -> PartResult:
    found: Mapping[str, Any] = context.values(f"stage:{tiling.STAGE}")
    tiles = msgspec.convert(found["tiles"], tiling.Tiles)
    reader = tiling.TileReader(context, tiles, (HEIGHT, SHADE))
    cloud, layout = job.source.cloud, job.rewriting.layout
    uncoloured = 0

    def change(records: Records) -> Records:
        nonlocal uncoloured
        places = coordinates(records, cloud.scales, cloud.offsets)
        heights, light = reader.at(places[:, 0], places[:, 1])
        colours = colours_of(heights, found["low"], found["high"], job.ramp)
        darker = 1.0 - job.params.shading * (1.0 - np.nan_to_num(light, nan=1.0))
        uncoloured += int(np.isnan(heights).sum())
        return paint(records, layout, colours * darker[:, np.newaxis])

    facts = rewriting.run(job.rewriting, part, context, change)
    number = part.params["last"] - part.params["first"]
    return rewriting.result_of(facts, number, uncoloured_points=uncoloured)
