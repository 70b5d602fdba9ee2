"""An additive octree: which node keeps which point, so that each depth shows twice the detail.

The rule, for points in a given order: a node whose cell has more than `leaf_max` points in all is
open, and keeps the first point of each of its `span`³ voxels that no node above it keeps; what is
left goes to its children. A node that is not open is a leaf, and keeps whatever reaches it.

Whether a node is open depends only on how many points its cell has, and what it keeps of a part of
its cell only on that part, as long as the part is made of whole voxels. So the cells of one depth
can be worked on apart from each other, anywhere, and give the octree that all points together give.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from haulier.families.clouds.method.morton import DEPTH, CodeArray
from haulier.families.kernels import kernel

Int32Array = NDArray[np.int32]
Int64Array = NDArray[np.int64]

#: Set in the code of a point that a node above already keeps: it still counts as its cell's.
KEPT: Final = np.uint64(1 << 63)
LEAST_SPAN_BITS: Final = 2  # 64 voxels: the bits of one word
MOST_SPAN_BITS: Final = 9  # 16 MB of bits


@dataclass(frozen=True)
class Rule:
    """What decides an octree.

    Attributes:
        span_bits: a node has 2**span_bits voxels a side.
        leaf_max: more points than that in its cell make a node open.

    Raises:
        ValueError: span_bits is not 2 to 9, or leaf_max not positive.
    """

    span_bits: int
    leaf_max: int

    def __post_init__(self) -> None:
        """Check it."""
        if not LEAST_SPAN_BITS <= self.span_bits <= MOST_SPAN_BITS or self.leaf_max < 1:
            raise ValueError(
                f"span_bits must be {LEAST_SPAN_BITS} to {MOST_SPAN_BITS} and leaf_max positive, "
                f"got {self}"
            )

    @property
    def deepest(self) -> int:
        """Give the depth whose nodes are leaves, whatever they hold: codes tell no more apart."""
        return DEPTH - self.span_bits


@dataclass(frozen=True)
class Nodes:
    """What the nodes of a cell keep, node after node, each above its children, in Morton order.

    Attributes:
        order: (m,) positions of the points, in their order within each node.
        depths: (k,) of each node.
        prefixes: (k,) the first `3 * depth` bits of the codes in each node.
        counts: (k,) how many points each keeps, at least one.
    """

    order: Int32Array
    depths: Int64Array
    prefixes: CodeArray
    counts: Int64Array


def share_out(codes: CodeArray, first_depth: int, cell_depth: int, rule: Rule) -> Nodes:
    """Share the points of one cell out to the nodes on the way to it and below it.

    Args:
        codes: (n,) Morton codes in the order of the points, all in one cell; those with the bit
            `KEPT` are kept by nodes above already.
        first_depth: the nodes above this depth have had their turn.
        cell_depth: of the cell; the nodes above it are open, for they hold other cells too.
        rule: what decides the octree.

    Returns:
        The nodes that keep any of the points; those above `cell_depth` keep more elsewhere.

    Raises:
        ValueError: the cell is no cell below the first depth that is made of whole voxels, or
            there are more points than 32 bits can count.
    """
    if not 0 <= first_depth <= cell_depth <= min(first_depth + rule.span_bits, DEPTH):
        raise ValueError(
            f"a cell must lie up to {rule.span_bits} depths below the first of its nodes, "
            f"got {cell_depth} below {first_depth}"
        )
    if len(codes) >= 2**31:
        raise ValueError(f"a cell must have fewer than 2**31 points, got {len(codes)}")
    order = np.empty(len(codes), dtype=np.int32)
    found = _share_out(
        codes.copy(),
        order,
        np.array([first_depth, cell_depth, rule.deepest, rule.span_bits, rule.leaf_max]),
        np.zeros(1 << (3 * rule.span_bits - 6), dtype=np.uint64),
    )
    depths, prefixes, counts = found
    return Nodes(order[: int(counts.sum())], depths, prefixes, counts)


@kernel
def _keep_first(
    codes: CodeArray,
    positions: Int32Array,
    shift: np.uint64,
    taken: CodeArray,
    order: Int32Array,
    kept: np.int64,
) -> np.int64:
    """Keep the first point of each voxel; give how many are kept by now."""
    mask = np.uint64(len(taken)) * np.uint64(64) - np.uint64(1)
    begun = kept
    for index in range(len(codes)):
        code = codes[index]
        if code & np.uint64(1 << 63):
            continue
        voxel = code >> shift & mask
        bit = np.uint64(1) << (voxel & np.uint64(63))
        if not taken[voxel >> np.uint64(6)] & bit:
            taken[voxel >> np.uint64(6)] |= bit
            codes[index] = code | np.uint64(1 << 63)
            order[kept] = positions[index]
            kept += 1
    return kept - begun


@kernel
def _forget(codes: CodeArray, shift: np.uint64, taken: CodeArray) -> None:
    mask = np.uint64(len(taken)) * np.uint64(64) - np.uint64(1)
    for code in codes:
        taken[(code >> shift & mask) >> np.uint64(6)] = np.uint64(0)


@kernel
def _keep_all(
    codes: CodeArray, positions: Int32Array, order: Int32Array, kept: np.int64
) -> np.int64:
    """Keep all points that no node keeps yet; give how many."""
    begun = kept
    for index in range(len(codes)):
        if not codes[index] & np.uint64(1 << 63):
            order[kept] = positions[index]
            kept += 1
    return kept - begun


@kernel
def _part_by_octant(
    codes: CodeArray,
    positions: Int32Array,
    shift: np.uint64,
    into_codes: CodeArray,
    into_positions: Int32Array,
) -> Int64Array:
    """Sort points by child cell, and leave the order within each; give where each child begins."""
    starts = np.zeros(9, dtype=np.int64)
    for code in codes:
        starts[(code >> shift & np.uint64(7)) + np.uint64(1)] += 1
    for octant in range(1, 9):
        starts[octant] += starts[octant - 1]
    at = starts.copy()
    for index in range(len(codes)):
        octant = codes[index] >> shift & np.uint64(7)
        into_codes[at[octant]] = codes[index]
        into_positions[at[octant]] = positions[index]
        at[octant] += 1
    return starts


@kernel
def _share_out(
    codes: CodeArray, order: Int32Array, settings: Int64Array, taken: CodeArray
) -> tuple[Int64Array, CodeArray, Int64Array]:
    first_depth, cell_depth, deepest, span_bits, leaf_max = settings
    sides = (codes, np.empty_like(codes))
    places = (np.arange(len(codes)).astype(np.int32), np.empty(len(codes), dtype=np.int32))
    waiting = [(first_depth, np.int64(0), np.int64(len(codes)), np.int64(0))]
    depths = [np.int64(0) for _ in range(0)]
    prefixes = [np.uint64(0) for _ in range(0)]
    counts = [np.int64(0) for _ in range(0)]
    kept = np.int64(0)
    while waiting:
        depth, begin, end, side = waiting.pop()
        here, there = places[side][begin:end], places[1 - side][begin:end]
        mine, theirs = sides[side][begin:end], sides[1 - side][begin:end]
        is_open = depth < deepest and (depth < cell_depth or end - begin > leaf_max)
        if is_open:
            shift = np.uint64(3 * (21 - depth - span_bits))
            count = _keep_first(mine, here, shift, taken, order, kept)
            _forget(mine, shift, taken)
        else:
            count = _keep_all(mine, here, order, kept)
        if count:
            depths.append(depth)
            prefixes.append((mine[0] & np.uint64((1 << 63) - 1)) >> np.uint64(3 * (21 - depth)))
            counts.append(count)
            kept += count
        if is_open and count:
            starts = _part_by_octant(mine, here, np.uint64(3 * (20 - depth)), theirs, there)
            for octant in range(7, -1, -1):
                if starts[octant + 1] > starts[octant]:
                    low, high = begin + starts[octant], begin + starts[octant + 1]
                    waiting.append((depth + 1, low, high, 1 - side))
    return np.array(depths), np.array(prefixes), np.array(counts)
