"""Which pairs of samples make a variogram: directions with their tolerances, and lags."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from haulier.families.geostat.method.rotation import FloatArray

GSTAT_FRACTION: Final = 1.0 / 3.0
GSTAT_LAGS: Final = 15
RIGHT_ANGLE_DEG: Final = 90.0


class Form(StrEnum):
    """Which pairs a direction takes."""

    OMNIDIRECTIONAL = "omnidirectional"
    DIRECTIONAL = "directional"
    DOWNHOLE = "downhole"


@dataclass(frozen=True, slots=True, eq=False)
class Lags:
    """Classes of distance; they may overlap, and may leave gaps.

    Attributes:
        start_m: (k,) not negative. A pair belongs to a lag if start < distance <= end; to one
            that starts at 0 also if both samples share a place.
        end_m: (k,) greater than its start.

    Raises:
        ValueError: there is no lag, an edge is negative or not finite, or an end is not greater
            than its start.
    """

    start_m: FloatArray
    end_m: FloatArray

    def __post_init__(self) -> None:
        """Check the edges."""
        start, end = self.start_m, self.end_m
        if start.ndim != 1 or start.shape != end.shape or len(start) == 0:
            raise ValueError(
                f"lags must be one or more, got {start.shape} starts, {end.shape} ends"
            )
        if not np.all(np.isfinite(start) & np.isfinite(end) & (start >= 0) & (end > start)):
            raise ValueError("a lag must start at 0 or later, and end after its start")

    def __len__(self) -> int:
        """Give the number of lags."""
        return len(self.start_m)


def adjoining_lags(edges_m: Sequence[float]) -> Lags:
    """Give the lags between edges, each beginning where the one before ends.

    Raises:
        ValueError: there are fewer than two edges, or they do not rise from 0 or more.
    """
    edges = np.asarray(edges_m, dtype=np.float64)
    return Lags(edges[:-1], edges[1:])


def equal_lags(size_m: float, count: int) -> Lags:
    """Give `count` lags of one size that begin at 0 and adjoin, as gstat cuts them.

    Raises:
        ValueError: size or count is not positive.
    """
    _check_size(size_m, count)
    return adjoining_lags([size_m * i for i in range(count + 1)])


def centred_lags(size_m: float, count: int, tolerance_m: float | None = None) -> Lags:
    """Give lags around the multiples of a size, as GSLIB's gamv cuts them.

    Args:
        size_m: from the middle of one lag to that of the next.
        count: of the lags around 1 x, 2 x, ... size. Before them comes one more, for the pairs
            from 0 to the tolerance: the shortest pairs tell most, and would else be lost.
        tolerance_m: half the width of a lag; half the size if None. More than half makes lags
            overlap, and a pair counts in each it falls into.

    Raises:
        ValueError: size, count or tolerance is not positive.
    """
    _check_size(size_m, count)
    tolerance = 0.5 * size_m if tolerance_m is None else tolerance_m
    if not tolerance > 0:
        raise ValueError(f"the tolerance of lags must be positive, got {tolerance}")
    middle = np.array([size_m * i for i in range(count + 1)])
    return Lags(np.maximum(middle - tolerance, 0.0), middle + tolerance)


def gstat_lags(places: FloatArray, count: int = GSTAT_LAGS) -> Lags:
    """Give the lags that gstat takes where none are asked for: up to a third of the diagonal.

    Args:
        places: (n, 3) metres, not all the same.
        count: gstat takes 15.

    Raises:
        ValueError: all places are the same, or the count is not positive.

    Source:
        Pebesma (2004), Multivariable geostatistics in S: the gstat package; `variogram`.
    """
    if count < 1:
        raise ValueError(f"the number of lags must be at least 1, got {count}")
    diagonal = float(np.linalg.norm(np.ptp(places, axis=0)))
    return equal_lags(diagonal * GSTAT_FRACTION / count, count)


def _check_size(size_m: float, count: int) -> None:
    if not (size_m > 0 and math.isfinite(size_m)):
        raise ValueError(f"the size of lags must be positive, got {size_m}")
    if count < 1:
        raise ValueError(f"the number of lags must be at least 1, got {count}")


@dataclass(frozen=True, slots=True)
class Direction:
    """A direction, how far pairs may deviate from it, and its lags.

    A pair counts whichever way round it lies. Angles of exactly the tolerance are within it.

    Attributes:
        lags: classes of distance.
        form: of OMNIDIRECTIONAL and DOWNHOLE, which take pairs of every direction (the latter
            within a drillhole), angles and bands say nothing.
        azimuth_deg: 0 to 360, clockwise from North, which is +Y.
        dip_deg: -90 to 90, positive downwards.
        azimuth_tolerance_deg: 0 to 90, between the horizontal parts of pair and direction. A
            vertical pair is within it, and a vertical direction does not ask for it.
        dip_tolerance_deg: 0 to 90, between pair and direction once the pair is turned to the
            azimuth. None: there is one tolerance, of the angle between pair and direction in
            space: a cone.
        bandwidth_m: how far the far end of a pair may be from the direction, sideways.
        bandheight_m: how far it may be above or below the direction, square to it.

    Raises:
        ValueError: an angle, a tolerance or a band is out of its bounds.

    Source:
        Deutsch & Journel (1998), GSLIB, section III.1: tolerances and bands as in gamv.
    """

    lags: Lags
    form: Form = Form.OMNIDIRECTIONAL
    azimuth_deg: float = 0.0
    dip_deg: float = 0.0
    azimuth_tolerance_deg: float = 90.0
    dip_tolerance_deg: float | None = 90.0
    bandwidth_m: float = math.inf
    bandheight_m: float = math.inf

    def __post_init__(self) -> None:
        """Check angles, tolerances and bands."""
        for name, least, most in (
            ("azimuth_deg", -360.0, 360.0),
            ("dip_deg", -RIGHT_ANGLE_DEG, RIGHT_ANGLE_DEG),
            ("azimuth_tolerance_deg", 0.0, RIGHT_ANGLE_DEG),
            ("dip_tolerance_deg", 0.0, RIGHT_ANGLE_DEG),
            ("bandwidth_m", 0.0, math.inf),
            ("bandheight_m", 0.0, math.inf),
        ):
            value = getattr(self, name)
            if value is not None and not least <= value <= most:
                raise ValueError(f"{name} must be from {least:g} to {most:g}, got {value}")

    @property
    def unit(self) -> FloatArray:
        """Give the direction as a vector of length 1: (3,) east, north, up."""
        azimuth, dip = math.radians(self.azimuth_deg), math.radians(self.dip_deg)
        flat = math.cos(dip)
        return np.array([flat * math.sin(azimuth), flat * math.cos(azimuth), -math.sin(dip)])

    @property
    def limits(self) -> FloatArray:
        """Give it as kernels take it: the columns that `pairs` names."""
        azimuth, dip = math.radians(self.azimuth_deg), math.radians(self.dip_deg)
        upright = abs(self.dip_deg) == RIGHT_ANGLE_DEG
        cone = self.dip_tolerance_deg is None
        along = math.radians(self.azimuth_tolerance_deg)
        down = along if self.dip_tolerance_deg is None else math.radians(self.dip_tolerance_deg)
        return np.array(
            [
                math.sin(azimuth),
                math.cos(azimuth),
                0.0 if upright else math.cos(dip),
                math.sin(dip),
                0.0 if cone or upright else math.cos(along),
                math.cos(down),
                self.bandwidth_m,
                self.bandheight_m,
                float(cone),
            ]
        )
