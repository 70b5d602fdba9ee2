"""The cheapest sequence of states along one road."""

from __future__ import annotations

import math

from haulier.families.kernels import kernel
from haulier.families.roads.method.near import Near
from haulier.families.roads.method.samples import MOST_STATES, Trellis, Tuning
from haulier.families.roads.method.topology import Edges


@kernel
def link(
    edges: Edges, near: Near, e1: int, at1: float, e2: int, at2: float, limit_m: float
) -> tuple[float, int, int, int]:
    """Find the shortest way between places on two edges, over one or two others at most.

    Returns:
        Metres (infinite if none is shorter than `limit_m`); the way between the nodes as a row
        of `near`, -1 where they are one node; 1 if it leaves e1 at its v; 1 if it enters e2 at v.
    """
    best, via, leave, enter = math.inf, -1, 0, 0
    for a in range(2):
        node1 = edges.v[e1] if a else edges.u[e1]
        out_m = edges.end[e1] - at1 if a else at1 - edges.start[e1]
        for b in range(2):
            node2 = edges.v[e2] if b else edges.u[e2]
            way = out_m + (edges.end[e2] - at2 if b else at2 - edges.start[e2])
            if way >= min(limit_m, best):
                continue
            if node1 == node2:
                best, via, leave, enter = way, -1, a, b
                continue
            for w in range(near.first[node1], near.first[node1 + 1]):
                if near.node[w] == node2 and way + near.way_m[w] < min(limit_m, best):
                    best, via, leave, enter = way + near.way_m[w], w, a, b
    return best, via, leave, enter


@kernel
def decode(  # noqa: C901 - one nest of loops: a call inside it would cost more than it does
    n: int, edges: Edges, near: Near, tuning: Tuning, t: Trellis
) -> None:
    """Write to `t.chosen` the cheapest states of n samples.

    Source:
        Viterbi (1967); the transition is that of Newson & Krumm (2009), the unmatched state as
        in Osogami & Raymond (2013), Map matching with inverse reinforcement learning, IJCAI.
    """
    # Local names for speed, as in `samples.find_states`.
    count, edge, at, emission, best, back = t.states, t.edge, t.at, t.cost, t.best, t.back
    null, switch = MOST_STATES, tuning.switch_cost
    jump, turn, beta = tuning.jump_cost, tuning.turn_cost, 1.0 / tuning.beta_m
    for j in range(count[0]):
        best[0, j], back[0, j] = emission[0, j], null
    best[0, null], back[0, null] = tuning.null_cost, null
    for i in range(1, n):
        step = t.s[i] - t.s[i - 1]
        limit_m = step + jump * tuning.beta_m
        rest, rest_back = best[i - 1, null], null
        for k in range(count[i - 1]):
            if best[i - 1, k] + switch < rest:
                rest, rest_back = best[i - 1, k] + switch, k
        best[i, null], back[i, null] = rest + tuning.null_cost, rest_back
        for j in range(count[i]):
            e = edge[i, j]
            least, least_back = best[i - 1, null] + switch, null
            for k in range(count[i - 1]):
                base = best[i - 1, k]
                if base >= least:
                    continue
                cost, e0 = jump, edge[i - 1, k]
                if e0 == e:
                    cost = min(cost, abs(abs(at[i, j] - at[i - 1, k]) - step) * beta)
                elif base + turn < least:
                    way, via, _, _ = link(edges, near, e0, at[i - 1, k], e, at[i, j], limit_m)
                    cost = min(cost, abs(way - step) * beta + (turn if via < 0 else 4 * turn))
                if base + cost < least:
                    least, least_back = base + cost, k
            best[i, j], back[i, j] = least + emission[i, j], least_back
    _trace_back(n, t)


@kernel
def _trace_back(n: int, t: Trellis) -> None:
    """Follow the cheapest path from its end."""
    null = MOST_STATES
    state = null
    for k in range(t.states[n - 1]):
        if t.best[n - 1, k] < t.best[n - 1, state]:
            state = k
    for i in range(n - 1, -1, -1):
        t.chosen[i] = -1 if state == null else state
        state = t.back[i, state]
