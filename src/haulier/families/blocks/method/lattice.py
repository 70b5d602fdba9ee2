"""A regular lattice of blocks: which block a place is in, and where its centre is.

Blocks are numbered with i running fastest, then j, then k.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

TOLERANCE = 1e-6  # of a block: a centre that was written with fewer digits is still its block's


@dataclass(frozen=True, slots=True)
class Lattice:
    """Blocks of one size in three directions.

    Attributes:
        origin: (3,) metres, the corner at which i, j and k begin.
        counts: blocks along each axis.
        sides: (3,) metres, of a block.
        rotations: axis and clockwise angle in degrees, the first applied last.
    """

    origin: tuple[float, float, float]
    counts: tuple[int, int, int]
    sides: tuple[float, float, float]
    rotations: tuple[tuple[str, float], ...] = ()

    @property
    def size(self) -> int:
        """Give the number of blocks."""
        return self.counts[0] * self.counts[1] * self.counts[2]

    def numbers(self, indices: NDArray[np.integer], *, first: int = 0) -> IntArray:
        """Give the numbers of blocks.

        Args:
            indices: (n, 3) i, j and k of each.
            first: row that the first of them is, for the error.

        Returns:
            (n,) their numbers.

        Raises:
            ValueError: one is none of this lattice; says which row.
        """
        whole = indices.astype(np.int64)
        outside = ((whole < 0) | (whole >= np.array(self.counts))).any(axis=1)
        if outside.any():
            row = int(np.argmax(outside))
            shown = ", ".join(map(str, whole[row]))
            place = f"row {first + row}, counted from 0,"
            raise ValueError(f"{place} is block ({shown}), outside {self.counts}")
        return whole[:, 0] + self.counts[0] * (whole[:, 1] + self.counts[1] * whole[:, 2])

    def indices(self, numbers: IntArray) -> IntArray:
        """Give i, j and k (n, 3) of blocks by their numbers (n,)."""
        across, rest = numbers % self.counts[0], numbers // self.counts[0]
        return np.column_stack((across, rest % self.counts[1], rest // self.counts[1]))

    def centres(self, numbers: IntArray) -> FloatArray:
        """Give the centres (n, 3) in metres of blocks by their numbers (n,)."""
        inside = (self.indices(numbers) + 0.5) * np.array(self.sides)
        places: FloatArray = np.array(self.origin) + inside @ rotation_matrix(self.rotations).T
        return places

    def blocks_at(self, places: FloatArray) -> IntArray:
        """Give i, j and k of the blocks in which places are.

        Args:
            places: (n, 3) metres.

        Returns:
            (n, 3), outside of the lattice where a place is.
        """
        inside = (places - np.array(self.origin)) @ rotation_matrix(self.rotations)
        numbers = np.floor(inside / np.array(self.sides) + TOLERANCE)
        # One too far is far enough, and has an index.
        blocks: IntArray = np.clip(numbers, -1, np.array(self.counts)).astype(np.int64)
        return blocks


def rotation_matrix(rotations: Sequence[tuple[str, float]]) -> FloatArray:
    """Give the matrix that turns axes of the blocks into axes of the world.

    Args:
        rotations: axis and angle in degrees, clockwise where one looks along the axis from its
            origin; the product is in this order, so that the last is applied first.

    Returns:
        (3, 3), its columns the blocks' axes.
    """
    matrix = np.eye(3)
    for axis, angle_deg in rotations:
        cosine, sine = np.cos(np.radians(angle_deg)), np.sin(np.radians(angle_deg))
        first, second = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
        one = np.eye(3)
        one[first, first] = one[second, second] = cosine
        one[first, second], one[second, first] = sine, -sine
        matrix = matrix @ one
    return matrix
