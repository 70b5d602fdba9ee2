"""Declustering: how much of the ground each sample stands for."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Final

import numpy as np
from numpy.typing import NDArray

from haulier.families.geostat.method.rotation import FloatArray
from haulier.families.geostat.method.search import Index, find
from haulier.families.kernels import kernel

#: Influences are counted in whole units of this, so that sums come out alike in any order and for
#: any number of parts; 2^31 grid nodes are as many as one sample can win without overflow.
UNIT: Final = 2.0**-32


def influence(index: Index, nodes: FloatArray, *, power: float | None) -> NDArray[np.int64]:
    """Count how much of some nodes of a grid each sample wins.

    Every node is worth one, and is shared among the samples of its neighbourhood as they would
    weigh in an estimate there: by inverse distance to a power, or equally. Nodes where the
    neighbourhood allows no estimate are worth nothing. The counts of parts of a grid may be added
    in any order, and give the same sum to the bit.

    Args:
        index: of the n samples, as `search.index_samples` gives it.
        nodes: (m, 3) metres.
        power: of the inverse distance, in the space of the ellipsoid; None for equal shares.

    Returns:
        (n,) in units of `UNIT`.

    Raises:
        ValueError: the power is not positive.

    Source:
        The weights of an estimator, summed over a grid: Isaaks & Srivastava (1989), An
        Introduction to Applied Geostatistics, ch. 10, with other estimators than the polygonal.
    """
    if power is not None and not 0.0 < power < np.inf:
        raise ValueError(f"power must be positive, got {power}")
    found = find(index, nodes)
    counts = np.where(found.accepted, found.counts, 0)
    won = np.zeros(len(index.order), dtype=np.int64)
    share_nodes(found.numbers, counts, found.distances, power or 0.0, won)
    return won


@kernel
def share_nodes(
    numbers: NDArray[np.int64],
    counts: NDArray[np.int64],
    distances: FloatArray,
    power: float,
    won: NDArray[np.int64],
) -> None:
    """Add to (n,) what (m, k) neighbours win of m nodes; power 0 means equal shares."""
    for node in range(len(counts)):
        k = counts[node]
        # relative to the nearest, so that no power overflows; those at the node itself win it all
        nearest = distances[node, 0] if k > 0 else 0.0
        total = 0.0
        for j in range(k):
            total += _weight(distances[node, j], nearest, power)
        for j in range(k):
            share = _weight(distances[node, j], nearest, power) / total
            won[numbers[node, j]] += np.int64(np.rint(share / UNIT))


@kernel
def _weight(distance: float, nearest: float, power: float) -> float:
    if power == 0.0 or distance == nearest:
        return 1.0
    return float((nearest / distance) ** power)


def declustering_weights(won: NDArray[np.int64]) -> FloatArray:
    """Give weights that sum to one, of the (n,) influence over a whole grid.

    A sample that is nobody's neighbour has weight zero.

    Raises:
        ValueError: no node of the grid has a sample in its neighbourhood.
    """
    if not np.any(won > 0):
        raise ValueError("no node of the grid has enough samples in its neighbourhood")
    shares = won.astype(np.float64)
    return np.asarray(shares / shares.sum())


def cell_weights(places: FloatArray, cell_m: FloatArray, offsets: int = 5) -> FloatArray:
    """Give weights that sum to one: samples of one cell share what the cell stands for.

    Cells that hold samples count alike. The mean is taken over `offsets` origins along each axis.

    Args:
        places: (n, 3) metres.
        cell_m: (3,) metres, all positive.
        offsets: how many origins along each axis, 1 or more.

    Raises:
        ValueError: a size of cells or the number of origins is not positive.

    Source:
        Deutsch & Journel (1998), GSLIB, section VI.2.1 (declus); Journel (1983).
    """
    if not np.all(cell_m > 0) or offsets < 1:
        raise ValueError(f"cells and origins must be positive, got {cell_m.tolist()}, {offsets}")
    total = np.zeros(len(places))
    for shift in _shifts(offsets):
        cells = np.floor((places - places.min(axis=0)) / cell_m + shift)
        _, place, counts = np.unique(cells, axis=0, return_inverse=True, return_counts=True)
        total += 1.0 / (counts[place.reshape(-1)] * len(counts))
    return np.asarray(total / total.sum())


def _shifts(offsets: int) -> Iterator[FloatArray]:
    steps = np.arange(offsets, dtype=np.float64) / offsets
    return (np.array(each) for each in product(steps, repeat=3))
