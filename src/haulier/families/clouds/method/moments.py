"""Least, greatest, mean and variance of numbers that come batch by batch."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

#: What a row of moments says of a batch: numbers, least, greatest, mean, sum of squares about it.
COUNT, LEAST, GREATEST, MEAN, SQUARES = range(5)
NONE: Final = (0.0, np.inf, -np.inf, 0.0, 0.0)


def moments_of(values: NDArray[Any]) -> FloatArray:
    """Give the moments of a batch.

    Args:
        values: (n,) of any type of number, any unit u; what is not finite does not count.

    Returns:
        (5,) how many are finite; least and greatest in u; mean in u; sum of squares about the
        mean in u².
    """
    if values.dtype.kind == "f":
        values = values[np.isfinite(values)]
    if not len(values):
        return np.array(NONE)
    numbers = values.astype(np.float64)
    mean = float(numbers.mean())
    apart = numbers - mean
    return np.array([len(values), values.min(), values.max(), mean, float(np.square(apart).sum())])


def joined(rows: FloatArray) -> FloatArray:
    """Give the moments of all batches together.

    Args:
        rows: (b, d, 5) the moments of d dimensions in b batches, joined in their order, so that
            the last bit of a sum does not depend on who took which batch.

    Returns:
        (d, 5) as `moments_of` gives them.

    Source:
        Chan, Golub & LeVeque (1983), Algorithms for computing the sample variance, eq. 2.1.
    """
    whole = np.tile(np.array(NONE), (rows.shape[1], 1))
    for row in rows:
        count = whole[:, COUNT] + row[:, COUNT]
        share = np.divide(row[:, COUNT], count, out=np.zeros_like(count), where=count > 0)
        apart = row[:, MEAN] - whole[:, MEAN]
        whole[:, SQUARES] += row[:, SQUARES] + apart**2 * whole[:, COUNT] * share
        whole[:, MEAN] += apart * share
        whole[:, COUNT] = count
        whole[:, LEAST] = np.minimum(whole[:, LEAST], row[:, LEAST])
        whole[:, GREATEST] = np.maximum(whole[:, GREATEST], row[:, GREATEST])
    return whole
