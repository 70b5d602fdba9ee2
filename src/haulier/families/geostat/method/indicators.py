"""Indicator kriging: local distributions from the probabilities kriged at cutoffs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from haulier.families.geostat.method.distribution import LowerTail, UpperTail
from haulier.families.geostat.method.rotation import FloatArray


def indicators(values: FloatArray, cutoffs: FloatArray) -> FloatArray:
    """Tell which values do not exceed which cutoffs.

    Args:
        values: (n,) finite, in units u.
        cutoffs: (c,) u, rising.

    Returns:
        (n, c): 1 where value <= cutoff, else 0. What kriging makes of a column estimates the
        probability that the cutoff is not exceeded.

    Source:
        Journel (1983), Nonparametric estimation of spatial distributions, Mathematical Geology
        15(3).
    """
    return (values[:, None] <= np.asarray(cutoffs)[None, :]).astype(np.float64)


def ordered(probabilities: FloatArray) -> FloatArray:
    """Make rows of probabilities rise from cutoff to cutoff, and stay within 0 and 1.

    Each is put halfway between a correction that goes upwards (none may be less than one before
    it) and one that goes downwards (none may be more than one behind it).

    Args:
        probabilities: (m, c) kriged; NaN rows stay NaN.

    Returns:
        (m, c) valid distributions. Those that were valid are unchanged.

    Source:
        Deutsch & Journel (1998), GSLIB, section IV.1.9, order relation deviations.
    """
    within = np.clip(probabilities, 0.0, 1.0)
    upwards = np.maximum.accumulate(within, axis=1)
    downwards = np.minimum.accumulate(within[:, ::-1], axis=1)[:, ::-1]
    return np.asarray(0.5 * (upwards + downwards))


def deviations(probabilities: FloatArray) -> FloatArray:
    """Give the largest change that `ordered` makes to each row: (m, c) to (m,)."""
    return np.asarray(np.abs(ordered(probabilities) - probabilities).max(axis=1))


@dataclass(frozen=True, slots=True)
class HyperbolicTail:
    """The distribution above the last cutoff c: 1 - F(z) falls with z to the -e, to 0 at the end.

    Attributes:
        exponent: e, positive; the smaller, the longer the tail. 1.5 is common.
        maximum: the largest value there can be, in units of the variable.

    Raises:
        ValueError: the exponent is not positive, or the maximum is not finite.

    Source:
        Deutsch & Journel (1998), GSLIB, section V.1.6; cut off at the maximum and scaled, so that
        all its moments exist.
    """

    exponent: float
    maximum: float

    def __post_init__(self) -> None:
        """Refuse what is no tail."""
        if not 0.0 < self.exponent < np.inf:
            raise ValueError(f"the exponent of a tail must be positive, got {self.exponent}")
        if not np.isfinite(self.maximum):
            raise ValueError(f"the maximum of a tail must be a number, got {self.maximum}")


@dataclass(frozen=True)
class LocalDistributions:
    """The distribution at each of m places, known at c cutoffs.

    Between cutoffs values are spread evenly; below the first and above the last as the tails say.

    Attributes:
        probabilities: (m, c) that each cutoff is not exceeded, as `ordered` gives them; rows of
            NaN give NaN.
        cutoffs: (c,) in units u, rising strictly.
        lower: the tail below the first cutoff.
        upper: the tail above the last.

    Raises:
        ValueError: shapes do not agree, cutoffs do not rise, a tail does not reach beyond them,
            or a hyperbolic one begins at a cutoff that is not positive.
    """

    probabilities: FloatArray
    cutoffs: FloatArray
    lower: LowerTail
    upper: UpperTail | HyperbolicTail

    def __post_init__(self) -> None:
        """Check what does not fit together."""
        z = self.cutoffs
        if z.ndim != 1 or len(z) == 0 or self.probabilities.shape[1:] != z.shape:
            raise ValueError(f"probabilities must be (m, {len(z)}), got {self.probabilities.shape}")
        if not np.all(np.isfinite(z)) or np.any(np.diff(z) <= 0):
            raise ValueError(f"cutoffs must be finite and rise strictly, got {z.tolist()}")
        if not self.lower.minimum < z[0]:
            raise ValueError(
                f"the minimum must be below the first cutoff, {z[0]}, got {self.lower.minimum}"
            )
        if not self.upper.maximum > z[-1]:
            raise ValueError(
                f"the maximum must be above the last cutoff, {z[-1]}, got {self.upper.maximum}"
            )
        if isinstance(self.upper, HyperbolicTail) and not z[-1] > 0:
            raise ValueError(f"a hyperbolic tail must begin above 0, got a cutoff of {z[-1]}")

    @cached_property
    def _classes(self) -> tuple[_Class, ...]:
        edges = [self.lower.minimum, *self.cutoffs.tolist(), self.upper.maximum]
        powers = [self.lower.exponent, *[1.0] * (len(edges) - 3), self.upper.exponent]
        kinds = [_Class] * (len(powers) - 1)
        kinds.append(_Hyperbolic if isinstance(self.upper, HyperbolicTail) else _Class)
        return tuple(
            kind(low, high, power)
            for kind, low, high, power in zip(kinds, edges[:-1], edges[1:], powers, strict=True)
        )

    @cached_property
    def _shares(self) -> FloatArray:
        """Give the probability of each class: (m, c + 1)."""
        return np.diff(self.probabilities, axis=1, prepend=0.0, append=1.0)

    def mean(self) -> FloatArray:
        """Give the mean of each, known as E-type estimate: (m,) u."""
        return np.asarray(self._shares @ np.array([each.above(each.low) for each in self._classes]))

    def variance(self) -> FloatArray:
        """Give the conditional variance of each: (m,) u², never negative."""
        means = np.array([each.above(each.low) for each in self._classes])
        spreads = np.array([each.variance() for each in self._classes])
        apart = means[None, :] - self.mean()[:, None]
        return np.asarray(np.sum(self._shares * (spreads[None, :] + apart**2), axis=1))

    def probability_above(self, thresholds: FloatArray) -> FloatArray:
        """Give the probability to exceed each of (t,) thresholds, cutoffs or not: (m, t)."""
        parts = [[1.0 - each.share(z) for z in thresholds] for each in self._classes]
        return np.asarray(self._shares @ np.array(parts))

    def mean_above(self, thresholds: FloatArray) -> FloatArray:
        """Give the mean of what exceeds each of (t,) thresholds: (m, t) u; NaN where none does."""
        parts = np.array([[each.above(z) for z in thresholds] for each in self._classes])
        chance = self.probability_above(thresholds)
        return np.asarray(self._shares @ parts / np.where(chance > 0, chance, np.nan))

    def quantiles(self, fractions: FloatArray) -> FloatArray:
        """Give the value that is not exceeded with each of (q,) probabilities: (m, q) u.

        Raises:
            ValueError: a fraction is not between 0 and 1.
        """
        given = np.asarray(fractions, dtype=np.float64)
        if not np.all((given > 0) & (given < 1)):
            raise ValueError(f"fractions must lie between 0 and 1, got {given.tolist()}")
        below = np.pad(self.probabilities, ((0, 0), (1, 1)), constant_values=(0.0, 1.0))
        # The class each lies in: (m, q).
        of = np.sum(self.probabilities[:, None, :] < given[None, :, None], axis=2)
        low, high = (np.take_along_axis(below, of + step, axis=1) for step in (0, 1))
        shares = (given - low) / np.where(high > low, high - low, np.nan)
        shares = np.clip(shares, 0.0, 1.0)
        out = np.full(of.shape, np.nan)
        for number, each in enumerate(self._classes):
            out = np.where(of == number, each.value(shares), out)
        return out


@dataclass(frozen=True, slots=True)
class _Class:
    """A class of values: within it F rises with the distance from its low end to a power."""

    low: float
    high: float
    power: float

    def share(self, z: float) -> float:
        """Give the part of the class that does not exceed z."""
        t = min(max((z - self.low) / (self.high - self.low), 0.0), 1.0)
        return float(t**self.power)

    def above(self, z: float) -> float:
        """Give the mean of the class' values, those that do not exceed z counted as 0."""
        e, width = self.power, self.high - self.low
        t = min(max((z - self.low) / width, 0.0), 1.0)
        return float(self.low * (1.0 - t**e) + width * e / (e + 1.0) * (1.0 - t ** (e + 1.0)))

    def variance(self) -> float:
        """Give the variance within the class."""
        e, width = self.power, self.high - self.low
        return float(width**2 * e / ((e + 2.0) * (e + 1.0) ** 2))

    def value(self, shares: FloatArray) -> FloatArray:
        """Give the values up to which (k,) parts of the class lie."""
        return np.asarray(self.low + (self.high - self.low) * shares ** (1.0 / self.power))


@dataclass(frozen=True, slots=True)
class _Hyperbolic(_Class):
    """The class above the last cutoff, with a hyperbolic tail."""

    @property
    def _whole(self) -> float:
        return 1.0 - float((self.low / self.high) ** self.power)

    def share(self, z: float) -> float:
        inside = min(max(z, self.low), self.high)
        return (1.0 - float((self.low / inside) ** self.power)) / self._whole

    def above(self, z: float) -> float:
        return self._moment(1, min(max(z, self.low), self.high))

    def variance(self) -> float:
        return max(self._moment(2, self.low) - self._moment(1, self.low) ** 2, 0.0)

    def value(self, shares: FloatArray) -> FloatArray:
        return np.asarray(self.low * (1.0 - shares * self._whole) ** (-1.0 / self.power))

    def _moment(self, order: int, begin: float) -> float:
        """Integrate z to an order over the density, in units of the low end, from `begin` on."""
        a, b, k = begin / self.low, self.high / self.low, order - self.power
        part = np.log(b / a) if k == 0 else (b**k - a**k) / k
        return float(self.power / self._whole * part * self.low**order)
