"""Validation of simulations: do they have the mean, the histogram and the variogram they should."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from haulier.families.geostat.method.distribution import Distribution
from haulier.families.geostat.method.rotation import FloatArray
from haulier.families.geostat.method.variogram import Variogram
from haulier.families.kernels import kernel


class Verdict(StrEnum):
    """How far a mean is from what it should be."""

    ACCEPTABLE = "acceptable"
    MARGINAL = "marginal"
    UNACCEPTABLE = "unacceptable"


@dataclass(frozen=True, slots=True, eq=False)
class MeanCheck:
    """The mean of the simulations against that of the data.

    Attributes:
        reference: the (declustered) mean of the data.
        mean: of all realisations.
        realisations: (r,) the mean of each; NaN where one has no values.
        verdict: None where no thresholds were given.
    """

    reference: float
    mean: float
    realisations: FloatArray
    verdict: Verdict | None

    @property
    def difference(self) -> float:
        """Give how far the simulations are above the data, in the unit of the variable."""
        return self.mean - self.reference

    @property
    def relative(self) -> float:
        """Give the difference as a fraction of the reference; NaN where that is zero."""
        return self.difference / abs(self.reference) if self.reference else float("nan")


def check_mean(
    reference: float,
    realisation_means: FloatArray,
    thresholds: tuple[float, float] | None = None,
) -> MeanCheck:
    """Compare the mean of realisations with that of the data.

    Args:
        reference: mean of the data, in the unit of the variable.
        realisation_means: (r,) of each realisation over the whole target.
        thresholds: up to which absolute difference, in the unit of the variable, the mean is
            acceptable, and up to which it is marginal; None for no verdict.

    Raises:
        ValueError: a threshold is negative, or the first is larger than the second.
    """
    known = realisation_means[np.isfinite(realisation_means)]
    mean = float(known.mean()) if len(known) else float("nan")
    if thresholds is None:
        return MeanCheck(reference, mean, realisation_means, None)
    acceptable, marginal = thresholds
    if not 0.0 <= acceptable <= marginal:
        raise ValueError(
            f"thresholds must be 0 <= acceptable <= marginal, got {acceptable} and {marginal}"
        )
    apart = abs(mean - reference)
    verdict = Verdict.UNACCEPTABLE
    if apart <= acceptable:
        verdict = Verdict.ACCEPTABLE
    elif apart <= marginal:
        verdict = Verdict.MARGINAL
    return MeanCheck(reference, mean, realisation_means, verdict)


@dataclass(frozen=True, slots=True, eq=False)
class HistogramCheck:
    """The quantiles of realisations against those of the distribution they should have.

    Attributes:
        fractions: (q,) 0 to 1.
        reference: (q,) quantiles of the distribution.
        mean: (q,) of the realisations' quantiles.
        low: (q,) the least of them.
        high: (q,) the greatest.
    """

    fractions: FloatArray
    reference: FloatArray
    mean: FloatArray
    low: FloatArray
    high: FloatArray


#: Percentiles 1 to 99: what a plot of quantiles against quantiles shows.
PERCENTILES = np.arange(1, 100) / 100.0


def realisation_quantiles(values: FloatArray, fractions: FloatArray = PERCENTILES) -> FloatArray:
    """Give (q,) quantiles of the (m,) values of one realisation, NaN left out."""
    known = values[np.isfinite(values)]
    return np.quantile(known, fractions) if len(known) else np.full(len(fractions), np.nan)


def check_histogram(
    distribution: Distribution,
    realisations: Sequence[FloatArray],
    fractions: FloatArray = PERCENTILES,
) -> HistogramCheck:
    """Compare realisations, each as its `realisation_quantiles`, with their distribution.

    Args:
        distribution: what point simulations should follow.
        realisations: r of (q,) quantiles.
        fractions: (q,) of which they are quantiles.
    """
    table = np.array(realisations).reshape(-1, len(fractions))
    table = table[np.all(np.isfinite(table), axis=1)]
    if not len(table):
        table = np.full((1, len(fractions)), np.nan)
    return HistogramCheck(
        fractions,
        distribution.quantile(fractions),
        table.mean(axis=0),
        table.min(axis=0),
        table.max(axis=0),
    )


@dataclass(frozen=True, slots=True, eq=False)
class VariogramCheck:
    """Experimental variograms of realisations along one axis of the grid, against the model.

    Attributes:
        axis: 0, 1 or 2.
        lags_m: (l,) distances, each a whole number of cells.
        pairs: (l,) how many pairs of cells are so far apart.
        model: (l,) semivariances of the model.
        mean: (l,) of the realisations' semivariances; NaN where there are no pairs.
        low: (l,) the least of them.
        high: (l,) the greatest.
    """

    axis: int
    lags_m: FloatArray
    pairs: FloatArray
    model: FloatArray
    mean: FloatArray
    low: FloatArray
    high: FloatArray


def grid_variograms(cube: FloatArray, most_lags: int) -> FloatArray:
    """Give the experimental variograms of one realisation along the axes of its grid.

    Args:
        cube: (nx, ny, nz) in the unit of the variable; NaN where a cell has no value.
        most_lags: how many lags at most, of 1, 2, ... cells each.

    Returns:
        (3, 2, l): along each axis, semivariance in squared units and number of pairs, at each lag.
        Of l lags, those longer than half of the axis have no pairs.

    Source:
        Deutsch & Journel (1998), GSLIB, section III.2 (gam).
    """
    cube = np.ascontiguousarray(cube, dtype=np.float64)
    out = np.zeros((3, 2, most_lags))
    for axis in range(3):
        # laid out so that the axis is the middle one: outer, axis, inner
        outer = int(np.prod(cube.shape[:axis]))
        inner = int(np.prod(cube.shape[axis + 1 :]))
        shaped = cube.reshape(outer, cube.shape[axis], inner)
        axis_variogram(shaped, out[axis, 0], out[axis, 1])
    return out


@kernel
def axis_variogram(cube: FloatArray, gammas: FloatArray, pairs: FloatArray) -> None:
    """Fill (l,) semivariances and pairs along the middle axis of (a, n, b) values."""
    outer, n, inner = cube.shape
    for lag in range(1, len(gammas) + 1):
        total, count = 0.0, 0
        if 2 * lag <= n:
            for i in range(outer):
                for j in range(n - lag):
                    for k in range(inner):
                        apart = cube[i, j + lag, k] - cube[i, j, k]
                        if not np.isnan(apart):
                            total += apart * apart
                            count += 1
        gammas[lag - 1] = 0.5 * total / count if count > 0 else np.nan
        pairs[lag - 1] = count


def check_variograms(
    variogram: Variogram,
    realisations: Sequence[FloatArray],
    cell_m: FloatArray,
    axes: FloatArray,
) -> tuple[VariogramCheck, VariogramCheck, VariogramCheck]:
    """Compare the variograms of realisations along the axes of their grid with the model.

    Args:
        variogram: the model of what was simulated: of the scores, if they are.
        realisations: r of (3, 2, l), as `grid_variograms` gives them.
        cell_m: (3,) sizes of the cells, metres.
        axes: (3, 3), its columns the axes of the grid.

    Raises:
        ValueError: there are no realisations.
    """
    if not realisations:
        raise ValueError("there must be at least one realisation to check, got none")
    table = np.array(realisations)
    checks = []
    for axis in range(3):
        lags = cell_m[axis] * np.arange(1, table.shape[3] + 1)
        gammas, pairs = table[:, axis, 0], table[0, axis, 1]
        checks.append(
            VariogramCheck(
                axis,
                lags,
                pairs,
                variogram.gamma(lags[:, None] * axes[:, axis]),
                gammas.mean(axis=0),
                gammas.min(axis=0),
                gammas.max(axis=0),
            )
        )
    return checks[0], checks[1], checks[2]
