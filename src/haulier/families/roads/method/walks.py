"""Cut a network up anew: roads as another map would have them, from walks over its edges."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from haulier.families.kernels import kernel
from haulier.families.roads.method.lines import BoolArray, FloatArray, IntArray, Lines, measures
from haulier.families.roads.method.topology import Edges, Int32Array

if TYPE_CHECKING:
    from numpy.typing import NDArray

JOIN_CHANCE: Final = 0.5  # that a road goes on over a connector
SHARPEST_JOIN_DEG: Final = 45.0
LONGEST_ROAD_M: Final = 2500.0
SPLIT_CHANCE: Final = 0.15  # that a road is cut at a random place
SPLIT_WITHIN: Final = (0.2, 0.8)  # of its way
REVERSE_CHANCE: Final = 0.5
REACH_M: Final = 10.0  # over which the direction of an edge's end is taken
SAME_VERTEX_M: Final = 0.01


@dataclass(frozen=True, slots=True)
class Parts:
    """Stretches of segments that roads are made of, road by road; (p,) each.

    Attributes:
        road: the road's number, never falling.
        segment: row of the segment.
        begin_m: metres along the segment where the road enters it.
        end_m: metres along the segment where the road leaves it.
    """

    road: Int32Array
    segment: Int32Array
    begin_m: FloatArray
    end_m: FloatArray


def walk(edges: Edges, xy: Lines, random: np.random.Generator) -> Parts:
    """Join edges to roads: from an edge not taken yet, on over connectors while chance allows.

    Args:
        edges: e edges.
        xy: segments in metres.
        random: source of chance.

    Returns:
        Every edge once, in roads of which half are turned round.
    """
    nodes = np.concatenate([edges.u, edges.v])
    incident = np.argsort(nodes, kind="stable")
    first = np.searchsorted(nodes[incident], np.arange(int(nodes.max(initial=-1)) + 2))
    starts, ends = _directions(edges, xy)
    order = random.permutation(len(edges.u))
    chance = random.random(len(edges.u))
    road, edge, forward = _walk(edges, order, incident, first, starts, ends, chance)
    turned = random.random(int(road.max(initial=-1)) + 1) < REVERSE_CHANCE
    start, end = edges.start[edge].astype(np.float64), edges.end[edge].astype(np.float64)
    parts = Parts(
        road, edges.segment[edge], np.where(forward, start, end), np.where(forward, end, start)
    )
    return turn_round(parts, turned)


def turn_round(parts: Parts, turned: BoolArray) -> Parts:
    """Turn some roads round; `turned` has one entry a road."""
    flip = turned[parts.road]
    place = np.arange(len(parts.road))
    order = np.lexsort((np.where(flip, -place, place), parts.road))
    begin = np.where(flip, parts.end_m, parts.begin_m)
    end = np.where(flip, parts.begin_m, parts.end_m)
    return Parts(parts.road[order], parts.segment[order], begin[order], end[order])


def split_some(parts: Parts, random: np.random.Generator) -> Parts:
    """Cut some roads in two at a random place between 20 % and 80 % of their way."""
    roads = int(parts.road.max(initial=-1)) + 1
    way = np.abs(parts.end_m - parts.begin_m)
    total = np.bincount(parts.road, weights=way, minlength=roads)
    before = np.concatenate([[0.0], np.cumsum(total)[:-1]]) if roads else np.zeros(0)
    passed = np.cumsum(way) - way - before[parts.road]
    cut = random.random(roads) < SPLIT_CHANCE
    place = random.uniform(*SPLIT_WITHIN, roads) * total
    at = np.where(cut, place, np.inf)[parts.road]
    inside = np.flatnonzero((at > passed) & (at < passed + way))
    rows = np.concatenate([np.arange(len(way)), inside])
    behind = np.concatenate([at <= passed, np.ones(len(inside), np.bool_)])
    sign = np.sign(parts.end_m - parts.begin_m)[inside]
    middle = parts.begin_m[inside] + sign * (at - passed)[inside]
    begin = np.concatenate([parts.begin_m, middle])
    end = np.concatenate([parts.end_m, parts.end_m[inside]])
    end[inside] = middle
    key = parts.road[rows].astype(np.int64) * 2 + behind
    order = np.lexsort((rows, key))
    number = np.unique(key, return_inverse=True)[1].reshape(-1)
    return Parts(
        number[order].astype(np.int32), parts.segment[rows][order], begin[order], end[order]
    )


def draw(parts: Parts, xy: Lines) -> Lines:
    """Draw each road along its parts.

    Args:
        parts: of r roads.
        xy: segments in metres.

    Returns:
        r lines, in metres.
    """
    along = measures(xy)
    coordinates, owner = _draw(
        np.stack([parts.road, parts.segment]),
        np.stack([parts.begin_m, parts.end_m]),
        xy.coordinates,
        xy.offsets,
        along,
    )
    roads = int(parts.road.max(initial=-1)) + 1
    return Lines(coordinates, np.searchsorted(owner, np.arange(roads + 1)).astype(np.int64))


def _directions(edges: Edges, xy: Lines) -> tuple[FloatArray, FloatArray]:
    """Give the direction of each edge at its start and at its end, radians."""
    along = measures(xy)
    start, end = edges.start.astype(np.float64), edges.end.astype(np.float64)
    reach = np.minimum(REACH_M, (end - start) / 2)
    angles = []
    for a, b in ((start, start + reach), (end - reach, end)):
        p = _places_at(xy.coordinates, xy.offsets, along, edges.segment, a)
        q = _places_at(xy.coordinates, xy.offsets, along, edges.segment, b)
        angles.append(np.arctan2(q[:, 1] - p[:, 1], q[:, 0] - p[:, 0]))
    return angles[0], angles[1]


@kernel
def _places_at(
    xy: FloatArray, offsets: IntArray, along: FloatArray, line: Int32Array, at: FloatArray
) -> FloatArray:
    """Find places by metres along lines of at least two vertices."""
    out = np.empty((len(line), 2))
    for q in range(len(line)):
        a, b = offsets[line[q]], offsets[line[q] + 1]
        i = a + np.searchsorted(along[a:b], at[q])
        i = min(max(i, a + 1), b - 1)
        gap = along[i] - along[i - 1]
        f = min(max((at[q] - along[i - 1]) / gap, 0.0), 1.0) if gap > 0.0 else 0.0
        out[q, 0] = xy[i - 1, 0] + f * (xy[i, 0] - xy[i - 1, 0])
        out[q, 1] = xy[i - 1, 1] + f * (xy[i, 1] - xy[i - 1, 1])
    return out


@kernel
def _walk(
    edges: Edges,
    order: IntArray,
    incident: IntArray,
    first: IntArray,
    starts: FloatArray,
    ends: FloatArray,
    chance: FloatArray,
) -> tuple[Int32Array, Int32Array, BoolArray]:
    """Take every edge once; returns road, edge and direction in the order of the walks."""
    n = len(edges.u)
    taken = np.zeros(n, np.bool_)
    road, edge = np.empty(n, np.int32), np.empty(n, np.int32)
    forward = np.empty(n, np.bool_)
    m, roads = 0, 0
    for seed in order:
        if taken[seed]:
            continue
        e, along, way = seed, True, 0.0
        while True:
            taken[e] = True
            road[m], edge[m], forward[m] = roads, e, along
            way += edges.end[e] - edges.start[e]
            m += 1
            if chance[e] >= JOIN_CHANCE:
                break
            heading = ends[e] if along else starts[e] + math.pi
            node = edges.v[e] if along else edges.u[e]
            best, sharpest = -1, math.radians(SHARPEST_JOIN_DEG)
            for k in range(first[node], first[node + 1]):
                f = incident[k] % n
                out = starts[f] if incident[k] < n else ends[f] + math.pi
                turn = abs((out - heading + math.pi) % (2 * math.pi) - math.pi)
                length = edges.end[f] - edges.start[f]
                if not taken[f] and turn < sharpest and way + length <= LONGEST_ROAD_M:
                    best, sharpest = incident[k], turn
            if best < 0:
                break
            e, along = best % n, best < n
        roads += 1
    return road, edge, forward


@kernel
def _draw(
    rows: NDArray[np.int32],
    ends: FloatArray,
    xy: FloatArray,
    offsets: IntArray,
    along: FloatArray,
) -> tuple[FloatArray, IntArray]:
    """Write the vertices of each part between its two ends, and the road of each vertex."""
    room = 0
    for q in range(rows.shape[1]):
        room += offsets[rows[1, q] + 1] - offsets[rows[1, q]] + 2
    out, owner = np.empty((room, 2)), np.empty(room, np.int64)
    n = 0
    for q in range(rows.shape[1]):
        road, line = rows[0, q], rows[1, q]
        a, b = offsets[line], offsets[line + 1]
        begin, end = ends[0, q], ends[1, q]
        low, high = min(begin, end), max(begin, end)
        tips = _places_at(xy, offsets, along, np.full(2, line, np.int32), ends[:, q])
        if n == 0 or owner[n - 1] != road:
            out[n, :], owner[n] = tips[0], road
            n += 1
        for k in range(b - a):
            i = a + k if end >= begin else b - 1 - k
            if low + SAME_VERTEX_M < along[i] < high - SAME_VERTEX_M:
                out[n, :], owner[n] = xy[i], road
                n += 1
        out[n, :], owner[n] = tips[1], road
        n += 1
    return out[:n].copy(), owner[:n].copy()
