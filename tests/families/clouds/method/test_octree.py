"""Which node keeps which point: against a slow octree, over any cells, blocks and orders."""

import math
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from haulier.families.clouds.method.bins import group, plan_bins
from haulier.families.clouds.method.dense import Path
from haulier.families.clouds.method.morton import (
    DEPTH,
    Cube,
    codes_of,
    cube_around,
    key_of,
    prefix_of,
)
from haulier.families.clouds.method.octree import KEPT, Nodes, Rule, share_out
from haulier.families.clouds.method.sorting import in_order_of, sorted_by_cell

Codes = NDArray[np.uint64]
Kept = dict[tuple[int, int], list[int]]

LAST = 2**63 - 1
#: Codes that share cells at many depths: few bits set, and the two ends.
CODE = st.one_of(
    st.integers(0, LAST),
    st.sampled_from([0, LAST, 7 << 60, 1]),
    st.integers(0, 511).map(lambda high: high << 54),
)
CODES = st.lists(CODE, min_size=1, max_size=30).map(lambda found: np.array(found, np.uint64))
RULE = st.builds(Rule, span_bits=st.integers(2, 3), leaf_max=st.integers(1, 12))


def slowly(codes: Codes, rule: Rule) -> Kept:
    """Share points out one by one, as the rule says it."""
    kept: Kept = {}
    taken: set[tuple[int, int]] = set()
    for position, code in enumerate(codes.tolist()):
        for depth in range(rule.deepest + 1):
            prefix = code >> 3 * (DEPTH - depth)
            inside = sum(other >> 3 * (DEPTH - depth) == prefix for other in codes.tolist())
            voxel = (depth, code >> 3 * (DEPTH - depth - rule.span_bits))
            if inside <= rule.leaf_max or depth == rule.deepest or voxel not in taken:
                taken.add(voxel)
                kept.setdefault((depth, prefix), []).append(position)
                break
    return kept


def as_kept(nodes: Nodes) -> Kept:
    return {node: positions.tolist() for node, positions in each_node(nodes)}


def each_node(nodes: Nodes) -> Iterator[tuple[tuple[int, int], NDArray[np.int32]]]:
    ends = np.cumsum(nodes.counts)
    for depth, prefix, count, end in zip(
        nodes.depths, nodes.prefixes, nodes.counts, ends, strict=True
    ):
        yield (int(depth), int(prefix)), nodes.order[end - count : end]


def records_at(places: list[tuple[int, int, int]]) -> NDArray[np.uint8]:
    return np.array(places, dtype="<i4").view(np.uint8).reshape(len(places), 12)


@settings(deadline=None)
@given(CODES, RULE)
def test_each_point_is_kept_where_the_rule_says(codes: Codes, rule: Rule) -> None:
    assert as_kept(share_out(codes, 0, 0, rule)) == slowly(codes, rule)


@settings(deadline=None)
@given(CODES, RULE, st.integers(1, 40))
def test_bins_of_any_size_give_the_octree_of_all_points_together(
    codes: Codes, rule: Rule, most: int
) -> None:
    depth = rule.span_bits
    cells = (codes >> np.uint64(3 * (DEPTH - depth))).astype(np.int64)
    most = max(most, rule.leaf_max)

    together: Kept = {}
    for each in plan_bins(np.bincount(cells, minlength=8**depth), 0, most):
        inside = np.flatnonzero((cells >= each.first) & (cells < each.last))
        assert len(inside) == each.points
        for node, positions in each_node(share_out(codes[inside], 0, each.depth, rule)):
            together.setdefault(node, []).extend(inside[positions].tolist())

    assert {node: sorted(positions) for node, positions in together.items()} == slowly(codes, rule)


@settings(deadline=None)
@given(CODES, RULE, st.integers(1, 7))
def test_blocks_of_a_dense_cell_give_the_octree_of_all_points_together(
    codes: Codes, rule: Rule, block: int
) -> None:
    rule = Rule(rule.span_bits, 1)
    codes = np.concatenate([codes, codes])  # so that the root is open
    given = codes.copy()
    path = Path(0, 0, rule)

    root = [
        start + position
        for start in range(0, len(codes), block)
        for position in np.flatnonzero(path.take(given[start : start + block]) == 0).tolist()
    ]
    below: Kept = {}
    octants = given >> np.uint64(60) & np.uint64(7)
    for octant in range(8):
        inside = np.flatnonzero(octants == octant)
        for node, positions in each_node(share_out(given[inside], 1, 1, rule)):
            below[node] = inside[positions].tolist()

    assert np.array_equal(given & ~KEPT, codes)
    assert below | {(0, 0): root} == slowly(codes, rule)


@settings(deadline=None)
@given(CODES, RULE)
def test_an_open_node_keeps_one_point_of_a_voxel(codes: Codes, rule: Rule) -> None:
    for (depth, prefix), positions in each_node(share_out(codes, 0, 0, rule)):
        inside = np.count_nonzero(codes >> np.uint64(3 * (DEPTH - depth)) == prefix)
        if depth < rule.deepest and inside > rule.leaf_max:
            voxels = codes[positions] >> np.uint64(3 * (DEPTH - depth - rule.span_bits))
            assert len(np.unique(voxels)) == len(voxels)
            assert np.all(np.diff(positions) > 0)


@settings(deadline=None)
@given(CODES, st.integers(1, DEPTH))
def test_points_are_sorted_by_cell_and_stay_in_order_within(codes: Codes, depth: int) -> None:
    cells = codes >> np.uint64(3 * (DEPTH - depth))

    assert np.array_equal(sorted_by_cell(codes, 0, depth), np.argsort(cells, kind="stable"))


@settings(deadline=None)
@given(st.lists(st.integers(0, 2**32 - 1), unique=True))
def test_numbers_come_into_their_order(numbers: list[int]) -> None:
    given = np.array(numbers, dtype=np.uint32)

    assert given[in_order_of(given)].tolist() == sorted(numbers)


@given(st.lists(st.integers(1, 20)), st.integers(1, 30))
def test_groups_hold_every_one_once_and_no_more_than_they_may(
    weights: list[int], most: int
) -> None:
    runs = group(weights, most)

    assert [index for first, last in runs for index in range(first, last)] == list(
        range(len(weights))
    )
    assert all(last - first == 1 or sum(weights[first:last]) <= most for first, last in runs)


@given(st.integers(0, DEPTH).flatmap(lambda d: st.tuples(st.just(d), st.integers(0, 8**d - 1))))
def test_a_key_and_a_prefix_name_the_same_node(node: tuple[int, int]) -> None:
    depth, x, y, z = key_of(*node)

    assert depth == node[0]
    assert max(x, y, z) < 2**depth
    assert prefix_of(depth, x, y, z) == node[1]


def test_x_decides_before_y_before_z() -> None:
    cube = Cube((0, 0, 0), 2.0**DEPTH, (0, 0, 0), (2.0**DEPTH,) * 3)
    half = 2 ** (DEPTH - 1)

    codes, outside = codes_of(records_at([(half, 0, 0), (0, half, 0), (0, 0, half)]), cube)

    assert [code >> 60 for code in codes.tolist()] == [4, 2, 1]
    assert outside == 0


def test_points_outside_the_cube_are_counted() -> None:
    cube = Cube((0, 0, 0), 100.0, (0, 0, 0), (100.0,) * 3)

    codes, outside = codes_of(records_at([(-1, 0, 0), (0, 99, 0), (0, 0, 100)]), cube)

    assert outside == 2
    assert key_of(DEPTH, int(codes[0])) == (DEPTH, 0, 0, 0)
    assert key_of(DEPTH, int(codes[2])) == (DEPTH, 0, 0, 2**DEPTH - 1)


EXTENT = st.tuples(st.floats(-2e6, 2e6), st.floats(0, 1e5))


@settings(deadline=None)
@given(st.tuples(EXTENT, EXTENT, EXTENT), st.tuples(*[st.sampled_from([0.001, 0.01, 1e-2])] * 3))
def test_a_cube_holds_the_extents_that_it_was_made_around(
    extents: tuple[tuple[float, float], ...], scales: tuple[float, float, float]
) -> None:
    scale = np.array(scales)
    mins = np.array([low for low, _ in extents])
    maxs = np.array([low + width for low, width in extents])
    offset = np.floor(mins)

    cube = cube_around(mins, maxs, scale, offset)
    corners = [
        tuple(round((each[axis] - offset[axis]) / scale[axis]) for axis in range(3))
        for each in (mins, maxs)
    ]
    _, outside = codes_of(records_at(corners), cube)

    assert outside == 0
    assert all(cube.lowest[axis] < mins[axis] for axis in range(3))
    assert all(cube.lowest[axis] + cube.size > maxs[axis] for axis in range(3))
    assert cube.size <= max((maxs - mins).max() * 1.04, 1) + 4 * scale.max()


@pytest.mark.parametrize(
    ("mins", "maxs", "scale", "said"),
    [
        ((0, 0, 0), (1, -1, 1), 1.0, "extents must be finite and ordered"),
        ((0, 0, 0), (1, math.nan, 1), 1.0, "extents must be finite and ordered"),
        ((0, 0, 0), (1, 1, 1), 0.0, "scale must be positive"),
    ],
)
def test_a_cube_around_nonsense_is_refused(
    mins: tuple[float, ...], maxs: tuple[float, ...], scale: float, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        cube_around(np.array(mins), np.array(maxs), np.full(3, scale), np.zeros(3))


def test_a_cell_that_cuts_voxels_is_refused() -> None:
    with pytest.raises(ValueError, match="up to 2 depths below"):
        share_out(np.zeros(1, np.uint64), 0, 3, Rule(2, 10))
