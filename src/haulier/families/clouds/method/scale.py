"""How much longer a map of a coordinate system is than the ground."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS, Geod

from haulier.families.clouds.method.projection import position

FloatArray = NDArray[np.float64]

#: Metres on the map over which lengths are compared.
SHORT_M: Final = 10.0
EASTWARDS: Final = np.array([-1.0, 1.0, 0.0, 0.0])
NORTHWARDS: Final = np.array([0.0, 0.0, -1.0, 1.0])


def map_scale(crs: CRS, x: float, y: float, unit_m: float) -> float:
    """Give the length of a short line on the map over its length on the ellipsoid.

    Args:
        crs: a projected system.
        x: east of the place, in its unit.
        y: north of it.
        unit_m: metres of the unit.

    Returns:
        The geometric mean of the scales to the east and to the north, whose square is that of
        areas; NaN or infinite where the place is none on earth.

    Source:
        Snyder (1987), Map projections: a working manual, ch. 4.
    """
    step = SHORT_M / unit_m
    lon, lat = position(crs, x + EASTWARDS * step, y + NORTHWARDS * step)
    if not (np.all(np.isfinite(lon)) and np.all(np.isfinite(lat))):
        return float("nan")
    body = crs.get_geod() or Geod(ellps="WGS84")
    _, _, lengths = body.inv(lon[[0, 2]], lat[[0, 2]], lon[[1, 3]], lat[[1, 3]])
    with np.errstate(divide="ignore"):  # places so far off that all become one
        scales = 2 * SHORT_M / np.asarray(lengths)
    return float(np.sqrt(scales[0] * scales[1]))
