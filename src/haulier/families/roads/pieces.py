"""Cut roads that are too long for a tile into pieces, and know which part of the road each is."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from pyproj import Geod

from haulier.families.roads.method.lines import FloatArray, IntArray, Lines, take
from haulier.families.roads.method.long_roads import LONGEST_M, Cut, cut_long
from haulier.families.roads.method.projection import centred_on

WGS84: Final = Geod(ellps="WGS84")


@dataclass(frozen=True, slots=True)
class Pieces:
    """Lines of bounded length, and the stretch of its road that each of them is.

    Attributes:
        lines: p lines, degrees.
        owner: (p,) row of the road.
        start: (p,) fraction of the road where the piece begins.
        stop: (p,) fraction of the road where it ends.
        length_m: (p,) geodesic length.
    """

    lines: Lines
    owner: IntArray
    start: FloatArray
    stop: FloatArray
    length_m: FloatArray


def step_lengths(lines: Lines) -> FloatArray:
    """Measure each step between vertices on the WGS 84 ellipsoid.

    Args:
        lines: n vertices in degrees.

    Returns:
        (n,) metres from the vertex before; 0 at the first vertex of a line.

    Source:
        Karney (2013), Algorithms for geodesics, J. Geodesy 87, by way of PROJ.
    """
    xy = lines.coordinates
    step = np.zeros(len(xy))
    if len(xy) > 1:
        step[1:] = WGS84.inv(xy[:-1, 0], xy[:-1, 1], xy[1:, 0], xy[1:, 1])[2]
    step[lines.offsets[:-1]] = 0.0
    return step


def cut_long_roads(lines: Lines) -> Pieces:
    """Leave roads of up to LONGEST_M whole, and cut longer ones at vertices.

    Args:
        lines: m roads, degrees, each of at least two vertices.
    """
    m = len(lines)
    length = np.add.reduceat(step_lengths(lines), lines.offsets[:-1]) if m else np.zeros(0)
    if not np.any(length > LONGEST_M):
        return Pieces(lines, np.arange(m), np.zeros(m), np.ones(m), length)
    short = np.flatnonzero(length <= LONGEST_M)
    kept = take(lines, short)
    cuts = [Cut(kept, short, np.zeros(len(short)), np.ones(len(short)))]
    for road in np.flatnonzero(length > LONGEST_M):
        line = take(lines, np.array([road]))
        metres = centred_on(line.coordinates).forward(line.coordinates)
        cut = cut_long(line, Lines(metres, line.offsets), LONGEST_M)
        cuts.append(replace(cut, parent=np.full(len(cut.lines), road)))
    owner = np.concatenate([cut.parent for cut in cuts])
    start = np.concatenate([cut.begin for cut in cuts])
    stop = np.concatenate([cut.end for cut in cuts])
    counts = np.concatenate([np.diff(cut.lines.offsets) for cut in cuts])
    offsets = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(counts)])
    coordinates = np.concatenate([cut.lines.coordinates for cut in cuts])
    length_m = length[owner] * (stop - start)
    return Pieces(Lines(coordinates, offsets), owner, start, stop, length_m)
