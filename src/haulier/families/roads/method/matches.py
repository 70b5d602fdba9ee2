"""The matches of some roads as columns, one row a stretch of one segment."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from haulier.families.roads.method.lines import BoolArray, FloatArray, IntArray

if TYPE_CHECKING:
    from collections.abc import Sequence

# What the confidence model sees of a match, in the order of its columns.
FEATURES: Final = (
    "offset_m",  # mean distance to the segment
    "offset_sigmas",  # the same, in units of the offset between the maps
    "largest_sigmas",  # largest distance of a sample
    "signed_sigmas",  # size of the mean signed distance: high for a parallel line
    "turn",  # mean |cos| of the angle to the segment
    "margin",  # what the next best edge would cost more, per sample
    "log_length",  # of the stretch, log metres
    "log_stretch",  # |log| of segment's way over road's way
    "share",  # of the road that this stretch covers
    "coverage",  # of the road that all its stretches cover
    "log_road",  # length of the road, log metres
    "links",  # 0-2 neighbours along the road reached over a connector
    "loose_end_sigmas",  # gap between the road's drawn end and its matched end, the worse one
    "junction_sigmas",  # gap to where roads that meet this one were matched, the worse end
    "junction_best_sigmas",  # the same, the better end
    "sigma_m",  # offset between the maps
    "claimed",  # share of the stretch that closer roads claim
    "claimed_by_sigmas",  # how much closer they are
)
CLAIMED: Final = FEATURES.index("claimed")
CLAIMED_BY: Final = FEATURES.index("claimed_by_sigmas")
SIGMA: Final = FEATURES.index("sigma_m")


@dataclass(frozen=True, slots=True)
class Matches:
    """Matched stretches, sorted by road and then along it; (r,) each.

    Attributes:
        road: row in the customer's roads.
        segment: row in the reference's segments.
        road_from: fraction of the road, 0-1.
        road_to: fraction of the road, never less than `road_from`.
        segment_from: fraction of the segment, 0-1.
        segment_to: fraction of the segment, never less than `segment_from`.
        forward: True where the road runs along the segment.
        offset_m: mean distance between the two, once the maps are laid on each other.
        signed_m: mean signed distance, left of the segment positive.
        sequence: place along its road, from 0.
        confidence: probability that the match is right, in percent.
        alone: the same without what other roads claim.
        features: (r, len(FEATURES)) what the confidence is computed from.
        penalty: logit taken off for attributes that disagree.
    """

    road: NDArray[np.int32]
    segment: NDArray[np.int32]
    road_from: FloatArray
    road_to: FloatArray
    segment_from: FloatArray
    segment_to: FloatArray
    forward: BoolArray
    offset_m: NDArray[np.float32]
    signed_m: NDArray[np.float32]
    sequence: NDArray[np.int32]
    confidence: NDArray[np.uint8]
    alone: NDArray[np.uint8]
    features: NDArray[np.float32]
    penalty: NDArray[np.float32]

    def __len__(self) -> int:
        """Count the matches."""
        return len(self.road)


def no_matches() -> Matches:
    """Give an empty table."""
    whole, part = np.zeros(0, np.int32), np.zeros(0)
    single, percent = np.zeros(0, np.float32), np.zeros(0, np.uint8)
    return Matches(
        road=whole,
        segment=whole,
        road_from=part,
        road_to=part,
        segment_from=part,
        segment_to=part,
        forward=np.zeros(0, np.bool_),
        offset_m=single,
        signed_m=single,
        sequence=whole,
        confidence=percent,
        alone=percent,
        features=np.zeros((0, len(FEATURES)), np.float32),
        penalty=single,
    )


def pick(matches: Matches, rows: IntArray | BoolArray) -> Matches:
    """Take some rows of a table, in the order asked for."""
    return replace(matches, **{f.name: getattr(matches, f.name)[rows] for f in fields(matches)})


def join(tables: Sequence[Matches]) -> Matches:
    """Put tables one after another; rows keep the codes they have."""
    if not tables:
        return no_matches()
    columns = {
        f.name: np.concatenate([getattr(t, f.name) for t in tables]) for f in fields(Matches)
    }
    return Matches(**columns)
