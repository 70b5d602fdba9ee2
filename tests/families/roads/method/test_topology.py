"""Edges, the grid over their pieces, and the short ways between their nodes."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haulier.families.roads.method.grid import BLOCK, Grid, build_grid
from haulier.families.roads.method.lines import FloatArray, Lines
from haulier.families.roads.method.near import SHORT_WAY_M, build_near
from haulier.families.roads.method.network import Reference
from haulier.families.roads.method.projection import centred_on
from haulier.families.roads.method.topology import Edges, Pieces, Topology, build_topology

MakeReference = Callable[..., Reference]


def topology_of(reference: Reference) -> Topology:
    xy = centred_on(reference.lines.coordinates).forward(reference.lines.coordinates)
    return build_topology(reference, Lines(xy, reference.lines.offsets))


def test_the_edges_of_a_segment_cover_it_without_gaps(town: Reference) -> None:
    topology = topology_of(town)
    edges = topology.edges

    way = np.bincount(edges.segment, weights=edges.end - edges.start)

    np.testing.assert_allclose(way, topology.segment_m, rtol=1e-4)
    pieces = np.bincount(edges.segment[topology.pieces.edge], weights=topology.pieces.length)
    np.testing.assert_allclose(pieces, topology.segment_m, rtol=1e-4)


def test_a_segment_is_cut_where_another_meets_it(reference_of: MakeReference) -> None:
    cross = reference_of([[(0, 0), (50, 0), (100, 0)], [(50, 0), (50, 80)]])

    edges = topology_of(cross).edges

    assert edges.segment.tolist() == [0, 0, 1]
    assert edges.end[0] == edges.start[1]
    assert edges.v[0] == edges.u[1] == edges.u[2]


def test_a_connector_lies_at_its_fraction_and_not_at_the_nearest_vertex() -> None:
    # The line passes the same place at 20 % and at 80 % of its way.
    there_and_back = np.array([[0.0, 0.0], [0.01, 0.0], [0.0, 0.0]])
    lines = Lines(there_and_back, np.array([0, 3]))
    reference = Reference(
        lines, np.array([0.0, 0.8, 1.0]), np.array([1, 2, 3]), np.array([0, 3], dtype=np.int64)
    )

    topology = topology_of(reference)

    assert topology.edges.end[0] / topology.segment_m[0] == pytest.approx(0.8)


def test_ends_without_a_connector_meet_where_they_share_a_place(
    draw: Callable[..., Lines],
) -> None:
    lines = draw([[(0, 0), (40, 0)], [(40, 0), (40, 40)], [(41, 0), (90, 0)]])
    nothing = np.zeros(0)
    bare = Reference(lines, nothing, nothing.astype(np.int64), np.zeros(4, np.int64))

    edges = topology_of(bare).edges

    assert edges.v[0] == edges.u[1]
    assert edges.u[2] not in (edges.v[0], edges.u[0])


def listed(grid: Grid, x: float, y: float) -> set[int]:
    """Read the cell of a place as the kernels do."""
    column, row = int((x - grid.west) / grid.cell_m), int((y - grid.south) / grid.cell_m)
    block = grid.directory[row // BLOCK, column // BLOCK]
    if block < 0:
        return set()
    cell = (block * BLOCK + row % BLOCK) * BLOCK + column % BLOCK
    return set(grid.piece[grid.first[cell] : grid.first[cell + 1]].tolist())


def pieces_of(ends: FloatArray) -> Pieces:
    """Make pieces from rows of x0, y0, x1, y1."""
    step = ends[:, 2:] - ends[:, :2]
    length = np.hypot(step[:, 0], step[:, 1])
    unit = step / length[:, None]
    row = np.arange(len(ends), dtype=np.int32)
    return Pieces(
        x=ends[:, 0].astype(np.float32),
        y=ends[:, 1].astype(np.float32),
        ux=unit[:, 0].astype(np.float32),
        uy=unit[:, 1].astype(np.float32),
        at=np.zeros(len(ends), np.float32),
        length=length.astype(np.float32),
        edge=row,
    )


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10_000), st.floats(5, 60), st.floats(8, 90))
def test_every_piece_within_range_is_listed(seed: int, range_m: float, cell_m: float) -> None:
    random = np.random.default_rng(seed)
    start = random.uniform(-900, 900, (30, 2))
    ends = np.hstack([start, start + random.uniform(1, 150, (30, 2))])
    grid = build_grid(pieces_of(ends), range_m, cell_m)
    step = ends[:, 2:] - ends[:, :2]

    for x, y in ends[:, :2] + random.normal(0, range_m, (30, 2)):
        along = (np.array([x, y]) - ends[:, :2] * 1.0) * step
        t = np.clip(along.sum(axis=1) / (step**2).sum(axis=1), 0, 1)
        foot = ends[:, :2] + t[:, None] * step
        near = np.hypot(x - foot[:, 0], y - foot[:, 1]) < range_m - 1e-3
        inside = near.any()
        assert set(np.flatnonzero(near)) <= (listed(grid, x, y) if inside else set())


def test_far_places_cost_no_memory() -> None:
    ends = np.array([[0.0, 0.0, 10.0, 0.0], [900_000.0, 900_000.0, 900_010.0, 900_000.0]])

    grid = build_grid(pieces_of(ends), 35.0, 45.0)

    assert len(grid.first) <= 8 * BLOCK * BLOCK + 1


def shortest_ways(edges: Edges, nodes: int) -> dict[tuple[int, int], float]:
    """Try every way of one or two edges."""
    hops = [
        (int(a), int(b), float(w))
        for w, u, v in zip(edges.end - edges.start, edges.u, edges.v, strict=True)
        for a, b in ((u, v), (v, u))
    ]
    ways: dict[tuple[int, int], float] = {}
    for a, b, way in hops:
        onward = [(c, way + more) for b2, c, more in hops if b2 == b and c != a]
        for end, total in [(b, way), *onward]:
            if a != end and total <= SHORT_WAY_M:
                ways[a, end] = min(total, ways.get((a, end), np.inf))
    assert nodes > 0
    return ways


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10_000))
def test_short_ways_are_those_a_search_finds(seed: int) -> None:
    random = np.random.default_rng(seed)
    nodes, count = 8, 14
    u = random.integers(0, nodes, count).astype(np.int32)
    v = ((u + random.integers(1, nodes, count)) % nodes).astype(np.int32)
    start = np.zeros(count, np.float32)
    end = random.integers(2, 40, count).astype(np.float32)
    edges = Edges(np.arange(count, dtype=np.int32), start, end, u, v)

    near = build_near(edges, nodes)

    found = {
        (a, int(near.node[w])): float(near.way_m[w])
        for a in range(nodes)
        for w in range(near.first[a], near.first[a + 1])
    }
    assert found == shortest_ways(edges, nodes)
