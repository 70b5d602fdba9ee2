"""Blocks as points: what stands for the average over a block."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from haulier.families.geostat.method.rotation import FloatArray
from haulier.families.geostat.method.variogram import Variogram

MOST_POINTS_ALONG = 9
HALF = 0.5


@dataclass(frozen=True)
class Discretisation:
    """Points that stand for a block, and their weights.

    The nugget is variation over distances far below a block's: it counts neither between a block
    and a sample, even one at a point of it, nor within the block. Where one point alone
    stands for the block, that is point support, and the nugget counts.

    Attributes:
        offsets: (d, 3) from the block's middle along its own axes, in fractions of its sides:
            -0.5 to 0.5.
        weights: (d,) they sum to 1.

    Raises:
        ValueError: shapes do not agree, a point lies outside, or the weights do not sum to 1.

    Source:
        Journel & Huijbregts (1978), Mining Geostatistics, section II.D; the nugget as in KT3D of
        Deutsch & Journel (1998), GSLIB.
    """

    offsets: FloatArray
    weights: FloatArray = field(default_factory=lambda: np.ones(1))

    def __post_init__(self) -> None:
        """Check shapes, places and weights."""
        offsets = np.ascontiguousarray(self.offsets, dtype=np.float64)
        weights = np.ascontiguousarray(self.weights, dtype=np.float64)
        if offsets.shape != (len(weights), 3) or weights.shape != (len(offsets),):
            raise ValueError(
                f"offsets must be (d, 3) and weights (d,), got {offsets.shape}, {weights.shape}"
            )
        if np.abs(offsets).max(initial=0.0) > HALF:
            raise ValueError("offsets must lie between -0.5 and 0.5 of a block's sides")
        if not np.isclose(weights.sum(), 1.0, rtol=0, atol=1e-9):
            raise ValueError(f"weights must sum to 1, got {weights.sum()}")
        object.__setattr__(self, "offsets", offsets)
        object.__setattr__(self, "weights", weights)

    @property
    def is_point(self) -> bool:
        """Whether it is point support."""
        return len(self.offsets) == 1

    @cached_property
    def separations(self) -> tuple[FloatArray, FloatArray]:
        """Give the distinct (q, 3) separations of pairs of points, and the (q,) weight of each."""
        steps = [np.unique(np.round(column, 12), return_inverse=True) for column in self.offsets.T]
        lags, codes = [], np.zeros((len(self.weights), len(self.weights)), dtype=np.int64)
        for values, at in steps:
            apart = np.round(values[:, None] - values[None, :], 12)
            lag, of = np.unique(apart, return_inverse=True)
            lags.append(lag)
            codes = codes * len(lag) + of.reshape(apart.shape)[at[:, None], at[None, :]]
        distinct, of = np.unique(codes, return_inverse=True)
        pairs = np.outer(self.weights, self.weights)
        axes = np.unravel_index(distinct, [len(lag) for lag in lags])
        separations = np.stack([lag[at] for lag, at in zip(lags, axes, strict=True)], axis=1)
        return separations, np.asarray(np.bincount(of.ravel(), pairs.ravel()), dtype=np.float64)

    def variance(self, variogram: Variogram, sides: FloatArray, axes: FloatArray) -> FloatArray:
        """Give the covariance of a block with itself: the variance of blocks, where a sill exists.

        Args:
            variogram: of points.
            sides: (b, 3) metres along the blocks' axes.
            axes: (3, 3) column j is the blocks' axis j in the world.

        Returns:
            (b,) squared units.
        """
        if self.is_point:
            return np.full(len(sides), variogram.covariance(np.zeros((1, 3)))[0])
        smooth = Variogram(0.0, variogram.structures)
        separations, weights = self.separations
        blocks = [smooth.covariance((separations * side) @ axes.T) for side in sides]
        return np.array([(block * weights).sum() for block in blocks])


POINT = Discretisation(np.zeros((1, 3)))


def regular(nx: int, ny: int = 1, nz: int = 1) -> Discretisation:
    """Give points in the middles of nx x ny x nz equal parts of a block; 1 x 1 x 1 is a point.

    Raises:
        ValueError: a number is not 1 to 9.
    """
    for name, number in (("nx", nx), ("ny", ny), ("nz", nz)):
        if not 1 <= number <= MOST_POINTS_ALONG:
            raise ValueError(f"{name} must be 1 to {MOST_POINTS_ALONG}, got {number}")
    along = [(np.arange(number) + 0.5) / number - 0.5 for number in (nx, ny, nz)]
    offsets = np.stack(np.meshgrid(*along, indexing="ij"), axis=-1).reshape(-1, 3)
    return Discretisation(offsets, np.full(len(offsets), 1.0 / len(offsets)))


def gauss(number: int, dimensions: int = 2) -> Discretisation:
    """Give Gauss-Legendre points and weights: exact for polynomials of degree 2 number - 1.

    Args:
        number: of points along each side.
        dimensions: along how many sides, x first; 2 and 4 points are what R's gstat takes.

    Source:
        Carr & Palmer (1993), Revisiting the accurate calculation of block-sample covariances
        using Gauss quadrature, Mathematical Geology 25.
    """
    roots, share = np.polynomial.legendre.leggauss(number)
    sides = [(0.5 * roots, 0.5 * share)] * dimensions + [(np.zeros(1), np.ones(1))] * (
        3 - dimensions
    )
    offsets = np.stack(np.meshgrid(*[side[0] for side in sides], indexing="ij"), axis=-1)
    weights = np.stack(np.meshgrid(*[side[1] for side in sides], indexing="ij"), axis=-1)
    return Discretisation(offsets.reshape(-1, 3), weights.prod(axis=-1).ravel())
