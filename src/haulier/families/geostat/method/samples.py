"""Samples: what was measured, where, and in which drillhole."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haulier.families.geostat.method.rotation import FloatArray

IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Samples:
    """Samples of one variable, or of several at the same places.

    Attributes:
        places: (n, 3) metres, one projected CRS.
        values: (n,) or (n, k), in units of the variable.
        holes: (n,) code of the drillhole each is of; None where there are none.
        counts: (n,) how many measurements each stands for; None where each stands for one.

    Raises:
        ValueError: there are none, shapes do not agree, or a number is not finite.
    """

    places: FloatArray
    values: FloatArray
    holes: IntArray | None = None
    counts: IntArray | None = None

    def __post_init__(self) -> None:
        """Bring the arrays to their types, and check them."""
        places = np.ascontiguousarray(self.places, dtype=np.float64)
        values = np.ascontiguousarray(self.values, dtype=np.float64)
        if places.shape != (len(places), 3) or len(places) == 0:
            raise ValueError(f"places must be (n, 3) with n > 0, got {places.shape}")
        if values.ndim not in {1, 2} or len(values) != len(places):
            raise ValueError(f"values must be ({len(places)},) or more columns, got {values.shape}")
        for name, array in (("places", places), ("values", values)):
            if not np.isfinite(array).all():
                raise ValueError(f"{name} must be finite, got {_first_odd(array)}")
        object.__setattr__(self, "places", places)
        object.__setattr__(self, "values", values)
        for name in ("holes", "counts"):
            object.__setattr__(self, name, _codes(name, getattr(self, name), len(places)))

    def __len__(self) -> int:
        """Give the number of samples."""
        return len(self.places)


def _codes(name: str, codes: IntArray | None, count: int) -> IntArray | None:
    if codes is None:
        return None
    codes = np.ascontiguousarray(codes, dtype=np.int64)
    if codes.shape != (count,):
        raise ValueError(f"{name} must be ({count},), got {codes.shape}")
    return codes


def _first_odd(array: FloatArray) -> str:
    rows = np.flatnonzero(~np.isfinite(array.reshape(len(array), -1)).all(axis=1))
    return f"{array[rows[0]].tolist()} in row {rows[0]}, counted from 0"


def merge_duplicates(samples: Samples) -> Samples:
    """Make one sample of those that share a place: kriging cannot tell them apart.

    Args:
        samples: (n, ...) as they came.

    Returns:
        (u, ...) one a place, in the order in which places come first: the mean of the values, the
        drillhole of the first, and in `counts` how many measurements it stands for.

    Source:
        Isaaks & Srivastava (1989), An Introduction to Applied Geostatistics, ch. 12: two samples
        at one place give the kriging matrix two equal rows.
    """
    # Adding zero makes -0.0 the same place as 0.0.
    _, first, of = np.unique(samples.places + 0.0, axis=0, return_index=True, return_inverse=True)
    if len(first) == len(samples):
        return samples
    turn = np.argsort(first)
    rank = np.empty_like(turn)
    rank[turn] = np.arange(len(turn))
    first, of = first[turn], rank[of.ravel()]
    columns = samples.values.reshape(len(samples), -1)
    rows = np.bincount(of, minlength=len(first))
    sums = np.stack([np.bincount(of, column) for column in columns.T], axis=1)
    # A sample alone keeps its very value.
    means = np.where(rows[:, None] == 1, columns[first], sums / rows[:, None])
    counts = np.ones(len(samples)) if samples.counts is None else samples.counts
    return Samples(
        samples.places[first],
        means.reshape((-1, *samples.values.shape[1:])),
        None if samples.holes is None else samples.holes[first],
        np.bincount(of, counts).astype(np.int64),
    )
