"""How a cloud crosses to another coordinate system: decided once, from its header and a request."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray
from pyproj import CRS

from haulier.core.problem import Problem
from haulier.families.clouds.io.cloud import Cloud
from haulier.families.clouds.io.crs import (
    FileCrs,
    crs_of,
    has_height,
    horizontal,
    horizontal_unit_m,
    is_angular,
    is_same,
    parse_crs,
    vertical_unit_m,
)
from haulier.families.clouds.io.header import Triple
from haulier.families.clouds.method.projection import (
    Area,
    NoOperationError,
    Operation,
    find_operation,
    transform_of,
)
from haulier.families.clouds.method.quanta import (
    TooWideError,
    angular_scale,
    checked_scale,
    linear_scale,
    offset_of,
)
from haulier.families.clouds.notes import Note, broken, trap
from haulier.families.clouds.params.reproject import ReprojectLas
from haulier.families.clouds.steps.heights import Heights, Treatment, decide_heights
from haulier.families.clouds.steps.traps import (
    FULL_CIRCLE,
    GRID,
    HALF_CIRCLE,
    Box,
    check_grids,
    check_places,
    check_source,
    epoch_notes,
    grid_of,
    height_notes,
    leap_notes,
    seam_notes,
    target_notes,
)

FloatArray = NDArray[np.float64]

#: Metres of a degree along a meridian, and of longitude at the equator.
DEGREE_M: Final = 111_320.0
#: A step of degrees that is more than this says that metres or feet were meant.
COARSEST_DEGREES: Final = 1e-5
#: The same of metres and feet.
COARSEST_UNITS: Final = 1.0


class Crossing(msgspec.Struct, frozen=True):
    """All that decides the new coordinates of a point.

    Attributes:
        pipeline: the operation's PROJ string.
        treatment: what becomes of Z.
        factor: what Z is times, where it is scaled.
        scales: of the new X, Y and Z.
        offsets: of the new X, Y and Z.
        low: the least X, Y and Z of the cloud, as its header says.
        high: the greatest.
        units_m: metres of a unit of the new X, Y and Z.
        tolerance_m: the largest error of polynomials, in metres.
        has_kinks: the operation reads grids.
    """

    pipeline: str
    treatment: Treatment
    factor: float
    scales: Triple
    offsets: Triple
    low: Triple
    high: Triple
    units_m: Triple
    tolerance_m: float
    has_kinks: bool


@dataclass(frozen=True)
class Plan:
    """A crossing, and what a person should know of it."""

    crossing: Crossing
    operation: Operation
    heights: Heights
    notes: tuple[Note, ...]


def plan_crossing(
    cloud: Cloud,
    params: ReprojectLas,
    check: Callable[[], None],
    known: tuple[Triple, Triple] | None = None,
) -> Plan:
    """Decide how a cloud is reprojected.

    Args:
        cloud: what is to be reprojected.
        params: what was asked for.
        check: called now and then while points are read, which only a wrong header makes needed.
        known: the bounds that an earlier plan of the same found.

    Raises:
        Problem: INVALID, one of the traps.
    """
    if not cloud.point_count:
        raise broken("CLOUD_EMPTY", "the cloud has no points", "give one that has", at="input_las")
    source = parse_crs(params.source_epsg, "source_epsg")
    target = parse_crs(params.target_epsg, "target_epsg")
    _refuse_others(source, "source_epsg")
    _refuse_others(target, "target_epsg")
    said = crs_of(cloud)
    notes = [*cloud.notes, *said.notes]
    notes += check_source(said, source, override=params.override_source_crs)
    source = with_heights_of(said, source)
    low, high, bound_notes = _bounds(cloud, check, known)
    box = (low[0], low[1], high[0], high[1])
    if is_angular(source) and not is_angular(target):
        box = _over_the_line(cloud, box, check)
    area, place_notes = check_places(source, box, override=params.override_source_crs)
    heights = decide_heights(source, target, params.vertical)
    operation = _operation(heights, area)
    notes += [*bound_notes, *place_notes, *check_grids(operation, params.grids), *heights.notes]
    notes += [*epoch_notes(operation), *target_notes(heights.target, area)]
    given = _ends(heights, operation, box, (low[2], high[2]))
    scales, offsets = _quanta(cloud, heights, operation, given, params.scale)
    notes += seam_notes(source, box) or leap_notes(heights.target, given[0][: GRID**2])
    unit_m = _unit_m(heights.target)
    if heights.treatment != "transformed":
        farthest = max(low[2], high[2], key=abs) * vertical_unit_m(source)
        notes += height_notes(operation, box, farthest, unit_m)
    crossing = Crossing(
        pipeline=operation.pipeline,
        treatment=heights.treatment,
        factor=heights.factor,
        scales=scales,
        offsets=offsets,
        low=low,
        high=high,
        units_m=(unit_m, unit_m, vertical_unit_m(heights.target)),
        tolerance_m=params.tolerance_mm / 1000,
        has_kinks=operation.uses_grids,
    )
    return Plan(crossing, operation, heights, tuple(notes))


def with_heights_of(said: FileCrs, source: CRS) -> CRS:
    """Give what the file says where it agrees and also says what Z is."""
    if said.crs is None or has_height(source) or not has_height(said.crs):
        return source
    return said.crs if is_same(said.crs, source) else source


def _refuse_others(crs: CRS, at: str) -> None:
    """Refuse systems whose axes are not east, north and up.

    Raises:
        Problem: INVALID with CRS_NOT_A_MAP.
    """
    if crs.is_geocentric or not (horizontal(crs).is_projected or horizontal(crs).is_geographic):
        hint = "name a projected or geographic one"
        raise trap("CRS_NOT_A_MAP", f"'{crs.name}' has no east and north", hint, at=at)


def _bounds(
    cloud: Cloud, check: Callable[[], None], known: tuple[Triple, Triple] | None
) -> tuple[Triple, Triple, list[Note]]:
    """Give the bounds that the header says, or of the points where it says none."""
    if cloud.bounds_are_credible:
        return *cloud.bounds, []
    low, high = known or _bounds_of_points(cloud, check)
    message = f"the header says the bounds {cloud.bounds[0]} to {cloud.bounds[1]}"
    note = Note("HEADER_BOUNDS_WRONG", message, "they were taken from the points instead")
    return low, high, [note]


def _bounds_of_points(cloud: Cloud, check: Callable[[], None]) -> tuple[Triple, Triple]:
    lows, highs = np.full(3, np.inf), np.full(3, -np.inf)
    for records in cloud.read(fields=("X", "Y", "Z")):
        check()
        for axis, name in enumerate("XYZ"):
            lows[axis] = min(lows[axis], records[name].min())
            highs[axis] = max(highs[axis], records[name].max())
    scales, offsets = np.array(cloud.scales), np.array(cloud.offsets)
    return _triple(lows * scales + offsets), _triple(highs * scales + offsets)


def _over_the_line(cloud: Cloud, box: Box, check: Callable[[], None]) -> Box:
    """Give the box of a cloud in degrees, its east beyond 180 if it lies on both sides there.

    A step and an operation chosen for the whole earth would be far too coarse for it.
    """
    if box[2] - box[0] <= HALF_CIRCLE:
        return box
    west, east = np.inf, -np.inf
    for records in cloud.read(fields=("X",)):
        check()
        x = records["X"] * cloud.scales[0] + cloud.offsets[0]
        west = min(west, x.min(initial=np.inf, where=x > 0))
        east = max(east, x.max(initial=-np.inf, where=x <= 0) + FULL_CIRCLE)
    return (west, box[1], east, box[3]) if 0 <= east - west <= HALF_CIRCLE else box


def _operation(heights: Heights, area: Area) -> Operation:
    try:
        return find_operation(heights.source, heights.target, area)
    except NoOperationError as error:
        missing = ", ".join(error.missing_grids)
        hint = f"put {missing} into PROJ's data folder" if missing else "name other systems"
        code = "GRIDS_MISSING" if missing else "NO_OPERATION"
        raise trap(code, str(error), hint, at="target_epsg") from None


def _unit_m(target: CRS) -> float:
    return DEGREE_M if is_angular(target) else horizontal_unit_m(target)


def _ends(
    heights: Heights, operation: Operation, box: Box, ends: tuple[float, float]
) -> tuple[FloatArray, ...]:
    """Give new X, Y and Z of a grid over a cloud, at its lowest and then at its highest."""
    x, y = grid_of(box)
    z = np.concatenate([np.full_like(x, end) for end in ends])
    x, y = np.tile(x, 2), np.tile(y, 2)
    given = transform_of(operation.pipeline)(x, y, z)
    if heights.treatment != "transformed":
        given = (*transform_of(operation.pipeline)(x, y), z * heights.factor)
    return tuple(np.asarray(each) for each in given)


def _quanta(
    cloud: Cloud,
    heights: Heights,
    operation: Operation,
    given: tuple[FloatArray, ...],
    wanted: float | None,
) -> tuple[Triple, Triple]:
    """Choose scales and offsets of the new coordinates, from some of them."""
    spans = [_span(each, operation) for each in given]
    step = _flat_step(cloud, heights, spans, wanted)
    flat = (offset_of(spans[0][0]), offset_of(spans[1][0]))
    if heights.treatment == "kept":
        return (step, step, cloud.scales[2]), (*flat, cloud.offsets[2])
    ratio = vertical_unit_m(heights.source) / vertical_unit_m(heights.target)
    if heights.treatment == "scaled":
        ratio = heights.factor
    up = linear_scale(spans[2][1] - spans[2][0] + 1, cloud.scales[2] * ratio)
    return (step, step, up), (*flat, offset_of(spans[2][0]))


def _span(values: FloatArray, operation: Operation) -> Box | tuple[float, float]:
    real = values[np.isfinite(values)]
    if not len(real):
        detail = f"no place of the cloud can be transformed by {operation.name}"
        raise trap("NOT_TRANSFORMABLE", detail, "choose a target of the cloud's region", at=_TARGET)
    return float(real.min()), float(real.max())


_TARGET: Final = "target_epsg"


def _flat_step(
    cloud: Cloud, heights: Heights, spans: list[Box | tuple[float, float]], wanted: float | None
) -> float:
    """Choose the step of X and Y."""
    extent = max(span[1] - span[0] for span in spans[:2]) + 1
    angular = is_angular(heights.target)
    if wanted is None:
        finest = min(cloud.scales[:2]) * _unit_m(heights.source) / _unit_m(heights.target)
        return angular_scale(extent) if angular else linear_scale(extent, finest)
    if wanted > (COARSEST_DEGREES if angular else COARSEST_UNITS):
        unit = "degrees" if angular else "units"
        message = f"a step of {wanted:g} {unit} is {wanted * _unit_m(heights.target):,.4g} m"
        raise trap("SCALE_TOO_COARSE", message, "leave scale out, or set a finer one", at="scale")
    try:
        return checked_scale(wanted, extent)
    except TooWideError as error:
        raise _overflow(str(error), at="scale") from None


def _overflow(message: str, at: str) -> Problem:
    return trap("SCALE_OVERFLOW", message, "leave scale out, or set a coarser one", at=at)


def _triple(values: FloatArray) -> Triple:
    x, y, z = (float(value) for value in values)
    return (x, y, z)
