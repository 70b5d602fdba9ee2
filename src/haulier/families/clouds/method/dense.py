"""Cells with more points than memory holds: their open nodes see the points block by block."""

from __future__ import annotations

import numpy as np

from haulier.families.clouds.method.morton import CodeArray
from haulier.families.clouds.method.octree import Int64Array, Rule
from haulier.families.kernels import kernel


class Path:
    """The open nodes on the way to a dense cell, which see its points block by block."""

    def __init__(self, first_depth: int, last_depth: int, rule: Rule) -> None:
        """Begin.

        Args:
            first_depth: the highest node's.
            last_depth: the lowest node's, which is the cell's own.
            rule: what decides the octree.

        Raises:
            ValueError: the lowest lies deeper than any open node can.
        """
        if not 0 <= first_depth <= last_depth < rule.deepest:
            raise ValueError(
                f"depths must rise from 0 to below {rule.deepest}, got {first_depth}, {last_depth}"
            )
        self._span_bits = rule.span_bits
        self._depths = np.arange(first_depth, last_depth + 1)
        self._taken = np.zeros((len(self._depths), 1 << (3 * rule.span_bits - 6)), np.uint64)

    def take(self, codes: CodeArray) -> Int64Array:
        """Say which node keeps each of the next points; their codes get the bit `KEPT`.

        Args:
            codes: (n,) Morton codes of points of the cell, in the order of the points.

        Returns:
            (n,) the depth of the node that keeps the point, -1 where none of these does.
        """
        depths = np.empty(len(codes), dtype=np.int64)
        _take(codes, self._depths, self._span_bits, self._taken, depths)
        return depths


@kernel
def _take(
    codes: CodeArray, levels: Int64Array, span_bits: int, taken: CodeArray, depths: Int64Array
) -> None:
    mask = (np.uint64(1) << np.uint64(3 * span_bits)) - np.uint64(1)
    for position in range(len(codes)):
        code = codes[position]
        depths[position] = -1
        if code & np.uint64(1 << 63):
            continue
        for row in range(len(levels)):
            voxel = code >> np.uint64(3 * (21 - levels[row] - span_bits)) & mask
            bit = np.uint64(1) << (voxel & np.uint64(63))
            if not taken[row, voxel >> np.uint64(6)] & bit:
                taken[row, voxel >> np.uint64(6)] |= bit
                codes[position] = code | np.uint64(1 << 63)
                depths[position] = levels[row]
                break
