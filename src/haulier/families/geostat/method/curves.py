"""Correlation against distance: one curve a model, in distances of its own range."""

from __future__ import annotations

import math
from typing import Final

from haulier.families.kernels import kernel

#: The codes by which kernels know the models.
SPHERICAL: Final = 0
EXPONENTIAL: Final = 1
GAUSSIAN: Final = 2
CUBIC: Final = 3
SPHEROIDAL: Final = 4
GENERALISED_CAUCHY: Final = 5
LINEAR: Final = 6
#: Exponential and Gaussian reach 95 % of the sill at the practical range, which is what is given.
PRACTICAL: Final = 3.0


@kernel
def correlation(code: int, alpha: float, h2: float) -> float:  # noqa: PLR0911 -- one a model
    """Give 1 - gamma(h)/sill of one structure, by the square of the scaled distance.

    Of the linear model, which has no sill, it gives -h: a generalised covariance, which only
    weights that sum to one may meet.

    Args:
        code: which model.
        alpha: shape, 3, 5, 7 or 9; of spheroidal and generalised Cauchy alone.
        h2: the square of distance over range, not negative.

    Source:
        Chiles & Delfiner (2012), Geostatistics, section 2.5 (spherical, cubic, exponential,
        Gaussian, generalised Cauchy, linear). Spheroidal: the generalised Cauchy made linear
        within its inflexion, which keeps it positive definite: the polynomial curve that goes by
        this name elsewhere is not.
    """
    if code == SPHERICAL:
        if h2 >= 1.0:
            return 0.0
        h = math.sqrt(h2)
        return 1.0 - h * (1.5 - 0.5 * h2)
    if code == EXPONENTIAL:
        return math.exp(-PRACTICAL * math.sqrt(h2))
    if code == GAUSSIAN:
        return math.exp(-PRACTICAL * h2)
    if code == CUBIC:
        if h2 >= 1.0:
            return 0.0
        h = math.sqrt(h2)
        return 1.0 - h2 * (7.0 - h * (8.75 - h2 * (3.5 - 0.75 * h2)))
    if code == LINEAR:
        return -math.sqrt(h2)
    return _long_tailed(code, alpha, h2)


@kernel
def _long_tailed(code: int, alpha: float, h2: float) -> float:
    """Give the correlation of the models with a power tail; the sill's 96 % lie at the range."""
    scale = _scale(code, alpha)
    x2 = h2 * scale * scale
    if code == GENERALISED_CAUCHY:
        return math.pow(1.0 + x2, -0.5 * alpha)
    knee = 1.0 / (alpha + 1.0)
    lift = 1.0 + knee
    value = math.pow(lift, -0.5 * alpha)
    slope = alpha * math.sqrt(knee) * math.pow(lift, -0.5 * alpha - 1.0)
    factor = 1.0 / (value + slope * math.sqrt(knee))
    if x2 < knee:
        return 1.0 - factor * slope * math.sqrt(x2)
    return factor * math.pow(1.0 + x2, -0.5 * alpha)


@kernel
def _scale(code: int, alpha: float) -> float:
    """Give the x at which a curve has 4 % left, so that the range is where 96 % are reached."""
    tail = 0.04
    if code == SPHEROIDAL:
        knee = 1.0 / (alpha + 1.0)
        lift = 1.0 + knee
        root = math.sqrt(knee)
        slope = alpha * root * math.pow(lift, -0.5 * alpha - 1.0)
        tail = 0.04 * (math.pow(lift, -0.5 * alpha) + slope * root)
    return math.sqrt(math.pow(tail, -2.0 / alpha) - 1.0)
