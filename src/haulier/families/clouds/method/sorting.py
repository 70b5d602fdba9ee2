"""Sort points by cell, and back into their order: digit by digit, in time that grows as they do."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from haulier.families.clouds.method.morton import DEPTH, CodeArray
from haulier.families.clouds.method.octree import Int32Array
from haulier.families.kernels import kernel

DIGIT_BITS: Final = 11  # 2048 counters stay in the nearest cache


def sorted_by_cell(codes: CodeArray, from_depth: int, to_depth: int) -> Int32Array:
    """Give the positions of points sorted by cell, in their order within each cell.

    Args:
        codes: (n,) Morton codes that agree in their first `3 * from_depth` bits.
        from_depth: what they agree in decides nothing, and costs no time.
        to_depth: the depth of the cells.
    """
    order = np.arange(len(codes), dtype=np.int32)
    other = np.empty_like(order)
    low = 3 * (DEPTH - to_depth)
    high = 3 * (DEPTH - from_depth)
    for shift in range(low, high, DIGIT_BITS):
        bits = min(DIGIT_BITS, high - shift)
        _sort_by_digit(codes, np.uint64(shift), np.uint64((1 << bits) - 1), order, other)
        order, other = other, order
    return order


def in_order_of(numbers: NDArray[np.integer]) -> Int32Array:
    """Give the positions of distinct numbers, sorted by number.

    Args:
        numbers: (n,) none of them negative.
    """
    wide = numbers.astype(np.uint64)
    order = np.arange(len(wide), dtype=np.int32)
    other = np.empty_like(order)
    highest = int(wide.max()) if len(wide) else 0
    for shift in range(0, highest.bit_length(), DIGIT_BITS):
        mask = np.uint64((1 << DIGIT_BITS) - 1)
        _sort_by_digit(wide, np.uint64(shift), mask, order, other)
        order, other = other, order
    return order


@kernel
def _sort_by_digit(
    keys: CodeArray, shift: np.uint64, mask: np.uint64, order: Int32Array, into: Int32Array
) -> None:
    """Sort positions by one digit of their keys, and leave the order of equals as it is."""
    starts = np.zeros(mask + np.uint64(2), dtype=np.int64)
    for position in order:
        starts[(keys[position] >> shift & mask) + np.uint64(1)] += 1
    for digit in range(1, len(starts)):
        starts[digit] += starts[digit - 1]
    for position in order:
        digit = keys[position] >> shift & mask
        into[starts[digit]] = position
        starts[digit] += 1
