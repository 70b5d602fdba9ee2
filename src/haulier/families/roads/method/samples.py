"""Places along a road and the reference edges near each: the states of the hidden Markov model."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np

from haulier.families.kernels import kernel
from haulier.families.roads.method.attribute_terms import Attributes, attribute_cost
from haulier.families.roads.method.grid import BLOCK, Grid
from haulier.families.roads.method.lines import FloatArray
from haulier.families.roads.method.sheet import Sheet, displacement
from haulier.families.roads.method.topology import Edges, Int32Array, Pieces

MOST_STATES: Final = 8  # edges kept per sample
TURN_SCALE: Final = 0.35  # sine of the angle between two maps' directions, one sigma
WORST_TURN: Final = 3.0  # in sigmas: a square corner cut short must not end a match


class Tuning(NamedTuple):
    """Constants of one pass of the matcher.

    Attributes:
        step_m: between samples on a long road.
        least_steps: on a short road.
        sigma_m: of the offset between the maps.
        null_cost: of a sample that stays unmatched, in units of minus log likelihood.
        range_m: how far a sample sees.
        beta_m: scale of the difference between way on the road and way on the reference.
        switch_cost: to and from the unmatched state.
        jump_cost: between edges without a short way.
        turn_cost: of passing a connector.
        end_m: how far a road's end is moved to reach a connector.
    """

    step_m: float
    least_steps: int
    sigma_m: float
    null_cost: float
    range_m: float
    beta_m: float
    switch_cost: float
    jump_cost: float
    turn_cost: float
    end_m: float


class Trellis(NamedTuple):
    """Room for the samples of one road; n samples, k = MOST_STATES.

    Attributes:
        raw_x: (n,) east, as drawn by the customer.
        raw_y: (n,) north.
        x: (n,) east, displaced by the sheet.
        y: (n,) north.
        s: (n,) way along the road.
        states: (n,) how many are in use.
        edge: (n, k) edge of the state.
        at: (n, k) metres along the segment.
        cost: (n, k) emission.
        offset: (n, k) distance to the reference, metres; left of it positive.
        turn: (n, k) cosine of the angle between the road and the reference.
        nx: (n, k) unit normal of the reference.
        ny: (n, k)
        best: (n, k + 1) cost of the best path that ends here; the last is the unmatched state.
        back: (n, k + 1) state before on that path.
        chosen: (n,) state on the best path; -1 unmatched.
    """

    raw_x: FloatArray
    raw_y: FloatArray
    x: FloatArray
    y: FloatArray
    s: FloatArray
    states: Int32Array
    edge: Int32Array
    at: FloatArray
    cost: FloatArray
    offset: FloatArray
    turn: FloatArray
    nx: FloatArray
    ny: FloatArray
    best: FloatArray
    back: Int32Array
    chosen: Int32Array


@kernel
def make_trellis(n: int) -> Trellis:
    """Make room for n samples."""
    k = MOST_STATES
    return Trellis(
        np.empty(n),
        np.empty(n),
        np.empty(n),
        np.empty(n),
        np.empty(n),
        np.empty(n, np.int32),
        np.empty((n, k), np.int32),
        np.empty((n, k)),
        np.empty((n, k)),
        np.empty((n, k)),
        np.empty((n, k)),
        np.empty((n, k)),
        np.empty((n, k)),
        np.empty((n, k + 1)),
        np.empty((n, k + 1), np.int32),
        np.empty(n, np.int32),
    )


@kernel
def steps_on(length_m: float, tuning: Tuning) -> int:
    """Count the steps between the samples of a road."""
    return max(math.ceil(length_m / tuning.step_m), tuning.least_steps)


@kernel
def place_samples(
    xy: FloatArray, first: int, last: int, length_m: float, sheet: Sheet, tuning: Tuning, t: Trellis
) -> int:
    """Spread samples evenly along one road, ends included; returns how many."""
    steps = steps_on(length_m, tuning)
    i = first
    passed = 0.0
    piece = math.hypot(xy[i + 1, 0] - xy[i, 0], xy[i + 1, 1] - xy[i, 1])
    for k in range(steps + 1):
        s = length_m * k / steps
        while passed + piece < s and i + 2 < last:
            passed += piece
            i += 1
            piece = math.hypot(xy[i + 1, 0] - xy[i, 0], xy[i + 1, 1] - xy[i, 1])
        f = min((s - passed) / piece, 1.0) if piece > 0.0 else 0.0
        x = xy[i, 0] + f * (xy[i + 1, 0] - xy[i, 0])
        y = xy[i, 1] + f * (xy[i + 1, 1] - xy[i, 1])
        dx, dy = displacement(sheet, x, y)
        t.raw_x[k], t.raw_y[k] = x, y
        t.x[k], t.y[k], t.s[k] = x + dx, y + dy, s
    return steps + 1


@kernel
def _entries(directory: Int32Array, first: Int32Array, u: float, v: float) -> tuple[int, int]:
    """Find which entries of the grid are listed for a place, given in cells from its corner."""
    # Also false for nan, which a cast to int would turn into any number.
    if not (u >= 0.0 and v >= 0.0):
        return 0, 0
    if u >= directory.shape[1] * BLOCK or v >= directory.shape[0] * BLOCK:
        return 0, 0
    column, row = int(u), int(v)
    i, j = column // BLOCK, row // BLOCK
    block = directory[j, i]
    if block < 0:
        return 0, 0
    cell = (block * BLOCK + row - j * BLOCK) * BLOCK + column - i * BLOCK
    return first[cell], first[cell + 1]


@kernel
def _heading(x: FloatArray, y: FloatArray, i: int, n: int) -> tuple[float, float]:
    """Give the direction of the road at a sample, from its neighbours."""
    before, after = max(i - 1, 0), min(i + 1, n - 1)
    hx, hy = x[after] - x[before], y[after] - y[before]
    chord2 = hx * hx + hy * hy
    if chord2 <= 0.0:
        return 0.0, 0.0
    inverse = 1.0 / math.sqrt(chord2)
    return hx * inverse, hy * inverse


@kernel
def find_states(  # noqa: PLR0917 - a kernel takes its arrays one by one
    road: int,
    n: int,
    pieces: Pieces,
    edges: Edges,
    grid: Grid,
    attributes: Attributes,
    tuning: Tuning,
    t: Trellis,
) -> None:
    """List for each sample the cheapest place on each edge within range.

    Source:
        Newson & Krumm (2009), Hidden Markov map matching through noise and sparseness, ACM GIS:
        the emission; the direction term is from Goh et al. (2012), Online map-matching, ITSC.
    """
    # Local names: each look-up in a tuple of arrays counts references, which costs more than the
    # arithmetic of this loop.
    px, py, pux, puy, pl = pieces.x, pieces.y, pieces.ux, pieces.uy, pieces.length
    listed, owner, count, edge, costs = grid.piece, pieces.edge, t.states, t.edge, t.cost
    at, offset, turns, nx, ny, piece_at = t.at, t.offset, t.turn, t.nx, t.ny, pieces.at
    directory, first, per_m = grid.directory, grid.first, 1.0 / grid.cell_m
    sx, sy = t.x, t.y
    range2, inverse2 = tuning.range_m * tuning.range_m, 1.0 / (tuning.sigma_m * tuning.sigma_m)
    weigh = len(attributes.class_cost) + len(attributes.road_level) > 0
    weigh = weigh or len(attributes.road_one_way) > 0 or attributes.names > 0
    # A chord of two steps, hardly longer than the noise, has hardly a direction.
    noise = 0.25 * tuning.sigma_m / max(t.s[1] - t.s[0], 0.25)
    turn_scale = 1.0 / math.sqrt(TURN_SCALE * TURN_SCALE + noise * noise)
    for i in range(n):
        x, y = sx[i], sy[i]
        hx, hy = _heading(sx, sy, i, n)
        states = 0
        low, high = _entries(directory, first, (x - grid.west) * per_m, (y - grid.south) * per_m)
        for entry in range(low, high):
            p = listed[entry]
            ux, uy = pux[p], puy[p]
            rx, ry = x - px[p], y - py[p]
            along = min(max(rx * ux + ry * uy, 0.0), pl[p])
            ox, oy = rx - along * ux, ry - along * uy
            d2 = ox * ox + oy * oy
            if d2 > range2:
                continue
            turn = min(abs(hx * uy - hy * ux) * turn_scale, WORST_TURN)
            cost = 0.5 * (d2 * inverse2 + turn * turn)
            e = owner[p]
            if weigh:
                cost += attribute_cost(attributes, road, edges.segment[e], hx * ux + hy * uy)
            k = _slot(edge, costs, i, states, e, cost)
            if k < 0:
                continue
            states = max(states, k + 1)
            edge[i, k], costs[i, k], at[i, k] = e, cost, piece_at[p] + along
            d = math.sqrt(d2)
            offset[i, k] = d if ux * ry - uy * rx >= 0.0 else -d
            turns[i, k], nx[i, k], ny[i, k] = hx * ux + hy * uy, -uy, ux
        count[i] = states


@kernel
def _slot(edges: Int32Array, costs: FloatArray, i: int, n: int, edge: int, cost: float) -> int:
    """Choose the place for a state: its edge's, a free one, or the worst one's; -1 for none."""
    worst = 0
    for k in range(n):
        if edges[i, k] == edge:
            return k if cost < costs[i, k] else -1
        if costs[i, k] > costs[i, worst]:
            worst = k
    if n < MOST_STATES:
        return n
    return worst if cost < costs[i, worst] else -1
