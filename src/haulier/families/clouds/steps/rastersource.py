"""The rasters that a step reads, with what their units are on the ground."""

from __future__ import annotations

from typing import Final

import msgspec
from pyproj import CRS

from haulier.families.clouds.io.crs import parse_crs
from haulier.families.clouds.io.raster import Raster, RasterFrame
from haulier.families.clouds.notes import Note, trap
from haulier.families.clouds.steps.metric import HeightUnit, Metric, metric_of

INPUT: Final = "input_tif"
#: How rasters name the unit of their values.
UNITS: Final = {
    "metre": "metre", "meter": "metre", "m": "metre", "metres": "metre", "meters": "metre",
    "foot": "foot", "ft": "foot", "feet": "foot",
    "us survey foot": "us_survey_foot", "us_survey_foot": "us_survey_foot",
    "ftus": "us_survey_foot",
}  # fmt: skip


def crs_of_raster(raster: Raster, at: str) -> CRS | None:
    """Give the coordinate system of a raster; None if it says none."""
    return parse_crs(raster.frame.wkt, at) if raster.frame.wkt else None


def metric_of_raster(raster: Raster, at: str, height_unit: HeightUnit = "auto") -> Metric:
    """Give what the units of a raster are in metres; its own word about its values counts most.

    Raises:
        Problem: INVALID with DEGREES_NOT_METRIC.
    """
    named = UNITS.get(raster.frame.unit.strip().lower(), "auto")
    wanted = msgspec.convert(named, HeightUnit) if height_unit == "auto" else height_unit
    west, south, east, north = raster.frame.bounds
    low, high = (west, south, 0.0), (east, north, 0.0)
    return metric_of(crs_of_raster(raster, at), low, high, at, wanted)


def one_band(raster: Raster, at: str) -> None:
    """Refuse a raster that is a picture rather than heights.

    Raises:
        Problem: INVALID with RASTER_NOT_HEIGHTS.
    """
    if raster.bands == 1 and raster.palette is None:
        return
    what = "a table of colours" if raster.palette is not None else f"{raster.bands} bands"
    message = f"a raster of heights has one band of numbers, this one has {what}"
    raise trap("RASTER_NOT_HEIGHTS", message, "name a DEM, such as of GENERATE_DEM", at=at)


def frame_values(frame: RasterFrame) -> dict[str, object]:
    """Give what a person wants to know of a raster."""
    return {
        "bounds": list(frame.bounds),
        "rows": frame.rows,
        "columns": frame.columns,
        "resolution": frame.width,
        "crs_wkt": frame.wkt,
    }


def without_height_unit(notes: tuple[Note, ...]) -> tuple[Note, ...]:
    """Leave out warnings of the unit of Z, where it does not matter."""
    return tuple(note for note in notes if not note.code.startswith("HEIGHT_UNIT"))
