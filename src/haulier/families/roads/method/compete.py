"""Which stretches of a segment are claimed by a closer road, within a tile or across tiles."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from haulier.families.kernels import kernel
from haulier.families.roads.method.matches import CLAIMED, CLAIMED_BY, SIGMA, Matches

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from haulier.families.roads.method.lines import BoolArray, FloatArray

MOST_SIGMAS: Final = 8.0  # how much closer still makes a difference
ALIKE: Final = 0.5  # carriageways beside one centreline lie about equally far from it
APART_SIGMAS: Final = 0.5  # nearer to the centreline than this is on it, not beside it


def compete(matches: Matches, road: NDArray[np.integer], segment: NDArray[np.integer]) -> Matches:
    """Find what share of each match a closer road claims.

    A claim counts in full where the other road is closer by the offset between the maps (one
    sigma) or more, and in part below: two copies of one road hardly hurt each other. Two roads
    on both sides of one segment, digitised against each other and about equally far from it, are
    the carriageways of a road that the reference draws once: neither takes it from the other.

    Run it again over the rows of several tiles for segments that lie in more than one of them,
    then `confidence.with_confidence`.

    Args:
        matches: r rows, of one tile or of several joined.
        road: (r,) codes of the roads, unique over all rows given.
        segment: (r,) codes of the segments, unique over all rows given.

    Returns:
        The matches with the two claim columns of their features renewed.
    """
    if len(matches) == 0:
        return matches
    order = np.lexsort((matches.segment_from, segment))
    codes = np.stack([segment[order], road[order]]).astype(np.int64)
    claimed, closer = _claims(
        codes,
        matches.segment_from[order],
        matches.segment_to[order],
        matches.offset_m[order].astype(np.float64),
        matches.signed_m[order].astype(np.float64),
        matches.forward[order],
        matches.features[order, SIGMA].astype(np.float64),
    )
    features = matches.features.copy()
    features[order, CLAIMED] = claimed
    features[order, CLAIMED_BY] = closer
    return replace(matches, features=features)


@kernel
def _claims(
    codes: NDArray[np.int64],
    low: FloatArray,
    high: FloatArray,
    offset: FloatArray,
    signed: FloatArray,
    forward: BoolArray,
    sigma: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Sum, over the rows of one segment, the overlap with closer rows; rows are sorted."""
    segment, road = codes[0], codes[1]
    n = len(segment)
    claimed, closer = np.zeros(n), np.zeros(n)
    first = 0
    while first < n:
        last = first
        while last < n and segment[last] == segment[first]:
            last += 1
        for i in range(first, last):
            own = high[i] - low[i]
            for j in range(first, last):
                if low[j] >= high[i]:
                    break
                if road[i] == road[j] or offset[j] >= offset[i] or own <= 0.0:
                    continue
                overlap = (min(high[i], high[j]) - max(low[i], low[j])) / own
                if overlap <= 0.0 or _both_sides(i, j, offset, signed, forward, sigma):
                    continue
                nearer = min((offset[i] - offset[j]) / sigma[i], MOST_SIGMAS)
                claimed[i] += overlap * min(nearer, 1.0)
                closer[i] = max(closer[i], nearer * overlap)
            claimed[i] = min(claimed[i], 1.0)
        first = last
    return claimed, closer


@kernel
def _both_sides(
    i: int,
    j: int,
    offset: FloatArray,
    signed: FloatArray,
    forward: BoolArray,
    sigma: FloatArray,
) -> bool:
    """Tell whether two roads are the carriageways on both sides of one centreline."""
    if forward[i] == forward[j] or signed[i] * signed[j] >= 0.0:
        return False
    nearer, farther = abs(signed[j]), abs(signed[i])
    if nearer > farther:
        nearer, farther = farther, nearer
    beside = nearer > APART_SIGMAS * sigma[i] and nearer > ALIKE * offset[j]
    return bool(beside and nearer > ALIKE * farther)
