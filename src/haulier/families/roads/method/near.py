"""Short ways between nodes, so that a step over a junction need not search for its route."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from haulier.families.kernels import kernel
from haulier.families.roads.method.topology import Edges, Float32Array, Int32Array

SHORT_WAY_M: Final = 35.0  # the deciding pass steps 15 m: much longer routes cost more than a jump
MOST_NEAR: Final = 64  # ways kept per node; in a denser place the rest cost a jump


class Near(NamedTuple):
    """Ways of one or two edges from each node to others.

    Attributes:
        first: (nodes + 1,) first way of each node.
        node: (w,) where the way leads.
        way_m: (w,) its length.
        edge1: (w,) its first edge.
        edge2: (w,) its second edge, or -1.
    """

    first: Int32Array
    node: Int32Array
    way_m: Float32Array
    edge1: Int32Array
    edge2: Int32Array


def build_near(edges: Edges, node_count: int) -> Near:
    """List the short ways from every node: a bounded origin-destination table.

    Args:
        edges: e edges; way of an edge = end - start, metres.
        node_count: number of nodes.

    Returns:
        For each node the other nodes within SHORT_WAY_M over at most two edges.

    Source:
        Yang & Gidófalvi (2018), Fast map matching, Int. J. GIS 32(3): the upper-bounded table,
        here with a bound of one sampling step instead of kilometres.
    """
    keep = np.flatnonzero((edges.end - edges.start) <= SHORT_WAY_M).astype(np.int32)
    tail = np.concatenate([edges.u[keep], edges.v[keep]])
    order = np.argsort(tail, kind="stable")
    head = np.concatenate([edges.v[keep], edges.u[keep]])[order]
    edge = np.concatenate([keep, keep])[order]
    first = np.zeros(node_count + 1, dtype=np.int32)
    np.cumsum(np.bincount(tail, minlength=node_count), out=first[1:])
    return Near(*_two_steps(first, head, edge, (edges.end - edges.start)[edge]))


@kernel
def _two_steps(
    first: Int32Array, head: Int32Array, edge: Int32Array, way: Float32Array
) -> tuple[Int32Array, Int32Array, Float32Array, Int32Array, Int32Array]:
    """Follow one edge, then another, keeping the shortest way to each node."""
    nodes = len(first) - 1
    room = 4 * len(head) + MOST_NEAR
    ends = np.empty((3, room), np.int32)  # node, edge1, edge2
    way_m = np.empty(room, np.float32)
    offsets = np.zeros(nodes + 1, np.int32)
    n = 0
    for a in range(nodes):
        if n + MOST_NEAR > len(way_m):
            ends = np.concatenate((ends, np.empty_like(ends)), axis=1)
            way_m = np.concatenate((way_m, np.empty_like(way_m)))
        base = n
        for i in range(first[a], first[a + 1]):
            n = _keep(ends, way_m, (base, n), (head[i], edge[i], -1), way[i])
        for i in range(first[a], first[a + 1]):
            for j in range(first[head[i]], first[head[i] + 1]):
                total = way[i] + way[j]
                if head[j] != a and total <= SHORT_WAY_M:
                    n = _keep(ends, way_m, (base, n), (head[j], edge[i], edge[j]), total)
        offsets[a + 1] = n
    return offsets, ends[0, :n].copy(), way_m[:n].copy(), ends[1, :n].copy(), ends[2, :n].copy()


@kernel
def _keep(
    ends: Int32Array,
    way_m: Float32Array,
    rows: tuple[int, int],
    end: tuple[int, int, int],
    total: float,
) -> int:
    """Keep a way among those of its node, unless a shorter one is known; returns their end."""
    base, n = rows
    at = base
    while at < n and ends[0, at] != end[0]:
        at += 1
    if at == n and n - base >= MOST_NEAR:
        return n
    if at == n or total < way_m[at]:
        ends[0, at], ends[1, at], ends[2, at] = end
        way_m[at] = total
    return max(n, at + 1)
