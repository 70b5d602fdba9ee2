"""How far points are from their nearest neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

#: More points of one X may be points of one place, of which a tree makes one leaf, however many.
MANY: Final = 1000


@dataclass(frozen=True)
class Isolation:
    """What was found of points.

    Attributes:
        distances: (n,) mean distance to the nearest neighbours, in the unit of the places;
            infinite where there are too few others.
        farthest: (n,) distance to the last of these.
        above: (n,) whether it is higher than these are on average.
    """

    distances: FloatArray
    farthest: FloatArray
    above: BoolArray


def isolation_of(places: FloatArray, among: FloatArray, neighbours: int) -> Isolation:
    """Measure how far places are from their nearest neighbours.

    Args:
        places: (n, 3) in any unit u; each is one of `among`.
        among: (m, 3) in u.
        neighbours: how many, a place itself not counted.

    Source:
        Rusu, Marton, Blodow, Dolha & Beetz (2008), Towards 3D point cloud based object maps for
        household environments, section 3.2: statistical outlier removal.
    """
    if not len(places):
        none = np.zeros(0)
        return Isolation(none, none, none.astype(bool))
    among = _few_of_each(among, neighbours + 1)
    origin = among.min(axis=0)
    tree = KDTree(among - origin)
    distances, numbers = tree.query(places - origin, k=neighbours + 1)
    others, others_at = distances[:, 1:], numbers[:, 1:]
    heights = np.append(among[:, 2], np.inf)[others_at]
    finite = np.isfinite(others)
    counts = np.maximum(finite.sum(axis=1), 1)
    around = np.where(finite, heights, 0.0).sum(axis=1) / counts
    return Isolation(others.mean(axis=1), others[:, -1], places[:, 2] >= around)


def _few_of_each(places: FloatArray, most: int) -> FloatArray:
    """Leave out points of one place beyond so many: the nearest ones are among these as well.

    A search would look at all of them for each of them.
    """
    if np.unique(places[:, 0], return_counts=True)[1].max() <= MANY:
        return places
    order = np.lexsort(places.T)
    begins = np.r_[True, (np.diff(places[order], axis=0) != 0).any(axis=1)]
    starts = np.flatnonzero(begins)
    rank = np.arange(len(order)) - starts[np.cumsum(begins) - 1]
    return np.asarray(places[np.sort(order[rank < most])])
