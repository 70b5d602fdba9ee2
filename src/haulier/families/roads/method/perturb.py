"""Bend roads as another map would draw them: smooth fields, moved vertices, fewer of them."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
import shapely
from scipy.ndimage import gaussian_filter, map_coordinates

from haulier.families.roads.method.lines import FloatArray, Lines

WIDE_M: Final = 1000.0
LOCAL_M: Final = 150.0
SAME_PLACE_M: Final = 0.01  # vertices this close are moved together
CELLS: Final = 4  # of the noise grid per smoothing length


@dataclass(frozen=True, slots=True)
class Level:
    """How another map differs from the reference; standard deviations in metres.

    Attributes:
        wide_m: of a field that is smooth over 1 km.
        local_m: of a field that is smooth over 150 m.
        vertex_m: of each vertex, the same for roads that share it.
        simplify_m: tolerance of Douglas and Peucker's simplification.
    """

    wide_m: float
    local_m: float
    vertex_m: float
    simplify_m: float


# L1 is what independent maps of one city differ by (median 1.6 m, 95 % within 4.6 m).
LEVELS: Final = MappingProxyType(
    {
        "L0": Level(0.0, 0.0, 0.0, 0.0),
        "L1": Level(2.0, 1.0, 0.7, 1.0),
        "L2": Level(5.0, 2.0, 1.5, 3.0),
        "L3": Level(10.0, 4.0, 3.0, 6.0),
    }
)


def perturb(lines: Lines, level: Level, random: np.random.Generator) -> Lines:
    """Bend roads as another map would have them.

    Args:
        lines: metres.
        level: how much.
        random: source of chance.

    Returns:
        As many lines; places that roads share stay shared.

    Source:
        Doucette et al. (2012), PERTY: a perturbation method for evaluating conflation; here with
        fields ten times gentler.
    """
    xy = lines.coordinates
    if len(xy) == 0:
        return lines
    moved = xy + field(xy, level.wide_m, WIDE_M, random) + field(xy, level.local_m, LOCAL_M, random)
    places = np.round(xy / SAME_PLACE_M).astype(np.int64)
    shared, number = np.unique(places, axis=0, return_inverse=True)
    moved += random.normal(0.0, level.vertex_m, (len(shared), 2))[number.reshape(-1)]
    bent = Lines(moved, lines.offsets)
    return simplify(bent, level.simplify_m) if level.simplify_m else bent


def field(
    xy: FloatArray, deviation_m: float, smooth_m: float, random: np.random.Generator
) -> FloatArray:
    """Draw a smooth random displacement.

    Args:
        xy: (n, 2) places, metres.
        deviation_m: standard deviation of each component.
        smooth_m: distance over which neighbours move alike.
        random: source of chance.

    Returns:
        (n, 2) metres.
    """
    if deviation_m == 0.0:
        return np.zeros_like(xy)
    cell_m = smooth_m / CELLS
    low = xy.min(axis=0) - smooth_m
    shape = tuple((np.ceil((xy.max(axis=0) + smooth_m - low) / cell_m).astype(int) + 1).tolist())
    at = ((xy - low) / cell_m).T
    out = np.empty_like(xy)
    for axis in range(2):
        noise = gaussian_filter(random.normal(size=shape), CELLS / 2)
        out[:, axis] = map_coordinates(noise * (deviation_m / noise.std()), at, order=1)
    return out


def simplify(lines: Lines, tolerance_m: float) -> Lines:
    """Leave out vertices closer than a tolerance to the line without them.

    Args:
        lines: metres, of at least two vertices each.
        tolerance_m: as Douglas and Peucker (1973) mean it.

    Returns:
        As many lines; their ends stay.
    """
    owner = np.repeat(np.arange(len(lines)), np.diff(lines.offsets))
    geometry = shapely.linestrings(lines.coordinates, indices=owner)
    simple = shapely.simplify(geometry, tolerance_m, preserve_topology=False)
    coordinates, owner = shapely.get_coordinates(simple, return_index=True)
    return Lines(coordinates, np.searchsorted(owner, np.arange(len(lines) + 1)).astype(np.int64))
