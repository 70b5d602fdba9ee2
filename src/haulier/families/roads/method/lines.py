"""Polylines of one tile as flat arrays, and the measures taken along them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

PLANE: Final = 2  # axes of a table of places, and numbers in a place


@dataclass(frozen=True, slots=True)
class Lines:
    """Polylines in compressed-row form: line i owns rows offsets[i] to offsets[i + 1].

    Attributes:
        coordinates: (n, 2) longitude and latitude in degrees (WGS84), or metres once projected.
        offsets: (m + 1,) first row of each line; the last entry is n.

    Raises:
        ValueError: the arrays do not have these shapes, or the offsets do not cover the rows.
    """

    coordinates: FloatArray
    offsets: IntArray

    def __post_init__(self) -> None:
        """Refuse arrays that would make a kernel read outside its input."""
        if self.coordinates.ndim != PLANE or self.coordinates.shape[1] != PLANE:
            detail = f"coordinates must have shape (n, 2), got {self.coordinates.shape}"
            raise ValueError(detail)
        starts = self.offsets.ndim == 1 and len(self.offsets) > 0 and int(self.offsets[0]) == 0
        if not starts or int(self.offsets[-1]) != len(self.coordinates):
            detail = f"offsets must run from 0 to {len(self.coordinates)}, got {self.offsets}"
            raise ValueError(detail)
        if np.any(np.diff(self.offsets) < 0):
            detail = "offsets must not fall"
            raise ValueError(detail)

    def __len__(self) -> int:
        """Count the lines."""
        return len(self.offsets) - 1


def no_lines() -> Lines:
    """Give an empty set of lines."""
    return Lines(np.zeros((0, 2)), np.zeros(1, dtype=np.int64))


def measures(lines: Lines) -> FloatArray:
    """Measure the way from the start of its line to each vertex.

    Args:
        lines: in metres.

    Returns:
        (n,) metres, 0 at the first vertex of each line.
    """
    step = np.zeros(len(lines.coordinates))
    if len(step) > 1:
        step[1:] = np.hypot(*np.diff(lines.coordinates, axis=0).T)
    counts = np.diff(lines.offsets)
    firsts = lines.offsets[:-1][counts > 0]
    step[firsts] = 0.0
    total = np.cumsum(step)
    base = np.zeros(len(lines))
    base[counts > 0] = total[firsts]
    return np.asarray(total - np.repeat(base, counts))


def lengths(lines: Lines) -> FloatArray:
    """Measure each line.

    Args:
        lines: in metres.

    Returns:
        (m,) metres; 0 for a line of fewer than two vertices.
    """
    along = measures(lines)
    counts = np.diff(lines.offsets)
    out = np.zeros(len(lines))
    out[counts > 0] = along[lines.offsets[1:][counts > 0] - 1]
    return out


def take(lines: Lines, rows: IntArray | BoolArray) -> Lines:
    """Pick some lines.

    Args:
        lines: m lines.
        rows: (k,) indices, or an (m,) mask.

    Returns:
        The k lines, in the order asked for.
    """
    picked = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows.astype(np.int64)
    counts = np.diff(lines.offsets)[picked]
    offsets = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(counts)])
    within = np.arange(offsets[-1]) - np.repeat(offsets[:-1], counts)
    return Lines(lines.coordinates[np.repeat(lines.offsets[picked], counts) + within], offsets)
