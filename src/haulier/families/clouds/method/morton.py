"""Morton codes: where a point lies in the cube of an octree, as one number that sorts by space."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from haulier.families.kernels import kernel

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
ByteArray = NDArray[np.uint8]
CodeArray = NDArray[np.uint64]

Number = TypeVar("Number", int, float)

AXES: Final = range(3)
#: Levels of an octree that a code tells apart: three bits each, 63 in all.
DEPTH: Final = 21
#: Free room on each side of the points, as a fraction of their widest extent: headers round.
MARGIN: Final = 1 / 64
#: A cube is never narrower than this many quanta: a single point has no extent.
NARROWEST_QUANTA: Final = 64
FARTHEST: Final = 2**62


@dataclass(frozen=True)
class Cube:
    """The root of an octree, over coordinates that are whole numbers of quanta.

    Attributes:
        lowest: (3,) the corner of the smallest coordinates, in the unit of the CRS.
        size: the length of its sides, in the unit of the CRS.
        origin: (3,) the same corner in quanta: `lowest = origin * scale + offset`.
        quanta: (3,) the length of its sides in quanta of each axis.
    """

    lowest: tuple[float, float, float]
    size: float
    origin: tuple[int, int, int]
    quanta: tuple[float, float, float]


def cube_around(mins: FloatArray, maxs: FloatArray, scale: FloatArray, offset: FloatArray) -> Cube:
    """Give the cube of an octree that holds points of these extents, with some room around them.

    Its lowest corner lies at the points, not its centre: flat ground then stays within one layer
    of cells for as many depths as can be, and the octree needs fewer nodes.

    Args:
        mins: (3,) the smallest coordinates, in the unit of the CRS.
        maxs: (3,) the largest ones.
        scale: (3,) the quantum of each axis, in the unit of the CRS.
        offset: (3,) what the coordinate 0 stands for.

    Raises:
        ValueError: an extent is negative or not finite, a scale is not positive, or scales differ
            so much that a corner has no number of 64 bits.
    """
    if not (np.all(np.isfinite(mins)) and np.all(np.isfinite(maxs)) and np.all(maxs >= mins)):
        raise ValueError(
            f"extents must be finite and ordered, got {np.asarray(mins).tolist()} "
            f"to {np.asarray(maxs).tolist()}"
        )
    if not (np.all(np.isfinite(scale)) and np.all(np.asarray(scale) > 0)):
        raise ValueError(f"scale must be positive, got {np.asarray(scale).tolist()}")
    extent = float(np.max(np.asarray(maxs) - np.asarray(mins)))
    quantum = float(np.max(scale))
    widest = max(extent * (1 + 2 * MARGIN) / quantum, NARROWEST_QUANTA)
    quanta = math.ceil(widest + 2)
    size = quanta * quantum
    room = extent * MARGIN + quantum
    origin = [
        math.floor((float(mins[axis]) - room - float(offset[axis])) / float(scale[axis]))
        for axis in AXES
    ]
    if max(map(abs, origin)) >= FARTHEST:
        raise ValueError(f"scales {np.asarray(scale).tolist()} are of too many orders for one cube")
    return Cube(
        lowest=_three([origin[axis] * float(scale[axis]) + float(offset[axis]) for axis in AXES]),
        size=size,
        origin=_three(origin),
        quanta=_three([quanta * _whole(quantum / float(each)) for each in scale]),
    )


def _whole(ratio: float) -> float:
    """Give a ratio of two scales as the whole number that it is but for rounding, if it is one."""
    return float(round(ratio)) if math.isclose(ratio, round(ratio), rel_tol=1e-9) else ratio


def codes_of(records: ByteArray, cube: Cube) -> tuple[CodeArray, int]:
    """Give the Morton code of each point, and how many points lie outside the cube.

    Args:
        records: (n, r) point records as LAS has them: X, Y, Z are their first twelve bytes.
        cube: the octree's root.

    Returns:
        (n,) codes of 63 bits: three a level, the highest first, in each x, y, z; points outside
        get the code of the nearest cell.
    """
    codes = np.empty(len(records), dtype=np.uint64)
    outside = _encode(records, np.array(cube.origin, dtype=np.int64), np.array(cube.quanta), codes)
    return codes, int(outside)


def _three(values: list[Number]) -> tuple[Number, Number, Number]:
    x, y, z = values
    return x, y, z


def interleaved(values: NDArray[Any]) -> CodeArray:
    """Give the bits of three numbers as one: the lowest of the first, of the second, and so on.

    Args:
        values: (n, 3) whole numbers from 0 to below 2**21.
    """
    codes = np.empty(len(values), dtype=np.uint64)
    _interleave(np.ascontiguousarray(values, dtype=np.int64), codes)
    return codes


def key_of(depth: int, prefix: int) -> tuple[int, int, int, int]:
    """Give depth, x, y, z of the node whose points' codes begin with a prefix.

    Args:
        depth: 0 for the root.
        prefix: the first `3 * depth` bits of the codes.
    """
    x = y = z = 0
    for level in range(depth):
        octant = prefix >> (3 * level)
        x |= (octant >> 2 & 1) << level
        y |= (octant >> 1 & 1) << level
        z |= (octant & 1) << level
    return depth, x, y, z


def prefix_of(depth: int, x: int, y: int, z: int) -> int:
    """Give the first `3 * depth` bits of the codes of a node's points: the inverse of `key_of`."""
    prefix = 0
    for level in range(depth):
        octant = (x >> level & 1) << 2 | (y >> level & 1) << 1 | (z >> level & 1)
        prefix |= octant << (3 * level)
    return prefix


@kernel
def whole_at(records: ByteArray, row: int, column: int) -> np.int64:
    """Give the signed whole number in four bytes of a record, the lowest first."""
    low = np.uint32(records[row, column]) | np.uint32(records[row, column + 1]) << np.uint32(8)
    high = np.uint32(records[row, column + 2]) | np.uint32(records[row, column + 3]) << np.uint32(8)
    return np.int64(np.int32(low | high << np.uint32(16)))


@kernel
def _spread(cell: np.int64) -> np.uint64:
    """Put two zero bits before each of the 21 bits of a number.

    Source:
        Morton (1966), A computer oriented geodetic data base; the masks halve the groups of bits.
    """
    bits = np.uint64(cell)
    bits = (bits | bits << np.uint64(32)) & np.uint64(0x001F00000000FFFF)
    bits = (bits | bits << np.uint64(16)) & np.uint64(0x001F0000FF0000FF)
    bits = (bits | bits << np.uint64(8)) & np.uint64(0x100F00F00F00F00F)
    bits = (bits | bits << np.uint64(4)) & np.uint64(0x10C30C30C30C30C3)
    return (bits | bits << np.uint64(2)) & np.uint64(0x1249249249249249)


@kernel
def _encode(records: ByteArray, origin: IntArray, side: FloatArray, codes: CodeArray) -> int:
    first = np.int64(0)
    last = np.int64((1 << 21) - 1)
    outside = 0
    for row in range(len(records)):
        code = np.uint64(0)
        out = False
        for axis in range(3):
            quanta = whole_at(records, row, 4 * axis) - origin[axis]
            # exact: the nearest quotient of two whole numbers below 2**32 lies on no wrong side
            cell = np.int64(math.floor(np.float64(quanta) * 2097152.0 / side[axis]))
            if cell < first or cell > last:
                out = True
                cell = min(max(cell, first), last)
            code = code << np.uint64(1) | _spread(cell)
        codes[row] = code
        outside += out
    return outside


@kernel
def _interleave(values: IntArray, codes: CodeArray) -> None:
    for row in range(len(values)):
        high = _spread(values[row, 1]) << np.uint64(1) | _spread(values[row, 2]) << np.uint64(2)
        codes[row] = _spread(values[row, 0]) | high
