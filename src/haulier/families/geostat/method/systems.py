"""Solve the kriging systems of many targets, eight at a time."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from haulier.families.geostat.method.covariances import table_of
from haulier.families.geostat.method.drift import fit_drift
from haulier.families.geostat.method.factor import SQUARE, along, back_substitute, factor
from haulier.families.geostat.method.lanes import WIDTH, store
from haulier.families.geostat.method.rotation import FloatArray
from haulier.families.geostat.method.samples import IntArray
from haulier.families.geostat.method.sides import (
    Goals,
    Known,
    clear_sides,
    fill_sides,
    fill_towards,
    fill_triangle,
    side_at,
)
from haulier.families.kernels import kernel

#: Targets share a table of covariances while so many, and their neighbours are so few.
BATCH: Final = 64
MOST_SHARED: Final = 1024
#: A pivot below this fraction of the diagonal means that digits are lost: the matrix is singular.
LEAST_PIVOT: Final = 1e-13
#: What is then added to the diagonal, as a fraction of it: as if samples were measured less sharp.
JITTER: Final = 1e-11

SOLVED: Final = 0
JITTERED: Final = 1
SINGULAR: Final = 2

#: Columns of what is solved.
VALUE: Final = 0
VARIANCE: Final = 1
LAGRANGE: Final = 2
MEAN: Final = 3
COLUMNS: Final = 4


class Solved(NamedTuple):
    """What systems give; of targets that were not asked for, what was there before.

    Attributes:
        numbers: (m, COLUMNS).
        states: (m,) SOLVED, JITTERED or SINGULAR.
        weights: (m, k) of the neighbours; (0, 0) where they are not wanted.
    """

    numbers: FloatArray
    states: NDArray[np.int8]
    weights: FloatArray


class Room(NamedTuple):
    """Where eight systems are computed.

    Attributes:
        a: squares of entries, as `factor` takes them.
        least: (8,) smallest pivots.
        low: (8,) which lanes broke down.
        added: (8,) what is added to diagonals.
        members: (8, k) neighbours by their number in the table.
        bench: (k (3 + 2 d),) to compute covariances.
        products: (r, r, 8) of right-hand sides.
        multipliers: (8, p) of drift functions.
        means: (8, p) coefficients of drift functions.
        x: (2 half * 8) weights.
    """

    a: FloatArray
    least: FloatArray
    low: FloatArray
    added: FloatArray
    members: IntArray
    bench: FloatArray
    products: FloatArray
    multipliers: FloatArray
    means: FloatArray
    x: FloatArray


@kernel
def _room(known: Known, goals: Goals, most: int) -> Room:
    half = (most + 1) // 2
    functions = known.constant + known.drift.shape[1]
    rows = 2 + functions
    squares = half * (half + 1) // 2 + (rows + 1) // 2 * half
    return Room(
        np.zeros(squares * SQUARE),
        np.full(WIDTH, LEAST_PIVOT * known.model.zero),
        np.empty(WIDTH),
        np.empty(WIDTH),
        np.empty((WIDTH, most), np.int64),
        np.empty(most * (3 + 2 * len(goals.weights))),
        np.empty((rows, rows, WIDTH)),
        np.empty((WIDTH, functions)),
        np.empty((WIDTH, functions)),
        np.empty(2 * half * WIDTH),
    )


@kernel
def solve_systems(known: Known, goals: Goals, wanted: IntArray, out: Solved) -> None:
    """Solve the systems of the wanted targets.

    Args:
        known: samples.
        goals: targets and their neighbours.
        wanted: (w,) numbers of targets, in an order in which near ones are near; each has one
            neighbour at least.
        out: out.
    """
    most = 0
    for target in wanted:
        most = max(most, goals.counts[target])
    room = _room(known, goals, most)
    numbers = np.full(known.scaled.shape[2], -1)
    begin = 0
    while begin < len(wanted):
        end, members = _batch(goals, wanted, begin, numbers)
        table = table_of(known.model, known.scaled, members, known.model.zero)
        for first in range(begin, end, WIDTH):
            eight = wanted[first : min(end, first + WIDTH)]
            _solve_eight(known, goals, eight, numbers, table, room, out)
        for position in members:
            numbers[position] = -1
        begin = end


@kernel
def _batch(goals: Goals, wanted: IntArray, begin: int, numbers: IntArray) -> tuple[int, IntArray]:
    """Gather targets that share a table, and number their neighbours.

    Full eights are gathered while few samples come with them; less than eight where even these
    have so many neighbours that a table would fill the memory.
    """
    shared = min(MOST_SHARED, 128 + 3 * goals.counts[wanted[begin]])
    members = np.empty(MOST_SHARED + goals.positions.shape[1], np.int64)
    count, end, full_end, full_count = 0, begin, begin, 0
    while end < len(wanted) and end - begin < BATCH:
        before, target = count, wanted[end]
        for i in range(goals.counts[target]):
            position = goals.positions[target, i]
            if numbers[position] < 0:
                numbers[position] = count
                members[count] = position
                count += 1
        if end > begin and count > (MOST_SHARED if full_end == begin else shared):
            if full_end > begin:
                end, before = full_end, full_count
            for i in range(before, count):
                numbers[members[i]] = -1
            return end, members[:before]
        end += 1
        if (end - begin) % WIDTH == 0:
            full_end, full_count = end, count
    return end, members[:count]


@kernel
def _solve_eight(
    known: Known,
    goals: Goals,
    targets: IntArray,
    numbers: IntArray,
    table: FloatArray,
    room: Room,
    out: Solved,
) -> None:
    most = 0
    for lane in range(len(targets)):
        target = targets[lane]
        most = max(most, goals.counts[target])
        for i in range(goals.counts[target]):
            room.members[lane, i] = numbers[goals.positions[target, i]]
    half = (most + 1) // 2
    room.added[:] = 0.0
    _fill_and_factor(known, goals, targets, half, table, room)
    broken = False
    for lane in range(len(targets)):
        out.states[targets[lane]] = SOLVED
        if room.low[lane] != 0.0:
            broken = True
            out.states[targets[lane]] = JITTERED
            room.added[lane] = JITTER * known.model.zero
    if broken:  # the other lanes come out as they were
        _fill_and_factor(known, goals, targets, half, table, room)
    _multiply(room.a, half, room.products)
    fit_drift(room.products, room.low, room.multipliers, room.means)
    _finish(goals, targets, room, out)
    if len(out.weights) > 0:
        _weigh(goals, targets, half, room, out)


@kernel
def _fill_and_factor(
    known: Known, goals: Goals, targets: IntArray, half: int, table: FloatArray, room: Room
) -> None:
    """Fill the eight systems, lanes without target with the identity, and factor them."""
    for lane in range(WIDTH):
        count = goals.counts[targets[lane]] if lane < len(targets) else 0
        fill_triangle(room.a, lane, half, table, room.members[lane, :count], room.added[lane])
    rows = room.products.shape[0]
    clear_sides(room.a, half, rows)
    fill_towards(known, goals, targets, half, room.bench, room.a)
    fill_sides(known, goals, targets, half, room.a)
    factor(room.a, half, (rows + 1) // 2, room.least, room.low)


@kernel
def _multiply(a: FloatArray, half: int, products: FloatArray) -> None:
    """Multiply the right-hand sides with each other."""
    rows = products.shape[0]
    flat = products.reshape(-1)
    for i in range(rows):
        for j in range(i + 1):
            store(flat, (i * rows + j) * WIDTH, along(a, half, i, j))


@kernel
def _finish(goals: Goals, targets: IntArray, room: Room, out: Solved) -> None:
    """Give the estimates from the products of right-hand sides."""
    products, multipliers, means = room.products, room.multipliers, room.means
    functions = means.shape[1]
    for lane in range(len(targets)):
        target = targets[lane]
        numbers = out.numbers[target]
        if room.low[lane] != 0.0:
            out.states[target] = SINGULAR
            numbers[:] = np.nan
            continue
        block = goals.variances[target if len(goals.variances) > 1 else 0]
        value, variance = products[1, 0, lane], block - products[0, 0, lane]
        for q in range(functions):
            rest = (1.0 if q == 0 else 0.0) - products[q + 2, 0, lane]
            value += multipliers[lane, q] * products[q + 2, 1, lane]
            variance += multipliers[lane, q] * rest
        numbers[VALUE] = value
        numbers[VARIANCE] = max(variance, 0.0)
        numbers[LAGRANGE] = multipliers[lane, 0] if functions > 0 else 0.0
        numbers[MEAN] = means[lane, 0] if functions > 0 else 0.0


@kernel
def _weigh(goals: Goals, targets: IntArray, half: int, room: Room, out: Solved) -> None:
    """Give the weights of each lane's samples."""
    a, x, functions = room.a, room.x, room.means.shape[1]
    x[:] = 0.0
    for lane in range(len(targets)):
        if room.low[lane] != 0.0:
            continue
        for j in range(goals.counts[targets[lane]]):
            at = j // 2 * SQUARE + j % 2 * WIDTH + lane
            total = a[side_at(0, half) + at]
            for q in range(functions):
                total += room.multipliers[lane, q] * a[side_at(q + 2, half) + at]
            x[j * WIDTH + lane] = total
    back_substitute(a, half, x)
    for lane in range(len(targets)):
        count = goals.counts[targets[lane]]
        weights = out.weights[targets[lane], :count]
        for j in range(count):
            weights[j] = x[j * WIDTH + lane] if room.low[lane] == 0.0 else np.nan
