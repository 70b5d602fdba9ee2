"""Collect the samples that the targets of a tile may choose from, and look at them from each."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from haulier.families.geostat.method.rotation import FloatArray
from haulier.families.geostat.method.samples import IntArray
from haulier.families.geostat.method.tree import Tree
from haulier.families.kernels import kernel

#: Farther than any squared radius: of candidates that may not be used.
FAR: Final = 1e300


class Placed(NamedTuple):
    """Samples as a search takes them, in the order of their tree's positions.

    Attributes:
        tree: over the samples in ellipsoid space.
        sphered: (3, n) coordinates in ellipsoid space.
        holes: (n,) drillhole codes.
        folds: (n,) what cross-validation leaves out together.
    """

    tree: Tree
    sphered: FloatArray
    holes: IntArray
    folds: IntArray


class Near(NamedTuple):
    """What a tile's targets choose from: candidates, and room to compute in.

    Attributes:
        positions: (c,) of samples, rising.
        ranks: (c,) sample numbers.
        places: (3, c) in ellipsoid space.
        squares: (c,) distances of one target.
        sectors: (c,) octants around it.
        holes: (c,) drillholes.
        chosen: (c,) which of them it takes.
    """

    positions: IntArray
    ranks: IntArray
    places: FloatArray
    squares: FloatArray
    sectors: IntArray
    holes: IntArray
    chosen: IntArray


@kernel
def find_candidates(placed: Placed, low: FloatArray, high: FloatArray, reach: float) -> Near:
    """Collect the samples that are within reach of a box of targets."""
    tree, places = placed.tree, placed.sphered
    limit = reach * reach
    room = 128
    positions = np.empty(room, np.int64)
    count, box = 0, 0
    while box < len(tree.begins):
        square = 0.0
        for axis in range(3):
            gap = max(low[axis] - tree.highs[box, axis], 0.0, tree.lows[box, axis] - high[axis])
            square += gap * gap
        if square > limit:
            box = tree.behind[box]
            continue
        if tree.behind[box] != box + 1:
            box += 1
            continue
        begin, end = tree.begins[box], tree.ends[box]
        if count + end - begin > room:
            room = 2 * (count + end - begin)
            grown = np.empty(room, np.int64)
            grown[:count] = positions[:count]
            positions = grown
        for position in range(begin, end):
            square = 0.0
            for axis in range(3):
                place = places[axis, position]
                gap = max(low[axis] - place, 0.0, place - high[axis])
                square += gap * gap
            positions[count] = position
            count += 1 if square <= limit else 0
        box += 1
    return _near(placed, positions[:count])


@kernel
def _near(placed: Placed, positions: IntArray) -> Near:
    count = len(positions)
    near = Near(
        positions,
        np.empty(count, np.int64),
        np.empty((3, count)),
        np.empty(count),
        np.zeros(count, np.int64),
        np.empty(count, np.int64),
        np.empty(count, np.int64),
    )
    for j in range(count):
        position = positions[j]
        near.ranks[j] = placed.tree.order[position]
        near.holes[j] = placed.holes[position]
        for axis in range(3):
            near.places[axis, j] = placed.sphered[axis, position]
    return near


@kernel
def measure_from(places: FloatArray, here: FloatArray, squares: FloatArray) -> None:
    """Square the distances from a target to (3, c) candidates."""
    x, y, z = here[0], here[1], here[2]
    xs, ys, zs = places[0], places[1], places[2]
    for j in range(len(squares)):
        u, v, w = xs[j] - x, ys[j] - y, zs[j] - z
        squares[j] = u * u + v * v + w * w


@kernel
def sort_by_octant(places: FloatArray, here: FloatArray, sectors: IntArray) -> None:
    """Say in which octant around a target each of (3, c) candidates lies."""
    for j in range(len(sectors)):
        sectors[j] = 0
        for axis in range(3):
            sectors[j] += int(places[axis, j] >= here[axis]) << axis


@kernel
def leave_out(folds: IntArray, positions: IntArray, fold: int, squares: FloatArray) -> None:
    """Put the candidates of a fold out of reach."""
    for j in range(len(squares)):
        if folds[positions[j]] == fold:
            squares[j] = FAR
