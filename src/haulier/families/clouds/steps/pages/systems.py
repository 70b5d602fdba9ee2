"""Where a cloud is, and how well its coordinate system says so."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS

from haulier.families.clouds.io.crs import has_height, is_angular, vertical
from haulier.families.clouds.method.projection import (
    NoOperationError,
    Operation,
    find_operation,
    position,
    transform_of,
)
from haulier.families.clouds.method.sides import on_earth
from haulier.families.clouds.steps.describing import code_of
from haulier.families.clouds.steps.pages.seen import Seen
from haulier.families.reporting.document import Cell, Table
from haulier.families.reporting.texts import number

FloatArray = NDArray[np.float64]

WGS84: Final = "EPSG:4326"
ALONG: Final = 16  # places along an edge of the extent
CORNERS: Final = (
    ("north-west", 0, 3),
    ("north-east", 2, 3),
    ("south-west", 0, 1),
    ("south-east", 2, 1),
)
ORIGINS: Final = {"wkt": "WKT record", "geotiff": "GeoTIFF keys", "none": "nothing"}
DIGITS: Final = 6


@dataclass(frozen=True)
class Place:
    """Where a cloud is on earth.

    Attributes:
        outline: (n, 2) longitude and latitude around it, on its own datum.
        operation: of PROJ to WGS 84; None if there is none.
    """

    outline: FloatArray
    operation: Operation | None


def place_of(seen: Seen) -> Place | None:
    """Find a cloud on earth; None where its coordinates are no places of its system."""
    if seen.flat is None or not seen.bounds:
        return None
    x, y = edge_of(box_of(seen))
    lon, lat = position(seen.flat, x, y)
    if not on_earth(lon, lat):
        return None
    area = (float(lon.min()), float(lat.min()), float(lon.max()), float(lat.max()))
    try:
        operation = find_operation(seen.flat, wgs84(), area)
    except NoOperationError:
        operation = None
    return Place(np.stack([lon, lat], axis=1), operation)


@lru_cache(maxsize=1)
def wgs84() -> CRS:
    """Give the system of the world's longitudes and latitudes."""
    return CRS.from_user_input(WGS84)


def box_of(seen: Seen) -> tuple[float, float, float, float]:
    """Give least X and Y and greatest X and Y of the points."""
    return seen.bounds[0], seen.bounds[1], seen.bounds[3], seen.bounds[4]


def edge_of(box: tuple[float, float, float, float]) -> tuple[FloatArray, FloatArray]:
    """Give places around a box, so that its edges may be curved on another map."""
    west, south, east, north = box
    share = np.arange(ALONG) / ALONG
    x = [west + share * (east - west), np.full(ALONG, east)]
    y = [np.full(ALONG, south), south + share * (north - south)]
    x += [east - share * (east - west), np.full(ALONG, west)]
    y += [np.full(ALONG, north), north - share * (north - south)]
    return np.concatenate(x), np.concatenate(y)


def corner_table(seen: Seen, place: Place | None) -> Table:
    """Give the corners of the extent in the cloud's own coordinates and in WGS 84."""
    box = box_of(seen)
    unit = f" [{seen.unit}]" if seen.unit else ""
    places = np.array([(box[x], box[y]) for _, x, y in CORNERS])
    degrees = _degrees(places, place)
    rows: list[tuple[Cell, ...]] = []
    for (name, _, _), (x, y), (lon, lat) in zip(CORNERS, places.tolist(), degrees, strict=True):
        rows.append((name, seen.coordinate(x, 0), seen.coordinate(y, 1), lon, lat))
    columns = ("Corner", f"X{unit}", f"Y{unit}", "Longitude", "Latitude")
    return Table("Corners of the extent", columns, tuple(rows), _corner_note(place))


def _degrees(places: FloatArray, place: Place | None) -> list[tuple[str | None, str | None]]:
    if place is None or place.operation is None:
        return [(None, None)] * len(places)
    lon, lat = transform_of(place.operation.pipeline)(places[:, 0], places[:, 1])
    return [
        (_angle(x, "EW"), _angle(y, "NS")) for x, y in zip(lon.tolist(), lat.tolist(), strict=True)
    ]


def _angle(value: float, letters: str) -> str | None:
    if not np.isfinite(value):
        return None
    return f"{abs(value):.{DIGITS}f}\N{DEGREE SIGN} {letters[value < 0]}"


def _corner_note(place: Place | None) -> str:
    if place is None:
        return "Where this is on earth is not known."
    if place.operation is None:
        return "There is no operation from here to WGS 84."
    return f"Longitude and latitude are of WGS 84, {_goodness(place.operation)}."


def _goodness(operation: Operation) -> str:
    if operation.is_ballpark:
        return "of unknown accuracy: the shift between the two datums is left out"
    return (
        f"good to {number(operation.accuracy_m)} m"
        if operation.accuracy_m
        else "with no shift of datum"
    )


def system_table(seen: Seen, place: Place | None) -> Table:
    """Give what the coordinate system is, and how accurate places in it are."""
    crs = seen.said.crs
    if crs is None:
        rows: list[tuple[Cell, ...]] = [("Name", "none that is understood")]
        rows.append(("Read from", ORIGINS[seen.said.origin]))
        return Table("", ("", ""), tuple(rows))
    pairs = [
        ("Name", crs.name),
        ("Code", code_of(crs)),
        ("Read from", ORIGINS[seen.said.origin]),
        ("Kind", crs.type_name),
        ("Projection", _method(seen.flat)),
        ("Datum", _datum(crs)),
        ("Area of use", crs.area_of_use.name if crs.area_of_use else ""),
        ("X and Y", f"{crs.axis_info[0].unit_name}, stored in steps of {_steps(seen)}"),
        ("Z", _heights(seen, crs)),
        ("Length on the map", _stretch(seen)),
    ]
    if place and place.operation:
        pairs += _to_wgs84(place.operation)
    return Table("", ("", ""), tuple((name, text) for name, text in pairs if text))


def _method(flat: CRS | None) -> str:
    operation = flat.coordinate_operation if flat is not None else None
    return operation.method_name if operation else ""


def _datum(crs: CRS) -> str:
    geodetic = crs.geodetic_crs
    if geodetic is None or geodetic.datum is None:
        return ""
    ensemble = geodetic.to_json_dict().get("datum_ensemble", {})
    accuracy = ensemble.get("accuracy")
    known = f"; its realisations differ by up to {accuracy} m" if accuracy else ""
    return f"{geodetic.datum.name}{known}"


def _steps(seen: Seen) -> str:
    x, y = seen.cloud.scales[:2]
    text = f"{x:g}" if x == y else f"{x:g} and {y:g}"
    sides = seen.sides(np.array([(seen.bounds[1] + seen.bounds[4]) / 2])) if seen.bounds else None
    if sides is None:
        return text
    finest = max(x * sides.middle[0], y * sides.middle[1]) * 1000
    return f"{text} ({number(finest, 3)} mm on the ground)"


def _heights(seen: Seen, crs: CRS) -> str:
    step = f"stored in steps of {seen.cloud.scales[2]:g}"
    if not has_height(crs):
        return f"not said; taken as {seen.height_unit or 'metres'}, {step}"
    system = vertical(crs)
    above = f"{system.name}, " if system is not None else "above the ellipsoid, "
    return f"{above}{crs.axis_info[2].unit_name}, {step}"


def _stretch(seen: Seen) -> str:
    if seen.flat is None or is_angular(seen.flat) or not seen.bounds:
        return ""
    sides = seen.sides(np.array([seen.bounds[1], seen.bounds[4]]))
    if sides is None:
        return ""
    unit = float(seen.flat.axis_info[0].unit_conversion_factor)
    ends = unit / np.sqrt(sides.areas_m2)
    low, high = f"{ends.min():.5f}", f"{ends.max():.5f}"
    return (
        f"{low} times that on the ground"
        if low == high
        else f"{low} to {high} times that on the ground"
    )


def _to_wgs84(operation: Operation) -> list[tuple[str, str]]:
    said = [("To WGS 84", f"{operation.name}, {_goodness(operation)}")]
    if operation.missing_grids:
        best = (
            f" (good to {number(operation.best_accuracy_m)} m)" if operation.best_accuracy_m else ""
        )
        said.append(("Grids not here", f"{', '.join(operation.missing_grids)}{best}"))
    said.append(("PROJ", f"{operation.proj_version}; registries: {operation.database_version}"))
    return said
