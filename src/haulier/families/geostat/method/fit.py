"""Fit a variogram to an experimental one: by weighted least squares, from many starts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from scipy.optimize import least_squares, nnls

from haulier.families.geostat.method.experimental import ExperimentalVariogram, IntArray
from haulier.families.geostat.method.fitted import Remark, remarks, structures_of
from haulier.families.geostat.method.lags import Form
from haulier.families.geostat.method.rotation import FloatArray
from haulier.families.geostat.method.unknowns import SHARES, Candidate, Unknowns
from haulier.families.geostat.method.variogram import MODELS, Variogram, covariances

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
#: A sill that is given weighs so much more than all lags; what is left of a miss is scaled away.
STIFFNESS: Final = 1e5


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
    separations = _separations(measured, candidates, rows)
    unknowns = Unknowns(
        tuple(candidates),
        measured.centroid_m[rows],
        bool(np.all(np.abs(separations[:, 2]) < 1e-9 * measured.centroid_m[rows])),
        fit_rotation,
    )
    lags = _Lags(unknowns, separations, measured.value[rows], nugget, sill)
    _check_count(lags)
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


def _separations(
    measured: ExperimentalVariogram, candidates: Sequence[Candidate], rows: IntArray
) -> FloatArray:
    """Give the (l, 3) separations that lags stand for, in metres."""
    forms = {measured.directions[i].form for i in measured.direction[rows]}
    if forms - {Form.DIRECTIONAL} and not all(each.isotropic for each in candidates):
        raise ValueError(
            "anisotropic structures must be fitted to directional lags, got "
            + " and ".join(sorted(forms))
        )
    units = np.array([each.unit for each in measured.directions])
    return np.asarray(units[measured.direction[rows]] * measured.centroid_m[rows, None])


@dataclass(frozen=True, slots=True)
class _Lags:
    """What is fitted to: l lags, and what is known beforehand."""

    unknowns: Unknowns
    separations: FloatArray
    values: FloatArray
    nugget: float | None
    sill: float | None

    def columns(self, numbers: FloatArray) -> FloatArray:
        """Give the semivariances of each part at a height of 1, the nugget's first: (l, 1 + s)."""
        out = np.ones((len(self.values), 1 + len(self.unknowns.candidates)))
        transforms = self.unknowns.transforms(numbers)
        for i, each in enumerate(self.unknowns.candidates):
            one = np.array([MODELS[each.model]]), np.array([float(each.alpha)]), np.ones(1)
            scaled = np.ascontiguousarray(transforms[i])[None]
            found = covariances(self.separations, 0.0, *one, scaled)
            out[:, i + 1] = (0.0 if each.model == "linear" else 1.0) - found
        return out

    @property
    def held(self) -> list[float | None]:
        """Give the heights that are known: nugget, contributions."""
        return [self.nugget, *(each.contribution for each in self.unknowns.candidates)]

    def heights(self, columns: FloatArray, weights: FloatArray) -> FloatArray:
        """Solve for nugget and contributions: (1 + s,), none negative."""
        held = np.array([0.0 if each is None else each for each in self.held])
        free = np.array([each is None for each in self.held])
        if not free.any():
            return held
        root = np.sqrt(weights)
        left = columns[:, free] * root[:, None]
        right = (self.values - columns @ held) * root
        if self.sill is not None:
            stiff = STIFFNESS * float(np.linalg.norm(left))
            left = np.vstack([left, np.full(free.sum(), stiff)])
            right = np.append(right, stiff * (self.sill - held.sum()))
        held[free] = nnls(left, right)[0]
        if self.sill is not None and held[free].sum() > 0:
            held[free] *= (self.sill - held[~free].sum()) / held[free].sum()
        return held


def _check_count(lags: _Lags) -> None:
    held = lags.held
    unknown = sum(lags.unknowns.widths) + lags.unknowns.angles + held.count(None)
    unknown -= lags.sill is not None
    if len(lags.values) < unknown:
        raise ValueError(
            f"{unknown} unknown numbers must have as many lags, got {len(lags.values)}"
        )
    if lags.sill is None:
        return
    if any(each.model == "linear" for each in lags.unknowns.candidates):
        raise ValueError("a linear structure has no sill, so none can be held")
    known = sum(each for each in held if each is not None)
    if known > lags.sill or (None not in held and known != lags.sill):
        raise ValueError(f"what is held must fit the sill of {lags.sill}, got {known}")


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
    lags: _Lags, pairs: FloatArray, weighting: str, report: Callable[[float], None] | None
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


def _best_starts(lags: _Lags, weights: FloatArray) -> list[FloatArray]:
    starts = lags.unknowns.starts()
    errors = []
    for start in starts:
        columns = lags.columns(start)
        misses = lags.values - columns @ lags.heights(columns, weights)
        errors.append(float(np.sum(weights * misses**2)))
    return [starts[i] for i in np.argsort(errors, kind="stable")[:FOLLOWED]]


def _followed(lags: _Lags, weights: FloatArray, start: FloatArray) -> _Found:
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


def _told(lags: _Lags, found: _Found, rows: IntArray, count: int) -> Fit:
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
