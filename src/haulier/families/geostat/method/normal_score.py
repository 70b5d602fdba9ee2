"""Normal scores: values of a variable to those of a standard Gaussian, and back."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from scipy.special import ndtri

from haulier.families.geostat.method.distribution import Distribution
from haulier.families.geostat.method.rotation import FloatArray
from haulier.families.kernels import kernel

#: The least probability that has a score, and one minus the greatest: -8.2 and 8.2.
EDGE: Final = 2.0**-53
ROOT_HALF: Final = math.sqrt(0.5)


def forward(values: FloatArray, distribution: Distribution) -> FloatArray:
    """Give the normal score of each of (...) values.

    A value of the distribution has the score of its own probability; one between two of them,
    that of the probability on the straight line. Beyond the last ones the tails count, and without
    a tail the score of the last one. NaN stays NaN.

    Source:
        Deutsch & Journel (1998), GSLIB, section V.2.1.
    """
    p = np.clip(distribution.cdf(values), EDGE, 1.0 - EDGE)
    return np.asarray(ndtri(p))


def backward(scores: FloatArray, distribution: Distribution) -> FloatArray:
    """Give the value of each of (...) normal scores; NaN stays NaN.

    `backward(forward(z)) == z` to the bit where z is a value of the distribution.
    """
    flat = np.array(scores, dtype=np.float64).reshape(-1)
    lower, upper = distribution.lower, distribution.upper
    back_transform(
        flat,
        ndtri(distribution.probabilities),
        distribution.probabilities,
        distribution.values,
        1.0 / lower.exponent if lower else 1.0,
        lower.minimum if lower else distribution.values[0],
        1.0 / upper.exponent if upper else 1.0,
        upper.maximum if upper else distribution.values[-1],
    )
    return flat.reshape(np.shape(scores))


@kernel
def back_transform(  # noqa: PLR0917 - a kernel takes its arrays one by one
    scores: FloatArray,
    steps: FloatArray,
    probabilities: FloatArray,
    values: FloatArray,
    lower_root: float,
    minimum: float,
    upper_root: float,
    maximum: float,
) -> None:
    """Replace (m,) scores by their values.

    Args:
        scores: (m,), changed in place.
        steps: (n,) scores of the points of the distribution.
        probabilities: (n,) of its points.
        values: (n,) of its points.
        lower_root: one over the exponent of the lower tail.
        minimum: where the lower tail ends; the first value if there is none.
        upper_root: one over the exponent of the upper tail.
        maximum: where the upper tail ends; the last value if there is none.
    """
    n = len(values)
    for i in range(len(scores)):
        s = scores[i]
        if math.isnan(s):
            continue
        p = 0.5 * math.erfc(-s * ROOT_HALF)
        if s < steps[0]:
            share = min(1.0, p / probabilities[0])
            scores[i] = minimum + (values[0] - minimum) * math.pow(share, lower_root)
        elif s >= steps[n - 1]:
            share = max(0.0, (p - probabilities[n - 1]) / (1.0 - probabilities[n - 1]))
            scores[i] = values[n - 1] + (maximum - values[n - 1]) * math.pow(share, upper_root)
            if s == steps[n - 1]:
                scores[i] = values[n - 1]
        else:
            k = np.searchsorted(steps, s, side="right") - 1
            width = probabilities[k + 1] - probabilities[k]
            share = min(1.0, max(0.0, (p - probabilities[k]) / width))
            rise = values[k + 1] - values[k]
            scores[i] = values[k] if s == steps[k] else values[k] + rise * share
