"""Indicators: a distribution by its values at cutoffs, estimated one by one and made whole."""

from __future__ import annotations

import numpy as np

from haulier.families.geostat.method.rotation import FloatArray


def indicators(values: FloatArray, cutoffs: FloatArray) -> FloatArray:
    """Give 1 where a value does not exceed a cutoff, else 0: (n,) and (c,) to (n, c)."""
    return np.asarray((values[:, None] <= cutoffs[None, :]).astype(np.float64))


def corrected(probabilities: FloatArray) -> FloatArray:
    """Make estimated probabilities a distribution: within 0 to 1, and not falling.

    Args:
        probabilities: (m, c) of not exceeding c rising cutoffs, as kriging gave them.

    Returns:
        (m, c) the mean of the upward and the downward correction; NaN stays NaN.

    Source:
        Deutsch & Journel (1998), GSLIB, section IV.1.9: order relations.
    """
    within = np.clip(probabilities, 0.0, 1.0)
    upward = np.maximum.accumulate(within, axis=1)
    downward = np.minimum.accumulate(within[:, ::-1], axis=1)[:, ::-1]
    return np.asarray(0.5 * (upward + downward))


def class_means(values: FloatArray, cutoffs: FloatArray) -> FloatArray:
    """Give the mean of samples between cutoffs: (n,) and (c,) to (c + 1,).

    A class without samples has the middle between its cutoffs; the first and last, the cutoff.
    """
    of = np.searchsorted(cutoffs, values, side="left")
    counts = np.bincount(of, minlength=len(cutoffs) + 1)
    sums = np.bincount(of, values, minlength=len(cutoffs) + 1)
    low = np.concatenate([cutoffs[:1], cutoffs])
    high = np.concatenate([cutoffs, cutoffs[-1:]])
    middles = 0.5 * (low + high)
    return np.where(counts > 0, sums / np.maximum(counts, 1), middles)


def expected(probabilities: FloatArray, means: FloatArray) -> FloatArray:
    """Give the mean of distributions, the E-type estimate.

    Args:
        probabilities: (m, c) of not exceeding the cutoffs, corrected.
        means: (c + 1,) of the classes between them.

    Returns:
        (m,) in units of the variable.

    Source:
        Deutsch & Journel (1998), GSLIB, section IV.1.9 (postik).
    """
    zero, one = np.zeros((len(probabilities), 1)), np.ones((len(probabilities), 1))
    shares = np.diff(np.concatenate([zero, probabilities, one], axis=1), axis=1)
    return np.asarray(shares @ means)
