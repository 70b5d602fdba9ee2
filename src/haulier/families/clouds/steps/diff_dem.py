"""DIFF_DEM: what was added and taken away between two rasters of heights."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from haulier.core.family import Context, Part, PartResult, StepResult
from haulier.core.recipe import StepPlan
from haulier.families.clouds.io.crs import is_same
from haulier.families.clouds.io.raster import (
    MEDIA_TYPE,
    Band,
    Raster,
    RasterFrame,
    open_raster,
)
from haulier.families.clouds.method.lattice import TILE, Window
from haulier.families.clouds.method.sampling import sample
from haulier.families.clouds.notes import Note, trap
from haulier.families.clouds.params.rasters import DiffDem
from haulier.families.clouds.steps import tiling
from haulier.families.clouds.steps.metric import Metric
from haulier.families.clouds.steps.rastersource import (
    INPUT,
    crs_of_raster,
    frame_values,
    metric_of_raster,
    one_band,
)
from haulier.families.clouds.steps.rewriting import in_json

EARLIER: Final = "input_earlier_tif"
OUTPUT: Final = "output_tif"
DIFFERENCE: Final = "difference"
AT, EARLIER_AT = f"inputs.{INPUT}", f"inputs.{EARLIER}"
BAND: Final = Band(description="later minus earlier height")
#: Cells lie on each other if they are no further apart than this, in cells, all over the raster.
TOLERANCE: Final = 1e-3
#: The earlier raster's cells may be so many times finer: a tile of the later one covers many then.
FINEST: Final = 64.0


@dataclass(frozen=True)
class Pair:
    """Two rasters.

    Attributes:
        later: the one that the result has the cells of.
        earlier: what is subtracted.
        window: the cells of the later one that both have.
        metric: what units are.
        aligned: cells lie on each other.
    """

    later: Raster
    earlier: Raster
    window: Window
    metric: Metric
    aligned: bool

    @property
    def frame(self) -> RasterFrame:
        """Give where the cells of the result are."""
        frame, window = self.later.frame, self.window
        return replace(
            frame,
            west=frame.west + window.left * frame.width,
            north=frame.north - window.top * frame.height,
            rows=window.rows,
            columns=window.columns,
        )


def split(step: StepPlan, context: Context) -> Sequence[Part]:
    """Make tiles of what both rasters cover the parts."""
    with _open(step, context) as pair:
        whole = Window(0, 0, *pair.window.shape)
        finer = _finer(pair.later.frame, pair.earlier.frame)
        if finer <= 1:
            return tiling.split(whole, {})
        # A tile then covers no more cells of the earlier raster than another does of both.
        return tiling.split(whole, {}, math.ceil(TILE / finer))


def run(step: StepPlan, part: Part, context: Context) -> PartResult:
    """Subtract a tile."""
    params = msgspec.convert(dict(step.params), DiffDem)
    tile = tiling.tile_of(part)
    with _open(step, context) as pair:
        later = replace(tile, top=tile.top + pair.window.top, left=tile.left + pair.window.left)
        change = pair.later.read(later).astype(np.float64) - _earlier(pair, later)
    change[np.abs(change) <= params.threshold] = 0.0
    tiling.save(context, DIFFERENCE, change.astype(np.float32))
    return PartResult({"tile": part.params["tile"], **_sums(change)}, {"cells": float(change.size)})


def merge(step: StepPlan, results: Mapping[str, PartResult], context: Context) -> StepResult:
    """Write the raster, and give volumes."""
    with _open(step, context) as pair:
        frame, metric, aligned = pair.frame, pair.metric, pair.aligned
    path = context.write(OUTPUT, media_type=MEDIA_TYPE, filename="difference.tif")
    tiling.write_raster(path, DIFFERENCE, results, context, (frame, BAND, frame.window))
    notes = list(metric.notes)
    if not aligned:
        message = "cells did not lie on each other: the earlier heights are interpolated"
        notes.append(Note("RASTERS_RESAMPLED", message, "make both with one resolution"))
    values = {**frame_values(frame), **_volumes(frame, metric, results)}
    values["warnings"] = in_json(notes)
    return StepResult(values, {"cells": float(frame.rows * frame.columns)})


@contextmanager
def _open(step: StepPlan, context: Context) -> Iterator[Pair]:
    """Open both rasters, and see whether they can be subtracted.

    Raises:
        Problem: INVALID with RASTERS_DIFFER_IN_CRS, RASTERS_DIFFER_IN_CELLS, RASTERS_APART or
            RASTERS_NOT_ALIGNED.
    """
    params = msgspec.convert(dict(step.params), DiffDem)
    files = (context.read(step.inputs[slot]) for slot in (INPUT, EARLIER))
    with open_raster(next(files), AT) as later, open_raster(next(files), EARLIER_AT) as earlier:
        one_band(later, AT)
        one_band(earlier, EARLIER_AT)
        metric = metric_of_raster(later, AT, params.height_unit)
        _check_systems(later, earlier, metric, params)
        aligned = _is_aligned(later.frame, earlier.frame)
        if not aligned and params.align == "error":
            raise _not_aligned(later.frame, earlier.frame)
        _check_cells(later.frame, earlier.frame)
        yield Pair(later, earlier, _common(later.frame, earlier.frame), metric, aligned)


def _check_systems(later: Raster, earlier: Raster, metric: Metric, params: DiffDem) -> None:
    one, other = crs_of_raster(later, AT), crs_of_raster(earlier, EARLIER_AT)
    if one is not None and other is not None and not is_same(one, other):
        message = f"one is in '{one.name}', the other in '{other.name}'"
        hint = "make both from clouds in one system"
        raise trap("RASTERS_DIFFER_IN_CRS", message, hint, at=EARLIER_AT)
    before = metric_of_raster(earlier, EARLIER_AT, params.height_unit)
    if not math.isclose(before.height_m, metric.height_m, rel_tol=1e-5):
        message = f"one has heights in {metric.height_unit}, the other in {before.height_unit}"
        raise trap("RASTERS_DIFFER_IN_UNIT", message, "bring both to one unit", at=EARLIER_AT)


def _is_aligned(later: RasterFrame, earlier: RasterFrame) -> bool:
    cells = max(later.rows, later.columns, earlier.rows, earlier.columns)
    for one, other in ((later.width, earlier.width), (later.height, earlier.height)):
        if abs(one - other) * cells > TOLERANCE * one:
            return False
    shifts = (
        (later.west - earlier.west) / later.width,
        (later.north - earlier.north) / later.height,
    )
    return all(abs(shift - round(shift)) <= TOLERANCE for shift in shifts)


def _finer(later: RasterFrame, earlier: RasterFrame) -> float:
    """Give how many cells of the earlier raster lie along a side of one of the later."""
    return max(later.width / earlier.width, later.height / earlier.height)


def _check_cells(later: RasterFrame, earlier: RasterFrame) -> None:
    if _finer(later, earlier) > FINEST:
        message = (
            f"cells of {later.width:g} by {later.height:g} are more than {FINEST:g} times as long "
            f"as those of {earlier.width:g} by {earlier.height:g}"
        )
        hint = "make both with one resolution"
        raise trap("RASTERS_DIFFER_IN_CELLS", message, hint, at=EARLIER_AT)


def _not_aligned(later: RasterFrame, earlier: RasterFrame) -> Exception:
    message = (
        f"cells of {later.width:g} by {later.height:g} from {later.west:.10g}, {later.north:.10g}, "
        f"and of {earlier.width:g} by {earlier.height:g} from {earlier.west:.10g}, "
        f"{earlier.north:.10g} do not lie on each other"
    )
    hint = "make both with one resolution, or set align to resample"
    return trap("RASTERS_NOT_ALIGNED", message, hint, at="align")


def _common(later: RasterFrame, earlier: RasterFrame) -> Window:
    """Give the cells of the later raster whose centres the earlier one covers."""
    west, south, east, north = earlier.bounds
    left = math.ceil((west - later.west) / later.width - 0.5 - TOLERANCE)
    right = math.floor((east - later.west) / later.width - 0.5 + TOLERANCE) + 1
    top = math.ceil((later.north - north) / later.height - 0.5 - TOLERANCE)
    bottom = math.floor((later.north - south) / later.height - 0.5 + TOLERANCE) + 1
    if left < right and top < bottom:
        window = Window(top, left, bottom - top, right - left).common(later.window)
        if window:
            return window
    message = f"one covers {later.bounds}, the other {earlier.bounds}: nowhere both"
    raise trap("RASTERS_APART", message, "name two of one place", at=EARLIER_AT)


def _earlier(pair: Pair, later: Window) -> NDArray[np.float64]:
    """Give the earlier heights at the centres of the later one's cells."""
    frame, base = pair.later.frame, pair.earlier.frame
    down = base.north - frame.north + (later.top + 0.5 + np.arange(later.rows)) * frame.height
    right = frame.west - base.west + (later.left + 0.5 + np.arange(later.columns)) * frame.width
    down, right = down / base.height, right / base.width
    window = Window(
        math.floor(down[0]) - 1,
        math.floor(right[0]) - 1,
        math.floor(down[-1]) - math.floor(down[0]) + 3,
        math.floor(right[-1]) - math.floor(right[0]) + 3,
    )
    heights = pair.earlier.read(window)
    if pair.aligned:
        return heights[1:-1, 1:-1].astype(np.float64)
    downs, rights = np.meshgrid(down - window.top, right - window.left, indexing="ij")
    return sample(heights, downs.ravel(), rights.ravel()).reshape(later.shape)


def _sums(change: NDArray[np.float64]) -> dict[str, Any]:
    known = change[~np.isnan(change)]
    up, down = known[known > 0], known[known < 0]
    return {
        "known": len(known),
        "raised": len(up),
        "lowered": len(down),
        "gain": float(up.sum()),
        "loss": float(-down.sum()),
        "squares": float((known**2).sum()),
        "low": float(known.min()) if len(known) else 0.0,
        "high": float(known.max()) if len(known) else 0.0,
    }


def _volumes(
    frame: RasterFrame, metric: Metric, results: Mapping[str, PartResult]
) -> dict[str, Any]:
    some = [result.values for result in results.values()]
    sums = {name: sum(values[name] for values in some) for name in some[0] if name != "tile"}
    known = max(sums["known"], 1)
    area = frame.width * frame.height * metric.ground_m**2
    return {
        "compared_cells": sums["known"],
        "compared_m2": sums["known"] * area,
        "raised_m2": sums["raised"] * area,
        "lowered_m2": sums["lowered"] * area,
        "gain_m3": sums["gain"] * metric.height_m * area,
        "loss_m3": sums["loss"] * metric.height_m * area,
        "net_m3": (sums["gain"] - sums["loss"]) * metric.height_m * area,
        "mean": (sums["gain"] - sums["loss"]) / known,
        "root_mean_square": math.sqrt(sums["squares"] / known),
        "minimum": min(values["low"] for values in some),
        "maximum": max(values["high"] for values in some),
        "height_unit": metric.height_unit,
        "map_scale": metric.map_scale,
    }
