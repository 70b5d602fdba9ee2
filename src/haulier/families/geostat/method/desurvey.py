"""Drillholes as curves: from depths, azimuths and dips to places in space."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from haulier.families.geostat.method.rotation import FloatArray

#: Below this angle an arc is a straight line to the last digit, and the ratio below is not 0/0.
STRAIGHT_RAD = 1e-8


class Desurvey(StrEnum):
    """How the direction changes between two stations."""

    MINIMUM_CURVATURE = "minimum_curvature"  # along an arc of a circle
    BALANCED_TANGENT = "balanced_tangent"  # half the way as above, half as below
    TRENCH = "trench"  # as at its end, all the way


def hole_places(
    collar: FloatArray,
    stations: FloatArray,
    depths_m: FloatArray,
    desurvey: Desurvey = Desurvey.MINIMUM_CURVATURE,
) -> FloatArray:
    """Give the places of depths along one drillhole.

    Above the first station and below the last, the hole goes on as it is there.

    Args:
        collar: (3,) metres east, north, up.
        stations: (s, 3) depth in metres from the collar, azimuth in degrees clockwise from North
            (+Y), dip in degrees below the horizon (90: straight down). Without a station, the
            hole goes straight down.
        depths_m: (n,) metres along the hole.
        desurvey: how stations are joined.

    Returns:
        (n, 3) metres.

    Raises:
        ValueError: a depth, azimuth or dip of a station is not finite, or two share a depth.

    Source:
        Taylor & Mason (1972), A systematic approach to well surveying calculations, SPE 3362:
        minimum curvature. Craig & Randall (1976), Directional survey calculation: balanced tangent.
    """
    depth, tangent = _stations(stations)
    starts = _station_places(depth, tangent, desurvey)
    leg = np.clip(np.searchsorted(depth, depths_m, side="right") - 1, 0, len(depth) - 1)
    after = np.minimum(leg + 1, len(depth) - 1)
    length = depth[after] - depth[leg]
    beyond = (after == leg) | (depths_m < depth[0])
    fraction = np.where(beyond, 0.0, (depths_m - depth[leg]) / np.where(length > 0, length, 1.0))
    along = (depths_m - depth[leg])[:, None]
    curved = _leg(tangent[leg], tangent[after], fraction, length, desurvey)
    offset = np.where(beyond[:, None], tangent[leg] * along, curved)
    return np.asarray(collar + starts[leg] + offset)


def _stations(stations: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Give depths (s,) that rise from 0, and unit vectors (s, 3) along the hole."""
    if len(stations) == 0:
        stations = np.array([[0.0, 0.0, 90.0]])
    if not np.all(np.isfinite(stations)):
        raise ValueError("depth, azimuth and dip of every station must be finite")
    stations = stations[np.argsort(stations[:, 0], kind="stable")]
    if np.any(np.diff(stations[:, 0]) <= 0):
        raise ValueError("two stations of one hole must not share a depth")
    if stations[0, 0] > 0:
        first = stations[:1].copy()
        first[0, 0] = 0.0
        stations = np.concatenate([first, stations])
    azimuth, dip = np.radians(stations[:, 1]), np.radians(stations[:, 2])
    flat = np.cos(dip)
    tangent = np.stack([flat * np.sin(azimuth), flat * np.cos(azimuth), -np.sin(dip)], axis=1)
    return stations[:, 0], tangent


def _station_places(depth: FloatArray, tangent: FloatArray, desurvey: Desurvey) -> FloatArray:
    """Give the places of stations from the collar: (s, 3)."""
    length = np.diff(depth)
    legs = _leg(tangent[:-1], tangent[1:], np.ones(len(length)), length, desurvey)
    places = np.concatenate([np.zeros((1, 3)), np.cumsum(legs, axis=0)])
    return np.asarray(places + tangent[:1] * depth[0])


def _leg(
    first: FloatArray,
    last: FloatArray,
    fraction: FloatArray,
    length: FloatArray,
    desurvey: Desurvey,
) -> FloatArray:
    """Give the way along a part of each leg: (n, 3) metres."""
    t, whole = fraction[:, None], length[:, None]
    if desurvey is Desurvey.TRENCH:
        return np.asarray(last * t * whole)
    if desurvey is Desurvey.BALANCED_TANGENT:
        above, below = np.minimum(t, 0.5), np.maximum(t - 0.5, 0.0)
        return np.asarray((first * above + last * below) * whole)
    # Neither arccos nor differences of cosines: both lose their digits where a hole is straight.
    across = np.linalg.norm(np.cross(first, last), axis=1)
    angle = np.arctan2(across, np.sum(first * last, axis=1))[:, None]
    bent = (angle > STRAIGHT_RAD) & (angle < np.pi - STRAIGHT_RAD)
    safe: NDArray[np.float64] = np.where(bent, angle, 1.0)
    # The way along the arc: tangents turn evenly from the first to the last.
    half = 2.0 * np.sin(0.5 * t * safe) / (np.sin(safe) * safe)
    away, towards = np.sin((1.0 - 0.5 * t) * safe), np.sin(0.5 * t * safe)
    arc = (first * away + last * towards) * half * whole
    return np.asarray(np.where(bent, arc, first * t * whole))
