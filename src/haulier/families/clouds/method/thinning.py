"""Choose points of a cloud so that fewer are left, spread as evenly as may be."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from haulier.families.kernels import kernel

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
MIX_ONE = np.uint64(0xBF58476D1CE4E5B9)
MIX_TWO = np.uint64(0x94D049BB133111EB)


def first_of_voxels(places: FloatArray, numbers: IntArray, size: float) -> IntArray:
    """Give the point of the least number in each voxel.

    Args:
        places: (n, 3) in any unit u.
        numbers: (n,) of the points, each once.
        size: edge of a voxel in u; voxels are counted from zero.

    Returns:
        (m,) places among the n, by voxel.
    """
    order, starts = _by_voxel(places, numbers, size)
    return order[starts]


def centres_of_voxels(places: FloatArray, numbers: IntArray, size: float) -> IntArray:
    """Give the point of each voxel that is nearest to the mean of its points.

    Args:
        places: (n, 3) in any unit u.
        numbers: (n,) of the points, each once; of equally near ones, the least is taken.
        size: edge of a voxel in u; voxels are counted from zero.

    Returns:
        (m,) places among the n, by voxel.
    """
    order, starts = _by_voxel(places, numbers, size)
    if not len(order):
        return order
    sorted_places = places[order]
    counts = np.diff(np.r_[starts, len(order)])
    corner = places.min(axis=0)
    means = np.add.reduceat(sorted_places - corner, starts, axis=0) / counts[:, None]
    apart = sorted_places - corner - np.repeat(means, counts, axis=0)
    distances = np.einsum("ij,ij->i", apart, apart)
    least = np.repeat(np.minimum.reduceat(distances, starts), counts)
    nearest = np.flatnonzero(distances == least)
    voxel = np.repeat(np.arange(len(starts)), counts)[nearest]
    first = np.r_[True, np.diff(voxel) != 0]
    return order[nearest[first]]


def _by_voxel(places: FloatArray, numbers: IntArray, size: float) -> tuple[IntArray, IntArray]:
    """Give the points by voxel, then by number; and where each voxel begins."""
    cells = np.floor(places / size).astype(np.int64)
    order = np.lexsort((numbers, cells[:, 2], cells[:, 1], cells[:, 0]))
    changes = (np.diff(cells[order], axis=0) != 0).any(axis=1)
    return order, np.flatnonzero(np.r_[len(order) > 0, changes])


def in_turn(numbers: IntArray) -> IntArray:
    """Give points in an order that looks random, and is the same for the same numbers.

    Args:
        numbers: (n,) of the points, each once.

    Returns:
        (n,) places among the n.

    Source:
        Steele, Lea & Flood (2014), Fast splittable pseudorandom number generators, fig. 14.
    """
    with np.errstate(over="ignore"):
        mixed = (numbers.astype(np.uint64) + np.uint64(1)) * GOLDEN
        mixed = (mixed ^ (mixed >> np.uint64(30))) * MIX_ONE
        mixed = (mixed ^ (mixed >> np.uint64(27))) * MIX_TWO
        mixed ^= mixed >> np.uint64(31)
    return np.lexsort((numbers, mixed))


def far_apart(places: FloatArray, taken: FloatArray, distance: float) -> BoolArray:
    """Take points in their order, each unless one that was taken is nearer than a distance.

    Args:
        places: (n, 3) in the order in which they are looked at, any unit u.
        taken: (m, 3) places that are taken already.
        distance: in u.

    Returns:
        (n,) which are taken: no two of these and of `taken` are nearer to each other, and
        each other point has one of them nearer.

    Source:
        Cook (1986), Stochastic sampling in computer graphics, section 4: dart throwing.
    """
    whole = np.ascontiguousarray(np.concatenate([taken, places]))
    if not len(whole):
        return np.zeros(0, bool)
    whole = whole - whole.min(axis=0)
    size = 1 << max(int(math.log2(len(whole))) + 2, 4)
    return _far_apart(whole, len(taken), distance, size)


@kernel
def _far_apart(places: FloatArray, fixed: int, distance: float, size: int) -> BoolArray:
    """Keep taken points in lists by cell, found by a hash of the cell; cells may share a list."""
    heads = np.full(size, -1, np.int64)
    links = np.full(len(places), -1, np.int64)
    kept = np.zeros(len(places) - fixed, np.bool_)
    squared = distance * distance
    for point in range(len(places)):
        x, y, z = places[point, 0], places[point, 1], places[point, 2]
        column, row, layer = int(x / distance), int(y / distance), int(z / distance)
        free = True
        if point >= fixed:
            for slot in range(27):
                a = column + slot % 3 - 1
                b = row + slot // 3 % 3 - 1
                c = layer + slot // 9 - 1
                key = (a * 73_856_093 ^ b * 19_349_663 ^ c * 83_492_791) & (size - 1)
                other = heads[key]
                while other >= 0 and free:
                    dx, dy, dz = places[other, 0] - x, places[other, 1] - y, places[other, 2] - z
                    free = dx * dx + dy * dy + dz * dz >= squared
                    other = links[other]
                if not free:
                    break
            kept[point - fixed] = free
        if free:
            key = (column * 73_856_093 ^ row * 19_349_663 ^ layer * 83_492_791) & (size - 1)
            links[point] = heads[key]
            heads[key] = point
    return kept


def warm() -> None:
    """Load or compile the kernel."""
    far_apart(np.zeros((2, 3)), np.zeros((0, 3)), 1.0)
