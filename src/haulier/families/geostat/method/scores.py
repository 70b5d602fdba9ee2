"""How good estimates are that can be compared with what was measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from haulier.families.geostat.method.rotation import FloatArray

#: Quantiles of standardised errors that are told; of a normal distribution they are -1.96 to 1.96.
FRACTIONS: Final = (0.025, 0.05, 0.25, 0.5, 0.75, 0.95, 0.975)
#: Half the width of an interval that holds 90 and 95 % of a normal distribution.
NORMAL_90: Final = 1.6448536269514722
NORMAL_95: Final = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Scores:
    """Statistics over the samples that have an estimate; NaN where they are not defined.

    Errors are observed less estimated, in units u of the variable: a positive mean error tells of
    estimates that are too low.

    Attributes:
        count: how many samples have an estimate.
        missing: how many have none.
        mean_observed: u.
        mean_estimated: u.
        mean_error: u; 0 at best.
        mean_absolute_error: u.
        root_mean_square_error: u.
        mean_standardised_error: 0 at best.
        mean_squared_deviation_ratio: mean of squared standardised errors; 1 where the kriging
            variance is right, less where it is too large.
        correlation: of observed and estimated.
        slope: of the regression of observed on estimated; 1 where there is no conditional bias.
        intercept: of that regression, u.
        r_squared: the square of the correlation.
        efficiency: Nash and Sutcliffe's: 1 less the mean square error over the variance observed.
        within_90: fraction with the observed value in the normal 90 % interval.
        within_95: in the 95 % interval.
        standardised_quantiles: of the standardised errors, by `FRACTIONS`.

    Source:
        Isaaks & Srivastava (1989), ch. 15. Kitanidis (1997), Introduction to Geostatistics, ch. 4:
        standardised errors. Krige (1951) and Matheron (1963): the slope as conditional bias. Nash
        & Sutcliffe (1970), Journal of Hydrology 10(3).
    """

    count: int
    missing: int
    mean_observed: float
    mean_estimated: float
    mean_error: float
    mean_absolute_error: float
    root_mean_square_error: float
    mean_standardised_error: float
    mean_squared_deviation_ratio: float
    correlation: float
    slope: float
    intercept: float
    r_squared: float
    efficiency: float
    within_90: float
    within_95: float
    standardised_quantiles: tuple[float, ...]


def score(observed: FloatArray, estimated: FloatArray, standardised: FloatArray) -> Scores:
    """Compute the statistics.

    Args:
        observed: (n,) finite, u.
        estimated: (n,) u; NaN where there is none.
        standardised: (n,) errors over their standard deviation; NaN where that is not known.
    """
    there = np.isfinite(estimated)
    z, e = observed[there], estimated[there]
    error, scaled = z - e, standardised[np.isfinite(standardised)]
    square = _mean(error**2)
    correlation, slope = _regression(z, e)
    return Scores(
        count=len(z),
        missing=int((~there).sum()),
        mean_observed=_mean(z),
        mean_estimated=_mean(e),
        mean_error=_mean(error),
        mean_absolute_error=_mean(np.abs(error)),
        root_mean_square_error=float(np.sqrt(square)),
        mean_standardised_error=_mean(scaled),
        mean_squared_deviation_ratio=_mean(scaled**2),
        correlation=correlation,
        slope=slope,
        intercept=_mean(z) - slope * _mean(e),
        r_squared=correlation**2,
        efficiency=1.0 - _ratio(square, _mean((z - _mean(z)) ** 2)),
        within_90=_mean((np.abs(scaled) <= NORMAL_90).astype(np.float64)),
        within_95=_mean((np.abs(scaled) <= NORMAL_95).astype(np.float64)),
        standardised_quantiles=_quantiles(scaled),
    )


def _mean(values: FloatArray) -> float:
    return float(values.mean()) if len(values) else float("nan")


def _ratio(above: float, below: float) -> float:
    return above / below if below > 0 else float("nan")


def _quantiles(values: FloatArray) -> tuple[float, ...]:
    if len(values) == 0:
        return (float("nan"),) * len(FRACTIONS)
    return tuple(np.quantile(values, FRACTIONS).tolist())


def _regression(z: FloatArray, e: FloatArray) -> tuple[float, float]:
    """Give the correlation, and the slope of z on e."""
    dz, de = z - _mean(z), e - _mean(e)
    both, spread = _mean(dz * de), _mean(de**2)
    return _ratio(both, float(np.sqrt(_mean(dz**2) * spread))), _ratio(both, spread)
