"""Samples in leaves: neighbours stand together, so that leaves out of reach are passed over."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from haulier.families.geostat.method.rotation import FloatArray

IntArray = NDArray[np.int64]

#: A leaf's distances fit into the first cache, and its samples into one chunk of work.
LEAF_SIZE: Final = 128
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
