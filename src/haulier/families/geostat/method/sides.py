"""Fill eight kriging systems: their triangles of covariances and their right-hand sides."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from haulier.families.geostat.method.covariances import Model, add_structure, measure
from haulier.families.geostat.method.factor import SQUARE, square_at
from haulier.families.geostat.method.lanes import WIDTH, splat, store
from haulier.families.geostat.method.rotation import FloatArray
from haulier.families.geostat.method.samples import IntArray
from haulier.families.kernels import kernel


class Known(NamedTuple):
    """Samples as systems take them, in the order of their positions.

    Attributes:
        model: the variogram.
        scaled: (s, 3, n) coordinates, scaled for each structure.
        values: (n,) less a constant.
        drift: (n, p) drift functions but the constant; (n, 0) where there is no other.
        constant: 1 where the constant is a drift function, and weights sum to one; else 0.
    """

    model: Model
    scaled: FloatArray
    values: FloatArray
    drift: FloatArray
    constant: int


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


@kernel
def fill_triangle(
    a: FloatArray, lane: int, half: int, table: FloatArray, members: IntArray, added: float
) -> None:
    """Write the lower triangle of a lane's covariances, two rows at a time.

    Args:
        a: squares as `factor` takes them.
        lane: which of the eight.
        half: rows of squares of the triangle; rows without sample are the identity's.
        table: (u, u) covariances.
        members: (k,) the lane's samples by their row in the table.
        added: what is added to the diagonal.
    """
    count = len(members)
    for pair in range(count // 2):
        first, second = members[2 * pair], members[2 * pair + 1]
        upper, lower = table[first], table[second]
        at = square_at(pair, 0, half) + lane
        for column in range(pair):
            left, right = members[2 * column], members[2 * column + 1]
            a[at], a[at + WIDTH] = upper[left], upper[right]
            a[at + 2 * WIDTH], a[at + 3 * WIDTH] = lower[left], lower[right]
            at += SQUARE
        a[at] = upper[first] + added
        a[at + 2 * WIDTH], a[at + 3 * WIDTH] = lower[first], lower[second] + added
    if count % 2 == 1:
        last = table[members[count - 1]]
        at = square_at(count // 2, 0, half) + lane
        for j in range(count - 1):
            a[at + j // 2 * SQUARE + j % 2 * WIDTH] = last[members[j]]
        a[at + count // 2 * SQUARE] = last[members[count - 1]] + added
    for i in range(count, 2 * half):
        at = square_at(i // 2, 0, half) + i % 2 * 2 * WIDTH + lane
        for j in range(i):
            a[at + j // 2 * SQUARE + j % 2 * WIDTH] = 0.0
        a[at + i // 2 * SQUARE + i % 2 * WIDTH] = 1.0


@kernel
def clear_sides(a: FloatArray, half: int, rows: int) -> None:
    """Make the right-hand sides zero in all lanes, and the row that fills the last square."""
    for row in range(half, half + (rows + 1) // 2):
        at = square_at(row, 0, half)
        for vector in range(4 * half):
            store(a, at + vector * WIDTH, splat(0.0))


@kernel
def fill_towards(
    known: Known, goals: Goals, targets: IntArray, half: int, bench: FloatArray, a: FloatArray
) -> None:
    """Write the first right-hand side of each lane: covariances of its samples with its target.

    Where one point stands for the target, the nugget counts at its very place.

    Args:
        known: samples.
        goals: targets.
        targets: (t,) up to eight of them.
        half: rows of squares of the triangle.
        bench: (k (3 + 2 d),) to compute in.
        a: squares as `factor` takes them; cleared.
    """
    model, scaled, many = known.model, known.scaled, len(goals.weights)
    point = np.empty(3)
    for lane in range(len(targets)):
        target = targets[lane]
        count = goals.counts[target]
        members = goals.positions[target, :count]
        xs, ys, zs = bench[:count], bench[count : 2 * count], bench[2 * count : 3 * count]
        squares = bench[3 * count : (3 + many) * count]
        sums = bench[(3 + many) * count : (3 + 2 * many) * count]
        sums[:] = model.level
        sides = goals.sides[target if len(goals.sides) > 1 else 0]
        for s in range(len(model.codes)):
            _gather(scaled[s], members, xs, ys, zs)
            for q in range(many):
                _point(goals.scaled[target, s], goals.turned[s], goals.offsets[q], sides, point)
                measure(xs, ys, zs, point, squares[q * count : (q + 1) * count])
            if s == 0 and many == 1 and model.nugget > 0.0:
                _add_nugget(model.nugget, squares, sums)
            add_structure(model.codes[s], model.alphas[s], model.contributions[s], squares, sums)
        at = side_at(0, half) + lane
        for q in range(many):
            weight = goals.weights[q]
            for j in range(count):
                a[at + j // 2 * SQUARE + j % 2 * WIDTH] += weight * sums[q * count + j]


@kernel
def _gather(
    scaled: FloatArray, members: IntArray, xs: FloatArray, ys: FloatArray, zs: FloatArray
) -> None:
    """Take samples' coordinates out of (3, n)."""
    for j in range(len(members)):
        xs[j], ys[j], zs[j] = scaled[0, members[j]], scaled[1, members[j]], scaled[2, members[j]]


@kernel
def _point(
    middle: FloatArray, turned: FloatArray, offset: FloatArray, sides: FloatArray, out: FloatArray
) -> None:
    """Give where a point of a block is, in the space of a structure."""
    u, v, w = offset[0] * sides[0], offset[1] * sides[1], offset[2] * sides[2]
    for axis in range(3):
        out[axis] = middle[axis] + (turned[axis, 0] * u + turned[axis, 1] * v + turned[axis, 2] * w)


@kernel
def _add_nugget(nugget: float, squares: FloatArray, sums: FloatArray) -> None:
    for j in range(len(squares)):
        sums[j] += nugget if squares[j] == 0.0 else 0.0


@kernel
def fill_sides(known: Known, goals: Goals, targets: IntArray, half: int, a: FloatArray) -> None:
    """Write the other right-hand sides of each lane: values, the constant, drift functions.

    Drift functions are taken less their value at the target: they are zero there.

    Args:
        known: samples.
        goals: targets.
        targets: (t,) up to eight of them.
        half: rows of squares of the triangle.
        a: squares as `factor` takes them; cleared.
    """
    values, drift = known.values, known.drift
    for lane in range(len(targets)):
        target = targets[lane]
        count = goals.counts[target]
        members = goals.positions[target, :count]
        at = side_at(1, half) + lane
        for j in range(count):
            a[at + j // 2 * SQUARE + j % 2 * WIDTH] = values[members[j]]
        if known.constant == 1:
            at = side_at(2, half) + lane
            for j in range(count):
                a[at + j // 2 * SQUARE + j % 2 * WIDTH] = 1.0
        for column in range(drift.shape[1]):
            here = goals.drift[target, column]
            at = side_at(2 + known.constant + column, half) + lane
            for j in range(count):
                a[at + j // 2 * SQUARE + j % 2 * WIDTH] = drift[members[j], column] - here


@kernel
def side_at(number: int, half: int) -> int:
    """Give where a right-hand side begins, in doubles."""
    return square_at(half + number // 2, 0, half) + number % 2 * 2 * WIDTH
