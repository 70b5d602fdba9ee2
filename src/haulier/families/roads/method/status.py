"""What became of each road: matched in full, in part or not at all, and why not."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Final

import numpy as np

from haulier.families.roads.method.settings import THRESHOLD

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from haulier.families.roads.method.lines import BoolArray, FloatArray
    from haulier.families.roads.method.matches import Matches

FULL_COVERAGE: Final = 0.9
PARTIAL_COVERAGE: Final = 0.1
NEARLY_M: Final = 10.0  # a short road may miss this much and still be matched in full
NEARLY_COVERAGE: Final = 0.5


class Status(IntEnum):
    """How much of a road was matched."""

    UNMATCHED = 0
    PARTIAL = 1
    FULL = 2


class Reason(IntEnum):
    """Why a road is unmatched."""

    MATCHED = 0
    NO_CANDIDATE = 1
    BELOW_THRESHOLD = 2
    COMPETITION = 3
    NOT_NAVIGABLE = 4
    TOO_LITTLE = 5


@dataclass(frozen=True, slots=True)
class RoadStatus:
    """One row a road; (m,) each.

    Attributes:
        status: codes of Status.
        coverage: share of the road with a match that counts, 0-1.
        n_segments: segments among the matches that count.
        best_confidence: percent, over all its matches; 0 without one.
        reason: codes of Reason.
    """

    status: NDArray[np.uint8]
    coverage: FloatArray
    n_segments: NDArray[np.int32]
    best_confidence: NDArray[np.uint8]
    reason: NDArray[np.uint8]


def road_status(
    n_roads: int,
    road_length_m: FloatArray,
    matches: Matches,
    threshold: int = THRESHOLD,
    navigable: BoolArray | None = None,
) -> RoadStatus:
    """Sum up the matches of each road.

    Args:
        n_roads: m.
        road_length_m: (m,) metres.
        matches: of these roads, in any order.
        threshold: confidence from which a match counts, percent.
        navigable: (m,) False where a road was not to be matched; all were, if None.

    Returns:
        One row a road. Full is a coverage of 90 %, or all but 10 m of at least half the road;
        partial is 10 %.
    """
    counts = matches.confidence >= threshold
    road = matches.road
    covered = np.where(counts, matches.road_to - matches.road_from, 0.0)
    coverage = np.minimum(np.bincount(road, weights=covered, minlength=n_roads), 1.0)
    best, alone = np.zeros(n_roads, np.uint8), np.zeros(n_roads, np.uint8)
    np.maximum.at(best, road, matches.confidence)
    np.maximum.at(alone, road, matches.alone)
    pairs = np.unique(np.stack([road[counts], matches.segment[counts]], axis=1), axis=0)
    nearly = (1.0 - coverage) * road_length_m < NEARLY_M
    full = (coverage >= FULL_COVERAGE) | (nearly & (coverage >= NEARLY_COVERAGE))
    partly = np.where(coverage >= PARTIAL_COVERAGE, Status.PARTIAL, Status.UNMATCHED)
    status = np.where(full, Status.FULL, partly)
    usable = np.ones(n_roads, np.bool_) if navigable is None else navigable
    reasons = (
        (status != Status.UNMATCHED, Reason.MATCHED),
        (~usable, Reason.NOT_NAVIGABLE),
        (np.bincount(road, minlength=n_roads) == 0, Reason.NO_CANDIDATE),
        (best >= threshold, Reason.TOO_LITTLE),
        (alone >= threshold, Reason.COMPETITION),
    )
    return RoadStatus(
        status.astype(np.uint8),
        coverage,
        np.bincount(pairs[:, 0], minlength=n_roads).astype(np.int32),
        best,
        np.select(
            [holds for holds, _ in reasons],
            [int(reason) for _, reason in reasons],
            int(Reason.BELOW_THRESHOLD),
        ).astype(np.uint8),
    )
