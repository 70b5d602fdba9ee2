"""A transverse Mercator projection centred on one tile, so that metres are metres there."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numba import njit

from haulier.families.roads.method.lines import FloatArray

SEMI_MAJOR_M: Final = 6378137.0
FLATTENING: Final = 1 / 298.257223563
ECCENTRICITY: Final = math.sqrt(FLATTENING * (2 - FLATTENING))
# tan of 90 degrees has no conformal latitude; a micro-degree short of the pole is 0.1 m away
HIGHEST_DEG: Final = 89.999999
_N: Final = FLATTENING / (2 - FLATTENING)  # third flattening
_RADIUS_M: Final = SEMI_MAJOR_M / (1 + _N) * (1 + _N**2 / 4 + _N**4 / 64)
_ALPHA: Final = (
    _N / 2 - 2 * _N**2 / 3 + 5 * _N**3 / 16,
    13 * _N**2 / 48 - 3 * _N**3 / 5,
    61 * _N**3 / 240,
)
_BETA: Final = (
    _N / 2 - 2 * _N**2 / 3 + 37 * _N**3 / 96,
    _N**2 / 48 + _N**3 / 15,
    17 * _N**3 / 480,
)


@dataclass(frozen=True, slots=True)
class Projection:
    """Transverse Mercator of scale 1 on the meridian of its centre.

    The scale error is x² / 2R²: below 5e-6 within 20 km of the meridian and 2e-5 within 40 km.
    Longitudes are unwrapped round the centre, so a tile may lie across the antimeridian.

    Attributes:
        longitude: of the centre, degrees.
        latitude: of the centre, degrees.

    Source:
        Krüger (1912), Konforme Abbildung des Erdellipsoids in der Ebene, series in the third
        flattening to n³ as printed by Karney (2011), J. Geodesy 85, eqs 7-11 and 35-36; good to
        10 µm within 10 degrees of the meridian.
    """

    longitude: float
    latitude: float

    def forward(self, degrees: FloatArray) -> FloatArray:
        """Project longitude and latitude to metres from the centre.

        Args:
            degrees: (n, 2) longitude, latitude.

        Returns:
            (n, 2) metres east, north.
        """
        places = np.ascontiguousarray(degrees, dtype=np.float64)
        return np.asarray(_forward(places, self.longitude, _northing(self.latitude)))

    def inverse(self, metres: FloatArray) -> FloatArray:
        """Turn metres from the centre back to longitude and latitude.

        Args:
            metres: (n, 2) east, north, as `forward` gave them.

        Returns:
            (n, 2) degrees; longitude in [-180, 180).
        """
        places = np.ascontiguousarray(metres, dtype=np.float64)
        return np.asarray(_inverse(places, self.longitude, _northing(self.latitude)))


def centred_on(degrees: FloatArray) -> Projection:
    """Centre a projection on some places.

    Args:
        degrees: (n, 2) longitude, latitude; n may be 0.

    Returns:
        The projection at the middle of their bounds; the shorter way round for longitude.
    """
    finite = degrees[np.isfinite(degrees).all(axis=1)]
    if len(finite) == 0:
        return Projection(0.0, 0.0)
    # Places on both sides of the antimeridian: measure from one of them, not from Greenwich.
    first = float(finite[0, 0])
    around = np.mod(finite[:, 0] - first + 180.0, 360.0) - 180.0
    longitude = first + (float(around.min()) + float(around.max())) / 2
    latitude = (float(finite[:, 1].min()) + float(finite[:, 1].max())) / 2
    return Projection((longitude + 180.0) % 360.0 - 180.0, latitude)


@njit(cache=True, nogil=True)
def _conformal(latitude: float) -> float:
    """Give tan of the conformal latitude, from radians."""
    sine = math.sin(latitude)
    return math.sinh(math.atanh(sine) - ECCENTRICITY * math.atanh(ECCENTRICITY * sine))


@njit(cache=True, nogil=True)
def _northing(latitude: float) -> float:
    """Measure the meridian from the equator to a latitude in degrees; metres."""
    xi = math.atan(_conformal(math.radians(min(max(latitude, -HIGHEST_DEG), HIGHEST_DEG))))
    total = xi
    for j in range(3):
        total += _ALPHA[j] * math.sin(2 * (j + 1) * xi)
    return _RADIUS_M * total


@njit(cache=True, nogil=True)
def _forward(degrees: FloatArray, longitude: float, north_m: float) -> FloatArray:
    """Apply Krüger's series to each place."""
    out = np.empty((len(degrees), 2))
    for i in range(len(degrees)):
        delta = (degrees[i, 0] - longitude + 180.0) % 360.0 - 180.0
        latitude = min(max(degrees[i, 1], -HIGHEST_DEG), HIGHEST_DEG)
        tangent = _conformal(math.radians(latitude))
        cosine = math.cos(math.radians(delta))
        xi0 = math.atan2(tangent, cosine)
        eta0 = math.asinh(math.sin(math.radians(delta)) / math.hypot(tangent, cosine))
        xi, eta = xi0, eta0
        for j in range(3):
            k = 2.0 * (j + 1)
            xi += _ALPHA[j] * math.sin(k * xi0) * math.cosh(k * eta0)
            eta += _ALPHA[j] * math.cos(k * xi0) * math.sinh(k * eta0)
        out[i, 0] = _RADIUS_M * eta
        out[i, 1] = _RADIUS_M * xi - north_m
    return out


@njit(cache=True, nogil=True)
def _inverse(metres: FloatArray, longitude: float, north_m: float) -> FloatArray:
    """Undo Krüger's series, then find the latitude by Newton's method (Karney 2011, eq 19)."""
    out = np.empty((len(metres), 2))
    ratio = 1.0 - ECCENTRICITY**2
    for i in range(len(metres)):
        xi0 = (metres[i, 1] + north_m) / _RADIUS_M
        eta0 = metres[i, 0] / _RADIUS_M
        xi, eta = xi0, eta0
        for j in range(3):
            k = 2.0 * (j + 1)
            xi -= _BETA[j] * math.sin(k * xi0) * math.cosh(k * eta0)
            eta -= _BETA[j] * math.cos(k * xi0) * math.sinh(k * eta0)
        cosine = math.cos(xi)
        conformal = math.sin(xi) / math.hypot(math.sinh(eta), cosine)
        tangent = conformal / ratio
        for _ in range(5):
            root = math.sqrt(1 + tangent * tangent)
            sigma = math.sinh(ECCENTRICITY * math.atanh(ECCENTRICITY * tangent / root))
            guess = tangent * math.sqrt(1 + sigma * sigma) - sigma * root
            slope = math.sqrt((1 + guess * guess) * (1 + tangent * tangent)) * ratio
            tangent += (conformal - guess) * (1 + ratio * tangent * tangent) / slope
        delta = math.degrees(math.atan2(math.sinh(eta), cosine))
        out[i, 0] = (longitude + delta + 180.0) % 360.0 - 180.0
        out[i, 1] = math.degrees(math.atan(tangent))
    return out
