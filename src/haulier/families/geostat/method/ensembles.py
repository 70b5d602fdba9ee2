"""Statistics of an ensemble: over the realisations, at each location on its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from haulier.families.geostat.method.rotation import FloatArray
from haulier.families.kernels import kernel


@dataclass(frozen=True, slots=True, eq=False)
class Summary:
    """Mean, variance and extremes at each location; NaN where no realisation has a value.

    Attributes:
        mean: (m,) in the unit of the variable.
        variance: (m,) squared units: of the realisations themselves, so divided by their number.
        minimum: (m,).
        maximum: (m,).
    """

    mean: FloatArray
    variance: FloatArray
    minimum: FloatArray
    maximum: FloatArray


def summarise(ensemble: FloatArray) -> Summary:
    """Summarise (m, r) realisations, location by location; those that are NaN do not count."""
    table = summaries(np.ascontiguousarray(ensemble, dtype=np.float64))
    return Summary(*(np.ascontiguousarray(column) for column in table.T))


def quantiles(ensemble: FloatArray, fractions: Sequence[float]) -> FloatArray:
    """Give quantiles at each location: (m, r) realisations to (m, q).

    Between the ordered realisations the quantile is interpolated: fraction f of r values lies at
    position (r - 1) f. Those that are NaN do not count; where all are, so is the quantile.

    Args:
        ensemble: (m, r) in the unit of the variable.
        fractions: q of them, 0 to 1.

    Raises:
        ValueError: a fraction is not in 0 to 1.

    Source:
        Hyndman & Fan (1996), The American Statistician 50, definition 7.
    """
    wanted = np.array(fractions, dtype=np.float64)
    unfit = wanted[~((wanted >= 0.0) & (wanted <= 1.0))]
    if len(unfit):
        raise ValueError(f"quantiles must lie in 0 to 1, got {unfit[0]}")
    return order_statistics(np.ascontiguousarray(ensemble, dtype=np.float64), wanted)


def probability_above(ensemble: FloatArray, cutoffs: Sequence[float]) -> FloatArray:
    """Give the share of realisations above each of c cutoffs: (m, r) to (m, c) in 0 to 1.

    Above is strictly above. NaN do not count; where all are NaN, so is the share.
    """
    return _split(ensemble, cutoffs)[0]


def mean_above(ensemble: FloatArray, cutoffs: Sequence[float]) -> FloatArray:
    """Give the mean of the realisations above each cutoff: (m, r) to (m, c); NaN if none is."""
    return _split(ensemble, cutoffs)[1]


def mean_below(ensemble: FloatArray, cutoffs: Sequence[float]) -> FloatArray:
    """Give the mean of those at or below each cutoff: (m, r) to (m, c); NaN if none is."""
    return _split(ensemble, cutoffs)[2]


def _split(ensemble: FloatArray, cutoffs: Sequence[float]) -> tuple[FloatArray, ...]:
    limits = np.array(cutoffs, dtype=np.float64)
    if not np.all(np.isfinite(limits)):
        raise ValueError(f"cutoffs must be finite, got {limits.tolist()}")
    table = split_at(np.ascontiguousarray(ensemble, dtype=np.float64), limits)
    return table[0], table[1], table[2]


@kernel
def summaries(ensemble: FloatArray) -> FloatArray:
    """Give (m, 4): mean, variance, minimum and maximum of (m, r) realisations."""
    m, r = ensemble.shape
    out = np.full((m, 4), np.nan)
    for i in range(m):
        total, count, low, high = 0.0, 0, np.inf, -np.inf
        for j in range(r):
            value = ensemble[i, j]
            if not np.isnan(value):
                total += value
                count += 1
                low = min(low, value)
                high = max(high, value)
        if count == 0:
            continue
        mean = total / count
        squares = 0.0
        for j in range(r):
            if not np.isnan(ensemble[i, j]):
                squares += (ensemble[i, j] - mean) ** 2
        out[i, 0], out[i, 1], out[i, 2], out[i, 3] = mean, squares / count, low, high
    return out


@kernel
def order_statistics(ensemble: FloatArray, fractions: FloatArray) -> FloatArray:
    """Give (m, q) quantiles of (m, r) realisations; see `quantiles`."""
    m, r = ensemble.shape
    out = np.full((m, len(fractions)), np.nan)
    for i in range(m):
        ordered = np.sort(ensemble[i])  # NaN last
        count = r
        while count > 0 and np.isnan(ordered[count - 1]):
            count -= 1
        if count == 0:
            continue
        for q in range(len(fractions)):
            place = fractions[q] * (count - 1)
            low = int(place)
            high = min(low + 1, count - 1)
            share, rise = place - low, ordered[high] - ordered[low]
            out[i, q] = ordered[low] + (share * rise if share > 0.0 and rise > 0.0 else 0.0)
    return out


@kernel
def split_at(ensemble: FloatArray, cutoffs: FloatArray) -> FloatArray:
    """Give (3, m, c): share above, mean above, mean at or below, of (m, r) realisations."""
    m = len(ensemble)
    out = np.full((3, m, len(cutoffs)), np.nan)
    for i in range(m):
        for c in range(len(cutoffs)):
            above, upper, below, lower = _sums(ensemble[i], cutoffs[c])
            if above + below > 0:
                out[0, i, c] = above / (above + below)
            if above > 0:
                out[1, i, c] = upper / above
            if below > 0:
                out[2, i, c] = lower / below
    return out


@kernel
def _sums(realisations: FloatArray, cutoff: float) -> tuple[int, float, int, float]:
    """Give number and sum of those above the cutoff, and of those at or below it."""
    above, upper, below, lower = 0, 0.0, 0, 0.0
    for value in realisations:
        if value > cutoff:
            above += 1
            upper += value
        elif not np.isnan(value):
            below += 1
            lower += value
    return above, upper, below, lower
