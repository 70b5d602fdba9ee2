"""Fit a variogram to an experimental one: by weighted least squares, from many starts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from scipy.optimize import least_squares

from haulier.families.geostat.method.evidence import Evidence, check_count, separations_of
from haulier.families.geostat.method.experimental import ExperimentalVariogram, IntArray
from haulier.families.geostat.method.fitted import Remark, remarks, structures_of
from haulier.families.geostat.method.rotation import FloatArray
from haulier.families.geostat.method.unknowns import SHARES, Candidate, Unknowns
from haulier.families.geostat.method.variogram import MODELS, Variogram

#: How much a lag counts: its pairs over the square of its distance (gstat's fit.method 7), its
#: pairs, all the same, or its pairs over the square of the model (Cressie).
WEIGHTINGS: Final = ("pairs_over_distance", "pairs", "equal", "cressie")
#: From so many of the best starts the search goes on to the end.
FOLLOWED: Final = 6
MOST_STRUCTURES: Final = len(SHARES)
#: Of one search; each tries as many models as there are unknown numbers, twice.
MOST_STEPS: Final = 300
#: Cressie's weights are those of a model, and so found again and again.
MOST_ROUNDS: Final = 30
SETTLED: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Fit:
    """A variogram that was fitted.

    Attributes:
        variogram: what was found.
        ss_error: the weighted sum of squared residuals, as gstat's SSErr.
        residuals: (l,) measured less fitted, of every lag; NaN of those that were left out.
        weights: (l,) what each lag counted; 0 of those that were left out.
        converged: the search ended at a minimum, not at its limit of steps or of rounds.
        evaluations: how many models were tried.
        remarks: what a user should know: no minimum, ranges at bounds, structures of no height.
    """

    variogram: Variogram
    ss_error: float
    residuals: FloatArray
    weights: FloatArray
    converged: bool
    evaluations: int
    remarks: tuple[Remark, ...]


def fit_variogram(
    measured: ExperimentalVariogram,
    candidates: Sequence[Candidate],
    *,
    nugget: float | None = None,
    sill: float | None = None,
    fit_rotation: bool = False,
    weighting: str = "pairs_over_distance",
    least_pairs: int = 1,
    report: Callable[[float], None] | None = None,
) -> Fit:
    """Find the variogram that fits lags best.

    Only ranges and angles are looked for; for each try of them nugget and contributions, which
    must not be negative, are solved for exactly. The same input gives the same answer.

    Args:
        measured: semivariances (not covariances); lags without pairs are left out.
        candidates: the structures.
        nugget: what it is held at, squared units; None: it is fitted.
        sill: what nugget and contributions must add up to; None: nothing.
        fit_rotation: look for the one rotation that all structures share; where all lags lie in a
            horizontal plane, for its azimuth.
        weighting: a name of `WEIGHTINGS`.
        least_pairs: lags with fewer are left out.
        report: is told the fraction done, and may raise to end it.

    Raises:
        ValueError: there are fewer lags than unknown numbers, an anisotropic structure is to be
            fitted to lags of no direction, a model or a weighting is not known, what is held does
            not fit the sill, or nothing rises above zero.

    Source:
        Cressie (1985), Fitting variogram models by weighted least squares, Mathematical Geology
        17(5). Golub & Pereyra (1973), SIAM J. Numer. Anal. 10(2), on solving for linear unknowns
        within. Pebesma (2004), the gstat package: the weights N/h^2.
    """
    _check_asked(measured, candidates, weighting)
    rows: IntArray = np.flatnonzero(
        (measured.num_pairs >= max(least_pairs, 1))
        & np.isfinite(measured.value)
        & (measured.centroid_m > 0)
    )
    if len(rows) == 0:
        raise ValueError(f"the variogram must have lags of {max(least_pairs, 1)} pairs, got none")
    if not np.any(measured.value[rows] > 0):
        raise ValueError(
            "the variogram must rise above 0, got 0 in every lag: do all samples have one value?"
        )
    separations = separations_of(measured, candidates, rows)
    unknowns = Unknowns(
        tuple(candidates),
        measured.centroid_m[rows],
        bool(np.all(np.abs(separations[:, 2]) < 1e-9 * measured.centroid_m[rows])),
        fit_rotation,
    )
    lags = Evidence(unknowns, separations, measured.value[rows], nugget, sill)
    check_count(lags)
    pairs = measured.num_pairs[rows].astype(np.float64)
    found = _searched(lags, pairs, weighting, report)
    if not np.any(found.heights > 0):
        raise ValueError("nugget and contributions must add up to more than 0, got 0")
    return _told(lags, found, rows, len(measured.value))


def _check_asked(
    measured: ExperimentalVariogram, candidates: Sequence[Candidate], weighting: str
) -> None:
    if not 1 <= len(candidates) <= MOST_STRUCTURES:
        raise ValueError(f"structures must be 1 to {MOST_STRUCTURES}, got {len(candidates)}")
    for each in candidates:
        if each.model not in MODELS:
            raise ValueError(f"a model must be one of {', '.join(MODELS)}, got {each.model!r}")
        if each.hold_ranges and each.ranges_m is None:
            raise ValueError("ranges_m must be given where they are held, got None")
    if weighting not in WEIGHTINGS:
        raise ValueError(f"weighting must be one of {', '.join(WEIGHTINGS)}, got {weighting!r}")
    if measured.estimator not in {"matheron", "cressie"}:
        raise ValueError(f"a variogram is fitted to semivariances, got a {measured.estimator}")


@dataclass(frozen=True, slots=True)
class _Found:
    """Where a search ended."""

    numbers: FloatArray
    heights: FloatArray
    weights: FloatArray
    fitted: FloatArray
    converged: bool
    evaluations: int

    def error(self, values: FloatArray) -> float:
        """Give the weighted sum of squares."""
        return float(np.sum(self.weights * (values - self.fitted) ** 2))


def _searched(
    lags: Evidence, pairs: FloatArray, weighting: str, report: Callable[[float], None] | None
) -> _Found:
    distances = lags.unknowns.distances_m
    weights = {
        "pairs_over_distance": pairs / distances**2,
        "pairs": pairs,
        "equal": np.ones(len(pairs)),
        "cressie": pairs / np.maximum(lags.values, _floor(lags.values)) ** 2,
    }[weighting]
    starts, tried = _best_starts(lags, weights), 0
    ends = []
    for number, start in enumerate(starts):
        ends.append(_followed(lags, weights, start))
        tried += ends[-1].evaluations
        if report is not None:
            report((number + 1) / len(starts))
    best = min(ends, key=lambda each: each.error(lags.values))
    settled = weighting != "cressie"
    for _ in range(0 if settled else MOST_ROUNDS):
        weights = pairs / np.maximum(best.fitted, _floor(lags.values)) ** 2
        again = _followed(lags, weights, best.numbers)
        tried += again.evaluations
        change = np.abs(again.fitted - best.fitted).max()
        best = again
        settled = bool(change <= SETTLED * np.abs(best.fitted).max())
        if settled:
            break
    return replace(best, converged=best.converged and settled, evaluations=tried)


def _floor(values: FloatArray) -> float:
    """Give the semivariance below which a lag gets no more weight."""
    return max(1e-3 * float(np.abs(values).mean()), np.finfo(np.float64).tiny)


def _best_starts(lags: Evidence, weights: FloatArray) -> list[FloatArray]:
    starts = lags.unknowns.starts()
    errors = []
    for start in starts:
        columns = lags.columns(start)
        misses = lags.values - columns @ lags.heights(columns, weights)
        errors.append(float(np.sum(weights * misses**2)))
    return [starts[i] for i in np.argsort(errors, kind="stable")[:FOLLOWED]]


def _followed(lags: Evidence, weights: FloatArray, start: FloatArray) -> _Found:
    """Follow one start to the end."""
    root = np.sqrt(weights / max(float(np.sum(weights * lags.values**2)), np.finfo(float).tiny))

    def residuals(numbers: FloatArray) -> FloatArray:
        columns = lags.columns(numbers)
        return np.asarray(root * (lags.values - columns @ lags.heights(columns, weights)))

    converged, evaluations, numbers = True, 1, start
    if len(start):
        low, high = lags.unknowns.bounds
        end = least_squares(
            residuals,
            start,
            jac="3-point",
            bounds=(low, high),
            x_scale=np.where(np.arange(len(start)) < sum(lags.unknowns.widths), 1.0, 30.0),
            ftol=1e-15,
            xtol=1e-13,
            gtol=1e-14,
            max_nfev=MOST_STEPS,
        )
        numbers, converged, evaluations = end.x, end.status > 0, end.nfev
    columns = lags.columns(numbers)
    heights = lags.heights(columns, weights)
    return _Found(numbers, heights, weights, columns @ heights, converged, evaluations)


def _told(lags: Evidence, found: _Found, rows: IntArray, count: int) -> Fit:
    residuals, weights = np.full(count, np.nan), np.zeros(count)
    residuals[rows] = lags.values - found.fitted
    weights[rows] = found.weights
    structures = structures_of(lags.unknowns, found.numbers, found.heights[1:])
    return Fit(
        variogram=Variogram(float(found.heights[0]), structures),
        ss_error=found.error(lags.values),
        residuals=residuals,
        weights=weights,
        converged=found.converged,
        evaluations=found.evaluations,
        remarks=remarks(lags.unknowns, structures, converged=found.converged),
    )
