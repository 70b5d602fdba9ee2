"""From the states of one road to stretches of edges, joined over the connectors between them."""

from __future__ import annotations

from typing import Final

from haulier.families.kernels import kernel
from haulier.families.roads.method.lines import FloatArray
from haulier.families.roads.method.near import Near
from haulier.families.roads.method.samples import Trellis, Tuning
from haulier.families.roads.method.topology import Edges
from haulier.families.roads.method.viterbi import link

# Columns of a run: where it lies, and sums over its samples.
EDGE: Final = 0  # row of the edge
S0: Final = 1  # metres along the road where it begins
S1: Final = 2
P0: Final = 3  # metres along the segment where it begins, in the road's direction
P1: Final = 4
COUNT: Final = 5  # samples
ABSOLUTE: Final = 6  # sum of distances, metres
LARGEST: Final = 7  # distance, metres
SIGNED: Final = 8  # sum of signed distances
TURN: Final = 9  # sum of the cosines to the reference's direction
MARGIN: Final = 10  # sum of what the next best other edge would cost more
LINKED: Final = 11  # 1 if it goes on from the run before without a gap
COLUMNS: Final = 12

BEST_MARGIN: Final = 6.0  # beyond it an alternative is none


@kernel
def _margin(i: int, chosen: int, edges: Edges, t: Trellis) -> float:
    """Cost of the next best edge that does not touch the chosen one, less that of the chosen."""
    best = BEST_MARGIN
    e = t.edge[i, chosen]
    for k in range(t.states[i]):
        f = t.edge[i, k]
        touches = edges.u[e] == edges.u[f] or edges.u[e] == edges.v[f]
        touches = touches or edges.v[e] == edges.u[f] or edges.v[e] == edges.v[f]
        if k != chosen and not touches:
            best = min(best, t.cost[i, k] - t.cost[i, chosen])
    return best


@kernel
def _open(runs: FloatArray, r: int, edge: int, s: float, at: float, linked: float) -> None:
    """Begin run r."""
    runs[r, :] = 0.0
    runs[r, EDGE], runs[r, LINKED] = edge, linked
    runs[r, S0], runs[r, S1], runs[r, P0], runs[r, P1] = s, s, at, at


@kernel
def _add(runs: FloatArray, r: int, i: int, k: int, edges: Edges, t: Trellis) -> None:
    """Add state k of sample i to run r."""
    d = abs(t.offset[i, k])
    runs[r, S1], runs[r, P1] = t.s[i], t.at[i, k]
    runs[r, COUNT] += 1.0
    runs[r, ABSOLUTE] += d
    runs[r, LARGEST] = max(runs[r, LARGEST], d)
    runs[r, SIGNED] += t.offset[i, k]
    runs[r, TURN] += t.turn[i, k]
    runs[r, MARGIN] += _margin(i, k, edges, t)


@kernel
def collect_runs(
    n: int, edges: Edges, near: Near, tuning: Tuning, t: Trellis, runs: FloatArray
) -> int:
    """Join the chosen states of n samples to runs; returns how many.

    Where the path changes its edge over a connector, both runs are extended to the connector,
    and the edges it passed between two samples become runs of their own.
    """
    r = -1
    for i in range(n):
        k = t.chosen[i]
        if k < 0:
            continue
        edge, at = t.edge[i, k], t.at[i, k]
        before = t.chosen[i - 1] if i else -1
        if before < 0:
            r += 1
            _open(runs, r, edge, t.s[i], at, 0.0)
        elif t.edge[i - 1, before] != edge:
            step = t.s[i] - t.s[i - 1]
            limit_m = step + tuning.jump_cost * tuning.beta_m
            e0, at0 = t.edge[i - 1, before], t.at[i - 1, before]
            way, via, leave, enter = link(edges, near, e0, at0, edge, at, limit_m)
            if way > limit_m:
                r += 1
                _open(runs, r, edge, t.s[i], at, 0.0)
            else:
                last = r
                r = _cross(runs, r, edges, near, (e0, edge), (leave, enter, via))
                _spread(runs, last, r, t.s[i - 1], at0, step / way if way > 0.0 else 0.0)
        _add(runs, r, i, k, edges, t)
    return r + 1


@kernel
def _cross(
    runs: FloatArray,
    r: int,
    edges: Edges,
    near: Near,
    ends: tuple[int, int],
    way: tuple[int, int, int],
) -> int:
    """Close run r at its connector, add the edges passed, open the next; returns its row."""
    e0, edge = ends
    leave, enter, via = way
    runs[r, P1] = edges.end[e0] if leave else edges.start[e0]
    node = edges.v[e0] if leave else edges.u[e0]
    if via >= 0:
        for e in (near.edge1[via], near.edge2[via]):
            if e < 0:
                continue
            along = edges.u[e] == node
            r += 1
            _open(runs, r, e, 0.0, edges.start[e] if along else edges.end[e], 1.0)
            runs[r, P1] = edges.end[e] if along else edges.start[e]
            node = edges.v[e] if along else edges.u[e]
    r += 1
    _open(runs, r, edge, 0.0, edges.end[edge] if enter else edges.start[edge], 1.0)
    return r


@kernel
def _spread(runs: FloatArray, first: int, r: int, s: float, at0: float, scale: float) -> None:
    """Give the runs between two samples, first to r, their share of the road between them."""
    s += abs(runs[first, P1] - at0) * scale
    runs[first, S1] = s
    for q in range(first + 1, r):
        runs[q, S0] = s
        s += abs(runs[q, P1] - runs[q, P0]) * scale
        runs[q, S1] = s
        # No sample fell on it: it is as far from the road as the run before.
        runs[q, COUNT] = 1.0
        runs[q, ABSOLUTE] = runs[first, ABSOLUTE] / runs[first, COUNT]
        runs[q, LARGEST] = runs[q, ABSOLUTE]
        runs[q, SIGNED] = runs[first, SIGNED] / runs[first, COUNT]
        runs[q, TURN] = 1.0 if runs[q, P1] >= runs[q, P0] else -1.0
        runs[q, MARGIN] = runs[first, MARGIN] / runs[first, COUNT]
    runs[r, S0] = s
