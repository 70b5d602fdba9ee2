"""The pairs of samples: go over each once, and sum it up in the lag it belongs to."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np

from haulier.families.geostat.method.lags import Form
from haulier.families.geostat.method.leaves import LEAF_SIZE, SLACK, IntArray
from haulier.families.geostat.method.rotation import FloatArray
from haulier.families.kernels import kernel

#: What is summed up of a pair of values.
SQUARE: Final = 0
ROOT: Final = 1
ABSOLUTE: Final = 2
PRODUCT: Final = 3

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
    distances, intervals = np.empty(LEAF_SIZE), np.empty(LEAF_SIZE, dtype=np.int64)
    for other in near:
        for i in range(first[leaf], first[leaf + 1]):
            begin = i + 1 if other == leaf else first[other]
            end = first[other + 1]
            _measure_distances(places, i, begin, end, distances)
            _find_intervals(edges, table, per_metre, distances[: end - begin], intervals)
            for d in range(len(forms)):
                _add_pairs(
                    places,
                    values,
                    weights,
                    holes,
                    i,
                    begin,
                    end,
                    distances,
                    intervals,
                    forms[d],
                    limits[d],
                    measure,
                    pairs[d],
                    terms[d],
                )


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
def _find_intervals(
    edges: FloatArray,
    table: IntArray,
    per_metre: float,
    distances: FloatArray,
    intervals: IntArray,
) -> None:
    """Write k with edges[k] < distance <= edges[k + 1], or -1; of 0 the one that begins there."""
    shortest, longest = edges[0], edges[-1]
    for j in range(len(distances)):
        distance = distances[j]
        intervals[j] = -1
        if distance > shortest and distance <= longest:
            k = table[int(distance * per_metre)]
            while distance > edges[k + 1]:
                k += 1
            intervals[j] = k
        elif distance == 0.0 and shortest == 0.0:
            intervals[j] = 0


@kernel
def _add_pairs(  # noqa: PLR0917 -- as above
    places: FloatArray,
    values: FloatArray,
    weights: FloatArray,
    holes: IntArray,
    i: int,
    begin: int,
    end: int,
    distances: FloatArray,
    intervals: IntArray,
    form: int,
    limit: FloatArray,
    measure: int,
    pairs: IntArray,
    terms: FloatArray,
) -> None:
    """Add the pairs of one sample with those from begin to end that one direction takes."""
    for j in range(begin, end):
        k, distance = intervals[j - begin], distances[j - begin]
        if k < 0 or (form == DOWNHOLE and holes[i] != holes[j]):
            continue
        if form == DIRECTIONAL:
            east, north = places[0, j] - places[0, i], places[1, j] - places[1, i]
            if not within(limit, east, north, places[2, i] - places[2, j], distance):
                continue
        weight = weights[i] * weights[j]
        a, b, c = _measured(measure, values[i], values[j])
        pairs[k] += 1
        terms[k, 0] += weight
        terms[k, 1] += weight * distance
        terms[k, 2] += weight * a
        terms[k, 3] += weight * b
        terms[k, 4] += weight * c


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
def within(limit: FloatArray, east: float, north: float, down: float, distance: float) -> bool:
    """Tell whether a pair is within the tolerances and bands of a direction.

    Args:
        limit: (9,) as the columns above say.
        east: from one sample to the other, in metres.
        north: in metres.
        down: in metres.
        distance: the length of the three.
    """
    slack = SLACK * distance
    along = east * limit[EAST] + north * limit[NORTH]
    aside = abs(east * limit[NORTH] - north * limit[EAST])
    flat = along
    if limit[CONE] == 0.0:
        horizontal = math.sqrt(east * east + north * north)
        if abs(along) < limit[AZIMUTH_COSINE] * horizontal - slack:
            return False
        # A pair square to the azimuth may be turned to it either way: take the nearer one.
        facing = along if abs(along) > slack else down * limit[DOWN]
        flat = math.copysign(horizontal, facing)
    ahead = abs(flat * limit[FLAT] + down * limit[DOWN])
    above = abs(down * limit[FLAT] - flat * limit[DOWN])
    return bool(
        ahead >= limit[DIP_COSINE] * distance - slack
        and aside <= limit[BANDWIDTH] + slack
        and above <= limit[BANDHEIGHT] + slack
    )
