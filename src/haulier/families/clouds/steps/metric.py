"""What a unit of X, Y and Z is in metres on the ground: for slopes, areas, densities, volumes."""

from __future__ import annotations

import math
from typing import Final, Literal

import msgspec
import numpy as np
from pyproj import CRS

from haulier.families.clouds.io.crs import (
    has_height,
    horizontal,
    horizontal_unit_m,
    is_angular,
    parse_crs,
    vertical_unit_m,
)
from haulier.families.clouds.io.header import Triple
from haulier.families.clouds.method.projection import position
from haulier.families.clouds.method.scale import map_scale
from haulier.families.clouds.notes import Note, trap

HeightUnit = Literal["auto", "metre", "foot", "us_survey_foot"]
HEIGHT_UNITS_M: Final = {"metre": 1.0, "foot": 0.3048, "us_survey_foot": 1200 / 3937}
#: A map may be so much longer or shorter than the ground before we say so.
TOLERATED: Final = 0.01
UTM_ZONE_DEG: Final = 6.0
HALF_CIRCLE: Final = 180.0
FARTHEST_DEG: Final = 84.0
METRIC: Final = "reproject to a metric system of the region first, such as"


class Metric(msgspec.Struct, frozen=True):
    """The metres of units.

    Attributes:
        ground_m: of a unit of X and Y on the ground, at the middle of the cloud.
        height_m: of a unit of Z.
        unit: the name of the unit of X and Y; empty if it is not known.
        height_unit: of Z.
        map_scale: lengths on the map over those on the ground.
        notes: what a person should know of it.
    """

    ground_m: float
    height_m: float
    unit: str = ""
    height_unit: str = ""
    map_scale: float = 1.0
    notes: tuple[Note, ...] = ()

    @property
    def z_factor(self) -> float:
        """Give what a height must be times to be in the unit that X and Y have on the ground."""
        return self.height_m / self.ground_m


def metric_of(
    crs: CRS | None, low: Triple, high: Triple, at: str, height_unit: HeightUnit = "auto"
) -> Metric:
    """Give the metres of the units of a system, where a cloud lies.

    Args:
        crs: of the cloud; None: not known, taken as metres.
        low: least X, Y and Z.
        high: greatest.
        at: the input, for errors.
        height_unit: of Z, where a person knows it better than the file.

    Raises:
        Problem: INVALID with DEGREES_NOT_METRIC.
    """
    if crs is None:
        message = "the cloud says no coordinate system: X, Y and Z are taken as metres"
        hint = "write one into it, for instance with REPROJECT_LAS"
        given = HEIGHT_UNITS_M.get(height_unit, 1.0)
        return Metric(1.0, given, notes=(Note("CRS_UNKNOWN", message, hint),))
    x, y = (low[0] + high[0]) / 2, (low[1] + high[1]) / 2
    if is_angular(crs) and high[0] - low[0] > HALF_CIRCLE:  # on both sides of 180 degrees
        x = HALF_CIRCLE
    refuse_degrees(crs, x, y, at)
    flat = horizontal(crs)
    unit_m = horizontal_unit_m(flat)
    scale = map_scale(flat, x, y, unit_m)
    name = flat.axis_info[0].unit_name
    notes = _scale_notes(flat, scale, (low, high), unit_m)
    if not math.isfinite(scale):
        scale = 1.0
    height_m, height_name, more = _height(crs, height_unit)
    return Metric(unit_m / scale, height_m, name, height_name, scale, (*notes, *more))


def refuse_degrees(crs: CRS, x: float, y: float, at: str) -> None:
    """Refuse a cloud whose X and Y are angles.

    Raises:
        Problem: INVALID with DEGREES_NOT_METRIC.
    """
    if not is_angular(crs):
        return
    zone = utm_code(x, y)
    message = f"X and Y are degrees of '{horizontal(crs).name}', cells of them are no squares"
    hint = f"{METRIC} {zone}" if zone else "reproject to a metric system first"
    raise trap("DEGREES_NOT_METRIC", message, hint, at=at)


def utm_code(lon: float, lat: float) -> str:
    """Name the UTM zone of a place; empty where there is none."""
    if not (-180 <= lon <= 180 and abs(lat) <= FARTHEST_DEG):  # noqa: PLR2004 -- a circle
        return ""
    zone = min(int((lon + 180) // UTM_ZONE_DEG) + 1, 60)
    return f"EPSG:{(32600 if lat >= 0 else 32700) + zone}"


def _scale_notes(
    flat: CRS, scale: float, box: tuple[Triple, Triple], unit_m: float
) -> tuple[Note, ...]:
    if not math.isfinite(scale):
        (x, y, _), (x2, y2, _) = box
        message = f"X {x:.10g} to {x2:.10g}, Y {y:.10g} to {y2:.10g} is no place in '{flat.name}'"
        return (Note("CRS_NOT_HERE", message, "check which system the cloud is in"),)
    if abs(scale - 1) <= TOLERATED:
        return ()
    (west, south, _), (east, north, _) = box
    ends = [map_scale(flat, (west + east) / 2, y, unit_m) for y in (south, north)]
    middle = (np.array([(west + east) / 2]), np.array([(south + north) / 2]))
    (lon,), (lat,) = position(flat, *middle)
    message = (
        f"'{flat.name}' is {scale:.4f} times as long as the ground here ({min(ends):.4f} to "
        f"{max(ends):.4f} from south to north); slopes, areas and densities are corrected for it"
    )
    return (Note("MAP_SCALE", message, f"{METRIC} {utm_code(lon, lat)}"),)


def _height(crs: CRS, height_unit: HeightUnit) -> tuple[float, str, tuple[Note, ...]]:
    if height_unit != "auto":
        return HEIGHT_UNITS_M[height_unit], height_unit.replace("_", " "), ()
    factor = vertical_unit_m(crs)
    if not has_height(crs):
        name = horizontal(crs).axis_info[0].unit_name
        message = f"'{crs.name}' says nothing of Z: its unit is taken as that of X and Y, {name}"
        hint = (
            "say it where it is another: after a change from feet to metres that left Z alone, "
            "Z still is in feet"
        )
        return factor, name, (Note("HEIGHT_UNIT_ASSUMED", message, hint),)
    name = crs.axis_info[2].unit_name
    if math.isclose(factor, horizontal_unit_m(crs), rel_tol=1e-9):
        return factor, name, ()
    message = f"X and Y are in {crs.axis_info[0].unit_name}, Z is in {name}"
    hint = "nothing, if this is so: slopes are corrected for it"
    return factor, name, (Note("HEIGHT_UNIT_DIFFERS", message, hint),)


def crs_from(wkt: str, at: str) -> CRS | None:
    """Understand the WKT of a system; None if it is empty."""
    return parse_crs(wkt, at) if wkt else None
