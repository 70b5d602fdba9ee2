"""Search neighbourhoods: exact, and the same whatever other targets are searched for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from haulier.families.geostat.method.candidates import Placed
from haulier.families.geostat.method.neighbourhood import Neighbourhood
from haulier.families.geostat.method.rotation import FloatArray
from haulier.families.geostat.method.samples import IntArray
from haulier.families.geostat.method.tiles import Aims, Neighbours, find_neighbours
from haulier.families.geostat.method.tree import build
from haulier.families.kernels import kernel

LEAF = 8
NOT_LEFT_OUT = -1


@dataclass(frozen=True, slots=True)
class Index:
    """Samples in ellipsoid space, ready to be searched; made once for all targets.

    Attributes:
        neighbourhood: whose ellipsoid it is.
        origin: (3,) metres: what is subtracted from every coordinate, so that large ones keep
            their digits.
        placed: what kernels search.
    """

    neighbourhood: Neighbourhood
    origin: FloatArray
    placed: Placed

    @property
    def order(self) -> IntArray:
        """Give the (n,) sample number of each position."""
        return np.asarray(self.placed.tree.order)


@dataclass(frozen=True, slots=True)
class Found:
    """The neighbours of targets, nearest first.

    Attributes:
        numbers: (m, k) sample numbers; -1 behind the last neighbour.
        counts: (m,) how many each has.
        distances: (m, k) in ellipsoid space, where the ellipsoid's surface is at 1; NaN behind
            the last neighbour.
        accepted: (m,) whether the neighbourhood allows an estimate: samples enough, and no more
            empty sectors than allowed.
    """

    numbers: IntArray
    counts: IntArray
    distances: FloatArray
    accepted: np.ndarray[tuple[int], np.dtype[np.bool_]]


def index_samples(
    places: FloatArray,
    neighbourhood: Neighbourhood,
    *,
    holes: IntArray | None = None,
    folds: IntArray | None = None,
) -> Index:
    """Bring samples into ellipsoid space, and build the tree that finds them.

    Args:
        places: (n, 3) metres.
        neighbourhood: its ellipsoid.
        holes: (n,) drillhole codes; needed where the neighbourhood limits drillholes.
        folds: (n,) codes, not negative, by which cross-validation leaves samples out.

    Raises:
        ValueError: drillholes are limited but not given, or there are no samples.
    """
    places = np.ascontiguousarray(places, dtype=np.float64)
    if len(places) == 0:
        raise ValueError("places must hold at least one sample, got none")
    if neighbourhood.needs_holes and holes is None:
        raise ValueError("holes must be given where samples are limited by drillhole")
    origin = np.asarray(0.5 * (places.min(axis=0) + places.max(axis=0)))
    sphered = transformed(places, origin, neighbourhood.transform)
    tree = build(sphered, LEAF)
    order = tree.order
    none = np.zeros(len(places), dtype=np.int64)
    codes = [none if each is None else np.asarray(each, dtype=np.int64) for each in (holes, folds)]
    placed = Placed(
        tree,
        np.ascontiguousarray(sphered[order].T),
        np.ascontiguousarray(codes[0][order]),
        np.ascontiguousarray(codes[1][order]),
    )
    return Index(neighbourhood, origin, placed)


@kernel
def transformed(places: FloatArray, origin: FloatArray, transform: FloatArray) -> FloatArray:
    """Give transform @ (place - origin), (n, 3), rounded the same whatever n is."""
    out = np.empty((len(places), 3))
    for i in range(len(places)):
        x, y, z = places[i, 0] - origin[0], places[i, 1] - origin[1], places[i, 2] - origin[2]
        for axis in range(3):
            m = transform[axis]
            out[i, axis] = m[0] * x + m[1] * y + m[2] * z
    return out


def find_positions(
    index: Index, targets: FloatArray, left_out: IntArray | None = None, *, thorough: bool
) -> tuple[IntArray, Neighbours]:
    """Find neighbours as kernels take them.

    Args:
        index: the samples.
        targets: (m, 3) metres.
        left_out: (m,) the fold whose samples a target may not use; negative: it may use all.
        thorough: whether equidistant samples and empty sectors are counted.

    Returns:
        (m,) the targets in the order of their tiles, and the neighbours in the targets' own order.
    """
    targets = np.ascontiguousarray(targets, dtype=np.float64)
    sphered = transformed(targets, index.origin, index.neighbourhood.transform)
    if left_out is None:
        left_out = np.full(len(targets), NOT_LEFT_OUT, dtype=np.int64)
    tree = build(sphered, LEAF)
    aims = Aims(tree, sphered, np.ascontiguousarray(left_out, dtype=np.int64), thorough)
    found = find_neighbours(index.placed, aims, index.neighbourhood.limits())
    return np.asarray(tree.order), found


def accepted(
    neighbourhood: Neighbourhood, found: Neighbours
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Say (m,) which neighbours allow an estimate; empty sectors must have been counted."""
    fine = found.counts >= neighbourhood.min_samples
    for empty, most in (
        (found.empty_octants, neighbourhood.max_empty_octants),
        (found.empty_quadrants, neighbourhood.max_empty_quadrants),
    ):
        if most is not None:
            fine &= empty <= most
    return fine


def find(index: Index, targets: FloatArray, left_out: IntArray | None = None) -> Found:
    """Find the neighbours of targets, nearest first; of equally far ones, by sample number.

    Args:
        index: the samples, of `index_samples`.
        targets: (m, 3) metres.
        left_out: (m,) the fold whose samples a target may not use; negative: it may use all.
    """
    _, neighbours = find_positions(index, targets, left_out, thorough=True)
    sphered = transformed(
        np.ascontiguousarray(targets, dtype=np.float64),
        index.origin,
        index.neighbourhood.transform,
    )
    numbers, distances = by_distance(index.placed, neighbours, sphered)
    return Found(numbers, neighbours.counts, distances, accepted(index.neighbourhood, neighbours))


@kernel
def by_distance(
    placed: Placed, neighbours: Neighbours, sphered: FloatArray
) -> tuple[IntArray, FloatArray]:
    """Order each target's neighbours by distance, then number; gives numbers and distances."""
    m, k = neighbours.positions.shape
    numbers, distances = np.full((m, k), -1), np.full((m, k), np.nan)
    for i in range(m):
        for j in range(neighbours.counts[i]):
            position = neighbours.positions[i, j]
            square = 0.0
            for axis in range(3):
                gap = placed.sphered[axis, position] - sphered[i, axis]
                square += gap * gap
            number, at = placed.tree.order[position], j
            while at > 0 and (
                distances[i, at - 1] > square
                or (distances[i, at - 1] == square and numbers[i, at - 1] > number)
            ):
                distances[i, at], numbers[i, at] = distances[i, at - 1], numbers[i, at - 1]
                at -= 1
            distances[i, at], numbers[i, at] = square, number
        for j in range(neighbours.counts[i]):
            distances[i, j] = np.sqrt(distances[i, j])
    return numbers, distances
