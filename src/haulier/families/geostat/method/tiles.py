"""Find the neighbours of many targets: targets that lie together share their candidates."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from haulier.families.geostat.method.choice import nearest, nearest_allowed
from haulier.families.geostat.method.neighbourhood import OCTANTS, QUADRANTS, Limits
from haulier.families.geostat.method.rotation import FloatArray
from haulier.families.geostat.method.samples import IntArray
from haulier.families.geostat.method.tree import Tree
from haulier.families.kernels import kernel

#: At most so many targets share candidates.
TILE: Final = 64
#: A tile's diagonal over the radius searched: beyond it most candidates are too far for most.
SKEW: Final = 1.0
#: How much further a search looks than the last one had to, and than it looked in vain.
MARGIN: Final = 1.05
GROWTH: Final = 1.4
#: Farther than any squared radius: of candidates that may not be used.
FAR: Final = 1e300
#: Distances that differ by less than this fraction count as equal in `equidistant`.
CLOSE: Final = 1e-12


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


class Aims(NamedTuple):
    """Targets as a search takes them.

    Attributes:
        tree: over the targets in ellipsoid space.
        sphered: (m, 3) coordinates in ellipsoid space.
        left_out: (m,) the fold that a target may not use; none of the folds, where it may use all.
    """

    tree: Tree
    sphered: FloatArray
    left_out: IntArray


class Neighbours(NamedTuple):
    """The neighbours of targets.

    Attributes:
        positions: (m, k) positions of samples, rising; only the first `counts` mean anything.
        counts: (m,) how many neighbours each target has.
        equidistant: (m,) samples that the limit kept out, as far as the farthest neighbour.
        empty_octants: (m,) octants without a neighbour.
        empty_quadrants: (m,).
    """

    positions: IntArray
    counts: IntArray
    equidistant: IntArray
    empty_octants: IntArray
    empty_quadrants: IntArray


class Near(NamedTuple):
    """What a tile's targets choose from: candidates, and room to compute in.

    Attributes:
        positions: (c,) of samples, rising.
        ranks: (c,) sample numbers.
        offsets: (3, c) where they are; then, of one target, seen from there.
        squares: (c,) distances.
        sectors: (c,) octants.
        holes: (c,) drillholes.
        chosen: (c,).
    """

    positions: IntArray
    ranks: IntArray
    places: FloatArray
    squares: FloatArray
    sectors: IntArray
    holes: IntArray
    chosen: IntArray


@kernel
def find_neighbours(placed: Placed, aims: Aims, limits: Limits, thorough: bool) -> Neighbours:
    """Find the neighbours of every target.

    Which targets share a tile, and how far a tile looks, follow from the other targets; which
    samples are found does not: every target checks that all nearer samples were candidates.

    Args:
        placed: samples.
        aims: targets.
        limits: of the neighbourhood.
        thorough: whether equidistant samples and empty sectors are counted; else they are 0.
    """
    m = len(aims.sphered)
    out = Neighbours(
        np.empty((m, min(limits.max_samples, len(placed.holes))), np.int64),
        np.zeros(m, np.int64),
        np.zeros(m, np.int64),
        np.zeros(m, np.int64),
        np.zeros(m, np.int64),
    )
    tree = aims.tree
    reach, guess = _first_reach(placed, limits), 0.0
    box = 0
    while box < len(tree.begins):
        if not _makes_tile(tree, box, reach):
            box += 1
            continue
        reach, guess = _search_tile(placed, aims, limits, thorough, box, reach, guess, out)
        box = tree.behind[box]
    return out


@kernel
def _first_reach(placed: Placed, limits: Limits) -> float:
    """Guess the radius that holds enough samples, as if they were spread evenly."""
    tree = placed.tree
    wanted = min(1.0, limits.max_samples / len(placed.holes))
    longest = 0.0
    for axis in range(3):
        longest = max(longest, tree.highs[0, axis] - tree.lows[0, axis])
    return min(1.0, max(1e-6, 0.5 * longest * wanted ** (1.0 / 3.0)))


@kernel
def _makes_tile(tree: Tree, box: int, reach: float) -> bool:
    """Say whether the targets of a box are few and near enough to share candidates."""
    if tree.behind[box] == box + 1:  # a leaf: where places are equal, a side is zero
        return True
    if tree.ends[box] - tree.begins[box] > TILE:
        return False
    square = 0.0
    for axis in range(3):
        side = tree.highs[box, axis] - tree.lows[box, axis]
        square += side * side
    return square <= (SKEW * reach) ** 2


@kernel
def _search_tile(
    placed: Placed,
    aims: Aims,
    limits: Limits,
    thorough: bool,
    box: int,
    reach: float,
    guess: float,
    out: Neighbours,
) -> tuple[float, float]:
    """Find the neighbours of a box's targets; gives the radius they needed, and its square's guess.

    The radius grows until each target has all it may have, or has seen its whole ellipsoid.
    """
    tree = aims.tree
    reach = min(1.0, reach)
    while True:
        near = _candidates(placed, tree.lows[box], tree.highs[box], reach)
        limit = reach * reach if reach < 1.0 else 1.0
        needed, complete = 0.0, True
        for position in range(tree.begins[box], tree.ends[box]):
            target = tree.order[position]
            _look_from(placed, aims, target, near, limits.limited or thorough)
            if limits.limited:
                taken = nearest_allowed(
                    near.squares,
                    near.ranks,
                    near.sectors,
                    near.holes,
                    len(near.positions),
                    limit,
                    limits,
                    near.chosen,
                )
            else:
                taken, guess = nearest(
                    near.squares,
                    near.ranks,
                    len(near.positions),
                    limits.max_samples,
                    limit,
                    guess,
                    near.chosen,
                )
            complete = complete and (taken == limits.max_samples or reach >= 1.0)
            if not complete:
                break
            needed = max(needed, _keep(near, taken, target, limits, thorough, out))
        if complete:
            # A whole ellipsoid may have been seen for one poor target: look less far next time.
            wanted = MARGIN * np.sqrt(needed)
            return (wanted if wanted > 0.0 else reach), guess
        reach = min(1.0, GROWTH * reach)


@kernel
def _candidates(placed: Placed, low: FloatArray, high: FloatArray, reach: float) -> Near:
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
def _look_from(placed: Placed, aims: Aims, target: int, near: Near, sectors: bool) -> None:
    """Measure from a target to every candidate, and say in which octant each lies."""
    x, y, z = aims.sphered[target, 0], aims.sphered[target, 1], aims.sphered[target, 2]
    xs, ys, zs = near.places[0], near.places[1], near.places[2]
    for j in range(len(near.squares)):
        u, v, w = xs[j] - x, ys[j] - y, zs[j] - z
        near.squares[j] = u * u + v * v + w * w
    if sectors:
        for j in range(len(near.squares)):
            east, north, up = xs[j] >= x, ys[j] >= y, zs[j] >= z
            near.sectors[j] = int(east) + 2 * int(north) + 4 * int(up)
    left_out = aims.left_out[target]
    if left_out >= 0:
        for j in range(len(near.squares)):
            if placed.folds[near.positions[j]] == left_out:
                near.squares[j] = FAR


@kernel
def _keep(
    near: Near, taken: int, target: int, limits: Limits, thorough: bool, out: Neighbours
) -> float:
    """Write what a target has chosen; gives the square of its farthest neighbour's distance."""
    out.counts[target] = taken
    farthest = 0.0
    for i in range(taken):
        mine = near.chosen[i]
        out.positions[target, i] = near.positions[mine]
        farthest = max(farthest, near.squares[mine])
    if thorough:
        _count_sectors(near, taken, target, out)
        out.equidistant[target] = 0
        if taken == limits.max_samples:
            out.equidistant[target] = _count_equal(near, taken, farthest)
    return farthest


@kernel
def _count_sectors(near: Near, taken: int, target: int, out: Neighbours) -> None:
    octants, quadrants = 0, 0
    for i in range(taken):
        octants |= 1 << near.sectors[near.chosen[i]]
        quadrants |= 1 << (near.sectors[near.chosen[i]] % QUADRANTS)
    out.empty_octants[target] = OCTANTS
    for octant in range(OCTANTS):
        out.empty_octants[target] -= (octants >> octant) & 1
    out.empty_quadrants[target] = QUADRANTS
    for quadrant in range(QUADRANTS):
        out.empty_quadrants[target] -= (quadrants >> quadrant) & 1


@kernel
def _count_equal(near: Near, taken: int, farthest: float) -> int:
    """Count candidates as far as the farthest that was chosen, which were not."""
    low, high = farthest * (1.0 - CLOSE), farthest * (1.0 + CLOSE)
    equal = 0
    for j in range(len(near.squares)):
        if low <= near.squares[j] <= high:
            equal += 1
    for i in range(taken):
        if near.squares[near.chosen[i]] >= low:
            equal -= 1
    return equal
