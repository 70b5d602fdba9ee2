"""A tree of boxes over points: whatever the points' density, near ones are found soon."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from haulier.families.geostat.method.rotation import FloatArray
from haulier.families.geostat.method.samples import IntArray
from haulier.families.kernels import kernel


class Tree(NamedTuple):
    """Boxes within boxes, each before its children, the left child first.

    Attributes:
        order: (n,) number of the point at each position; a box holds a range of positions.
        begins: (b,) first position of each box.
        ends: (b,) position behind its last.
        behind: (b,) the next box that is not within it; a leaf's is the next box at all.
        lows: (b, 3) lowest coordinates of the points in it.
        highs: (b, 3) highest.
    """

    order: IntArray
    begins: IntArray
    ends: IntArray
    behind: IntArray
    lows: FloatArray
    highs: FloatArray


@kernel
def build(points: FloatArray, most: int) -> Tree:
    """Halve boxes at the middle of their longest side until each holds few points.

    Middles, not medians: tiles of a regular grid stay cubes. A box whose points are all at one
    place is halved by number.

    Args:
        points: (n, 3), finite.
        most: how many points a leaf holds at most.

    Source:
        Maneewongvatana & Mount (1999), It's okay to be skinny, if your friends are fat
        (sliding midpoint).
    """
    n = len(points)
    order = np.arange(n)
    room = 64
    begins, ends = np.empty(room, np.int64), np.empty(room, np.int64)
    lows, highs = np.empty((room, 3)), np.empty((room, 3))
    count = 0
    # Each halving of a side halves its length: of doubles, no more than 2,200 can follow another.
    waiting = np.empty((3 * 2200, 2), np.int64)
    waiting[0, 0], waiting[0, 1] = 0, n
    height = 1 if n > 0 else 0
    while height > 0:
        height -= 1
        begin, end = waiting[height, 0], waiting[height, 1]
        if count == room:
            room *= 2
            begins, ends = _grown(begins, room), _grown(ends, room)
            lows, highs = _grown_rows(lows, room), _grown_rows(highs, room)
        begins[count], ends[count] = begin, end
        _bound(points, order, begin, end, lows[count], highs[count])
        if end - begin > most:
            middle = _halve(points, order, begin, end, lows[count], highs[count])
            waiting[height, 0], waiting[height, 1] = middle, end
            waiting[height + 1, 0], waiting[height + 1, 1] = begin, middle
            height += 2
        count += 1
    behind = np.empty(count, np.int64)
    for box in range(count - 1, -1, -1):
        other = box + 1
        while other < count and begins[other] < ends[box]:
            other = behind[other]
        behind[box] = other
    return Tree(
        order,
        begins[:count].copy(),
        ends[:count].copy(),
        behind,
        lows[:count].copy(),
        highs[:count].copy(),
    )


@kernel
def _grown(array: IntArray, room: int) -> IntArray:
    out = np.empty(room, array.dtype)
    out[: len(array)] = array
    return out


@kernel
def _grown_rows(array: FloatArray, room: int) -> FloatArray:
    out = np.empty((room, 3))
    out[: len(array)] = array
    return out


@kernel
def _bound(
    points: FloatArray, order: IntArray, begin: int, end: int, low: FloatArray, high: FloatArray
) -> None:
    for axis in range(3):
        least = most = points[order[begin], axis]
        for position in range(begin + 1, end):
            value = points[order[position], axis]
            least = min(least, value)
            most = max(most, value)
        low[axis], high[axis] = least, most


@kernel
def _halve(
    points: FloatArray, order: IntArray, begin: int, end: int, low: FloatArray, high: FloatArray
) -> int:
    """Bring the points below the middle of the longest side to the front; gives how far."""
    axis = 0
    for other in range(1, 3):
        if high[other] - low[other] > high[axis] - low[axis]:
            axis = other
    middle = low[axis] + 0.5 * (high[axis] - low[axis])
    if not low[axis] < middle:  # one place, or two doubles beside each other
        middle = high[axis]
    if low[axis] == high[axis]:
        return (begin + end) // 2
    left, right = begin, end - 1
    while left <= right:
        if points[order[left], axis] < middle:
            left += 1
        else:
            order[left], order[right] = order[right], order[left]
            right -= 1
    return left
