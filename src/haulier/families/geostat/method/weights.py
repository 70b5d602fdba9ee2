"""What weights and neighbours say: estimates of many variables, sums, distances."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from haulier.families.geostat.method.rotation import FloatArray
from haulier.families.geostat.method.samples import IntArray
from haulier.families.kernels import kernel


@kernel
def combine(
    weights: FloatArray, positions: IntArray, counts: IntArray, columns: FloatArray
) -> FloatArray:
    """Give the weighted sum of each column: (m, k) weights of (n, c) values to (m, c)."""
    out = np.zeros((len(counts), columns.shape[1]))
    for i in range(len(counts)):
        for j in range(counts[i]):
            weight, row = weights[i, j], columns[positions[i, j]]
            for column in range(len(row)):
                out[i, column] += weight * row[column]
    return out


@kernel
def sums(weights: FloatArray, counts: IntArray) -> FloatArray:
    """Give (m, 2): the sum of positive weights, and that of negative ones."""
    out = np.zeros((len(counts), 2))
    for i in range(len(counts)):
        for j in range(counts[i]):
            out[i, 1 if weights[i, j] < 0.0 else 0] += weights[i, j]
    return out


class Distances(NamedTuple):
    """How far neighbours are; NaN where there are none.

    Attributes:
        least: (m,).
        mean: (m,).
    """

    least: FloatArray
    mean: FloatArray


@kernel
def distances(
    places: FloatArray, targets: FloatArray, positions: IntArray, counts: IntArray
) -> Distances:
    """Measure from (m, 3) targets to their neighbours among (n, 3) places by position."""
    out = Distances(np.full(len(counts), np.nan), np.full(len(counts), np.nan))
    for i in range(len(counts)):
        if counts[i] == 0:
            continue
        least, total = np.inf, 0.0
        for j in range(counts[i]):
            square = 0.0
            for axis in range(3):
                gap = places[positions[i, j], axis] - targets[i, axis]
                square += gap * gap
            distance = np.sqrt(square)
            least = min(least, distance)
            total += distance
        out.least[i], out.mean[i] = least, total / counts[i]
    return out


@kernel
def count_distinct(codes: IntArray, positions: IntArray, counts: IntArray) -> IntArray:
    """Count the distinct codes (n,) among each target's neighbours."""
    out = np.zeros(len(counts), np.int64)
    for i in range(len(counts)):
        for j in range(counts[i]):
            new = 1
            for other in range(j):
                if codes[positions[i, other]] == codes[positions[i, j]]:
                    new = 0
                    break
            out[i] += new
    return out


@kernel
def total(numbers: IntArray, positions: IntArray, counts: IntArray) -> IntArray:
    """Add up numbers (n,) of each target's neighbours."""
    out = np.zeros(len(counts), np.int64)
    for i in range(len(counts)):
        for j in range(counts[i]):
            out[i] += numbers[positions[i, j]]
    return out
