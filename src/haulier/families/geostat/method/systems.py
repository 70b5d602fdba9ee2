"""Set up and solve the kriging systems of many targets, eight at a time."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from haulier.families.geostat.method.covariances import Model, add_towards, table_of
from haulier.families.geostat.method.drift import fit_drift
from haulier.families.geostat.method.factor import (
    SQUARE,
    along,
    back_substitute,
    factor,
    square_at,
)
from haulier.families.geostat.method.lanes import WIDTH, splat, store
from haulier.families.geostat.method.rotation import FloatArray
from haulier.families.geostat.method.samples import IntArray
from haulier.families.kernels import kernel

#: Targets share a table of covariances while so many, and their neighbours are so few.
BATCH: Final = 64
MOST_SHARED: Final = 1024
#: A pivot below this fraction of the diagonal means that digits are lost: the matrix is singular.
LEAST_PIVOT: Final = 1e-13
#: What is then added to the diagonal, as a fraction of it: as if samples were measured less sharp.
JITTER: Final = 1e-9

SOLVED: Final = 0
JITTERED: Final = 1
SINGULAR: Final = 2

#: Columns of what is solved.
VALUE: Final = 0
VARIANCE: Final = 1
LAGRANGE: Final = 2
MEAN: Final = 3
COLUMNS: Final = 4


class Known(NamedTuple):
    """Samples as systems take them, in the order of their positions.

    Attributes:
        model: the variogram.
        scaled: (s, 3, n) coordinates, scaled for each structure.
        values: (n,) less a constant.
        drift: (n, p) drift functions but the constant; (n, 0) where there is no other.
        constant: whether the constant is a drift function, and weights sum to one.
    """

    model: Model
    scaled: FloatArray
    values: FloatArray
    drift: FloatArray
    constant: bool


class Goals(NamedTuple):
    """Targets as systems take them.

    Attributes:
        scaled: (m, s, 3) middles, scaled for each structure.
        sides: (m, 3) or (1, 3) metres along the blocks' axes.
        turned: (s, 3, 3) from the blocks' axes to the space of each structure.
        offsets: (d, 3) points in fractions of a block's sides.
        weights: (d,) of the points.
        variances: (m,) or (1,) covariance of each block with itself.
        drift: (m, p) drift functions but the constant.
        positions: (m, k) neighbours.
        counts: (m,) how many each has.
    """

    scaled: FloatArray
    sides: FloatArray
    turned: FloatArray
    offsets: FloatArray
    weights: FloatArray
    variances: FloatArray
    drift: FloatArray
    positions: IntArray
    counts: IntArray


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
        towards: (k,) covariances with a target.
        points: (s, d, 3) of a block, from its middle, scaled for each structure.
        there: (s, d, 3) of the block where it is.
        sides: (3,) of the block that `points` are of.
        products: (r, r, 8) of right-hand sides.
        multipliers: (r, 8) of drift functions.
        x: (2 half * 8) weights.
    """

    a: FloatArray
    least: FloatArray
    low: FloatArray
    added: FloatArray
    members: IntArray
    towards: FloatArray
    points: FloatArray
    there: FloatArray
    sides: FloatArray
    products: FloatArray
    multipliers: FloatArray
    x: FloatArray


@kernel
def _room(known: Known, goals: Goals, most: int) -> Room:
    half = (most + 1) // 2
    rows = 2 + int(known.constant) + known.drift.shape[1]
    sides = (rows + 1) // 2
    points = np.empty((len(known.model.codes), len(goals.weights), 3))
    return Room(
        np.zeros((half * (half + 1) // 2 + sides * half) * SQUARE),
        np.empty(WIDTH),
        np.empty(WIDTH),
        np.empty(WIDTH),
        np.empty((WIDTH, most), np.int64),
        np.empty(most),
        points,
        np.empty_like(points),
        np.full(3, -1.0),
        np.empty((rows, rows, WIDTH)),
        np.empty((rows, WIDTH)),
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
            _solve_eight(
                known, goals, wanted[first : min(end, first + WIDTH)], numbers, table, room, out
            )
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
    room.least[:] = LEAST_PIVOT * known.model.zero
    _fill(known, goals, targets, table, half, room)
    sides = (room.products.shape[0] + 1) // 2
    factor(room.a, half, sides, room.least, room.low)
    for lane in range(len(targets)):
        out.states[targets[lane]] = SOLVED
        if room.low[lane] != 0.0:
            out.states[targets[lane]] = JITTERED
            room.added[lane] = JITTER * known.model.zero
    if room.added.any():  # the other lanes come out as they were
        _fill(known, goals, targets, table, half, room)
        factor(room.a, half, sides, room.least, room.low)
    _multiply(room, half)
    for lane in range(len(targets)):
        _finish(known, goals, targets[lane], lane, room, out)
    if len(out.weights) > 0:
        _weigh(known, goals, targets, half, room, out)


@kernel
def _fill(
    known: Known, goals: Goals, targets: IntArray, table: FloatArray, half: int, room: Room
) -> None:
    """Write covariances and right-hand sides of each lane; lanes without target are identities."""
    for lane in range(WIDTH):
        count = 0
        if lane < len(targets):
            count = goals.counts[targets[lane]]
            members = room.members[lane, :count]
            _fill_triangle(table, members, lane, half, room)
            _fill_sides(known, goals, targets[lane], lane, half, room)
        _fill_rest(lane, count, half, room)
    rows = room.products.shape[0]
    for row in range(rows, rows + rows % 2):  # the half of a square that no side needs
        at = square_at(half + row // 2, 0, half) + row % 2 * 2 * WIDTH
        for column in range(half):
            store(room.a, at + column * SQUARE, splat(0.0))
            store(room.a, at + column * SQUARE + WIDTH, splat(0.0))


@kernel
def _fill_triangle(table: FloatArray, members: IntArray, lane: int, half: int, room: Room) -> None:
    """Write the lower triangle of a lane's covariances."""
    a, count = room.a, len(members)
    for i in range(count):
        row = table[members[i]]
        at = square_at(i // 2, 0, half) + i % 2 * 2 * WIDTH + lane
        for column in range(i // 2):
            a[at] = row[members[2 * column]]
            a[at + WIDTH] = row[members[2 * column + 1]]
            at += SQUARE
        if i % 2 == 1:
            a[at] = row[members[i - 1]]
            at += WIDTH
        a[at] = row[members[i]] + room.added[lane]


@kernel
def _fill_sides(known: Known, goals: Goals, target: int, lane: int, half: int, room: Room) -> None:
    """Write a lane's right-hand sides: towards the target, values, constant, drift."""
    count = goals.counts[target]
    members, towards = goals.positions[target, :count], room.towards[:count]
    _place_block(goals, target, room)
    add_towards(known.model, known.scaled, members, room.there, goals.weights, towards)
    for row in range(room.products.shape[0]):
        at = square_at(half + row // 2, 0, half) + row % 2 * 2 * WIDTH + lane
        column = row - 2 - int(known.constant)
        for j in range(count):
            if row == 0:
                value = towards[j]
            elif row == 1:
                value = known.values[members[j]]
            elif column < 0:
                value = 1.0
            else:
                value = known.drift[members[j], column] - goals.drift[target, column]
            room.a[at + j // 2 * SQUARE + j % 2 * WIDTH] = value


@kernel
def _place_block(goals: Goals, target: int, room: Room) -> None:
    """Give the points of a target's block, in the space of each structure."""
    sides = goals.sides[target if len(goals.sides) > 1 else 0]
    if sides[0] != room.sides[0] or sides[1] != room.sides[1] or sides[2] != room.sides[2]:
        room.sides[:] = sides
        for s in range(len(room.points)):
            turned = goals.turned[s]
            for q in range(len(goals.offsets)):
                for axis in range(3):
                    total = 0.0
                    for other in range(3):
                        total += turned[axis, other] * (goals.offsets[q, other] * sides[other])
                    room.points[s, q, axis] = total
    for s in range(len(room.points)):
        for q in range(len(goals.offsets)):
            for axis in range(3):
                room.there[s, q, axis] = goals.scaled[target, s, axis] + room.points[s, q, axis]


@kernel
def _fill_rest(lane: int, count: int, half: int, room: Room) -> None:
    """Fill a lane that has fewer samples than others with rows of the identity."""
    a = room.a
    for i in range(count, 2 * half):
        at = square_at(i // 2, 0, half) + i % 2 * 2 * WIDTH + lane
        for j in range(i):
            a[at + j // 2 * SQUARE + j % 2 * WIDTH] = 0.0
        a[at + i // 2 * SQUARE + i % 2 * WIDTH] = 1.0
        for row in range(room.products.shape[0]):
            at = square_at(half + row // 2, 0, half) + row % 2 * 2 * WIDTH + lane
            a[at + i // 2 * SQUARE + i % 2 * WIDTH] = 0.0


@kernel
def _multiply(room: Room, half: int) -> None:
    """Multiply the right-hand sides with each other."""
    rows = room.products.shape[0]
    flat = room.products.reshape(-1)
    for i in range(rows):
        for j in range(i + 1):
            store(flat, (i * rows + j) * WIDTH, along(room.a, half, i, j))


@kernel
def _finish(known: Known, goals: Goals, target: int, lane: int, room: Room, out: Solved) -> None:
    """Give a target's estimate from the products of its right-hand sides."""
    products = room.products
    functions = products.shape[0] - 2
    numbers = out.numbers[target]
    fitted = room.low[lane] == 0.0
    multipliers, means = np.zeros(functions), np.zeros(functions)
    if fitted and functions > 0:
        fitted = fit_drift(products, lane, multipliers, means)
    if not fitted:
        out.states[target] = SINGULAR
        numbers[:] = np.nan
        room.multipliers[:, lane] = 0.0
        return
    block = goals.variances[target if len(goals.variances) > 1 else 0]
    value, variance = products[1, 0, lane], block - products[0, 0, lane]
    for q in range(functions):
        rest = (1.0 if q == 0 else 0.0) - products[q + 2, 0, lane]
        value += multipliers[q] * products[q + 2, 1, lane]
        variance += multipliers[q] * rest
        room.multipliers[q, lane] = multipliers[q]
    numbers[VALUE] = value
    numbers[VARIANCE] = max(variance, 0.0)
    numbers[LAGRANGE] = multipliers[0] if functions > 0 else 0.0
    numbers[MEAN] = means[0] if functions > 0 else 0.0


@kernel
def _weigh(
    known: Known, goals: Goals, targets: IntArray, half: int, room: Room, out: Solved
) -> None:
    """Give the weights of each lane's samples."""
    functions = room.products.shape[0] - 2
    room.x[:] = 0.0
    for lane in range(len(targets)):
        for j in range(goals.counts[targets[lane]]):
            at = j // 2 * SQUARE + j % 2 * WIDTH + lane
            total = room.a[square_at(half, 0, half) + at]
            for q in range(functions):
                row = square_at(half + (q + 2) // 2, 0, half) + (q + 2) % 2 * 2 * WIDTH
                total += room.multipliers[q, lane] * room.a[row + at]
            room.x[j * WIDTH + lane] = total
    back_substitute(room.a, half, room.x)
    for lane in range(len(targets)):
        target = targets[lane]
        if out.states[target] == SINGULAR:
            out.weights[target, : goals.counts[target]] = np.nan
            continue
        for j in range(goals.counts[target]):
            out.weights[target, j] = room.x[j * WIDTH + lane]
