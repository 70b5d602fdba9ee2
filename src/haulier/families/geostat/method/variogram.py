"""A variogram: a nugget and nested structures, each with an ellipsoid of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from haulier.families.geostat.method import curves
from haulier.families.geostat.method.rotation import FloatArray, rotation_matrix, sphering
from haulier.families.kernels import kernel

MODELS: Final = {
    "spherical": curves.SPHERICAL,
    "exponential": curves.EXPONENTIAL,
    "gaussian": curves.GAUSSIAN,
    "cubic": curves.CUBIC,
    "spheroidal": curves.SPHEROIDAL,
    "generalisedcauchy": curves.GENERALISED_CAUCHY,
    "linear": curves.LINEAR,
}


@dataclass(frozen=True, slots=True)
class Structure:
    """One structure of a variogram.

    Attributes:
        model: a name of `MODELS`.
        contribution: its share of the sill, in squared units of the variable; not negative. Of
            the linear model: what it rises by over its range.
        ranges_m: major, semi-major and minor; practical ranges where the model has no end.
        rotation_deg: dip azimuth, dip and pitch.
        alpha: shape of spheroidal and generalised Cauchy: 3, 5, 7 or 9; else 0.
    """

    model: str
    contribution: float
    ranges_m: tuple[float, float, float]
    rotation_deg: tuple[float, float, float] = (0.0, 0.0, 0.0)
    alpha: int = 0

    @property
    def transform(self) -> FloatArray:
        """Give the (3, 3) matrix that scales its ellipsoid to the unit sphere."""
        return sphering(np.array(self.ranges_m), rotation_matrix(*self.rotation_deg))


class Packed(NamedTuple):
    """A variogram as kernels take it: s structures, and the nugget apart.

    Attributes:
        nugget: squared units.
        codes: (s,) of `curves`.
        alphas: (s,).
        contributions: (s,) squared units.
        transforms: (s, 3, 3) in 1/metres.
    """

    nugget: float
    codes: np.ndarray[tuple[int], np.dtype[np.int64]]
    alphas: FloatArray
    contributions: FloatArray
    transforms: FloatArray


@dataclass(frozen=True, slots=True)
class Variogram:
    """A nugget and one or more structures."""

    nugget: float
    structures: tuple[Structure, ...]

    @property
    def sill(self) -> float:
        """Give nugget and contributions together; infinite with a linear structure."""
        if not self.bounded:
            return float("inf")
        return self.nugget + sum(each.contribution for each in self.structures)

    @property
    def bounded(self) -> bool:
        """Whether it has a sill, as simple kriging needs it."""
        return all(each.model != "linear" for each in self.structures)

    def packed(self) -> Packed:
        """Give it as kernels take it."""
        parts = self.structures
        return Packed(
            float(self.nugget),
            np.array([MODELS[each.model] for each in parts], dtype=np.int64),
            np.array([float(each.alpha) for each in parts]),
            np.array([float(each.contribution) for each in parts]),
            np.array([each.transform for each in parts]).reshape(-1, 3, 3),
        )

    def covariance(self, separations: FloatArray) -> FloatArray:
        """Give the covariance at separations.

        The nugget counts only where a separation is exactly zero.

        Args:
            separations: (..., 3) metres.

        Returns:
            (...) squared units; a generalised covariance where the variogram has no sill.
        """
        flat = np.ascontiguousarray(separations, dtype=np.float64).reshape(-1, 3)
        return covariances(flat, *self.packed()).reshape(np.shape(separations)[:-1])

    def gamma(self, separations: FloatArray) -> FloatArray:
        """Give the semivariance at separations: (..., 3) metres to (...) squared units."""
        zero = self.covariance(np.zeros((1, 3)))[0]
        return np.asarray(zero - self.covariance(separations))


@kernel
def covariances(
    separations: FloatArray,
    nugget: float,
    codes: np.ndarray[tuple[int], np.dtype[np.int64]],
    alphas: FloatArray,
    contributions: FloatArray,
    transforms: FloatArray,
) -> FloatArray:
    """Give the covariance at each of (n, 3) separations, as `Variogram.covariance` says."""
    out = np.empty(len(separations))
    for i in range(len(separations)):
        x, y, z = separations[i, 0], separations[i, 1], separations[i, 2]
        total = nugget if x == 0.0 and y == 0.0 and z == 0.0 else 0.0
        for s in range(len(codes)):
            m = transforms[s]
            u = m[0, 0] * x + m[0, 1] * y + m[0, 2] * z
            v = m[1, 0] * x + m[1, 1] * y + m[1, 2] * z
            w = m[2, 0] * x + m[2, 1] * y + m[2, 2] * z
            h2 = u * u + v * v + w * w
            total += contributions[s] * curves.correlation(codes[s], alphas[s], h2)
        out[i] = total
    return out
