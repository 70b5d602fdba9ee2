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
    count = len(members)
    table = np.full((count, count), model.level)
    near, squares = np.empty((3, count)), np.empty(count)
    for s in range(len(model.codes)):
        for axis in range(3):
            for j in range(count):
                near[axis, j] = scaled[s, axis, members[j]]
        code, alpha, contribution = model.codes[s], model.alphas[s], model.contributions[s]
        for i in range(count):
            measure(near[0, :i], near[1, :i], near[2, :i], near[:, i], squares[:i])
            add_structure(code, alpha, contribution, squares[:i], table[i, :i])
    for i in range(count):
        table[i, i] = diagonal
        for j in range(i):
            table[j, i] = table[i, j]
    return table


@kernel
def measure(
    xs: FloatArray, ys: FloatArray, zs: FloatArray, here: FloatArray, squares: FloatArray
) -> None:
    """Square the distances from one place to (k,) others."""
    x, y, z = here[0], here[1], here[2]
    for j in range(len(squares)):
        u, v, w = xs[j] - x, ys[j] - y, zs[j] - z
        squares[j] = u * u + v * v + w * w
