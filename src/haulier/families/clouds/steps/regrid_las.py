"""REGRID_LAS: one point for each cell that has points, in its middle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import msgspec
import numpy as np

from haulier.core.family import Context, Part, PartResult, StepResult
from haulier.core.recipe import StepPlan
from haulier.families.clouds.io.frame import Facts, Frame, frame_of, real_bounds
from haulier.families.clouds.io.header import Triple
from haulier.families.clouds.io.layout import ExtraDimension, Layout, Records
from haulier.families.clouds.io.lazwriter import CHUNK_POINTS, ShardFacts, ShardWriter, assemble
from haulier.families.clouds.method.cells import HEIGHTS, Cells
from haulier.families.clouds.method.lattice import Window
from haulier.families.clouds.params.rasters import RegridLas
from haulier.families.clouds.steps import gridding, rewriting, tiling
from haulier.families.clouds.steps.choice import Choice
from haulier.families.clouds.steps.gridding import Gridded, Gridding, Layer
from haulier.families.clouds.steps.rastersource import without_height_unit
from haulier.families.clouds.steps.rewriting import in_json
from haulier.families.clouds.steps.source import INPUT, Source, open_source

STAGES: Final = (gridding.STAGE, rewriting.STAGE)
OUTPUT: Final = "output_las"
LAYER: Final = "points"
UINT32: Final = 5
COUNT: Final = ExtraDimension("PointCount", UINT32, description="points of the cell")
MEANS: Final = ("intensity", "red", "green", "blue", "nir")
ONE_OF_ONE: Final = 0x11
UNCLASSIFIED: Final = 1
#: Middles of cells are whole numbers of such a share of a cell; the second for huge extents.
SHARES: Final = (2000, 2)
INT32: Final = 2**31


def split(step: StepPlan, context: Context) -> Sequence[Part]:
    """Give ranges of points, then tiles of cells."""
    params, source = _job(step, context)
    if step.stage == gridding.STAGE:
        layer = Layer(Choice(), _fields(source))
        return gridding.split(
            source.cloud, Gridding(params.resolution, {LAYER: layer}), f"inputs.{INPUT}"
        )
    return tiling.split(gridding.layers_of(context)[LAYER].cells, {})


def run(step: StepPlan, part: Part, context: Context) -> PartResult:
    """Gather a range of points, or write the points of a tile."""
    params, source = _job(step, context)
    if step.stage == gridding.STAGE:
        return gridding.run(source.cloud, part, context)
    layer = gridding.layers_of(context)[LAYER]
    cells = gridding.read_cells(context, layer, LAYER, tiling.tile_of(part))
    cells = cells[np.lexsort((cells["column"], cells["row"]))]
    frame = _frame(params, source, layer)
    with ShardWriter(context.part_file(rewriting.SHARD), frame.layout) as writer:
        for first in range(0, len(cells), CHUNK_POINTS):
            context.check()
            writer.add(_points(cells[first : first + CHUNK_POINTS], params, frame, layer.cells))
        facts = writer.facts()
    return PartResult({"facts": msgspec.to_builtins(facts)}, {"points": float(len(cells))})


def merge(step: StepPlan, results: Mapping[str, PartResult], context: Context) -> StepResult:
    """Say what was gathered, or put the points of all tiles together."""
    params, source = _job(step, context)
    if step.stage == gridding.STAGE:
        return gridding.merge(results, source.cloud.point_count)
    layer = gridding.layers_of(context)[LAYER]
    frame = _frame(params, source, layer)
    shards = [
        (context.part_file(rewriting.SHARD, key), msgspec.convert(r.values["facts"], ShardFacts))
        for key, r in results.items()
    ]
    path = context.write(OUTPUT, media_type=rewriting.MEDIA_TYPE, filename="output.laz")
    whole = assemble(path, frame, shards)
    values = _values(frame, whole, layer, source)
    return StepResult(values, {"points": float(whole.point_count)})


def _job(step: StepPlan, context: Context) -> tuple[RegridLas, Source]:
    return msgspec.convert(dict(step.params), RegridLas), open_source(step, context)


def _fields(source: Source) -> tuple[str, ...]:
    names = source.cloud.layout.dtype.names or ()
    means = tuple(name for name in MEANS if name in names)
    return (*HEIGHTS, "class_low", "class_high", *means)


def _frame(params: RegridLas, source: Source, layer: Gridded) -> Frame:
    """Give the frame of the new file: middles of cells must be whole numbers in it."""
    cloud, cells = source.cloud, layer.cells
    step = params.resolution / _share(cells)
    scales: Triple = (step, step, cloud.scales[2])
    offsets = (cells.left * params.resolution, -cells.bottom * params.resolution, cloud.offsets[2])
    layout = Layout(cloud.layout.point_format).extended(COUNT)
    frame = frame_of(cloud, source.wkt)
    return replace(frame, layout=layout, scales=scales, offsets=offsets)


def _share(whole: Window) -> int:
    longest = max(whole.rows, whole.columns)
    return next(share for share in SHARES if longest * share < INT32 or share == SHARES[-1])


def _points(cells: Cells, params: RegridLas, frame: Frame, whole: Window) -> Records:
    """Give one record for each cell."""
    records = np.zeros(len(cells), frame.layout.dtype)
    number = cells["count"].astype(np.int64)
    share = _share(whole)
    records["X"] = (cells["column"].astype(np.int64) - whole.left) * share + share // 2
    records["Y"] = (whole.bottom - 1 - cells["row"].astype(np.int64)) * share + share // 2
    name = {"mean": "total", "min": "low", "max": "high"}[params.method]
    heights = cells["total"] / number if name == "total" else cells[name]
    records["Z"] = np.rint(heights).astype(np.int32)
    for field in MEANS:
        if field in (cells.dtype.names or ()):
            records[field] = np.rint(cells[field] / number).astype(np.uint16)
    same = cells["class_low"] == cells["class_high"]
    records["classification"] = np.where(same, cells["class_low"], UNCLASSIFIED)
    records["bit_fields"] = ONE_OF_ONE
    records[COUNT.name] = number
    return records


def _values(frame: Frame, whole: ShardFacts, layer: Gridded, source: Source) -> dict[str, Any]:
    facts = Facts(whole.point_count, whole.mins, whole.maxs, whole.returns)
    low, high = real_bounds(frame, facts)
    return {
        "point_count": whole.point_count,
        "source_points": layer.points,
        "bounds": [*low, *high],
        "classes": whole.classes,
        "crs": source.crs.name if source.crs else "",
        "crs_wkt": frame.wkt,
        "scales": list(frame.scales),
        "offsets": list(frame.offsets),
        "point_format": frame.layout.point_format,
        "warnings": in_json(without_height_unit(source.notes)),
    }
