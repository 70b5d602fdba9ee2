"""GENERATE_HILLSHADE: a raster of heights, as light falls on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import msgspec

from haulier.core.family import Context, Part, PartResult, StepResult
from haulier.core.recipe import StepPlan
from haulier.families.clouds.io.raster import MEDIA_TYPE, Band, open_raster
from haulier.families.clouds.method.hillshade import VOID, hillshade
from haulier.families.clouds.notes import Note
from haulier.families.clouds.params.rasters import GenerateHillshade
from haulier.families.clouds.steps import tiling
from haulier.families.clouds.steps.metric import Metric
from haulier.families.clouds.steps.rastersource import (
    INPUT,
    frame_values,
    metric_of_raster,
    one_band,
    without_height_unit,
)
from haulier.families.clouds.steps.rewriting import in_json

OUTPUT: Final = "output_tif"
SHADE: Final = "shade"
AT: Final = f"inputs.{INPUT}"
BAND: Final = Band("uint8", VOID, "hillshade")
#: Neighbours of a tile that decide its edge: the next cell, and what lies behind it opposite.
HALO: Final = 1


def split(step: StepPlan, context: Context) -> Sequence[Part]:
    """Make tiles of the raster the parts."""
    with open_raster(context.read(step.inputs[INPUT]), AT) as raster:
        one_band(raster, AT)
        metric_of_raster(raster, AT)  # refuses degrees before there is any work
        return tiling.split(raster.frame.window, {})


def run(step: StepPlan, part: Part, context: Context) -> PartResult:
    """Shade a tile."""
    params = msgspec.convert(dict(step.params), GenerateHillshade)
    tile = tiling.tile_of(part)
    with open_raster(context.read(step.inputs[INPUT]), AT) as raster:
        wide = tile.grown(HALO, raster.frame.window)
        shades = hillshade(
            raster.read(wide),
            (raster.frame.width, raster.frame.height),
            z_factor=_z_factor(params, metric_of_raster(raster, AT, params.height_unit)),
            azimuth_deg=params.azimuth,
            altitude_deg=params.altitude,
        )
    tiling.save(context, SHADE, shades[tile.inside(wide)])
    return PartResult({"tile": part.params["tile"]}, {"cells": float(tile.rows * tile.columns)})


def merge(step: StepPlan, results: Mapping[str, PartResult], context: Context) -> StepResult:
    """Write the raster."""
    params = msgspec.convert(dict(step.params), GenerateHillshade)
    with open_raster(context.read(step.inputs[INPUT]), AT) as raster:
        frame = replace(raster.frame, unit="")
        metric = metric_of_raster(raster, AT, params.height_unit)
    path = context.write(OUTPUT, media_type=MEDIA_TYPE, filename="hillshade.tif")
    tiling.write_raster(path, SHADE, results, context, (frame, BAND, frame.window))
    values = {
        **frame_values(frame),
        "z_factor": _z_factor(params, metric),
        "map_scale": metric.map_scale,
        "warnings": in_json(_notes(params, metric)),
    }
    return StepResult(values, {"cells": float(frame.rows * frame.columns)})


def _z_factor(params: GenerateHillshade, metric: Metric) -> float:
    return metric.z_factor if params.z_factor == "auto" else float(params.z_factor)


def _notes(params: GenerateHillshade, metric: Metric) -> tuple[Note, ...]:
    return metric.notes if params.z_factor == "auto" else without_height_unit(metric.notes)
