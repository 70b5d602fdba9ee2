"""Find the neighbours of many targets: targets that lie together share their candidates."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from haulier.families.geostat.method.candidates import (
    Near,
    Placed,
    find_candidates,
    leave_out,
    measure_from,
    sort_by_octant,
)
from haulier.families.geostat.method.choice import MANY_TIES, nearest, nearest_allowed
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
#: Distances that differ by less than this fraction count as equal in `equidistant`.
CLOSE: Final = 1e-12


class Aims(NamedTuple):
    """Targets as a search takes them.

    Attributes:
        tree: over the targets in ellipsoid space.
        sphered: (m, 3) coordinates in ellipsoid space.
        left_out: (m,) the fold that a target may not use; negative where it may use all.
        thorough: whether equidistant samples and empty sectors are counted; else they are 0.
    """

    tree: Tree
    sphered: FloatArray
    left_out: IntArray
    thorough: bool


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


@kernel
def find_neighbours(placed: Placed, aims: Aims, limits: Limits) -> Neighbours:
    """Find the neighbours of every target.

    Which targets share a tile, and how far a tile looks, follow from the other targets; which
    samples are found does not: every target checks that all nearer samples were candidates.

    Args:
        placed: samples.
        aims: targets.
        limits: of the neighbourhood.
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
        reach, guess = _search_tile(placed, aims, limits, box, reach, guess, out)
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
    return float(min(1.0, max(1e-6, 0.5 * longest * wanted ** (1.0 / 3.0))))


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
        near = find_candidates(placed, tree.lows[box], tree.highs[box], reach)
        limit = reach * reach if reach < 1.0 else 1.0
        needed, complete = 0.0, True
        for position in range(tree.begins[box], tree.ends[box]):
            target = tree.order[position]
            here = aims.sphered[target]
            measure_from(near.places, here, near.squares)
            if limits.limited or aims.thorough:
                sort_by_octant(near.places, here, near.sectors)
            if aims.left_out[target] >= 0:
                leave_out(placed.folds, near.positions, aims.left_out[target], near.squares)
            taken, guess = _choose(near, limits, limit, guess)
            complete = complete and (taken == limits.max_samples or reach >= 1.0)
            if not complete:
                break
            farthest = _keep(near, taken, out.positions[target])
            needed = max(needed, farthest)
            out.counts[target] = taken
            if aims.thorough:
                _count_sectors(near, taken, target, out)
                full = taken == limits.max_samples
                out.equidistant[target] = _count_equal(near, taken, farthest) if full else 0
        if complete:
            # A whole ellipsoid may have been seen for one poor target: look less far next time.
            wanted = MARGIN * np.sqrt(needed)
            return (wanted if wanted > 0.0 else reach), guess
        reach = min(1.0, GROWTH * reach)


@kernel
def _choose(near: Near, limits: Limits, limit: float, guess: float) -> tuple[int, float]:
    """Choose a target's neighbours; gives their number, and a squared radius to guess next."""
    if not limits.limited:
        taken, guess = nearest(
            near.squares, near.ranks, limits.max_samples, limit, guess, near.chosen
        )
        if taken != MANY_TIES:
            return taken, guess
    allowed = nearest_allowed(
        near.squares, near.ranks, near.sectors, near.holes, limit, limits, near.chosen
    )
    return allowed, guess


@kernel
def _keep(near: Near, taken: int, positions: IntArray) -> float:
    """Write what a target has chosen; gives the square of its farthest neighbour's distance."""
    farthest = 0.0
    for i in range(taken):
        mine = near.chosen[i]
        positions[i] = near.positions[mine]
        farthest = max(farthest, near.squares[mine])
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
