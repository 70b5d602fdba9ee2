"""Cut segments at their connectors into edges and straight pieces, and join the edges at nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from haulier.families.kernels import kernel
from haulier.families.roads.method.lines import FloatArray, IntArray, Lines, lengths, measures

if TYPE_CHECKING:
    from haulier.families.roads.method.network import Reference

SHORTEST_PIECE_M: Final = 1e-3  # shorter ones are duplicate vertices
SAME_PLACE_DEG: Final = 1e-7  # 1 cm: ends of segments without connectors meet within it
AT_END: Final = 1e-9  # of a segment

Float32Array = NDArray[np.float32]
Int32Array = NDArray[np.int32]


class Pieces(NamedTuple):
    """Straight pieces of the reference; (p,) each, metres in the tile's projection.

    Attributes:
        x: east of the first end.
        y: north of the first end.
        ux: east of the unit vector from the first end to the second.
        uy: north of it.
        at: way from the start of the segment to the first end.
        length: of the piece.
        edge: the edge it is part of.
    """

    x: Float32Array
    y: Float32Array
    ux: Float32Array
    uy: Float32Array
    at: Float32Array
    length: Float32Array
    edge: Int32Array


class Edges(NamedTuple):
    """Parts of segments between successive connectors; (e,) each.

    Attributes:
        segment: row of the segment.
        start: metres along the segment.
        end: metres along the segment.
        u: node at the start.
        v: node at the end.
    """

    segment: Int32Array
    start: Float32Array
    end: Float32Array
    u: Int32Array
    v: Int32Array


class Topology(NamedTuple):
    """What the matcher knows of the reference.

    Attributes:
        edges: e edges, segment by segment.
        pieces: p pieces, edge by edge.
        segment_m: (s,) length of each segment, metres.
        node_count: nodes are numbered from 0 to this, exclusive.
    """

    edges: Edges
    pieces: Pieces
    segment_m: FloatArray
    node_count: int


def build_topology(reference: Reference, projected: Lines) -> Topology:
    """Cut the segments at their connectors.

    Connectors are placed by their `at`, never by a search for the nearest vertex: near a
    self-crossing the nearest place is the wrong one (Overture Maps, Shape and connectivity).

    Args:
        reference: s segments.
        projected: its lines, in metres.

    Returns:
        Edges, pieces and segment lengths. Ends without a connector meet where they share a place.
    """
    segment_m = lengths(projected)
    counts = np.diff(reference.connector_offsets)
    owner = np.repeat(np.arange(len(counts)), counts)
    at = np.clip(np.nan_to_num(reference.connector_at), 0.0, 1.0)
    codes, node = np.unique(reference.connector_id, return_inverse=True)
    end_owner, end_at, end_node = _ends_without_connector(reference, owner, at)
    owner = np.concatenate([owner, end_owner])
    at = np.concatenate([at, end_at])
    nodes = np.concatenate([node.reshape(-1), end_node + len(codes)])
    order = np.lexsort((nodes, at, owner))
    first = np.searchsorted(owner[order], np.arange(len(projected) + 1))
    edges, pieces = _cut(
        projected.coordinates,
        projected.offsets,
        measures(projected),
        first,
        (at * segment_m[owner])[order],
        nodes[order],
    )
    return Topology(edges, pieces, segment_m, int(nodes.max(initial=-1)) + 1)


def _ends_without_connector(
    reference: Reference, owner: IntArray, at: FloatArray
) -> tuple[IntArray, FloatArray, IntArray]:
    """List segment, fraction and place number of the segment ends that no connector marks."""
    lines = reference.lines
    drawn = np.diff(lines.offsets) > 1
    lowest, highest = np.ones(len(lines)), np.zeros(len(lines))
    np.minimum.at(lowest, owner, at)
    np.maximum.at(highest, owner, at)
    starts = np.flatnonzero(drawn & (lowest > AT_END))
    stops = np.flatnonzero(drawn & (highest < 1 - AT_END))
    rows = np.concatenate([lines.offsets[starts], lines.offsets[stops + 1] - 1])
    places = np.round(lines.coordinates[rows] / SAME_PLACE_DEG)
    number = np.unique(places, axis=0, return_inverse=True)[1].reshape(-1)
    fractions = np.concatenate([np.zeros(len(starts)), np.ones(len(stops))])
    return np.concatenate([starts, stops]), fractions, number.astype(np.int64)


@kernel
def _cut(
    xy: FloatArray,
    offsets: IntArray,
    along: FloatArray,
    cut_offsets: IntArray,
    cuts: FloatArray,
    nodes: IntArray,
) -> tuple[Edges, Pieces]:
    """Walk each segment once, closing an edge at every connector and a piece at every vertex."""
    room = len(xy) + len(cuts)
    lines = np.empty((6, room), np.float32)  # x, y, ux, uy, at, length
    owner = np.empty(room, np.int32)
    bounds = np.empty((2, len(cuts)), np.float32)  # start, end
    joints = np.empty((3, len(cuts)), np.int32)  # segment, u, v
    e = 0
    p = 0
    for s in range(len(offsets) - 1):
        i = offsets[s]
        last = offsets[s + 1] - 1
        for k in range(cut_offsets[s], cut_offsets[s + 1] - 1):
            low, high = cuts[k], cuts[k + 1]
            bounds[0, e], bounds[1, e] = low, high
            joints[0, e], joints[1, e], joints[2, e] = s, nodes[k], nodes[k + 1]
            while i < last:
                here, there = along[i], along[i + 1]
                a, b = max(here, low), min(there, high)
                if b - a > SHORTEST_PIECE_M:
                    ux = (xy[i + 1, 0] - xy[i, 0]) / (there - here)
                    uy = (xy[i + 1, 1] - xy[i, 1]) / (there - here)
                    lines[0, p] = xy[i, 0] + ux * (a - here)
                    lines[1, p] = xy[i, 1] + uy * (a - here)
                    lines[2, p], lines[3, p] = ux, uy
                    lines[4, p], lines[5, p], owner[p] = a, b - a, e
                    p += 1
                if there > high:
                    break
                i += 1
            e += 1
    edges = Edges(
        joints[0, :e].copy(),
        bounds[0, :e].copy(),
        bounds[1, :e].copy(),
        joints[1, :e].copy(),
        joints[2, :e].copy(),
    )
    return edges, Pieces(
        lines[0, :p].copy(),
        lines[1, :p].copy(),
        lines[2, :p].copy(),
        lines[3, :p].copy(),
        lines[4, :p].copy(),
        lines[5, :p].copy(),
        owner[:p].copy(),
    )
