"""The distribution of a variable: weighted data, made continuous, with tails beyond them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from haulier.families.geostat.method.rotation import FloatArray

#: A value needs to lift the cumulative probability by so much, or it has no step of its own: what
#: is finer drowns in the rounding of the normal scores.
RESOLUTION: Final = 2.0**-46


@dataclass(frozen=True, slots=True)
class LowerTail:
    """The distribution below the smallest datum: F(z) = p1 ((z - minimum) / (z1 - minimum))^e.

    Attributes:
        exponent: e, at least 1 (1: uniform); the rarer the lowest values, the larger.
        minimum: the smallest value there can be, in units of the variable.

    Source:
        Deutsch & Journel (1998), GSLIB, section V.1.6, power model.
    """

    exponent: float
    minimum: float

    def __post_init__(self) -> None:
        """Refuse what is no power model."""
        if not (1.0 <= self.exponent < np.inf):
            raise ValueError(f"the lower tail's exponent must be at least 1, got {self.exponent}")
        if not np.isfinite(self.minimum):
            raise ValueError(f"the lower tail's minimum must be a number, got {self.minimum}")

    @classmethod
    def of_power(cls, power: float, minimum: float) -> LowerTail:
        """Make it from the power, over 0 to 1, that is the denominator of the exponent."""
        return cls(1.0 / _checked(power, "lower"), minimum)


@dataclass(frozen=True, slots=True)
class UpperTail:
    """The distribution above the largest datum: F(z) = pn + (1 - pn) ((z - zn) / (max - zn))^e.

    Attributes:
        exponent: e, over 0 and at most 1 (1: uniform); the rarer the highest values, the smaller.
        maximum: the largest value there can be, in units of the variable.

    Source:
        Deutsch & Journel (1998), GSLIB, section V.1.6, power model.
    """

    exponent: float
    maximum: float

    def __post_init__(self) -> None:
        """Refuse what is no power model."""
        if not (0.0 < self.exponent <= 1.0):
            raise ValueError(f"the upper tail's exponent must lie in (0, 1], got {self.exponent}")
        if not np.isfinite(self.maximum):
            raise ValueError(f"the upper tail's maximum must be a number, got {self.maximum}")

    @classmethod
    def of_power(cls, power: float, maximum: float) -> UpperTail:
        """Make it from the power, over 0 to 1: z rises with the probability to the 1/power."""
        return cls(_checked(power, "upper"), maximum)


def _checked(power: float, tail: str) -> float:
    if not (0.0 < power <= 1.0):
        raise ValueError(f"the power of the {tail} tail must lie in (0, 1], got {power}")
    return power


@dataclass(frozen=True, slots=True, eq=False)
class Distribution:
    """A cumulative distribution: straight lines between its points, and a tail at either end.

    Without a tail the first and the last value are the least and the greatest there are, and have
    the probability that is left there: what lies beyond them is treated as they are.

    Attributes:
        values: (n,) rising strictly, in units of the variable.
        probabilities: (n,) of not exceeding each value; rising strictly, between 0 and 1.
        lower: the tail below the first value, if any.
        upper: the tail above the last value, if any.

    Raises:
        ValueError: the points do not rise, or a tail does not reach beyond them.
    """

    values: FloatArray
    probabilities: FloatArray
    lower: LowerTail | None = None
    upper: UpperTail | None = None

    def __post_init__(self) -> None:
        """Refuse points that do not rise, and tails that do not reach beyond them."""
        z, p = self.values, self.probabilities
        if z.ndim != 1 or z.shape != p.shape or len(z) == 0:
            raise ValueError(
                f"values and probabilities must be two equal columns, got {z.shape} and {p.shape}"
            )
        if not np.all(np.isfinite(z)) or np.any(np.diff(z) <= 0):
            raise ValueError("the values of a distribution must be finite and rise strictly")
        if not (p[0] > 0 and p[-1] < 1 and np.all(np.diff(p) > 0)):
            raise ValueError("the probabilities must rise strictly and lie between 0 and 1")
        if self.lower and self.lower.minimum >= z[0]:
            raise ValueError(
                f"the lower tail's minimum must be below the smallest value, {z[0]}, "
                f"got {self.lower.minimum}"
            )
        if self.upper and self.upper.maximum <= z[-1]:
            raise ValueError(
                f"the upper tail's maximum must be above the largest value, {z[-1]}, "
                f"got {self.upper.maximum}"
            )

    def cdf(self, values: FloatArray) -> FloatArray:
        """Give the probability of not exceeding each of (...) values; NaN stays NaN."""
        z = np.asarray(values, dtype=np.float64)
        p = np.interp(z, self.values, self.probabilities)
        if self.lower:
            first, low = self.values[0], self.lower.minimum
            share = np.clip((z - low) / (first - low), 0.0, 1.0) ** self.lower.exponent
            p = np.where(z < first, self.probabilities[0] * share, p)
        if self.upper:
            last, high = self.values[-1], self.upper.maximum
            share = np.clip((z - last) / (high - last), 0.0, 1.0) ** self.upper.exponent
            top = self.probabilities[-1]
            p = np.where(z > last, top + (1.0 - top) * share, p)
        return np.asarray(p)

    def quantile(self, probabilities: FloatArray) -> FloatArray:
        """Give the value that is not exceeded with each of (...) probabilities, 0 to 1."""
        p = np.asarray(probabilities, dtype=np.float64)
        z = np.interp(p, self.probabilities, self.values)
        if self.lower:
            first, low = self.values[0], self.lower.minimum
            share = np.clip(p / self.probabilities[0], 0.0, 1.0) ** (1.0 / self.lower.exponent)
            z = np.where(p < self.probabilities[0], low + (first - low) * share, z)
        if self.upper:
            last, high = self.values[-1], self.upper.maximum
            top = self.probabilities[-1]
            share = np.clip((p - top) / (1.0 - top), 0.0, 1.0) ** (1.0 / self.upper.exponent)
            z = np.where(p > top, last + (high - last) * share, z)
        return np.asarray(z)

    @property
    def mean(self) -> float:
        """Give its mean, tails and all; not quite that of the data, which are but points of it."""
        return self._moment(1)

    @property
    def variance(self) -> float:
        """Give its variance, tails and all; infinite where a square is too large for a number."""
        mean, square = self._moment(1), self._moment(2)
        return max(0.0, square - mean * mean) if math.isfinite(square) else math.inf

    def _moment(self, order: int) -> float:
        """Integrate the quantile, or its square, over the probability."""
        a, b = self.values[:-1], self.values[1:]
        pieces = (a + b) / 2.0 if order == 1 else (a * a + a * b + b * b) / 3.0
        total = float(np.sum(np.diff(self.probabilities) * pieces))
        first, last = float(self.values[0]), float(self.values[-1])
        below, above = float(self.probabilities[0]), 1.0 - float(self.probabilities[-1])
        low = self.lower or LowerTail(1.0, first)
        high = self.upper or UpperTail(1.0, last)
        total += below * _tail_moment(low.minimum, first - low.minimum, low.exponent, order)
        return total + above * _tail_moment(last, high.maximum - last, high.exponent, order)


def _tail_moment(start: float, width: float, exponent: float, order: int) -> float:
    """Give the mean of start + width * u^(1/exponent), or of its square, u uniform in 0 to 1."""
    once = exponent / (1.0 + exponent)
    if order == 1:
        return start + width * once
    return start * start + 2.0 * start * width * once + width * width * exponent / (2.0 + exponent)


def fit_distribution(
    values: FloatArray,
    weights: FloatArray | None = None,
    *,
    lower: LowerTail | None = None,
    upper: UpperTail | None = None,
) -> Distribution:
    """Make the distribution of data that stand for unequal shares of the ground.

    Equal values are one, their weights added. The probability of a value is that of the smaller
    ones and half its own (Hazen's plotting position), which lies between 0 and 1 at both ends.

    Args:
        values: (n,) finite, in the variable's unit.
        weights: (n,) not negative, with a positive sum, in any unit; None: all equal. A value
            without weight (or with less than `RESOLUTION` of the whole) is no point of it.
        lower: the tail below the data.
        upper: the tail above the data.

    Raises:
        ValueError: there are no data, one is not finite, weights are unfit, or a tail's end lies
            within the data.

    Source:
        Deutsch & Journel (1998), GSLIB, section V.2.1 (nscore); Hazen (1914), Trans. ASCE 77.
    """
    shares = _shares(values, weights)
    unique, place = np.unique(values, return_inverse=True)
    merged = np.bincount(place, weights=shares, minlength=len(unique))
    reached = np.cumsum(merged)
    middle = (reached - merged / 2.0) / reached[-1]
    kept = _steps(middle, merged > 0.0)
    return Distribution(unique[kept], middle[kept], lower, upper)


def _shares(values: FloatArray, weights: FloatArray | None) -> FloatArray:
    if values.ndim != 1 or len(values) == 0 or not np.all(np.isfinite(values)):
        raise ValueError(f"values must be one column of finite numbers, got {values.shape}")
    if weights is None:
        return np.ones(len(values))
    if weights.shape != values.shape:
        raise ValueError(f"there must be one weight a value, got {weights.shape}")
    if not np.all(np.isfinite(weights)) or np.any(weights < 0) or not np.any(weights > 0):
        raise ValueError("weights must be finite, none negative and not all zero")
    return np.asarray(weights / weights.max())


def _steps(
    probabilities: FloatArray, weighted: NDArray[np.bool_]
) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """Choose the points that have weight and rise by the resolution at least."""
    reached = 0.0
    kept = []
    for i, p in enumerate(probabilities.tolist()):
        if weighted[i] and p - reached >= RESOLUTION and 1.0 - p >= RESOLUTION:
            kept.append(i)
            reached = p
    return np.array(kept, dtype=np.intp)


def weighted_mean(values: FloatArray, weights: FloatArray | None = None) -> float:
    """Give the mean of (n,) data by (n,) weights, as `fit_distribution` takes both."""
    shares = _shares(values, weights)
    return float(np.sum(values * shares) / np.sum(shares))
