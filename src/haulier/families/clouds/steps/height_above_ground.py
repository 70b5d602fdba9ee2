"""HEIGHT_ABOVE_GROUND: how far each point stands above the terrain of the ground points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np

from haulier.core.family import Context, Part, PartResult, StepResult
from haulier.core.recipe import StepPlan
from haulier.families.clouds.io.cloud import coordinates
from haulier.families.clouds.io.layout import ExtraDimension, Layout, Records, convert
from haulier.families.clouds.method.surface import Method, fields_of
from haulier.families.clouds.notes import Note, trap
from haulier.families.clouds.params.ground import HeightAboveGround
from haulier.families.clouds.steps import gridding, rewriting, tiling
from haulier.families.clouds.steps.choice import Choice
from haulier.families.clouds.steps.gridding import Gridding, Layer
from haulier.families.clouds.steps.rastersource import without_height_unit
from haulier.families.clouds.steps.rewriting import Rewriting, in_json
from haulier.families.clouds.steps.source import INPUT, Source, open_source
from haulier.families.clouds.steps.terrain import GROUND, Heights, surface_tile

STAGES: Final = (gridding.STAGE, tiling.STAGE, rewriting.STAGE)
LAYER: Final = "ground"
HEIGHT: Final = "height"
FLOAT32: Final = 9
NAME: Final = "HeightAboveGround"
INT32: Final = 2**31


@dataclass(frozen=True)
class Job:
    """What a step is to do, and from what."""

    params: HeightAboveGround
    source: Source

    @property
    def method(self) -> Method:
        """Give how the height of a cell is made."""
        return "plane" if self.params.method == "auto" else self.params.method

    @property
    def layout(self) -> Layout:
        """Give the layout of the new records."""
        layout = self.source.cloud.layout
        if self.params.write_to == "z" or NAME in (layout.dtype.names or ()):
            return layout
        about = "Z over the terrain"
        return layout.extended(ExtraDimension(NAME, FLOAT32, description=about))

    @property
    def rewriting(self) -> Rewriting:
        """Give what the cloud becomes."""
        return Rewriting(self.source.cloud, self.layout, "measuring heights")


def split(step: StepPlan, context: Context) -> Sequence[Part]:
    """Give ranges of points, then tiles of terrain, then ranges of points again."""
    job = _job(step, context)
    if step.stage == gridding.STAGE:
        layers = {LAYER: Layer(Choice(classes=(GROUND,)), fields_of(job.method))}
        wanted = Gridding(job.params.resolution, layers)
        return gridding.split(job.source.cloud, wanted, f"inputs.{INPUT}")
    if step.stage == tiling.STAGE:
        whole = gridding.layers_of(context)[LAYER].cells
        margin = job.params.fill_cells
        wide = type(whole)(
            whole.top - margin,
            whole.left - margin,
            whole.rows + 2 * margin,
            whole.columns + 2 * margin,
        )
        return tiling.split(wide, {"window": [wide.top, wide.left, *wide.shape]})
    return rewriting.split(job.source.cloud)


def run(step: StepPlan, part: Part, context: Context) -> PartResult:
    """Gather ground points, make terrain, or measure heights."""
    job = _job(step, context)
    if step.stage == gridding.STAGE:
        return gridding.run(job.source.cloud, part, context)
    if step.stage == rewriting.STAGE:
        return _measure(job, part, context)
    tile = tiling.tile_of(part)
    wide = tile.grown(tiling.APRON, tiling.whole_of(part))
    heights = Heights(job.method, job.params.fill_cells, outwards=True)
    layer = (LAYER, gridding.layers_of(context)[LAYER])
    tiling.save(context, HEIGHT, surface_tile(context, job.source.cloud, layer, wide, heights))
    values = {"tile": part.params["tile"], "window": part.params["window"]}
    return PartResult(values, {"cells": float(tile.rows * tile.columns)})


def merge(step: StepPlan, results: Mapping[str, PartResult], context: Context) -> StepResult:
    """Say what the stage found; at last write the cloud."""
    job = _job(step, context)
    if step.stage == gridding.STAGE:
        return gridding.merge(results, job.source.cloud.point_count)
    if step.stage == tiling.STAGE:
        tiles = tiling.tiles_of(job.params.resolution, tiling.whole_of_all(results), results)
        return StepResult({"tiles": msgspec.to_builtins(tiles)})
    counts = rewriting.tallies(results)
    written = rewriting.merge(job.rewriting, results, context)
    notes = [*without_height_unit(job.source.notes), *_notes(job, counts["points_without_terrain"])]
    values = {**written, **counts, "warnings": in_json(notes)}
    return StepResult(values, {"points": float(job.source.cloud.point_count)})


def _job(step: StepPlan, context: Context) -> Job:
    params = msgspec.convert(dict(step.params), HeightAboveGround)
    return Job(params, open_source(step, context))


def _measure(job: Job, part: Part, context: Context) -> PartResult:
    tiles = msgspec.convert(context.values(f"stage:{tiling.STAGE}")["tiles"], tiling.Tiles)
    reader = tiling.TileReader(context, tiles, (HEIGHT,))
    cloud = job.source.cloud
    unknown = 0

    def change(records: Records) -> Records:
        nonlocal unknown
        places = coordinates(records, cloud.scales, cloud.offsets)
        (terrain,) = reader.at(places[:, 0], places[:, 1])
        above = places[:, 2] - terrain
        known = ~np.isnan(above)
        unknown += int((~known).sum())
        if job.params.write_to == "dimension":
            given = convert(records, job.layout)
            given[NAME] = above
            return given
        quanta = np.rint((above[known] - cloud.offsets[2]) / cloud.scales[2])
        if len(quanta) and float(np.abs(quanta).max()) >= INT32:
            message = f"heights do not fit the file's offset {cloud.offsets[2]} in Z"
            raise trap("SCALE_OVERFLOW", message, 'write them to "dimension"', at="write_to")
        kept = records[known]
        kept["Z"] = quanta.astype(np.int32)
        return kept

    facts = rewriting.run(job.rewriting, part, context, change)
    number = part.params["last"] - part.params["first"]
    return rewriting.result_of(facts, number, points_without_terrain=unknown)


def _notes(job: Job, unknown: int) -> list[Note]:
    if not unknown:
        return []
    what = "their height is NaN" if job.params.write_to == "dimension" else "they are left out"
    message = f"{unknown:,} points have no ground within {job.params.fill_cells} cells: {what}"
    return [Note("HEIGHT_UNKNOWN", message, "raise fill_cells or resolution")]
