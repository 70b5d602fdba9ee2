"""Numbers gathered part by part in bounded memory: moments, histograms, curves and swaths."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from haulier.families.geostat.method.rotation import FloatArray

SMALL: Final = 1e-9
BINS: Final = 40  # of the part of a distribution that is not tail
MOST_BINS: Final = 400
NEAR: Final = 0.7  # a round width may be so much finer than was asked for
TAILS: Final = (0.005, 0.995)


@dataclass(frozen=True, slots=True, eq=False)
class Binned:
    """A distribution as a histogram with its moments.

    Attributes:
        label: what was counted, such as "samples".
        edges: (b + 1,) ascending, in units of the variable.
        weights: (b,) how much lies in each bin: counts, or sums of weights.
        sums: (b,) weighted sum of the values in each bin.
        below, above: weight of what lies beyond the edges; the moments know it.
        count: values that are not missing.
        missing: values that are.
        mean, variance: weighted; the variance divides by the weight, as population variances do.
        minimum, maximum: NaN of nothing.
    """

    label: str
    edges: FloatArray
    weights: FloatArray
    sums: FloatArray
    below: float
    above: float
    count: int
    missing: int
    mean: float
    variance: float
    minimum: float
    maximum: float

    @property
    def total(self) -> float:
        """Give the whole weight."""
        return float(self.weights.sum()) + self.below + self.above

    @property
    def deviation(self) -> float:
        """Give the standard deviation."""
        return math.sqrt(self.variance) if self.variance >= 0 else math.nan

    @property
    def variation(self) -> float:
        """Give the coefficient of variation; NaN where the mean is nothing beside the deviation."""
        small = abs(self.mean) <= SMALL * self.deviation
        return math.nan if small else self.deviation / self.mean

    def fractions(self) -> FloatArray:
        """Give the (b + 1,) fraction that lies below each edge."""
        below = self.below + np.concatenate([[0.0], np.cumsum(self.weights)])
        return below / self.total if self.total > 0 else np.full(len(below), np.nan)

    def quantiles(self, fractions: Sequence[float]) -> FloatArray:
        """Give quantiles, to within the width of a bin and within minimum and maximum."""
        if self.count == 0:
            return np.full(len(fractions), np.nan)
        known, places = np.unique(self.fractions(), return_index=True)
        found = np.interp(np.asarray(fractions, dtype=np.float64), known, self.edges[places])
        return np.clip(found, self.minimum, self.maximum)


class Tally:
    """Counts values as they come, a part at a time, in a fixed set of bins."""

    def __init__(self, label: str, edges: FloatArray) -> None:
        """Begin with nothing; `edges` are (b + 1,) and ascending."""
        self._label = label
        self._edges = np.asarray(edges, dtype=np.float64)
        self._weights = np.zeros(len(edges) + 1)
        self._sums = np.zeros(len(edges) + 1)
        self._count = self._missing = 0
        self._weight = self._mean = self._squares = 0.0
        self._low, self._high = math.inf, -math.inf

    def add(self, values: FloatArray, weights: FloatArray | None = None) -> None:
        """Count more values; NaN are missing.

        Source:
            Chan, Golub & LeVeque (1983), Algorithms for computing the sample variance: moments
            of two parts together without loss of digits.
        """
        here = np.isfinite(values)
        good = values[here]
        weight = np.ones(len(good)) if weights is None else weights[here]
        self._missing += len(values) - len(good)
        if len(good) == 0 or weight.sum() <= 0:
            return
        self._count += len(good)
        self._low, self._high = min(self._low, good.min()), max(self._high, good.max())
        self._moments(good, weight)
        bins = np.searchsorted(self._edges, good, side="right")
        bins[good == self._edges[-1]] = len(self._edges) - 1  # the last bin has both its edges
        size = len(self._weights)
        self._weights += np.bincount(bins, weight, minlength=size)
        self._sums += np.bincount(bins, weight * good, minlength=size)

    def _moments(self, values: FloatArray, weights: FloatArray) -> None:
        added = float(weights.sum())
        mean = float((weights * values).sum() / added)
        squares = float((weights * (values - mean) ** 2).sum())
        total, gap = self._weight + added, mean - self._mean
        self._squares += squares + gap * gap * self._weight * added / total
        self._mean += gap * added / total
        self._weight = total

    def binned(self) -> Binned:
        """Give what was counted so far."""
        nothing = self._count == 0
        return Binned(
            label=self._label,
            edges=self._edges,
            weights=self._weights[1:-1].copy(),
            sums=self._sums[1:-1].copy(),
            below=float(self._weights[0]),
            above=float(self._weights[-1]),
            count=self._count,
            missing=self._missing,
            mean=math.nan if nothing else self._mean,
            variance=math.nan if nothing else self._squares / self._weight,
            minimum=math.nan if nothing else float(self._low),
            maximum=math.nan if nothing else float(self._high),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Band:
    """Means of one series in slabs across an axis.

    Attributes:
        label: what it is, such as "estimates".
        means: (b,) NaN where a slab is empty.
        counts: (b,) how many values each mean stands on.
    """

    label: str
    means: FloatArray
    counts: FloatArray


class SwathTally:
    """Gathers the means of a series in slabs across one axis, a part at a time."""

    def __init__(self, label: str, edges: FloatArray) -> None:
        """Begin with nothing; `edges` are (b + 1,) metres along the axis, ascending."""
        self._label = label
        self._edges = np.asarray(edges, dtype=np.float64)
        self._counts = np.zeros(len(edges) - 1)
        self._weights = np.zeros(len(edges) - 1)
        self._sums = np.zeros(len(edges) - 1)

    def add(
        self, coordinates: FloatArray, values: FloatArray, weights: FloatArray | None = None
    ) -> None:
        """Count more values at coordinates in metres; what lies beyond the edges is left out."""
        slabs = np.searchsorted(self._edges, coordinates, side="right") - 1
        slabs[coordinates == self._edges[-1]] = len(self._counts) - 1
        here = np.isfinite(values) & (slabs >= 0) & (slabs < len(self._counts))
        weight = np.ones(int(here.sum())) if weights is None else weights[here]
        size = len(self._counts)
        self._counts += np.bincount(slabs[here], minlength=size)
        self._weights += np.bincount(slabs[here], weight, minlength=size)
        self._sums += np.bincount(slabs[here], weight * values[here], minlength=size)

    def band(self) -> Band:
        """Give means and counts so far."""
        means = np.full(len(self._sums), np.nan)
        np.divide(self._sums, self._weights, out=means, where=self._weights > 0)
        return Band(self._label, means, self._counts.copy())


def bin_edges(values: FloatArray, bins: int = BINS) -> FloatArray:
    """Give edges of one round width that cover all values.

    Args:
        values: (n,) NaN are left out.
        bins: about how many the values without their tails shall have.
    """
    good = values[np.isfinite(values)]
    low, high = (float(good.min()), float(good.max())) if len(good) else (0.0, 1.0)
    if high <= low:
        half = max(0.5, 1e-6 * abs(low))  # beside a number of sixteen digits a half is nothing
        low, high = low - half, high + half
    body = float(np.ptp(np.quantile(good, TAILS))) if len(good) else 1.0
    rough = max(body / bins, (high - low) / (NEAR * MOST_BINS))
    scale = 10.0 ** math.floor(math.log10(rough))
    width = next(step * scale for step in (1, 2, 2.5, 5, 10) if step * scale >= NEAR * rough)
    first, last = math.floor(low / width), math.floor(high / width) + 1
    return np.asarray(np.arange(first, last + 1) * width, dtype=np.float64)
