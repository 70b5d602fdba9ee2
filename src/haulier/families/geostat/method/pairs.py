"""The pairs of samples: go over each once, and sum it up in the lag it belongs to."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from haulier.families.geostat.method.lags import Form
from haulier.families.geostat.method.rotation import FloatArray
from haulier.families.kernels import kernel

IntArray = NDArray[np.int64]

#: What is summed up of a pair of values.
SQUARE: Final = 0
ROOT: Final = 1
ABSOLUTE: Final = 2
PRODUCT: Final = 3

#: A leaf's distances fit into the first cache, and its samples into one chunk of work.
LEAF_SIZE: Final = 128
#: Steps of the table that finds intervals.
TABLE_SIZE: Final = 1024
#: How many sums each lag has: weights, distances, and three of values.
TERMS: Final = 5
FORMS: Final = {Form.OMNIDIRECTIONAL: 0, Form.DIRECTIONAL: 1, Form.DOWNHOLE: 2}
DIRECTIONAL: Final = 1
DOWNHOLE: Final = 2

# Columns of a direction's limits.
EAST: Final = 0  # of the azimuth, as a horizontal vector of length 1
NORTH: Final = 1
FLAT: Final = 2  # cosine of the dip
DOWN: Final = 3  # sine of the dip
AZIMUTH_COSINE: Final = 4  # of the tolerance
DIP_COSINE: Final = 5
BANDWIDTH: Final = 6
BANDHEIGHT: Final = 7
CONE: Final = 8

#: What misses a limit by less than this share of the distance lies on it, but for rounding.
SLACK: Final = 1e-14


class Samples(NamedTuple):
    """Samples as kernels take them; n of each.

    Attributes:
        places: (3, n) metres.
        values: (n,).
        weights: (n,).
        holes: (n,).
    """

    places: FloatArray
    values: FloatArray
    weights: FloatArray
    holes: IntArray


class Leaves(NamedTuple):
    """Groups of neighbouring samples that stand together; c of them.

    Attributes:
        first: (c + 1,) where each begins, and n.
        low: (c, 3) the least coordinates in it, metres.
        high: (c, 3) the greatest.
    """

    first: IntArray
    low: FloatArray
    high: FloatArray

    def near(self, leaf: int, reach_m: float) -> IntArray:
        """Give the leaves from `leaf` on that may hold a sample within reach of one of its own."""
        gap = np.maximum(self.low[leaf:] - self.high[leaf], self.low[leaf] - self.high[leaf:])
        apart = np.sqrt(np.sum(np.maximum(gap, 0.0) ** 2, axis=1))
        return leaf + np.flatnonzero(apart <= reach_m * (1.0 + SLACK))


def leafed(samples: Samples) -> tuple[Samples, Leaves]:
    """Put neighbouring samples together, by halving them along the axis of greatest spread.

    Source:
        Bentley (1975), Multidimensional binary search trees, Communications of the ACM 18(9).
    """
    whole = np.arange(samples.places.shape[1])
    groups, stack = [], [whole]
    while stack:
        group = stack.pop()
        if len(group) <= LEAF_SIZE:
            groups.append(group)
            continue
        places = samples.places[:, group]
        along = places[int(np.argmax(np.ptp(places, axis=1)))]
        order = group[np.argsort(along, kind="stable")]
        stack += [order[len(order) // 2 :], order[: len(order) // 2]]
    order = np.concatenate(groups)
    places = np.ascontiguousarray(samples.places[:, order])
    first = np.cumsum([0, *(len(each) for each in groups)])
    low = np.minimum.reduceat(places, first[:-1], axis=1).T
    high = np.maximum.reduceat(places, first[:-1], axis=1).T
    ordered = Samples(places, samples.values[order], samples.weights[order], samples.holes[order])
    return ordered, Leaves(first.astype(np.int64), low, high)


class Bins(NamedTuple):
    """The intervals between k + 1 edges, and a table to find the one a distance falls into.

    Attributes:
        edges: (k + 1,) metres, rising.
        table: (TABLE_SIZE + 1,) the interval to begin looking from, by distance over step.
        per_metre: one over the step of the table.
    """

    edges: FloatArray
    table: IntArray
    per_metre: float


def binned(edges: FloatArray) -> Bins:
    """Make the table of rising edges, in metres."""
    step = float(edges[-1]) / TABLE_SIZE
    begins = step * np.maximum(np.arange(TABLE_SIZE + 1) - 1.0, 0.0)  # a step early, for rounding
    table = np.maximum(np.searchsorted(edges, begins, side="left") - 1, 0)
    return Bins(edges, table.astype(np.int64), 1.0 / step)


@kernel
def accumulate(  # noqa: PLR0917 -- arrays one by one: out of tuples they are three times slower
    places: FloatArray,
    values: FloatArray,
    weights: FloatArray,
    holes: IntArray,
    first: IntArray,
    leaf: int,
    near: IntArray,
    edges: FloatArray,
    table: IntArray,
    per_metre: float,
    forms: IntArray,
    limits: FloatArray,
    measure: int,
    pairs: IntArray,
    terms: FloatArray,
) -> None:
    """Add the pairs of one leaf's samples, with later ones of its own and all of other leaves.

    Args:
        places: (3, n) metres, in the order of leaves.
        values: (n,) with a mean near zero.
        weights: (n,).
        holes: (n,).
        first: (c + 1,) where each leaf begins.
        leaf: which.
        near: the leaves to pair it with, from itself on.
        edges: (k + 1,) with table and per_metre as in `Bins`.
        table: (TABLE_SIZE + 1,).
        per_metre: one number.
        forms: (d,) of `FORMS`.
        limits: (d, 9), as the columns above say.
        measure: what is summed up of values.
        pairs: (d, k) to be added to.
        terms: (d, k, 5) to be added to: weights, and by them distances and what is measured.
    """
    distances = np.empty(LEAF_SIZE)
    longest = edges[-1]
    for other in near:
        for i in range(first[leaf], first[leaf + 1]):
            begin = i + 1 if other == leaf else first[other]
            end = first[other + 1]
            _measure_distances(places, i, begin, end, distances)
            for j in range(begin, end):
                distance = distances[j - begin]
                if distance > longest:
                    continue
                k = _interval(edges, table, per_metre, distance)
                if k < 0:
                    continue
                weight = weights[i] * weights[j]
                same_hole = holes[i] == holes[j]
                a, b, c = _measured(measure, values[i], values[j])
                for d in range(len(forms)):
                    if _belongs(places, i, j, distance, forms, limits, d, same_hole):
                        pairs[d, k] += 1
                        terms[d, k, 0] += weight
                        terms[d, k, 1] += weight * distance
                        terms[d, k, 2] += weight * a
                        terms[d, k, 3] += weight * b
                        terms[d, k, 4] += weight * c


@kernel
def _measure_distances(
    places: FloatArray, i: int, begin: int, end: int, distances: FloatArray
) -> None:
    """Write how far samples from begin to end are from i; by itself it is done in vectors."""
    xs, ys, zs = places[0], places[1], places[2]
    for j in range(end - begin):
        east, north, up = xs[begin + j] - xs[i], ys[begin + j] - ys[i], zs[begin + j] - zs[i]
        distances[j] = math.sqrt(east * east + north * north + up * up)


@kernel
def _interval(edges: FloatArray, table: IntArray, per_metre: float, distance: float) -> int:
    """Give k with edges[k] < distance <= edges[k + 1], or -1; of 0 the one that begins there."""
    if distance <= edges[0]:
        return 0 if distance == 0.0 and edges[0] == 0.0 else -1
    k = table[int(distance * per_metre)]
    while distance > edges[k + 1]:
        k += 1
    return int(k)


@kernel
def _belongs(  # noqa: PLR0917 -- as above
    places: FloatArray,
    i: int,
    j: int,
    distance: float,
    forms: IntArray,
    limits: FloatArray,
    d: int,
    same_hole: bool,  # noqa: FBT001 -- numba calls by position
) -> bool:
    """Tell whether a direction takes a pair."""
    if forms[d] == DOWNHOLE:
        return same_hole
    if forms[d] != DIRECTIONAL:
        return True
    east, north = places[0, j] - places[0, i], places[1, j] - places[1, i]
    return within(limits, d, east, north, places[2, i] - places[2, j], distance)


@kernel
def _measured(measure: int, one: float, other: float) -> tuple[float, float, float]:
    """Give the three terms of a pair; both ends count alike."""
    if measure == PRODUCT:
        return one * other, 0.5 * (one + other), 0.5 * (one * one + other * other)
    step = abs(one - other)
    if measure == SQUARE:
        return step * step, 0.0, 0.0
    if measure == ROOT:
        return math.sqrt(step), 0.0, 0.0
    return step, 0.0, 0.0


@kernel
def within(
    limits: FloatArray, d: int, east: float, north: float, down: float, distance: float
) -> bool:
    """Tell whether a pair is within the tolerances and bands of a direction.

    Args:
        limits: (d, 9) as the columns above say.
        d: which direction.
        east: from one sample to the other, in metres.
        north: in metres.
        down: in metres.
        distance: the length of the three.
    """
    slack = SLACK * distance
    along = east * limits[d, EAST] + north * limits[d, NORTH]
    aside = abs(east * limits[d, NORTH] - north * limits[d, EAST])
    flat = along
    if limits[d, CONE] == 0.0:
        horizontal = math.sqrt(east * east + north * north)
        if abs(along) < limits[d, AZIMUTH_COSINE] * horizontal - slack:
            return False
        # A pair square to the azimuth may be turned to it either way: take the nearer one.
        facing = along if abs(along) > slack else down * limits[d, DOWN]
        flat = math.copysign(horizontal, facing)
    ahead = abs(flat * limits[d, FLAT] + down * limits[d, DOWN])
    above = abs(down * limits[d, FLAT] - flat * limits[d, DOWN])
    return bool(
        ahead >= limits[d, DIP_COSINE] * distance - slack
        and aside <= limits[d, BANDWIDTH] + slack
        and above <= limits[d, BANDHEIGHT] + slack
    )
