"""How long on the ground what is a unit of X and a unit of Y on the map, from south to north."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS, Geod

from haulier.families.clouds.method.projection import position

FloatArray = NDArray[np.float64]

#: Lengths on the ground are taken over about so many metres.
SHORT_M: Final = 20.0
DEGREE_M: Final = 111_195.0
FULL_CIRCLE: Final = 360.0
#: What a map makes larger than this many times is none that anything is measured on.
SHORTEST: Final = 0.01


@dataclass(frozen=True)
class Sides:
    """Metres on the ground of a unit of X and of a unit of Y.

    Attributes:
        x_m: (n,) by row.
        y_m: (n,)
    """

    x_m: FloatArray
    y_m: FloatArray

    @property
    def middle(self) -> tuple[float, float]:
        """Give those of the row in the middle."""
        half = len(self.x_m) // 2
        return float(self.x_m[half]), float(self.y_m[half])

    @property
    def areas_m2(self) -> FloatArray:
        """Give the square metres of a unit by a unit, by row."""
        return self.x_m * self.y_m


def sides_of(crs: CRS, x: float, y: FloatArray, unit_m: float) -> Sides | None:
    """Measure a unit of X and of Y on the ellipsoid.

    Args:
        crs: a horizontal system, projected or of longitude and latitude.
        x: east, of all rows.
        y: (n,) north, row by row.
        unit_m: metres of a unit of a projected system; not used for angles.

    Returns:
        None where the places are none on earth.

    Source:
        Karney (2013), Algorithms for geodesics, as PROJ has them.
    """
    step = SHORT_M / (DEGREE_M if crs.is_geographic else unit_m)
    half = step / 2
    east = position(crs, np.full(len(y) * 2, x) + np.repeat([-half, half], len(y)), np.tile(y, 2))
    north = position(crs, np.full(len(y) * 2, x), np.concatenate([y - half, y + half]))
    if not all(on_earth(*places) for places in (east, north)):
        return None
    body = crs.get_geod() or Geod(ellps="WGS84")
    lengths = []
    for lon, lat in (east, north):
        n = len(y)
        _, _, length = body.inv(lon[:n], lat[:n], lon[n:], lat[n:])
        lengths.append(np.asarray(length) / step)
    if not crs.is_geographic and min(each.min() for each in lengths) < SHORTEST * unit_m:
        return None
    return Sides(lengths[0], lengths[1])


def on_earth(lon: FloatArray, lat: FloatArray) -> bool:
    """Say whether all places are; longitudes may have gone round once."""
    return bool((np.abs(lon) <= FULL_CIRCLE).all() and (np.abs(lat) <= FULL_CIRCLE / 4).all())
