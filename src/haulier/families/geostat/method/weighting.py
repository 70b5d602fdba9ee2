"""Averages of the samples near a target: by inverse distance, or all alike."""

from __future__ import annotations

import numpy as np

from haulier.families.geostat.method.neighbourhood import Neighbourhood
from haulier.families.geostat.method.rotation import FloatArray
from haulier.families.geostat.method.samples import Samples
from haulier.families.geostat.method.search import Found, Index, find, index_samples
from haulier.families.geostat.method.weights import combine

#: Targets are computed in ranges that hold at most so many neighbours, and so many targets.
MOST_NEIGHBOURS_AT_ONCE = 2_000_000
MOST_TARGETS_AT_ONCE = 65_536


def idw(
    samples: Samples,
    neighbourhood: Neighbourhood,
    targets: FloatArray,
    power: float,
    *,
    index: Index | None = None,
) -> FloatArray:
    """Average the neighbours of each target, weighted by distance in ellipsoid space to a power.

    A target at the very place of samples gets their mean.

    Args:
        samples: (n, ...) with one or several columns of values.
        neighbourhood: which samples a target uses.
        targets: (m, 3) metres, the CRS of the samples.
        power: positive.
        index: of the samples, if it was made before; else it is made here.

    Returns:
        (m,) or (m, k) in units of the values; NaN where the neighbourhood allows no estimate.

    Raises:
        ValueError: the power is not positive and finite, or shapes do not agree.

    Source:
        Shepard (1968), A two-dimensional interpolation function for irregularly-spaced data.
    """
    if not 0 < power < np.inf:
        raise ValueError(f"power must be positive, got {power}")
    return _average(samples, neighbourhood, targets, power, index)


def knn(
    samples: Samples,
    neighbourhood: Neighbourhood,
    targets: FloatArray,
    *,
    index: Index | None = None,
) -> FloatArray:
    """Average the neighbours of each target, all with the same weight.

    Args:
        samples: (n, ...) with one or several columns of values.
        neighbourhood: which samples a target uses.
        targets: (m, 3) metres, the CRS of the samples.
        index: of the samples, if it was made before; else it is made here.

    Returns:
        (m,) or (m, k) in units of the values; NaN where the neighbourhood allows no estimate.

    Source:
        Isaaks & Srivastava (1989), An Introduction to Applied Geostatistics, ch. 11 (local sample
        mean).
    """
    return _average(samples, neighbourhood, targets, 0.0, index)


def _average(
    samples: Samples,
    neighbourhood: Neighbourhood,
    targets: FloatArray,
    power: float,
    index: Index | None,
) -> FloatArray:
    if index is None:
        index = index_samples(samples.places, neighbourhood, holes=samples.holes)
    targets = np.ascontiguousarray(targets, dtype=np.float64)
    if targets.shape != (len(targets), 3) or not np.isfinite(targets).all():
        raise ValueError(f"targets must be (m, 3) and finite, got {targets.shape}")
    columns = samples.values.reshape(len(samples), -1)
    values = np.empty((len(targets), columns.shape[1]))
    most = min(neighbourhood.max_samples, len(samples))
    step = max(1, min(MOST_TARGETS_AT_ONCE, MOST_NEIGHBOURS_AT_ONCE // most))
    for begin in range(0, len(targets), step):
        part = slice(begin, begin + step)
        found = find(index, targets[part])
        values[part] = combine(_weights(found, power), found.numbers, found.counts, columns)
        values[part][~found.accepted] = np.nan
    return values.reshape((len(targets), *samples.values.shape[1:]))


def _weights(found: Found, power: float) -> FloatArray:
    """Give (m, k) weights that sum to one, whatever unit distances are in; 0 behind the last."""
    if found.distances.shape[1] == 0:
        return found.distances
    nearest = found.distances[:, :1]
    with np.errstate(invalid="ignore", divide="ignore"):
        weights = np.where(nearest > 0, (nearest / found.distances) ** power, 0.0)
    weights[(nearest == 0) & (found.distances == 0)] = 1.0
    if power == 0:
        weights = np.ones_like(weights)
    weights[np.isnan(found.distances)] = 0.0
    # One after the other: a sum's order must not depend on how many columns the array has.
    sums = np.zeros(len(weights))
    for column in weights.T:
        sums += column
    return np.asarray(weights / np.where(sums > 0, sums, 1.0)[:, None])
