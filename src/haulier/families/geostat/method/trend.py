"""Trends: the functions of place that the mean of a variable follows, at points and over blocks."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np

from haulier.families.geostat.method.discretisation import Discretisation
from haulier.families.geostat.method.rotation import FloatArray

#: Singular values below this fraction of the largest: functions that others already say.
RANK_TOLERANCE = 1e-10


@dataclass(frozen=True, slots=True)
class Trend:
    """A polynomial of places; its constant is left to whoever krige with it.

    Attributes:
        order: 0, 1 or 2.
        axes: which coordinates it is of: (0, 1) or (0, 1, 2).
        centre: (3,) metres, where its terms are zero.
        scale_m: by which coordinates are divided, so that terms are about one.
    """

    order: int
    axes: tuple[int, ...]
    centre: FloatArray
    scale_m: float

    @classmethod
    def around(cls, places: FloatArray, order: int, axes: tuple[int, ...]) -> Trend:
        """Make one that suits (n, 3) samples."""
        centre = places.mean(axis=0)
        spread = float(np.abs(places - centre).max(initial=0.0))
        return cls(order, axes, centre, spread or 1.0)

    @property
    def terms(self) -> list[tuple[int, ...]]:
        """Give the terms: the axes whose coordinates are multiplied."""
        return [
            each
            for degree in range(1, self.order + 1)
            for each in combinations_with_replacement(self.axes, degree)
        ]

    def columns(self, places: FloatArray) -> FloatArray:
        """Give the terms at points: (n, 3) metres to (n, p)."""
        local = (places - self.centre) / self.scale_m
        columns = [np.prod(local[:, each], axis=1) for each in self.terms]
        return np.stack(columns, axis=1) if columns else np.empty((len(places), 0))

    def block_columns(
        self,
        centres: FloatArray,
        sides: FloatArray,
        axes: FloatArray,
        discretisation: Discretisation,
    ) -> FloatArray:
        """Give the means of the terms over the points of blocks.

        Args:
            centres: (m, 3) metres.
            sides: (1, 3) or (m, 3) metres along the blocks' axes.
            axes: (3, 3) column j is the blocks' axis j in the world.
            discretisation: points whose middle is the block's.

        Returns:
            (m, p).
        """
        columns = self.columns(centres)
        offsets, weights = discretisation.offsets, discretisation.weights
        spread = (offsets * weights[:, None]).T @ offsets
        # The mean of (x + a)(y + b) over offsets of mean zero is xy and the mean of ab.
        products = np.einsum("ij,mj,jk,mk,lk->mil", axes, sides, spread, sides, axes)
        products /= self.scale_m * self.scale_m
        for column, each in enumerate(self.terms):
            if len(each) > 1:
                columns[:, column] += products[:, each[0], each[1]]
        return columns


def dependent(columns: FloatArray) -> bool:
    """Whether functions at samples, (n, p), cannot be told from each other and from a constant."""
    whole = np.column_stack([np.ones(len(columns)), columns])
    scale = np.abs(whole).max(axis=0)
    if np.any(scale == 0) or len(whole) < whole.shape[1]:
        return True
    values = np.linalg.svd(whole / scale, compute_uv=False)
    return bool(values[-1] < RANK_TOLERANCE * values[0])
