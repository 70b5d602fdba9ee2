"""One pass of the matcher over a block of roads: either residuals for the sheet, or rows."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from haulier.families.kernels import kernel
from haulier.families.roads.method.attribute_terms import Attributes
from haulier.families.roads.method.grid import Grid
from haulier.families.roads.method.lines import FloatArray, IntArray
from haulier.families.roads.method.near import Near
from haulier.families.roads.method.runs import COLUMNS, collect_runs
from haulier.families.roads.method.samples import (
    Trellis,
    Tuning,
    find_states,
    make_trellis,
    place_samples,
    steps_on,
)
from haulier.families.roads.method.sheet import Residuals, Sheet
from haulier.families.roads.method.tidy import tidy
from haulier.families.roads.method.topology import Edges, Int32Array, Pieces
from haulier.families.roads.method.viterbi import decode

SHORTEST_ROAD_M: Final = 0.05  # shorter ones have no direction and no place to match


class Place(NamedTuple):
    """What a pass looks things up in.

    Attributes:
        pieces: of the reference.
        edges: of the reference.
        grid: over the pieces, with the range of the pass.
        near: short ways between nodes.
        sheet: displacement of the customer's places.
        attributes: what else speaks for or against a pair.
    """

    pieces: Pieces
    edges: Edges
    grid: Grid
    near: Near
    sheet: Sheet
    attributes: Attributes


class Roads(NamedTuple):
    """The customer's roads; metres.

    Attributes:
        xy: (n, 2) vertices.
        first: (m + 1,) first vertex of each road.
        length: (m,)
    """

    xy: FloatArray
    first: IntArray
    length: FloatArray


@kernel
def _room(roads: Roads, rows: Int32Array, tuning: Tuning) -> tuple[int, int]:
    """Count the samples of some roads: the most of one, and the sum."""
    most, total = 2, 2
    for road in rows:
        n = steps_on(roads.length[road], tuning) + 1
        most = max(most, n)
        total += n
    return most, total


@kernel
def _trace(road: int, roads: Roads, place: Place, tuning: Tuning, t: Trellis) -> int:
    """Find the states and the best path of one road; returns its samples, 0 without a state."""
    first, last = roads.first[road], roads.first[road + 1]
    n = place_samples(roads.xy, first, last, roads.length[road], place.sheet, tuning, t)
    find_states(road, n, place.pieces, place.edges, place.grid, place.attributes, tuning, t)
    for i in range(n):
        if t.states[i]:
            decode(n, place.edges, place.near, tuning, t)
            return n
    return 0


@kernel
def residuals_of(roads: Roads, rows: Int32Array, place: Place, tuning: Tuning) -> Residuals:
    """Match some roads and measure how far beside the reference they lie.

    Args:
        roads: the customer's.
        rows: (k,) which of them; none shorter than SHORTEST_ROAD_M.
        place: the reference and its indices.
        tuning: of this pass.

    Returns:
        One residual for each matched sample.
    """
    most, total = _room(roads, rows, tuning)
    t = make_trellis(most)
    x, y, nx = np.empty(total), np.empty(total), np.empty(total)
    ny, offset = np.empty(total), np.empty(total)
    m = 0
    for road in rows:
        n = _trace(road, roads, place, tuning, t)
        for i in range(n):
            k = t.chosen[i]
            if k < 0:
                continue
            x[m], y[m] = t.raw_x[i], t.raw_y[i]
            nx[m], ny[m], offset[m] = t.nx[i, k], t.ny[i, k], -t.offset[i, k]
            m += 1
    return Residuals(x[:m], y[:m], nx[:m], ny[:m], offset[:m])


@kernel
def runs_of(
    roads: Roads, rows: Int32Array, place: Place, tuning: Tuning
) -> tuple[Int32Array, FloatArray]:
    """Match some roads and list the stretches of segments they lie on.

    Args:
        roads: the customer's.
        rows: (k,) which of them; none shorter than SHORTEST_ROAD_M.
        place: the reference and its indices.
        tuning: of this pass.

    Returns:
        Road of each run (r,) and the runs (r, COLUMNS), in order along their road.
    """
    most, total = _room(roads, rows, tuning)
    t = make_trellis(most)
    scratch = np.empty((3 * most + 3, COLUMNS))
    out = np.empty((total, COLUMNS))
    owner = np.empty(total, np.int32)
    m = 0
    for road in rows:
        samples = _trace(road, roads, place, tuning, t)
        if samples == 0:
            continue
        n = collect_runs(samples, place.edges, place.near, tuning, t, scratch)
        n = tidy(scratch, n, place.edges, tuning.end_m, roads.length[road])
        if m + n > len(out):
            out = np.concatenate((out[:m], np.empty((m + n, COLUMNS))))
            owner = np.concatenate((owner[:m], np.empty(m + n, np.int32)))
        out[m : m + n] = scratch[:n]
        owner[m : m + n] = road
        m += n
    return owner[:m].copy(), out[:m].copy()


@kernel
def pairs_of(roads: Roads, rows: Int32Array, place: Place, tuning: Tuning) -> IntArray:
    """List the pairs of road and segment that any pass could match.

    Args:
        roads: the customer's.
        rows: (k,) which of them; none shorter than SHORTEST_ROAD_M.
        place: the reference and its indices.
        tuning: whose range is the widest.

    Returns:
        (q, 2) road and segment rows; a pair comes once.
    """
    most, total = _room(roads, rows, tuning)
    t = make_trellis(most)
    out = np.empty((total * t.edge.shape[1], 2), np.int64)
    m = 0
    for road in rows:
        first, last = roads.first[road], roads.first[road + 1]
        n = place_samples(roads.xy, first, last, roads.length[road], place.sheet, tuning, t)
        find_states(road, n, place.pieces, place.edges, place.grid, place.attributes, tuning, t)
        begin = m
        for i in range(n):
            for k in range(t.states[i]):
                segment = place.edges.segment[t.edge[i, k]]
                known = False
                for q in range(begin, m):
                    known = known or out[q, 1] == segment
                if not known:
                    out[m, 0], out[m, 1] = road, segment
                    m += 1
    return out[:m].copy()
