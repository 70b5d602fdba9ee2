"""Drillholes: the places of the rows of downhole objects, and which hole each belongs to."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from haulier.core.family import Context
from haulier.core.problem import Code, Problem
from haulier.families.geostat.io.attributes import AttributeList
from haulier.families.geostat.io.objects import GeoObject
from haulier.families.geostat.io.tables import FloatArray, open_table, read_matrix
from haulier.families.geostat.method.desurvey import Desurvey, hole_places

IntArray = NDArray[np.int64]
VERTICAL_DIP_DEG: Final = 90.0


def interval_holes(context: Context, object_: GeoObject) -> IntArray:
    """Give the code of the drillhole of each row of downhole intervals: (n,)."""
    info = object_.document.get("hole_id", {}).get("values")
    what = "the holes of the intervals"
    with open_table(context, info, at=object_.at, what=what) as file:
        return np.asarray(file.read().column(0).cast(pa.int64()).to_numpy(), dtype=np.int64)


def collection_rows(
    context: Context, object_: GeoObject, owner: AttributeList
) -> tuple[FloatArray, IntArray]:
    """Give the places of the rows of one table of a downhole collection, and their holes.

    Intervals are at their middles.

    Returns:
        Places (n, 3) metres, NaN for rows of no hole; codes of holes (n,), -1 for those.

    Raises:
        Problem: INVALID at the parameter; the collection is not whole.
    """
    if owner.path == "location.attributes":
        return _collars(context, object_)
    number = int(owner.path.partition("[")[2].partition("]")[0])
    table = object_.document["collections"][number]
    depths = _depths(context, object_, table)
    places = np.full((len(depths), 3), np.nan)
    codes = np.full(len(depths), -1, dtype=np.int64)
    curves = _curves(context, object_)
    for hole, rows in _chunks(context, object_, table.get("holes"), len(depths)):
        if hole not in curves:
            raise _bad(object_, f"a table names hole {hole}, which has no collar")
        collar, stations = curves[hole]
        try:
            places[rows] = hole_places(collar, stations, depths[rows], _desurvey(object_))
        except ValueError as error:
            raise _bad(object_, f"hole {hole}: {error}") from None
        codes[rows] = hole
    return places, codes


def _depths(context: Context, object_: GeoObject, table: Mapping[str, Any]) -> FloatArray:
    """Give the depth of each row: (n,) metres along the hole."""
    if "from_to" in table:
        info = table["from_to"]["intervals"]["start_and_end"]
        ends = read_matrix(context, info, at=object_.at, what="the intervals", columns=2)
        return np.asarray(ends.mean(axis=1))
    info = table["distance"]["values"]
    return read_matrix(context, info, at=object_.at, what="the distances", columns=1)[:, 0]


def _collars(context: Context, object_: GeoObject) -> tuple[FloatArray, IntArray]:
    location = object_.document["location"]
    places = read_matrix(
        context, location["coordinates"], at=object_.at, what="the collars", columns=3
    )
    with open_table(
        context, location["hole_id"]["values"], at=object_.at, what="the hole ids"
    ) as file:
        codes = file.read().column(0).cast(pa.int64()).to_numpy()
    if len(codes) != len(places):
        raise _bad(object_, f"it has {len(places)} collars and {len(codes)} hole ids")
    return places, np.asarray(codes, dtype=np.int64)


def _curves(context: Context, object_: GeoObject) -> dict[int, tuple[FloatArray, FloatArray]]:
    """Give collar (3,) and stations (s, 3) of each hole, by its code."""
    location = object_.document["location"]
    collars, codes = _collars(context, object_)
    path = location["path"]
    stations = read_matrix(context, path, at=object_.at, what="the paths", columns=3)
    stations[:, 1] = np.where(np.isnan(stations[:, 1]), 0.0, stations[:, 1])
    stations[:, 2] = np.where(np.isnan(stations[:, 2]), VERTICAL_DIP_DEG, stations[:, 2])
    legs = {
        hole: stations[rows]
        for hole, rows in _chunks(context, object_, location.get("holes"), len(stations))
    }
    none = np.zeros((0, 3))
    curves = {}
    for hole, collar in zip(codes.tolist(), collars, strict=True):
        leg = legs.get(hole, none)
        curves[hole] = collar, leg[~np.isnan(leg[:, 0])]
    return curves


def _chunks(
    context: Context, object_: GeoObject, info: object, length: int
) -> Iterator[tuple[int, slice]]:
    """Give which rows belong to which hole."""
    chunks = read_matrix(context, info, at=object_.at, what="the chunks of holes", columns=3)
    for hole, offset, count in chunks.astype(np.int64).tolist():
        if offset < 0 or count < 0 or offset + count > length:
            raise _bad(object_, f"rows {offset} to {offset + count} of hole {hole} are not there")
        yield hole, slice(offset, offset + count)


def _desurvey(object_: GeoObject) -> Desurvey:
    said = object_.document.get("desurvey") or Desurvey.MINIMUM_CURVATURE
    try:
        return Desurvey(said)
    except ValueError:
        known = ", ".join(Desurvey)
        raise _bad(object_, f"desurvey must be one of {known}, got {said!r}") from None


def _bad(object_: GeoObject, what: str) -> Problem:
    detail = f"{object_.at} names a {object_.type} that cannot be used: {what}"
    return Problem(Code.INVALID, detail, at=object_.at)
