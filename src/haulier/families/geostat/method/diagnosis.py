"""Say how good each estimate is: the sixteen diagnostics of a kriged target."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from haulier.families.geostat.method import weights
from haulier.families.geostat.method.rotation import FloatArray
from haulier.families.geostat.method.samples import Samples
from haulier.families.geostat.method.search import Index, transformed
from haulier.families.geostat.method.systems import LAGRANGE, MEAN, VALUE, VARIANCE, Solved
from haulier.families.geostat.method.tiles import Neighbours

Array = NDArray[Any]
#: Those for which weights must be computed.
OF_WEIGHTS: Final = frozenset({"sum_weights", "sum_positive_weights", "sum_negative_weights"})


@dataclass(frozen=True)
class Evidence:
    """What diagnostics are made of, for m targets.

    Attributes:
        samples: that were used.
        index: of the samples.
        found: neighbours.
        accepted: (m,) whether the neighbourhood allows an estimate.
        solved: what the systems gave.
        variances: (m,) or (1,) of blocks.
        centres: (m, 3) metres.
        mean: what was taken from every value.
        mean_known: whether that is the mean that kriging was told.
    """

    samples: Samples
    index: Index
    found: Neighbours
    accepted: NDArray[np.bool_]
    solved: Solved
    variances: FloatArray
    centres: FloatArray
    mean: float
    mean_known: bool

    @cached_property
    def sums(self) -> FloatArray:
        """Give (m, 2) sums of positive and negative weights; NaN where there is no estimate."""
        sums = weights.sums(self.solved.weights, self.found.counts)
        sums[np.isnan(self.solved.numbers[:, VALUE])] = np.nan
        return sums

    @cached_property
    def distances(self) -> weights.Distances:
        """Give distances in metres."""
        places = self.samples.places[self.index.order]
        return weights.distances(places, self.centres, self.found.positions, self.found.counts)

    @cached_property
    def sphered_distances(self) -> weights.Distances:
        """Give distances in ellipsoid space, where the ellipsoid's surface is at 1."""
        index = self.index
        places = np.ascontiguousarray(index.placed.sphered.T)
        targets = transformed(self.centres, index.origin, index.neighbourhood.transform)
        return weights.distances(places, targets, self.found.positions, self.found.counts)


def _column(number: int) -> Callable[[Evidence], Array]:
    return lambda evidence: evidence.solved.numbers[:, number]


def _slope(evidence: Evidence) -> Array:
    """Give the slope of regression, by the convention of Leapfrog Edge: never above 1.

    (BV - KV + |mu|) / (BV - KV + 2 |mu|), BV the block's variance, KV the kriging variance, mu
    the Lagrange multiplier of the constant; 1 with a known mean. It is the regression of true
    blocks on estimated ones where simple kriging would leave some weight to the mean; where its
    weights sum to more than one, that regression is steeper than 1, and this is not.
    """
    explained = evidence.variances - evidence.solved.numbers[:, VARIANCE]
    multiplier = np.abs(evidence.solved.numbers[:, LAGRANGE])
    below = explained + 2.0 * multiplier
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(below != 0.0, (explained + multiplier) / below, np.nan)


def _efficiency(evidence: Evidence) -> Array:
    """Give (BV - KV) / BV: how much of a block's variance the samples explain."""
    variances = evidence.variances
    return np.asarray((variances - evidence.solved.numbers[:, VARIANCE]) / variances)


def _mean(evidence: Evidence) -> Array:
    """Give the mean of kriging: by generalised least squares, or the one it was told."""
    if evidence.mean_known:
        estimated = ~np.isnan(evidence.solved.numbers[:, VALUE])
        return np.where(estimated, evidence.mean, np.nan)
    return np.asarray(evidence.solved.numbers[:, MEAN] + evidence.mean)


def _drillholes(evidence: Evidence) -> Array:
    found = evidence.found
    return weights.count_distinct(evidence.index.placed.holes, found.positions, found.counts)


def _duplicates(evidence: Evidence) -> Array:
    """Count measurements beyond the first at the places of the neighbours."""
    counts = evidence.samples.counts
    found = evidence.found
    if counts is None:
        return np.zeros_like(found.counts)
    return weights.total(counts[evidence.index.order] - 1, found.positions, found.counts)


FORMULAE: Final[Mapping[str, Callable[[Evidence], Array]]] = {
    "valid": lambda evidence: evidence.accepted,
    "kriging_variance": _column(VARIANCE),
    "slope_of_regression": _slope,
    "kriging_efficiency": _efficiency,
    "kriging_mean": _mean,
    "num_samples": lambda evidence: evidence.found.counts,
    "num_drillholes": _drillholes,
    "num_duplicates": _duplicates,
    "num_equidistant": lambda evidence: evidence.found.equidistant,
    "sum_weights": lambda evidence: evidence.sums.sum(axis=1),
    "sum_positive_weights": lambda evidence: evidence.sums[:, 0],
    "sum_negative_weights": lambda evidence: evidence.sums[:, 1],
    "min_distance": lambda evidence: evidence.distances.least,
    "mean_distance": lambda evidence: evidence.distances.mean,
    "aniso_min_distance": lambda evidence: evidence.sphered_distances.least,
    "aniso_mean_distance": lambda evidence: evidence.sphered_distances.mean,
}
DIAGNOSTICS: Final = tuple(FORMULAE)


def diagnose(evidence: Evidence, names: Collection[str]) -> dict[str, Array]:
    """Give diagnostics of each target by name.

    Counts and distances are those of the samples that the search found, also where they are too
    few for an estimate; what needs an estimate is NaN there.

    Returns:
        (m,) each: `valid` bool, `num_...` int64, all others float64. Weights have no unit; slope
        and efficiency are fractions.

    Source:
        Vann, Jackson & Bertoli (2003), Quantitative Kriging Neighbourhood Analysis for the Mining
        Geologist (slope, weights); Krige (1996), A practical analysis of the effects of spatial
        structure and of data available and accessed, on conditional biases in ordinary kriging
        (efficiency). Names and meanings as of Leapfrog Edge.
    """
    return {name: np.ascontiguousarray(FORMULAE[name](evidence)) for name in names}
