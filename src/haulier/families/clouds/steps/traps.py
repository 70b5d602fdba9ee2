"""The traps of reprojection: what ends in an error, and what in a warning."""

import math
import re
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS

from haulier.families.clouds.io.crs import FileCrs, horizontal, is_angular, is_same
from haulier.families.clouds.method.projection import Area, Operation, position, transform_of
from haulier.families.clouds.notes import Note, trap
from haulier.families.clouds.params.reproject import GridPolicy

FloatArray = NDArray[np.float64]
Box = tuple[float, float, float, float]

#: Areas of use are drawn with a broad pencil.
AREA_MARGIN_DEG: Final = 0.5
HALF_CIRCLE, FULL_CIRCLE = 180.0, 360.0
GRID: Final = 21
#: No cloud is so large that neighbours of a grid over it lie so many metres or feet apart.
LEAP: Final = 1e6
SEAM: Final = "ANTIMERIDIAN_CROSSED"
IN_ONE_PIECE: Final = "choose a system of the region, such as a UTM zone, EPSG:3832 or EPSG:3994"
OVERRIDE: Final = "set override_source_crs to believe source_epsg all the same"
#: An operation that is less good is worth a word.
GOOD_ACCURACY_M: Final = 1.0
#: A place that Z moves by more is worth a word too.
WORTH_A_WORD_M: Final = 0.001
EPOCH: Final = re.compile(r"t_epoch=([0-9.]+)")
PSEUDO_MERCATOR: Final = "Popular Visualisation Pseudo Mercator"


def check_source(said: FileCrs, source: CRS, *, override: bool) -> list[Note]:
    """Hold the system that a request names against the one that the file says.

    Raises:
        Problem: INVALID with SOURCE_CRS_MISMATCH.
    """
    if said.crs is None:
        message = f"the file says no system that is understood, '{source.name}' is believed"
        return [Note("SOURCE_CRS_ABSENT", message, "check a known place in the result")]
    if is_same(said.crs, source):
        return []
    message = f"the file says '{said.crs.name}', source_epsg says '{source.name}'"
    if not override:
        raise trap("SOURCE_CRS_MISMATCH", message, f"name the right one, or {OVERRIDE}", at=_SOURCE)
    return [Note("SOURCE_CRS_OVERRIDDEN", message, "check a known place in the result")]


_SOURCE: Final = "source_epsg"


def check_places(source: CRS, box: Box, *, override: bool) -> tuple[Area, list[Note]]:
    """Hold the places of a cloud against where its system is used.

    Args:
        source: the system that they are said to be in.
        box: least X and Y, greatest X and Y of the cloud.
        override: warn where there would be an error.

    Returns:
        West, south, east and north of the cloud in degrees, east beyond 180 where it reaches over
        that line; what to warn of.

    Raises:
        Problem: INVALID with SOURCE_OUTSIDE_AREA_OF_USE or SOURCE_NOT_A_PLACE.
    """
    flat = horizontal(source)
    lon, lat = position(flat, *grid_of(box))
    real = np.isfinite(lon) & np.isfinite(lat) & (np.abs(lat) <= FULL_CIRCLE / 4)
    where = f"X {box[0]:.10g} to {box[2]:.10g}, Y {box[1]:.10g} to {box[3]:.10g}"
    if not np.any(real):
        detail = f"{where} is no place on earth in '{flat.name}'"
        raise trap("SOURCE_NOT_A_PLACE", detail, "name the system that the cloud is in", at=_SOURCE)
    lon, lat = lon[real], lat[real]
    west, east = _ends(lon)
    area = (west, float(lat.min()), east, float(lat.max()))
    used = flat.area_of_use.bounds if flat.area_of_use else None
    if used is None or _share_inside(lon, lat, used) > 0:
        return area, []
    message = (
        f"{where} lies at {area[0]:.4f}, {area[1]:.4f} degrees, outside of where "
        f"'{flat.name}' is used, {_area_text(used)}"
    )
    if not override:
        hint = f"name the system that the cloud is in, or {OVERRIDE}"
        raise trap("SOURCE_OUTSIDE_AREA_OF_USE", message, hint, at=_SOURCE)
    return area, [Note("SOURCE_OUTSIDE_AREA_OF_USE", message, "check a known place in the result")]


def _ends(lon: FloatArray) -> tuple[float, float]:
    """Give the western and the eastern end of longitudes, on either side of 180 degrees too."""
    ordered = np.unique(lon)
    gap = int(np.argmax(np.diff(ordered))) if len(ordered) > 1 else 0
    if float(np.ptp(ordered[gap : gap + 2])) <= HALF_CIRCLE:
        return float(ordered[0]), float(ordered[-1])
    return float(ordered[gap + 1]), float(ordered[gap]) + FULL_CIRCLE


def seam_notes(crs: CRS, box: Box) -> list[Note]:
    """Give what to warn of where a cloud in degrees lies on both sides of their seam."""
    if not is_angular(crs) or box[2] - box[0] <= HALF_CIRCLE:
        return []
    message = (
        f"X from {box[0]:.4f} to {box[2]:.4f} degrees: the cloud lies on both sides of the 180 "
        "degree line, where X jumps: its bounds are the whole earth"
    )
    return [Note(SEAM, message, IN_ONE_PIECE)]


def leap_notes(target: CRS, x: FloatArray) -> list[Note]:
    """Give what to warn of where the seam of a new system goes through a cloud.

    Args:
        target: the new system.
        x: new X of the places of `grid_of`.
    """
    real = np.where(np.isfinite(x), x, np.nan)
    steps = np.abs(np.diff(real.reshape(GRID, GRID)))
    if not np.any(steps > (HALF_CIRCLE if is_angular(target) else LEAP)):
        return []
    message = (
        f"X leaps from {np.nanmax(real):,.8g} to {np.nanmin(real):,.8g} within the cloud, at the "
        f"seam of '{horizontal(target).name}': its two sides come to lie a world apart"
    )
    return [Note(SEAM, message, IN_ONE_PIECE)]


def target_notes(target: CRS, area: Area) -> list[Note]:
    """Give what to warn of in a system that a cloud goes to."""
    notes = []
    flat = horizontal(target)
    lon, lat = grid_of(area)
    used = flat.area_of_use.bounds if flat.area_of_use else None
    if used is not None and _share_inside(lon, lat, used) < 1:
        message = f"the cloud lies outside of where '{flat.name}' is used, {_area_text(used)}"
        hint = "choose a system of the cloud's own region"
        notes.append(Note("TARGET_OUTSIDE_AREA_OF_USE", message, hint))
    if flat.coordinate_operation and PSEUDO_MERCATOR in flat.coordinate_operation.method_name:
        middle = (area[1] + area[3]) / 2
        stretch = 1 / math.cos(math.radians(middle))
        message = f"'{flat.name}' stretches lengths by {stretch:.3f} at {middle:.2f} degrees north"
        hint = "take areas, slopes, densities and volumes in a metric system of the region"
        notes.append(Note("WEB_MERCATOR_SCALE", message, hint))
    return notes


def check_grids(operation: Operation, policy: GridPolicy) -> list[Note]:
    """Hold an operation against what a request allows where grids are missing.

    Raises:
        Problem: INVALID with GRIDS_MISSING or BALLPARK_OPERATION.
    """
    missing = ", ".join(operation.missing_grids)
    hint = (
        f"put {missing} into PROJ's data folder" if missing else "name systems that PROJ can join"
    )
    if operation.is_ballpark:
        message = (
            f"the only operation here leaves out a shift between two datums, its error is "
            f"unknown: {operation.name}"
        )
        if policy != "allow_ballpark":
            hint = f"{hint}, or set grids to allow_ballpark"
            raise trap("BALLPARK_OPERATION", message, hint, at="grids")
        return [Note("BALLPARK_OPERATION", message, hint)]
    if not missing:
        return _accuracy_notes(operation)
    best = f"{operation.best_accuracy_m:g} m" if operation.best_accuracy_m else "better"
    message = (
        f"grids are missing for an operation of {best}; one of {operation.accuracy_m:g} m is "
        f"used: {operation.name}"
    )
    if policy == "require":
        hint = f"{hint}, or set grids to known_accuracy"
        raise trap("GRIDS_MISSING", message, hint, at="grids")
    return [Note("GRIDS_MISSING", message, hint)]


def _accuracy_notes(operation: Operation) -> list[Note]:
    """Give what to warn of in the best operation there is."""
    if operation.accuracy_m is None or operation.accuracy_m <= GOOD_ACCURACY_M:
        return []
    message = f"the operation is good to {operation.accuracy_m:g} m: {operation.name}"
    hint = "choose two systems of one datum where less is needed"
    return [Note("OPERATION_ACCURACY", message, hint)]


def epoch_notes(operation: Operation) -> list[Note]:
    """Give what to warn of where coordinates move with time, which a cloud says nothing of."""
    found = EPOCH.search(operation.pipeline)
    if found is None:
        return []
    message = (
        f"the two systems move against each other; the epoch {found[1]} is taken for all points"
    )
    return [Note("COORDINATE_EPOCH_UNKNOWN", message, "choose systems that move together")]


def height_notes(operation: Operation, box: Box, height_m: float, unit_m: float) -> list[Note]:
    """Give what to warn of where Z is left alone, but X and Y depend on it.

    Most shifts of datum go through geocentric coordinates. Between systems that say nothing of Z
    they are taken at height 0, as PROJ does, and are the less right the higher a place is.

    Args:
        operation: between two systems without heights.
        box: least X and Y, greatest X and Y of the cloud.
        height_m: of the point farthest from height 0, in metres.
        unit_m: metres of a unit of the new X and Y.
    """
    transform = transform_of(operation.pipeline)
    x, y = grid_of(box)
    raised = transform(x, y, np.full_like(x, height_m))
    old, new = np.array(transform(x, y)), np.array(raised[:2])
    real = np.isfinite(old).all(axis=0) & np.isfinite(new).all(axis=0)
    shifts = new[:, real] - old[:, real]
    farthest = unit_m * float(np.max(np.hypot(*shifts), initial=0.0))
    if farthest < WORTH_A_WORD_M:
        return []
    message = (
        f"X and Y are shifted between two datums as if Z were 0; at {height_m:,.0f} m above the "
        f"ellipsoid they would differ by up to {farthest * 1000:,.1f} mm"
    )
    hint = "name systems with heights, such as EPSG:4979 for EPSG:4326, where this matters"
    return [Note("HEIGHT_MOVES_PLACE", message, hint)]


def grid_of(box: Box) -> tuple[FloatArray, FloatArray]:
    """Give X and Y of a grid over a box, its edges among them."""
    x, y = np.linspace(box[0], box[2], GRID), np.linspace(box[1], box[3], GRID)
    columns, rows = np.meshgrid(x, y)
    return columns.ravel(), rows.ravel()


def _share_inside(lon: FloatArray, lat: FloatArray, area: Area) -> float:
    """Give the share of places in an area, which may reach over 180 degrees."""
    west, south, east, north = area
    width = (east - west) % FULL_CIRCLE or FULL_CIRCLE
    along = (lon - west + AREA_MARGIN_DEG) % FULL_CIRCLE
    inside = (along <= width + 2 * AREA_MARGIN_DEG) & (lat >= south - AREA_MARGIN_DEG)
    return float(np.mean(inside & (lat <= north + AREA_MARGIN_DEG)))


def _area_text(area: Area) -> str:
    return f"{area[0]:g} to {area[2]:g} degrees east, {area[1]:g} to {area[3]:g} north"
