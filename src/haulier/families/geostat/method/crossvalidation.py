"""Cross-validation: estimate each sample from others, as if it had not been taken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from haulier.families.geostat.method.kriging import Kriging, Targets, Universal, krige
from haulier.families.geostat.method.rotation import FloatArray
from haulier.families.geostat.method.samples import IntArray, Samples, merge_duplicates

#: Targets between two reports.
CHUNK: Final = 4096


@dataclass(frozen=True, slots=True, eq=False)
class CrossValidation:
    """What came out for each of n samples; NaN where there was no estimate.

    Attributes:
        observed: (n,) in units u of the variable.
        estimated: (n,) u.
        variance: (n,) kriging variance, u².
        residual: (n,) observed less estimated, u.
        standardised: (n,) residual over the kriging standard deviation; NaN where that is 0.
        folds: (n,) the fold each was left out with.
        jittered: how many systems were singular to the digits of a double.
    """

    observed: FloatArray
    estimated: FloatArray
    variance: FloatArray
    residual: FloatArray
    standardised: FloatArray
    folds: IntArray
    jittered: int


def leave_one_out(count: int) -> IntArray:
    """Give each sample a fold of its own: (n,)."""
    return np.arange(count, dtype=np.int64)


def random_folds(count: int, folds: int, seed: int) -> IntArray:
    """Share samples out to folds by chance, as evenly as can be.

    Args:
        count: n, of samples.
        folds: 2 to n.
        seed: the same gives the same folds.

    Returns:
        (n,) numbers from 0.

    Raises:
        ValueError: there are fewer than two folds, or more than samples.
    """
    _check_folds(folds, count, "samples")
    order = np.random.Generator(np.random.PCG64(seed)).permutation(count)
    out = np.empty(count, dtype=np.int64)
    out[order] = np.arange(count) % folds
    return out


def drillhole_folds(holes: IntArray, folds: int | None, seed: int) -> IntArray:
    """Keep the samples of a drillhole in one fold: beside its neighbours a sample is no test.

    Args:
        holes: (n,) code of each sample's drillhole.
        folds: 2 to the number of drillholes; None: each drillhole is one.
        seed: the same gives the same folds.

    Returns:
        (n,) numbers from 0. The folds hold about as many samples each: the largest drillholes are
        shared out first, each to the fold that has fewest; chance tells between equals.

    Raises:
        ValueError: there are fewer than two folds, or more than drillholes.

    Source:
        Roberts et al. (2017), Cross-validation strategies for data with temporal, spatial,
        hierarchical, or phylogenetic structure, Ecography 40: 913-929.
    """
    names, code, sizes = np.unique(holes, return_inverse=True, return_counts=True)
    _check_folds(len(names) if folds is None else folds, len(names), "drillholes")
    if folds is None:
        return code.astype(np.int64)
    shuffled = np.random.Generator(np.random.PCG64(seed)).permutation(len(names))
    filled = np.zeros(folds, dtype=np.int64)
    fold = np.empty(len(names), dtype=np.int64)
    for hole in shuffled[np.argsort(-sizes[shuffled], kind="stable")]:
        fold[hole] = int(np.argmin(filled))
        filled[fold[hole]] += sizes[hole]
    return np.asarray(fold[code])


def _check_folds(folds: int, most: int, of: str) -> None:
    if not 2 <= folds <= most:  # noqa: PLR2004 -- one to estimate, one to estimate from
        raise ValueError(f"folds must be 2 to the number of {of}, {most}, got {folds}")


def cross_validate(
    kriging: Kriging, folds: IntArray, *, report: Callable[[float], None] | None = None
) -> CrossValidation:
    """Estimate each sample from those of other folds.

    Nothing is built anew for a fold: one search holds all samples, and a target passes over those
    of its own fold. Samples that share a place are left out together, with the first one's fold.

    Args:
        kriging: samples as they came (n,), several at a place or not; variogram, neighbourhood
            and method. Its own folds do not matter, and targets are points.
        folds: (n,) codes, not negative, as the functions above give them.
        report: is told the fraction done, and may raise to end it.

    Raises:
        ValueError: folds are not (n,), negative, or all the same; or as `krige`.

    Source:
        Isaaks & Srivastava (1989), An Introduction to Applied Geostatistics, ch. 15.
    """
    samples = kriging.samples
    folds = np.asarray(folds, dtype=np.int64)
    if folds.shape != (len(samples),) or folds.min() < 0 or folds.min() == folds.max():
        raise ValueError(f"folds must be ({len(samples)},) codes, not negative, of two or more")
    first, of = _places(samples)
    merged = _merged(kriging, first, folds[first])
    values, variance, jittered = _estimated(merged, report)
    residual = samples.values - values[of]
    deviation = np.sqrt(np.where(variance > 0, variance, np.nan))
    return CrossValidation(
        observed=samples.values,
        estimated=values[of],
        variance=variance[of],
        residual=residual,
        standardised=residual / deviation[of],
        folds=folds[first][of],
        jittered=jittered,
    )


def _places(samples: Samples) -> tuple[IntArray, IntArray]:
    """Give (u,) the first sample of each place, and (n,) which place each sample is at."""
    _, first, of = np.unique(samples.places + 0.0, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return first[order].astype(np.int64), rank[of.ravel()].astype(np.int64)


def _merged(kriging: Kriging, first: IntArray, folds: IntArray) -> Kriging:
    method = kriging.method
    if isinstance(method, Universal):
        method = Universal(kriging.drift[first])
    return Kriging(
        merge_duplicates(kriging.samples),
        kriging.variogram,
        kriging.neighbourhood,
        method,
        folds=folds,
    )


def _estimated(
    kriging: Kriging, report: Callable[[float], None] | None
) -> tuple[FloatArray, FloatArray, int]:
    count = len(kriging.samples)
    values, variance, jittered = np.empty(count), np.empty(count), 0
    for begin in range(0, count, CHUNK):
        part = slice(begin, begin + CHUNK)
        found = krige(
            kriging,
            Targets(
                kriging.samples.places[part],
                drift=kriging.drift[part],
                left_out=None if kriging.folds is None else kriging.folds[part],
            ),
            ("kriging_variance",),
        )
        values[part], variance[part] = found.values, found.diagnostics["kriging_variance"]
        jittered += found.jittered
        if report is not None:
            report(min(begin + CHUNK, count) / count)
    return values, variance, jittered
