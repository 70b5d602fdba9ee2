"""Contours of a cone are circles, and tiles of them join to the same lines."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haulier.families.clouds.method.contours import (
    Lines,
    TooManyLinesError,
    chain,
    contours,
    join,
    take,
)


def lines_of(lines: Lines) -> list[tuple[int, list[int], list[list[float]]]]:
    return [
        (int(one.levels[0]), one.edges.tolist(), one.places.tolist())
        for one in (take(lines, np.array([i])) for i in range(len(lines.levels)))
    ]


def in_tiles(
    heights: np.ndarray, interval: float, size: int
) -> list[tuple[int, list[int], list[list[float]]]]:
    """Draw tile by tile, and join as the step does."""
    rows, columns = heights.shape
    drawn = [
        take(lines, np.array([i]))
        for top in range(0, rows, size)
        for left in range(0, columns, size)
        for lines in [
            contours(
                heights[top : top + size + 1, left : left + size + 1],
                (top, left),
                columns,
                interval,
            )
        ]
        for i in range(len(lines.levels))
    ]
    drawn.sort(key=lambda line: (line.levels[0], line.edges[0]))
    ends = np.array([[line.levels[0], *line.ends[0]] for line in drawn]).reshape(-1, 3)
    order, starts = chain(ends[:, 0], ends[:, 1], ends[:, 2])
    whole: list[tuple[int, list[int], list[list[float]]]] = []
    for first, last in pairwise(starts.tolist()):
        edges, places = join(drawn, order[first:last].tolist())
        whole.append((int(drawn[order[first]].levels[0]), edges.tolist(), places.tolist()))
    return sorted(whole, key=lambda line: (line[0], line[1][0]))


def test_the_contours_of_a_cone_are_closed_circles() -> None:
    down, right = np.mgrid[:120, :120]
    away = np.hypot(down - 60.3, right - 59.2)

    lines = contours(np.maximum(50 - away, -5), (0, 0), 120, 10.0)

    for level, edges, places in lines_of(lines):
        radius = np.hypot(*(np.array(places) - (60.3, 59.2)).T)
        assert np.allclose(radius, 50 - 10 * level, atol=0.02)
        assert edges[0] == edges[-1]
    assert lines.levels.tolist() == [0, 1, 2, 3, 4]


def test_higher_ground_is_to_the_right() -> None:
    down, _ = np.mgrid[:5, :5]

    ((_, _, places),) = lines_of(contours(down - 1.5, (0, 0), 5, 100.0))

    assert places[0][1] == 0.0  # eastwards: the south, which is higher, is to the right
    assert places[-1][1] == 4.0


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(3, 14), st.floats(0.0, 0.3))
def test_tiles_of_any_size_give_the_lines_of_the_whole(seed: int, size: int, void: float) -> None:
    rng = np.random.default_rng(seed)
    heights = rng.normal(0, 3, (25, 31)).astype(np.float32).astype(np.float64)
    heights[rng.random(heights.shape) < void] = np.nan

    whole = contours(heights, (0, 0), 31, 1.5)

    assert in_tiles(heights, 1.5, size) == lines_of(whole)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_a_line_ends_only_at_the_edge_or_at_a_void(seed: int) -> None:
    heights = np.random.default_rng(seed).integers(0, 5, (12, 12)).astype(np.float64)

    for _, edges, places in lines_of(contours(heights, (0, 0), 12, 1.0)):
        at_edge = [0.0 in place or 11.0 in place for place in (places[0], places[-1])]
        assert edges[0] == edges[-1] or all(at_edge)


def test_flat_ground_has_no_lines() -> None:
    assert len(contours(np.full((9, 9), 3.2), (0, 0), 9, 1.0).levels) == 0


@pytest.mark.parametrize(
    ("heights", "interval"),
    [
        (np.array([[0.0, 1.0], [0.0, 1.0]]), 1e-5),
        (np.full((3, 3), 1e9), 1e-9),
        (np.array([[0.0, np.inf], [0.0, 1.0]]), 1.0),
        (np.full((2, 2), -np.inf), 1.0),
    ],
)
def test_lines_without_number_are_refused(heights: np.ndarray, interval: float) -> None:
    with pytest.raises(TooManyLinesError, match=r"have too many lines of .*, at most 10,000"):
        contours(heights, (0, 0), heights.shape[1], interval)


def test_noise_with_more_pieces_than_memory_should_hold_is_refused() -> None:
    noise = np.random.default_rng(0).uniform(0, 1, (400, 400))
    with pytest.raises(TooManyLinesError, match="more than 10,000,000 pieces in 160,000 cells"):
        contours(noise, (0, 0), 400, 1e-4)


def test_levels_that_are_far_apart_are_not_mixed_up() -> None:
    levels = np.array([-(2**52), 0, 2**52])
    far = np.array([2**30] * 3)

    order, starts = chain(levels, far, far + 1)

    assert (order.tolist(), starts.tolist()) == ([0, 1, 2], [0, 1, 2, 3])


def test_no_pieces_are_no_lines() -> None:
    none = np.zeros(0, np.int64)

    order, starts = chain(none, none, none)

    assert (len(order), starts.tolist()) == (0, [0])
