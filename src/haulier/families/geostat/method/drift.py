"""Fit drift functions to a neighbourhood: a small system beside each large one."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from haulier.families.geostat.method.rotation import FloatArray
from haulier.families.kernels import kernel

#: What is left of a function below this fraction of it, others already say.
LEAST_LEFT: Final = 1e-11


@kernel
def fit_drift(
    products: FloatArray, low: FloatArray, multipliers: FloatArray, means: FloatArray
) -> None:
    """Give the Lagrange multipliers and the coefficients of p drift functions, in each lane.

    The first function is the constant; the others are zero at the target. So the first coefficient
    is the drift at the target, which is the mean where the constant is alone.

    Args:
        products: (2 + p, 2 + p, 8) products, of rows whose product is that of C's inverse:
            covariances towards the target, values, then the functions.
        low: (8,) lanes where it is not 0 are left out; becomes 1 where the samples cannot tell
            the functions from each other.
        multipliers: (8, p) out, so that `C^-1 (c + F multipliers)` are the weights.
        means: (8, p) out, the coefficients by generalised least squares.

    Source:
        Chiles & Delfiner (2012), Geostatistics, section 3.4 (universal kriging).
    """
    p = means.shape[1]
    lower = np.empty((p, p))
    for lane in range(len(low)):
        multipliers[lane] = 0.0
        if low[lane] != 0.0 or p == 0:
            continue
        if not _factor(products, lane, lower):
            low[lane] = 1.0
            continue
        for i in range(p):
            left = (1.0 if i == 0 else 0.0) - products[i + 2, 0, lane]
            right = products[i + 2, 1, lane]
            for t in range(i):
                left -= lower[i, t] * multipliers[lane, t]
                right -= lower[i, t] * means[lane, t]
            multipliers[lane, i], means[lane, i] = left / lower[i, i], right / lower[i, i]
        for i in range(p - 1, -1, -1):
            for t in range(i + 1, p):
                multipliers[lane, i] -= lower[t, i] * multipliers[lane, t]
                means[lane, i] -= lower[t, i] * means[lane, t]
            multipliers[lane, i] /= lower[i, i]
            means[lane, i] /= lower[i, i]


@kernel
def _factor(products: FloatArray, lane: int, lower: FloatArray) -> bool:
    """Factor the functions' products; gives False where that breaks down."""
    for i in range(len(lower)):
        for j in range(i + 1):
            total = products[i + 2, j + 2, lane]
            for t in range(j):
                total -= lower[i, t] * lower[j, t]
            if j < i:
                lower[i, j] = total / lower[j, j]
                continue
            if not total > LEAST_LEFT * products[i + 2, i + 2, lane]:
                return False
            lower[i, i] = math.sqrt(total)
    return True
