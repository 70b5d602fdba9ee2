"""Tidy the runs of one road: settle its ends on connectors, merge by segment, drop noise."""

from __future__ import annotations

from typing import Final

from haulier.families.kernels import kernel
from haulier.families.roads.method.lines import FloatArray
from haulier.families.roads.method.runs import (
    ABSOLUTE,
    COLUMNS,
    COUNT,
    EDGE,
    LARGEST,
    LINKED,
    MARGIN,
    P0,
    P1,
    S0,
    S1,
    SIGNED,
    TURN,
)
from haulier.families.roads.method.topology import Edges

SHORTEST_M: Final = 4.0  # a stretch that leads nowhere and is shorter is noise
NOTHING_M: Final = 0.05
GIVEN_UP: Final = 3.0  # at most one part in this many of a chain is cut off at an end


@kernel
def tidy(runs: FloatArray, n: int, edges: Edges, end_m: float, length_m: float) -> int:
    """Tidy n runs of a road in place; returns how many are left."""
    for _ in range(2):  # the end, then, turned round, the start
        n = settle_ends(runs, n, edges, end_m)
        turn_round(runs, n, length_m)
    n = merge_segments(runs, n, edges)
    return drop_noise(runs, n, length_m)


@kernel
def turn_round(runs: FloatArray, n: int, length_m: float) -> None:
    """Turn the runs of a road round, so that its end is its start; twice restores them."""
    for i in range(n // 2):
        j = n - 1 - i
        for c in range(COLUMNS):
            runs[i, c], runs[j, c] = runs[j, c], runs[i, c]
    for i in range(n):
        runs[i, S0], runs[i, S1] = length_m - runs[i, S1], length_m - runs[i, S0]
        runs[i, P0], runs[i, P1] = runs[i, P1], runs[i, P0]
        runs[i, TURN] = -runs[i, TURN]
    # LINKED says "to the run before": after turning, that is what the next one said.
    for i in range(n - 1, 0, -1):
        runs[i, LINKED] = runs[i - 1, LINKED]
    if n:
        runs[0, LINKED] = 0.0


@kernel
def settle_ends(runs: FloatArray, n: int, edges: Edges, end_m: float) -> int:
    """Move the end of each chain of linked runs to the nearest connector within `end_m`.

    Two maps seldom end a road at the same centimetre. An end a little past a connector leaves a
    spur on the next edge; one a little short leaves a gap. Both are drawn to the connector, the
    nearer one first; never more than a third of the chain is given up.

    Returns:
        How many runs are left.
    """
    kept = 0
    first = 0
    while first < n:
        last = first
        while last + 1 < n and runs[last + 1, LINKED] > 0.0:
            last += 1
        end = _settle_chain(runs, first, last, edges, end_m)
        for q in range(first, end + 1):
            if kept != q:
                runs[kept, :] = runs[q, :]
            kept += 1
        first = last + 1
    return kept


@kernel
def _settle_chain(runs: FloatArray, first: int, last: int, edges: Edges, end_m: float) -> int:
    """Settle the end of runs first to last; returns the last one that stays."""
    total = 0.0
    for q in range(first, last + 1):
        total += abs(runs[q, P1] - runs[q, P0])
    e = int(runs[last, EDGE])
    at = runs[last, P1]
    forward = at > runs[last, P0] or (at == runs[last, P0] and runs[last, TURN] >= 0.0)
    ahead = max(edges.end[e] - at if forward else at - edges.start[e], 0.0)
    best = min(end_m, ahead)
    cut = -1
    behind = 0.0
    for q in range(last, first, -1):
        behind += abs(runs[q, P1] - runs[q, P0])
        if behind > best or behind > total / GIVEN_UP:
            break
        cut, best = q, behind
    if cut >= 0:
        runs[cut - 1, S1] = runs[last, S1]
        return cut - 1
    if ahead <= end_m:
        runs[last, P1] = edges.end[e] if forward else edges.start[e]
    return last


@kernel
def merge_segments(runs: FloatArray, n: int, edges: Edges) -> int:
    """Merge linked runs that go on along one segment; returns how many are left."""
    kept = 0
    for q in range(n):
        if kept and runs[q, LINKED] > 0.0 and _goes_on(runs, kept - 1, q, edges):
            a = kept - 1
            runs[a, S1], runs[a, P1] = runs[q, S1], runs[q, P1]
            for c in (COUNT, ABSOLUTE, SIGNED, TURN, MARGIN):
                runs[a, c] += runs[q, c]
            runs[a, LARGEST] = max(runs[a, LARGEST], runs[q, LARGEST])
            continue
        if kept != q:
            runs[kept, :] = runs[q, :]
        kept += 1
    return kept


@kernel
def _goes_on(runs: FloatArray, a: int, b: int, edges: Edges) -> bool:
    """Tell whether run b continues run a on the same segment in the same direction."""
    if edges.segment[int(runs[a, EDGE])] != edges.segment[int(runs[b, EDGE])]:
        return False
    if abs(runs[a, P1] - runs[b, P0]) > NOTHING_M:
        return False
    return bool((runs[a, P1] - runs[a, P0]) * (runs[b, P1] - runs[b, P0]) >= 0.0)


@kernel
def drop_noise(runs: FloatArray, n: int, length_m: float) -> int:
    """Drop runs without length, and short ones that hang on one other run or none."""
    kept = 0
    gap = False
    for q in range(n):
        way = abs(runs[q, P1] - runs[q, P0])
        linked_after = q + 1 < n and runs[q + 1, LINKED] > 0.0
        loose = runs[q, LINKED] == 0.0 or not linked_after
        shortest = min(SHORTEST_M, length_m / 2) if loose else NOTHING_M
        if way < max(shortest, NOTHING_M):
            # what follows a pass-through run of no length still follows the run before it
            gap = gap or way >= NOTHING_M or runs[q, LINKED] == 0.0
            continue
        if kept != q:
            runs[kept, :] = runs[q, :]
        if gap:
            runs[kept, LINKED] = 0.0
            gap = False
        kept += 1
    return kept
