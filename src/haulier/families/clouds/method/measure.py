"""What a header says of points: their extremes, and how many are of each return."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from haulier.families.clouds.method.morton import ByteArray, whole_at
from haulier.families.clouds.method.octree import Int64Array
from haulier.families.kernels import kernel

RETURNS: Final = 15


@dataclass(frozen=True)
class Measured:
    """What some points are like.

    Attributes:
        mins: (3,) the smallest X, Y, Z in quanta.
        maxs: (3,) the largest.
        returns: (15,) points of the first return, of the second, and so on.
    """

    mins: Int64Array
    maxs: Int64Array
    returns: Int64Array


def measure(records: ByteArray) -> Measured:
    """Measure points.

    Args:
        records: (n, r) records of point formats 6 to 10, at least one.

    Raises:
        ValueError: there are none.
    """
    if not len(records):
        raise ValueError("nothing can be measured on no points")
    ends = np.empty((2, 3), dtype=np.int64)
    returns = np.zeros(RETURNS + 1, dtype=np.int64)
    _measure(records, ends, returns)
    return Measured(ends[0], ends[1], returns[1:])


@kernel
def _measure(records: ByteArray, ends: Int64Array, returns: Int64Array) -> None:
    for axis in range(3):
        ends[0, axis] = ends[1, axis] = whole_at(records, 0, 4 * axis)
    for row in range(len(records)):
        for axis in range(3):
            quanta = whole_at(records, row, 4 * axis)
            ends[0, axis] = min(ends[0, axis], quanta)
            ends[1, axis] = max(ends[1, axis], quanta)
        returns[records[row, 14] & 15] += 1
