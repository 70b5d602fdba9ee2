"""Bins: the cells of an octree that are worked on one by one, each small enough for memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from haulier.families.clouds.method.octree import Int64Array


@dataclass(frozen=True)
class Bin:
    """One cell, and how much is in it.

    Attributes:
        depth: of the cell.
        first: the first of its cells at the depth that was counted, relative to the whole.
        last: the one behind its last.
        points: how many points it has, at least one.
    """

    depth: int
    first: int
    last: int
    points: int


def plan_bins(counts: Int64Array, top_depth: int, points_max: int) -> list[Bin]:
    """Give the largest cells that have no more points than asked for, in Morton order.

    Args:
        counts: (8**k,) points of each cell at depth `top_depth + k`, in Morton order.
        top_depth: the depth of the cell that all of these make up.
        points_max: a cell with more is divided, unless it is one of those that were counted.
    """
    before = np.concatenate([[0], np.cumsum(counts)])
    levels = (len(counts).bit_length() - 1) // 3
    return list(_divide(before, 0, 0, (top_depth, levels, points_max)))


def _divide(
    before: Int64Array, level: int, cell: int, wanted: tuple[int, int, int]
) -> Iterator[Bin]:
    top_depth, levels, points_max = wanted
    size = 1 << 3 * (levels - level)
    points = int(before[(cell + 1) * size] - before[cell * size])
    if not points:
        return
    if points <= points_max or level == levels:
        yield Bin(top_depth + level, cell * size, (cell + 1) * size, points)
        return
    for octant in range(8):
        yield from _divide(before, level + 1, 8 * cell + octant, wanted)


def group(weights: Sequence[int], weight_max: int) -> list[tuple[int, int]]:
    """Give runs of neighbours, each as heavy as it may be; one that is too heavy stays alone.

    Returns:
        (first, last) of each run, the last one not in it.
    """
    runs: list[tuple[int, int]] = []
    first, weight = 0, 0
    for index, each in enumerate(weights):
        if index > first and weight + each > weight_max:
            runs.append((first, index))
            first, weight = index, 0
        weight += each
    if len(weights) > first:
        runs.append((first, len(weights)))
    return runs
