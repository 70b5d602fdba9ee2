"""Where on earth something lies: outlines of countries, and maps around a place."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import as_file, files
from typing import Final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

SOURCE: Final = "Outlines: Natural Earth 1:50m (public domain), borders as they are in fact."
STEP_DEG: Final = 0.01
EARTH_KM: Final = 6371.0
ARC_DEG: Final = 2.0  # between places along the rim of a globe


@dataclass(frozen=True, slots=True, eq=False)
class Country:
    """A country of Natural Earth.

    Attributes:
        name: in English, shortened where it is long.
        rings: (n, 2) longitude and latitude in degrees; outer ones clockwise, holes the other way.
    """

    name: str
    rings: tuple[FloatArray, ...]


@lru_cache(maxsize=1)
def countries() -> tuple[Country, ...]:
    """Give all countries; `tools/world.py` made the file."""
    with (
        as_file(files("haulier.families.reporting").joinpath("world.npz")) as path,
        np.load(path) as packed,
    ):
        # A step across the whole map is more than 16 bits hold: sums come round as it did.
        places = np.cumsum(packed["steps"], axis=0, dtype=np.int16) * STEP_DEG
        ends = np.cumsum(packed["lengths"])
        owners = packed["owners"].tolist()
        names = packed["names"].tobytes().decode().split("\n")
    rings: list[list[FloatArray]] = [[] for _ in names]
    for owner, ring in zip(owners, np.split(places, ends[:-1]), strict=True):
        rings[owner].append(ring)
    return tuple(Country(name, tuple(own)) for name, own in zip(names, rings, strict=True))


def directions(places: FloatArray, centre: tuple[float, float]) -> FloatArray:
    """Give places as seen from above a centre.

    Args:
        places: (n, 2) longitude and latitude, degrees.
        centre: longitude and latitude.

    Returns:
        (n, 3) to the east, to the north and towards the eye, in radii of the earth, a sphere.
    """
    lon = np.radians(places[:, 0] - centre[0])
    lat, middle = np.radians(places[:, 1]), np.radians(centre[1])
    east = np.cos(lat) * np.sin(lon)
    north = np.cos(middle) * np.sin(lat) - np.sin(middle) * np.cos(lat) * np.cos(lon)
    up = np.sin(middle) * np.sin(lat) + np.cos(middle) * np.cos(lat) * np.cos(lon)
    return np.stack([east, north, up], axis=1)


def around(places: FloatArray, centre: tuple[float, float]) -> FloatArray:
    """Give kilometres to the east and north of a centre, in Lambert's azimuthal projection.

    Args:
        places: (n, 2) longitude and latitude, degrees.
        centre: longitude and latitude.

    Source:
        Snyder (1987), Map projections: a working manual, eq. 24-2, on a sphere.
    """
    seen = directions(places, centre)
    stretch = np.sqrt(2.0 / np.maximum(1.0 + seen[:, 2:], 1e-9))
    return np.asarray(EARTH_KM * stretch * seen[:, :2])


def on_globe(ring: FloatArray, centre: tuple[float, float]) -> FloatArray:
    """Give a ring as a globe shows it from far above a centre, cut off at the rim.

    Args:
        ring: (n, 2) longitude and latitude, degrees.
        centre: longitude and latitude.

    Returns:
        (k, 2) in radii of the globe; empty where nothing of it is on this side.
    """
    seen = directions(ring, centre)
    front = seen[:, 2] > 0
    if not front.any():
        return np.zeros((0, 2))
    if front.all():
        return seen[:, :2]
    first = int(np.argmax(front & ~np.roll(front, 1)))
    seen, front = np.roll(seen, -first, axis=0), np.roll(front, -first)
    pieces: list[FloatArray] = []
    changes = np.flatnonzero(np.diff(front)) + 1
    for begin, end in zip([0, *changes.tolist()], [*changes.tolist(), len(seen)], strict=True):
        if front[begin]:
            pieces.append(seen[begin:end, :2])
        else:
            before, after = seen[begin - 1], seen[end % len(seen)]
            pieces.append(
                _along_rim(_crossing(before, seen[begin]), _crossing(seen[end - 1], after))
            )
    return np.concatenate(pieces)


def _crossing(one: FloatArray, other: FloatArray) -> float:
    """Give the angle on the rim where the line between two places goes behind it."""
    share = one[2] / (one[2] - other[2])
    place = one + share * (other - one)
    return float(np.arctan2(place[1], place[0]))


def _along_rim(begin: float, end: float) -> FloatArray:
    """Give places on the rim from one angle to another, the shorter way round."""
    turn = (end - begin + np.pi) % (2 * np.pi) - np.pi
    steps = max(int(abs(np.degrees(turn)) / ARC_DEG), 1)
    angles = begin + turn * np.linspace(0.0, 1.0, steps + 1)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)
