"""Experimental variograms: what pairs of samples say, by direction and by distance."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from haulier.families.geostat.method import pairs
from haulier.families.geostat.method.lags import Direction, Form, Lags
from haulier.families.geostat.method.leaves import Samples, leafed
from haulier.families.geostat.method.rotation import FloatArray

IntArray = NDArray[np.int64]

#: Names of what may be computed, and what kernels sum up for each.
ESTIMATORS: Final = {
    "matheron": pairs.SQUARE,
    "cressie": pairs.ROOT,
    "madogram": pairs.ABSOLUTE,
    "covariance": pairs.PRODUCT,
    "correlogram": pairs.PRODUCT,
}


@dataclass(frozen=True, slots=True)
class ExperimentalVariogram:
    """What was found: l lags, direction after direction.

    Attributes:
        directions: d directions, as they were asked for.
        estimator: a name of `ESTIMATORS`.
        variance: of all values, by their weights; squared units of the variable.
        direction: (l,) number of the direction each lag belongs to, never falling.
        start_m: (l,) a pair belongs to a lag if start < distance <= end; from 0 on, 0 included.
        end_m: (l,).
        centroid_m: (l,) mean distance of the pairs; NaN where there is none.
        value: (l,) in squared units (madogram: units; correlogram: none); NaN where no pair is.
        num_pairs: (l,) each pair counts once, whichever way round.
    """

    directions: tuple[Direction, ...]
    estimator: str
    variance: float
    direction: IntArray
    start_m: FloatArray
    end_m: FloatArray
    centroid_m: FloatArray
    value: FloatArray
    num_pairs: IntArray

    @property
    def count(self) -> IntArray:
        """Give the number of lags of each direction: (d,)."""
        return np.array([len(each.lags) for each in self.directions], dtype=np.int64)

    @property
    def offset(self) -> IntArray:
        """Give the row of the first lag of each direction: (d,)."""
        return np.asarray(np.cumsum(self.count) - self.count)

    def rows(self, direction: int) -> slice:
        """Give where the lags of one direction stand."""
        first = int(self.offset[direction])
        return slice(first, first + int(self.count[direction]))


def experimental_variogram(
    places: FloatArray,
    values: FloatArray,
    directions: Sequence[Direction],
    *,
    estimator: str = "matheron",
    weights: FloatArray | None = None,
    holes: IntArray | None = None,
    report: Callable[[float], None] | None = None,
) -> ExperimentalVariogram:
    """Sum up pairs of samples in lags, each direction by itself.

    Memory grows with the samples, not with their pairs; time with the pairs that are not much
    farther apart than the longest lag.

    Args:
        places: (n, 3) metres.
        values: (n,) finite, in any unit.
        directions: which pairs count, and in which lags.
        estimator: a name of `ESTIMATORS`. Covariance and correlogram take the mean of both ends.
        weights: (n,) not negative, of samples, as declustering gives them; a pair weighs the
            product of its two. None: all the same.
        holes: (n,) code of each sample's drillhole; only the form DOWNHOLE asks for it.
        report: is told the fraction done after every 128 samples, and may raise to end it.

    Raises:
        ValueError: arrays do not fit each other, a number in them is not finite, there are fewer
            than two samples, no direction, or no holes where only pairs of a hole may count.

    Source:
        Matheron (1963), Economic Geology 58: 1246-1266. Cressie & Hawkins (1980), Robust
        estimation of the variogram, Mathematical Geology 12(2): the estimator "cressie", with the
        correction 0.457 + 0.494/N for its bias. Goovaerts (1997), Geostatistics for Natural
        Resources Evaluation, section 2.3: madogram, covariance, correlogram. Emery & Ortiz
        (2007), Weighted sample variograms, Geoderma 140: weights.
    """
    if estimator not in ESTIMATORS:
        raise ValueError(f"estimator must be one of {', '.join(ESTIMATORS)}, got {estimator!r}")
    samples = _checked(places, values, weights, holes)
    _check_directions(directions, holes)
    mean = np.average(samples.values, weights=samples.weights)
    centred = samples._replace(values=samples.values - mean)
    edges = _elementary_edges([each.lags for each in directions])
    counts, sums = _summed(centred, directions, edges, ESTIMATORS[estimator], report)
    return _gathered(
        tuple(directions),
        estimator,
        float(np.average(centred.values**2, weights=samples.weights)),
        *_by_lag(directions, edges, counts, sums),
    )


def _checked(
    places: FloatArray, values: FloatArray, weights: FloatArray | None, holes: IntArray | None
) -> Samples:
    n = len(values)
    weights = np.ones(n) if weights is None else np.asarray(weights, dtype=np.float64)
    codes = np.zeros(n, dtype=np.int64) if holes is None else np.asarray(holes, dtype=np.int64)
    given = {"places": (places, (n, 3)), "weights": (weights, (n,)), "holes": (codes, (n,))}
    for name, (array, shape) in given.items():
        if np.shape(array) != shape:
            raise ValueError(f"{name} must have the shape {shape}, got {np.shape(array)}")
    if n < 2:  # noqa: PLR2004 -- a pair
        raise ValueError(f"a variogram must have at least 2 samples, got {n}")
    if not (np.all(np.isfinite(places)) and np.all(np.isfinite(values))):
        raise ValueError("places and values must be finite; leave out the rows that are not")
    if not np.all(np.isfinite(weights)) or np.any(weights < 0) or weights.sum() == 0:
        raise ValueError("weights must be finite, none negative, and not all zero")
    return Samples(
        np.ascontiguousarray(np.transpose(places), dtype=np.float64),
        np.ascontiguousarray(values, dtype=np.float64),
        np.ascontiguousarray(weights),
        np.ascontiguousarray(codes),
    )


def _check_directions(directions: Sequence[Direction], holes: IntArray | None) -> None:
    if not directions:
        raise ValueError("there must be at least one direction, got none")
    if holes is None and any(each.form is Form.DOWNHOLE for each in directions):
        raise ValueError("a downhole variogram must know the drillhole of each sample, got none")


def _elementary_edges(lags: Sequence[Lags]) -> FloatArray:
    """Give the edges of all lags, so that each lag is a row of whole intervals between them."""
    return np.unique(np.concatenate([*(each.start_m for each in lags), *(e.end_m for e in lags)]))


def _summed(
    samples: Samples,
    directions: Sequence[Direction],
    edges: FloatArray,
    measure: int,
    report: Callable[[float], None] | None,
) -> tuple[IntArray, FloatArray]:
    """Go over all pairs: counts (d, k) and sums (d, k, 5) of the k intervals between edges."""
    samples, leaves = leafed(samples)
    bins = pairs.binned(edges)
    forms = np.array([pairs.FORMS[each.form] for each in directions], dtype=np.int64)
    limits = np.array([each.limits for each in directions])
    shape = (len(directions), len(edges) - 1)
    counts, sums = np.zeros(shape, dtype=np.int64), np.zeros((*shape, pairs.TERMS))
    for leaf, last in enumerate(leaves.first[1:]):
        near = leaves.near(leaf, float(edges[-1]))
        more, add = np.zeros_like(counts), np.zeros_like(sums)
        pairs.accumulate(
            *samples, leaves.first, leaf, near, *bins, forms, limits, measure, more, add
        )
        counts, sums = counts + more, sums + add
        if report is not None:
            left = 1.0 - int(last) / len(samples.values)
            report(1.0 - left * left)  # of all pairs, how many are behind us
    return counts, sums


def _by_lag(
    directions: Sequence[Direction], edges: FloatArray, counts: IntArray, sums: FloatArray
) -> tuple[IntArray, FloatArray]:
    """Add up intervals: counts (l,) and sums (l, 5), lag by lag."""
    num_pairs, totals = [], []
    for number, each in enumerate(directions):
        first = np.searchsorted(edges, each.lags.start_m)
        last = np.searchsorted(edges, each.lags.end_m)
        for a, b in zip(first, last, strict=True):
            num_pairs.append(counts[number, a:b].sum())
            totals.append(sums[number, a:b].sum(axis=0))
    return np.array(num_pairs, dtype=np.int64), np.array(totals)


def _gathered(
    directions: tuple[Direction, ...],
    estimator: str,
    variance: float,
    num_pairs: IntArray,
    totals: FloatArray,
) -> ExperimentalVariogram:
    count = [len(each.lags) for each in directions]
    weight = np.where(totals[:, 0] > 0, totals[:, 0], np.nan)
    means = totals[:, 1:] / weight[:, None]
    return ExperimentalVariogram(
        directions=directions,
        estimator=estimator,
        variance=variance,
        direction=np.repeat(np.arange(len(directions)), count),
        start_m=np.concatenate([each.lags.start_m for each in directions]),
        end_m=np.concatenate([each.lags.end_m for each in directions]),
        centroid_m=means[:, 0],
        value=_estimated(estimator, means[:, 1:], num_pairs),
        num_pairs=num_pairs,
    )


def _estimated(estimator: str, means: FloatArray, num_pairs: IntArray) -> FloatArray:
    """Turn the means of each lag, (l, 3), into its value, (l,)."""
    first, second, third = means.T
    if estimator in ("matheron", "madogram"):
        return np.asarray(0.5 * first)
    if estimator == "cressie":
        return np.asarray(0.5 * first**4 / (0.457 + 0.494 / np.maximum(num_pairs, 1)))
    covariance = first - second**2
    if estimator == "covariance":
        return np.asarray(covariance)
    spread = third - second**2
    return np.asarray(covariance / np.where(spread > 0, spread, np.nan))
