"""Despiking: equal values get an order, by their neighbours first and by chance last."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from haulier.families.geostat.method.rotation import FloatArray
from haulier.families.geostat.method.spread import generator

#: How much of the way to the nearest other value tied ones are spread over.
SHARE: Final = 1e-3
#: So much is taken at most where numbers lie too close for that.
MOST: Final = 0.5
#: Neighbours of a spread must differ by so many roundings.
ROUNDINGS: Final = 4.0
#: So that the same seed may serve simulation too.
TIES_STREAM: Final = 1


def tied(values: FloatArray) -> NDArray[np.int64]:
    """Give the positions of those of (n,) values that others equal: whose neighbours matter."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True, equal_nan=False)
    return np.flatnonzero(counts[place] > 1)


def break_ties(values: FloatArray, local_means: FloatArray, seed: int) -> FloatArray:
    """Make equal values differ by a little, the one with the richer neighbourhood being larger.

    Values tied at z are spread evenly about z, over a thousandth of the distance to the nearest
    other value; at the smallest value upwards only, at the largest downwards only, so that the
    range of the data stays. Those with equal local means, or none, are ordered by chance. The
    order of unequal values is kept, and so are values without an equal.

    Args:
        values: (n,) in the unit of the variable; NaN stays NaN.
        local_means: (n,) mean of the neighbours of each, as `weighting.knn` gives it at its own
            place; NaN where there are too few. Only those of tied values matter.
        seed: of the order by chance; the same seed gives the same order.

    Returns:
        (n,) values, no two of them equal.

    Raises:
        ValueError: so many values are tied that floating-point numbers cannot tell them apart.

    Source:
        Verly (1986), Multigaussian kriging: a complete case study, 19th APCOM; Deutsch & Journel
        (1998), GSLIB, section V.2.1 (despiking by local averages).
    """
    order = generator(seed, 0, 0, TIES_STREAM).random(len(values))
    out = np.array(values, dtype=np.float64)
    distinct, place, counts = np.unique(
        out, return_inverse=True, return_counts=True, equal_nan=False
    )
    # a mean that is missing counts as the tied value itself
    means = np.where(np.isnan(local_means), out, local_means)
    ranked = np.lexsort((order, means, place))
    starts = np.concatenate(([0], np.cumsum(counts)))
    for group in np.flatnonzero(counts > 1):
        members = ranked[starts[group] : starts[group + 1]]
        out[members] = _spread(distinct, int(group), int(counts[group]))
    return out


def _spread(distinct: FloatArray, group: int, count: int) -> FloatArray:
    """Give (count,) rising values about one of the distinct values."""
    value = float(distinct[group])
    known = distinct[~np.isnan(distinct)]
    below = value - known[group - 1] if group > 0 else np.inf
    above = known[group + 1] - value if group + 1 < len(known) else np.inf
    gap = min(below, above)
    start, stop = -0.5, 0.5
    if not np.isfinite(gap):  # all values are equal
        gap = max(abs(value), 1.0)
    elif not np.isfinite(below):
        start, stop = 0.0, 1.0
    elif not np.isfinite(above):
        start, stop = -1.0, 0.0
    needed = ROUNDINGS * count * np.spacing(max(abs(value), abs(value + gap), abs(value - gap)))
    width = max(SHARE * gap, needed)
    if width > MOST * gap:
        raise ValueError(
            f"{count} values of {value} cannot be told apart before the next value, {gap} away"
        )
    return np.asarray(value + width * np.linspace(start, stop, count))
