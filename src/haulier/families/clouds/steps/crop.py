"""CROP: keep the points inside, or outside, of a box or polygon."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from haulier.core.family import Context, Part, PartResult, StepResult
from haulier.core.problem import Code, Problem
from haulier.core.recipe import StepPlan
from haulier.families.clouds.io.cloud import Cloud
from haulier.families.clouds.io.crs import crs_of, horizontal, is_same, parse_crs
from haulier.families.clouds.io.layout import Records
from haulier.families.clouds.io.shapes import polygon_of
from haulier.families.clouds.method.projection import NoOperationError, find_operation, transform_of
from haulier.families.clouds.notes import Note, trap
from haulier.families.clouds.params.choosing import Crop
from haulier.families.clouds.steps import rewriting, selecting
from haulier.families.clouds.steps.traps import check_grids
from haulier.families.clouds.steps.worth import places_of

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]

FLAT, SOLID = 4, 6
#: An edge of a polygon is cut into so many before it goes to another system, where it bends.
PIECES: Final = 200
NO_SYSTEM: Final = "the cloud says no coordinate system, so that nothing can be brought into it"


@dataclass(frozen=True)
class Region:
    """Where points are kept, in the system of the cloud.

    Attributes:
        shape: on the ground.
        heights: least and greatest Z.
        is_box: the shape is its own bounds.
        notes: what to know of how it came there.
    """

    shape: BaseGeometry
    heights: tuple[float, float] = (-math.inf, math.inf)
    is_box: bool = False
    notes: tuple[Note, ...] = ()

    def holds(self, places: FloatArray) -> BoolArray:
        """Say which places (n, 3) are inside; the edge is."""
        x, y, z = places.T
        west, south, east, north = self.shape.bounds
        inside = (x >= west) & (x <= east) & (y >= south) & (y <= north)
        inside &= (z >= self.heights[0]) & (z <= self.heights[1])
        if not self.is_box:
            near = np.flatnonzero(inside)
            inside[near] = shapely.intersects_xy(self.shape, x[near], y[near])
        return np.asarray(inside)


def split(step: StepPlan, context: Context) -> Sequence[Part]:
    """Give ranges of points; box or polygon are checked before."""
    cloud = selecting.open_input(step, context)
    _region(step, cloud)
    return rewriting.split(cloud)


def run(step: StepPlan, part: Part, context: Context) -> PartResult:
    """Crop a range."""
    cloud = selecting.open_input(step, context)
    region = _region(step, cloud)
    inside = msgspec.convert(step.params, Crop).keep == "inside"
    shapely.prepare(region.shape)

    def keep(records: Records, first: int) -> BoolArray:
        del first
        held = region.holds(places_of(records, cloud))
        return held if inside else ~held

    fields = ("X", "Y", "Z") if inside and cloud.container != "las" else None
    return selecting.select(cloud, part, context, keep, fields=fields)


def merge(step: StepPlan, results: Mapping[str, PartResult], context: Context) -> StepResult:
    """Put what is left together."""
    cloud = selecting.open_input(step, context)
    return selecting.finish(cloud, results, context, _region(step, cloud).notes)


def _region(step: StepPlan, cloud: Cloud) -> Region:
    """Give where points are kept.

    Raises:
        Problem: INVALID; there is not one of box and polygon, it is none, its system cannot be
            brought into the cloud's, or it lies elsewhere than the cloud.
    """
    params = msgspec.convert(step.params, Crop)
    if (params.bbox is None) == (params.polygon is None):
        given = "both" if params.bbox is not None else "neither"
        raise Problem(Code.INVALID, f"one of bbox and polygon is needed, got {given}", at="bbox")
    if params.bbox is not None:
        region = _box(params.bbox)
    else:
        region = Region(polygon_of(params.polygon or "", "polygon"))
    region = _brought(region, params, cloud)
    _check_overlap(region, params, cloud)
    return region


def _box(numbers: Sequence[float]) -> Region:
    half = len(numbers) // 2
    low, high = numbers[:half], numbers[half:]
    finite = all(map(math.isfinite, numbers))
    ordered = all(a <= b for a, b in zip(low, high, strict=False))
    if len(numbers) not in {FLAT, SOLID} or not finite or not ordered:
        detail = f"bbox must be least, then greatest coordinates, 4 or 6 numbers, got {numbers}"
        raise Problem(Code.INVALID, detail, at="bbox")
    heights = (low[2], high[2]) if len(numbers) == SOLID else (-math.inf, math.inf)
    return Region(shapely.box(low[0], low[1], high[0], high[1]), heights, is_box=True)


def _brought(region: Region, params: Crop, cloud: Cloud) -> Region:
    """Bring a region into the system of the cloud."""
    if params.crs is None:
        return region
    source, said = horizontal(parse_crs(params.crs, "crs")), crs_of(cloud)
    if said.crs is None:
        hint = "leave crs out, if they are in the same"
        raise trap("CRS_UNKNOWN", NO_SYSTEM, hint, at="crs")
    target = horizontal(said.crs)
    if is_same(source, target):
        return region
    try:
        operation = find_operation(source, target, None)
    except NoOperationError as error:
        raise trap("NO_OPERATION", str(error), "name another crs", at="crs") from None
    west, south, east, north = region.shape.bounds
    fine = shapely.segmentize(region.shape, max(east - west, north - south) / PIECES or 1.0)
    move = transform_of(operation.pipeline)
    shape = shapely.transform(fine, lambda places: np.stack(move(*places.T)[:2], axis=1))
    if not np.isfinite(shapely.get_coordinates(shape)).all():
        message = f"it cannot be brought from '{source.name}' to '{target.name}'"
        raise trap("CROP_NOT_A_PLACE", message, "check crs, and that X comes before Y", at="crs")
    notes = tuple(check_grids(operation, "allow_ballpark"))
    return Region(shape, region.heights, notes=notes)


def _check_overlap(region: Region, params: Crop, cloud: Cloud) -> None:
    """Refuse a region that lies elsewhere: nearly always it is in another system."""
    if not cloud.bounds_are_credible:
        return
    (west, south, _), (east, north, _) = cloud.bounds
    there = region.shape.bounds
    if there[0] <= east and there[2] >= west and there[1] <= north and there[3] >= south:
        return
    at = "bbox" if params.bbox is not None else "polygon"
    message = (
        f"X {there[0]:.10g} to {there[2]:.10g}, Y {there[1]:.10g} to {there[3]:.10g} lies elsewhere"
        f" than the cloud, X {west:.10g} to {east:.10g}, Y {south:.10g} to {north:.10g}"
    )
    hint = "say the system that it is in, as crs (GeoJSON mostly is in EPSG:4326)"
    raise trap("CROP_ELSEWHERE", message, hint, at=at)
