"""Which tile a road belongs to: quadkeys of Web Mercator, split until each tile is small."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from haulier.families.roads.method.lines import BoolArray, FloatArray, IntArray

FIRST_ZOOM: Final = 10
LAST_ZOOM: Final = 14
MOST_ROADS: Final = 50_000
MOST_SEGMENTS: Final = 250_000
HALO_M: Final = 200.0  # the matcher looks at most 100 m around a road that may lie 50 m off
HIGHEST_LATITUDE: Final = 85.05112877980659
DATE_LINE: Final = 180.0  # degrees east; the same meridian as -180
METRES_PER_DEGREE: Final = 110_574.0  # of latitude at the equator, its smallest value

KeyArray = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Tile:
    """A square of the quadkey pyramid, and the range of the finest keys within it.

    Attributes:
        quadkey: digits 0-3, one a zoom level.
        first: the first finest key inside.
        last: the finest key after the last one inside.
        roads: how many roads lie inside.
        segments: how many reference segments lie inside, by the middle of their bounds.
    """

    quadkey: str
    first: int
    last: int
    roads: int
    segments: int


def finest_keys(places: FloatArray) -> KeyArray:
    """Number the finest tile of each place, so that a coarser tile is a range of numbers.

    Args:
        places: (n, 2) longitude, latitude in degrees.

    Returns:
        (n,) Morton codes at LAST_ZOOM: y bit, x bit, from the coarsest level to the finest.
    """
    side = 1 << LAST_ZOOM
    x = (np.mod(places[:, 0] + 180.0, 360.0) / 360.0 * side).astype(np.int64)
    latitude = np.radians(np.clip(places[:, 1], -HIGHEST_LATITUDE, HIGHEST_LATITUDE))
    y = ((1 - np.arcsinh(np.tan(latitude)) / np.pi) / 2 * side).astype(np.int64)
    x, y = np.clip(x, 0, side - 1), np.clip(y, 0, side - 1)
    code = np.zeros(len(places), dtype=np.int32)
    for bit in range(LAST_ZOOM):
        code |= ((x >> bit & 1) << (2 * bit) | (y >> bit & 1) << (2 * bit + 1)).astype(np.int32)
    return code


def quadkey(code: int, zoom: int) -> str:
    """Spell the tile at `zoom` that holds a finest key."""
    return "".join(str(code >> 2 * (LAST_ZOOM - level - 1) & 3) for level in range(zoom))


@dataclass(frozen=True, slots=True)
class Tally:
    """How many of something lie in each occupied finest tile.

    Attributes:
        keys: (k,) finest keys, rising, each once.
        until: (k + 1,) how many lie in the tiles before each, and in all.
    """

    keys: KeyArray
    until: IntArray

    def within(self, first: int, last: int) -> int:
        """Count those with keys from `first` to before `last`."""
        low, high = np.searchsorted(self.keys, [first, last])
        return int(self.until[high] - self.until[low])


def tally(keys: Iterable[KeyArray]) -> Tally:
    """Count keys, array by array, so that only occupied tiles stay in memory."""
    seen, counts = np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.int64)
    for some in keys:
        new, new_counts = np.unique(some, return_counts=True)
        both, place = np.unique(np.concatenate([seen, new]), return_inverse=True)
        weights = np.concatenate([counts, new_counts])
        counts = np.bincount(place, weights=weights, minlength=len(both)).astype(np.int64)
        seen = both.astype(np.int32)
    until = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(counts)])
    return Tally(seen, until)


def partition(roads: Tally, segments: Tally) -> list[Tile]:
    """Cut the roads into tiles of bounded size.

    Args:
        roads: where the customer's roads lie.
        segments: where the reference segments lie.

    Returns:
        Tiles with at least one road, in the order of their keys; every road is in one. A tile
        of LAST_ZOOM may hold more than the limits.
    """
    shift = 2 * (LAST_ZOOM - FIRST_ZOOM)
    coarsest = np.unique(roads.keys >> shift)[::-1]
    waiting = [(int(code) << shift, FIRST_ZOOM) for code in coarsest]
    tiles: list[Tile] = []
    while waiting:
        first, zoom = waiting.pop()
        last = first + (1 << 2 * (LAST_ZOOM - zoom))
        n, s = roads.within(first, last), segments.within(first, last)
        if n == 0:
            continue
        if zoom < LAST_ZOOM and (n > MOST_ROADS or s > MOST_SEGMENTS):
            quarter = (last - first) // 4
            waiting.extend((first + i * quarter, zoom + 1) for i in (3, 2, 1, 0))
            continue
        tiles.append(Tile(quadkey(first, zoom), first, last, n, s))
    return tiles


def bounds(coordinates: FloatArray, offsets: IntArray) -> FloatArray:
    """Bound each line; a line over the antimeridian has an east beyond 180 degrees.

    Args:
        coordinates: (n, 2) degrees; every line has a vertex.
        offsets: (m + 1,) first row of each line.

    Returns:
        (m, 4) west, south, east, north.
    """
    if len(offsets) == 1:
        return np.zeros((0, 4))
    start = offsets[:-1]
    anchor = np.repeat(coordinates[start, 0], np.diff(offsets))
    around = coordinates[:, 0] - anchor
    around -= 360.0 * np.round(around / 360.0)
    x = anchor + around
    out = np.empty((len(start), 4))
    out[:, 0], out[:, 2] = np.minimum.reduceat(x, start), np.maximum.reduceat(x, start)
    y = coordinates[:, 1]
    out[:, 1], out[:, 3] = np.minimum.reduceat(y, start), np.maximum.reduceat(y, start)
    over_west = out[:, 0] < -DATE_LINE
    out[over_west, 0] += 360.0
    out[over_west, 2] += 360.0
    return out


def middles(boxes: FloatArray) -> FloatArray:
    """Give the middle of each box, (m, 2) longitude, latitude."""
    return np.column_stack([(boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2])


def envelope(boxes: FloatArray) -> FloatArray:
    """Bound some boxes by one or two that do not cross the antimeridian, with a halo.

    Args:
        boxes: (m, 4) as `bounds` gives them, m at least 1.

    Returns:
        (k, 4), k 1 or 2, each within -180 to 180 and widened by HALO_M.
    """
    anchor = float(boxes[0, 0])
    shift = 360.0 * np.round((boxes[:, 0] - anchor) / 360.0)
    west = float((boxes[:, 0] - shift).min())
    east = float((boxes[:, 2] - shift).max())
    south, north = float(boxes[:, 1].min()), float(boxes[:, 3].max())
    halo = HALO_M / METRES_PER_DEGREE
    narrowest = np.cos(np.radians(min(max(abs(south), abs(north)) + halo, 89.0)))
    west, east = west - halo / narrowest, east + halo / narrowest
    south, north = max(south - halo, -90.0), min(north + halo, 90.0)
    if east - west >= 2 * DATE_LINE:
        return np.array([[-180.0, south, 180.0, north]])
    if west < -DATE_LINE:
        return np.array([[-180.0, south, east, north], [west + 360.0, south, 180.0, north]])
    if east > DATE_LINE:
        return np.array([[west, south, 180.0, north], [-180.0, south, east - 360.0, north]])
    return np.array([[west, south, east, north]])


def meets(boxes: FloatArray, areas: FloatArray) -> BoolArray:
    """Say of each box whether it meets any of the areas.

    Args:
        boxes: (m, 4) west, south, east, north.
        areas: (k, 4) the same; k is small.
    """
    hit = np.zeros(len(boxes), dtype=bool)
    for west, south, east, north in areas:
        hit |= (
            (boxes[:, 0] <= east)
            & (boxes[:, 2] >= west)
            & (boxes[:, 1] <= north)
            & (boxes[:, 3] >= south)
        )
    return hit
