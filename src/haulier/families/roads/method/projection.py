"""A transverse Mercator projection centred on one tile, so that metres are metres there."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from haulier.families.kernels import kernel
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


@kernel
def _conformal(latitude: float) -> float:
    """Give tan of the conformal latitude, from radians (Karney 2011, eqs 7-9)."""
    tangent = math.tan(latitude)
    root = math.sqrt(1.0 + tangent * tangent)
    y = ECCENTRICITY * tangent / root
    # atanh(y), four times as fast; y is below 0.09, where nothing cancels
    sigma = math.sinh(ECCENTRICITY * 0.5 * math.log((1.0 + y) / (1.0 - y)))
    return tangent * math.sqrt(1.0 + sigma * sigma) - sigma * root


@kernel
def _northing(latitude: float) -> float:
    """Measure the meridian from the equator to a latitude in degrees; metres."""
    xi = math.atan(_conformal(math.radians(min(max(latitude, -HIGHEST_DEG), HIGHEST_DEG))))
    total = xi
    for j in range(3):
        total += _ALPHA[j] * math.sin(2 * (j + 1) * xi)
    return _RADIUS_M * total


@kernel
def _forward(degrees: FloatArray, longitude: float, north_m: float) -> FloatArray:
    """Apply Krüger's series to each place; multiples of the angles by their addition theorems."""
    out = np.empty((len(degrees), 2))
    for i in range(len(degrees)):
        delta = math.radians((degrees[i, 0] - longitude + 180.0) % 360.0 - 180.0)
        latitude = min(max(degrees[i, 1], -HIGHEST_DEG), HIGHEST_DEG)
        tangent, cosine = _conformal(math.radians(latitude)), math.cos(delta)
        radius = math.hypot(tangent, cosine)
        s, c, sh = tangent / radius, cosine / radius, math.sin(delta) / radius
        ch = math.sqrt(1.0 + sh * sh)
        xi, eta = math.atan2(tangent, cosine), math.log(sh + ch)
        s2, c2 = 2.0 * s * c, c * c - s * s
        sh2, ch2 = 2.0 * sh * ch, 1.0 + 2.0 * sh * sh
        sk, ck, shk, chk = 0.0, 1.0, 0.0, 1.0
        for j in range(3):
            sk, ck = sk * c2 + ck * s2, ck * c2 - sk * s2
            shk, chk = shk * ch2 + chk * sh2, chk * ch2 + shk * sh2
            xi += _ALPHA[j] * sk * chk
            eta += _ALPHA[j] * ck * shk
        out[i, 0] = _RADIUS_M * eta
        out[i, 1] = _RADIUS_M * xi - north_m
    return out


@kernel
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
