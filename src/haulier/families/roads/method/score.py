"""How good a match is against the truth: length precision and recall, exact roads, inventions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from haulier.families.roads.method.settings import THRESHOLD

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from haulier.families.roads.method.lines import FloatArray, IntArray
    from haulier.families.roads.method.matches import Matches
    from haulier.families.roads.method.truth import Truth

SLIVER_M: Final = 5.0  # shorter stretches do not decide whether a road is exact


@dataclass(frozen=True, slots=True)
class Score:
    """Fractions 0-1; nan where nothing was there to be judged.

    Attributes:
        precision: share of the matched length that is true.
        recall: share of the true length that is matched.
        f1: harmonic mean of the two.
        exact: share of the roads whose set of segments is the true one.
        absent_given_a_match: share of the roads that truly have no segment, yet were given one.
    """

    precision: float
    recall: float
    f1: float
    exact: float
    absent_given_a_match: float


def score(
    matches: Matches,
    truth: Truth,
    n_roads: int,
    segment_m: FloatArray,
    threshold: int = THRESHOLD,
) -> Score:
    """Compare matches with the truth.

    Args:
        matches: of m roads; those below the threshold do not count.
        truth: true stretches of the same roads and segments.
        n_roads: m.
        segment_m: (s,) length of each segment, metres.
        threshold: confidence from which a match counts, percent.

    Returns:
        The figures that road matchers are compared by.
    """
    counted = np.flatnonzero(matches.confidence >= threshold)
    length_m = segment_m[matches.segment[counted]]
    own = pair_keys(matches.road[counted], matches.segment[counted])
    true = pair_keys(truth.road, truth.segment)
    matched_m = (matches.segment_to - matches.segment_from)[counted] * length_m
    true_m = (truth.segment_to - truth.segment_from) * segment_m[truth.segment]
    right_m = float((shared_fraction(matches, truth)[counted] * length_m).sum())
    precision, recall = _ratio(right_m, matched_m.sum()), _ratio(right_m, true_m.sum())
    absent, given = np.ones(n_roads, np.bool_), np.zeros(n_roads, np.bool_)
    absent[truth.road] = False
    given[matches.road[counted]] = True
    return Score(
        precision,
        recall,
        _ratio(2 * precision * recall, precision + recall),
        _exact(own[matched_m >= SLIVER_M], true[true_m >= SLIVER_M]),
        _ratio(float((absent & given).sum()), float(absent.sum())),
    )


def shared_fraction(matches: Matches, truth: Truth) -> FloatArray:
    """Measure what fraction of its segment each match shares with the truth; (r,)."""
    own = pair_keys(matches.road, matches.segment)
    true = pair_keys(truth.road, truth.segment)
    order = np.argsort(true, kind="stable")
    first = np.searchsorted(true[order], own)
    last = np.searchsorted(true[order], own, side="right")
    out = np.zeros(len(own))
    # A road lies on one segment more than once only where it loops: this ends after a few rounds.
    for k in range(int((last - first).max(initial=0))):
        here = np.flatnonzero(first + k < last)
        at = order[first[here] + k]
        overlap = np.minimum(matches.segment_to[here], truth.segment_to[at])
        overlap = overlap - np.maximum(matches.segment_from[here], truth.segment_from[at])
        out[here] += np.maximum(overlap, 0.0)
    return out


def pair_keys(road: NDArray[np.int32], segment: NDArray[np.int32]) -> IntArray:
    """Give each pair of road and segment one number."""
    return np.asarray(road.astype(np.int64) << 32 | segment.astype(np.int64))


def _ratio(part: float, whole: float) -> float:
    """Divide; nan by zero."""
    return float(part / whole) if whole else float("nan")


def _exact(own: IntArray, true: IntArray) -> float:
    """Share of the roads in the truth that have the same segments in the matches."""
    own, true = np.unique(own), np.unique(true)
    roads = np.unique(true >> 32)
    missed = np.setdiff1d(true, own, assume_unique=True) >> 32
    invented = np.setdiff1d(own, true, assume_unique=True) >> 32
    wrong = np.intersect1d(roads, np.union1d(missed, invented))
    return _ratio(float(len(roads) - len(wrong)), float(len(roads)))
