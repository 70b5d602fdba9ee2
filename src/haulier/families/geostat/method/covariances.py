"""Covariances by the row: one structure at a time, so that each loop is one curve."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from haulier.families.geostat.method import curves
from haulier.families.geostat.method.rotation import FloatArray
from haulier.families.geostat.method.samples import IntArray
from haulier.families.kernels import kernel


class Model(NamedTuple):
    """A variogram as rows of covariances need it.

    Attributes:
        zero: the covariance at no distance, nugget and `level` counted.
        nugget: squared units.
        level: what is added to every covariance, so that those of a variogram without sill make
            a positive definite matrix; weights that sum to one do not feel it.
        codes: (s,) of `curves`.
        alphas: (s,).
        contributions: (s,) squared units.
    """

    zero: float
    nugget: float
    level: float
    codes: IntArray
    alphas: FloatArray
    contributions: FloatArray


@kernel
def add_structure(
    code: int, alpha: float, contribution: float, squares: FloatArray, out: FloatArray
) -> None:
    """Add a structure's covariances at squared, scaled distances.

    The models that need no library calls have a loop of their own, which becomes vectors.
    """
    count = len(squares)
    if code == curves.SPHERICAL:
        for j in range(count):
            out[j] += contribution * curves.correlation(curves.SPHERICAL, 0.0, squares[j])
    elif code == curves.CUBIC:
        for j in range(count):
            out[j] += contribution * curves.correlation(curves.CUBIC, 0.0, squares[j])
    else:
        for j in range(count):
            out[j] += contribution * curves.correlation(code, alpha, squares[j])


@kernel
def table_of(model: Model, scaled: FloatArray, members: IntArray, diagonal: float) -> FloatArray:
    """Give the (u, u) covariances among samples; the nugget counts on the diagonal alone.

    Args:
        model: the variogram.
        scaled: (s, 3, n) coordinates, scaled for each structure.
        members: (u,) positions of the samples.
        diagonal: what stands on the diagonal.
    """
    count, structures = len(members), len(model.codes)
    table = np.full((count, count), model.level)
    near = np.empty((structures, 3, count))
    for s in range(structures):
        for axis in range(3):
            for j in range(count):
                near[s, axis, j] = scaled[s, axis, members[j]]
    squares = np.empty(count)
    for s in range(structures):
        xs, ys, zs = near[s, 0], near[s, 1], near[s, 2]
        code, alpha, contribution = model.codes[s], model.alphas[s], model.contributions[s]
        for i in range(count):
            x, y, z = xs[i], ys[i], zs[i]
            for j in range(i):
                u, v, w = xs[j] - x, ys[j] - y, zs[j] - z
                squares[j] = u * u + v * v + w * w
            add_structure(code, alpha, contribution, squares[:i], table[i, :i])
    for i in range(count):
        table[i, i] = diagonal
        for j in range(i):
            table[j, i] = table[i, j]
    return table


@kernel
def add_towards(
    model: Model,
    scaled: FloatArray,
    members: IntArray,
    points: FloatArray,
    weights: FloatArray,
    out: FloatArray,
) -> None:
    """Give the covariances between samples and a block, or a point.

    Args:
        model: the variogram.
        scaled: (s, 3, n) coordinates of samples, scaled for each structure.
        members: (k,) positions of the samples.
        points: (s, d, 3) points of the block, scaled for each structure.
        weights: (d,) of the points; where there is one alone, the nugget counts.
        out: (k,) out.
    """
    count, many = len(members), len(weights)
    near, squares, sums = np.empty((3, count)), np.empty(count * many), np.empty(count * many)
    sums[:] = model.level
    for s in range(len(model.codes)):
        for axis in range(3):
            for j in range(count):
                near[axis, j] = scaled[s, axis, members[j]]
        xs, ys, zs = near[0], near[1], near[2]
        for q in range(many):
            x, y, z = points[s, q, 0], points[s, q, 1], points[s, q, 2]
            row = squares[q * count : (q + 1) * count]
            for j in range(count):
                u, v, w = xs[j] - x, ys[j] - y, zs[j] - z
                row[j] = u * u + v * v + w * w
        if s == 0 and many == 1 and model.nugget > 0.0:
            for j in range(count):
                sums[j] += model.nugget if squares[j] == 0.0 else 0.0
        add_structure(model.codes[s], model.alphas[s], model.contributions[s], squares, sums)
    out[:] = 0.0
    for q in range(many):
        row = sums[q * count : (q + 1) * count]
        for j in range(count):
            out[j] += weights[q] * row[j]
