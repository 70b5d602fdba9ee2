"""What a cloud is from above does not depend on how its points came."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from haulier.families.clouds.method.overview import (
    LAYERS,
    MOST_CELLS,
    NO_HEIGHT,
    Gatherer,
    Overview,
    base_bits,
)

Points = NDArray[np.int32]


def overview_of(points: Points, bits: tuple[int, int] = (0, 0)) -> Overview:
    gatherer = Gatherer(bits)
    add(gatherer, points)
    return gatherer.overview()


def add(gatherer: Gatherer, points: Points) -> None:
    x, y, z = (points[:, axis] for axis in range(3))
    marks = np.abs(points[:, 2] % 3).astype(np.uint8)
    gatherer.add((x, y, z), np.abs(z % 100).astype(np.uint16), marks)


def same(one: Overview, other: Overview) -> bool:
    where = (one.bits, one.low) == (other.bits, other.low)
    return where and all(
        np.array_equal(getattr(one, name), getattr(other, name)) for name in LAYERS
    )


def drawn(seed: int, count: int, reach: int) -> Points:
    random = np.random.default_rng(seed)
    return random.integers(-reach, reach, (count, 3), dtype=np.int32)


@given(
    seed=st.integers(0, 2**32 - 1),
    reach=st.sampled_from([1, 3, 700, 5000, 10**6, 2**31 - 1]),
    cuts=st.lists(st.integers(0, 200), max_size=5),
    jointly=st.booleans(),
)
@settings(deadline=None, max_examples=60)
def test_pieces_in_any_cut_give_the_same_cells(
    seed: int, reach: int, cuts: list[int], *, jointly: bool
) -> None:
    points = drawn(seed, 200, reach)
    points[:40] //= 50  # a small cloud within, whose cells alone would be finer
    whole, gatherer = overview_of(points), Gatherer((0, 0))

    for piece in np.split(points, sorted(cuts)):
        if jointly:
            gatherer.join(overview_of(piece))
        else:
            add(gatherer, piece)

    assert same(gatherer.overview(), whole)


@pytest.mark.parametrize("reach", [1, 100, 512, 513, 40_000, 2**31 - 1])
def test_cells_are_as_small_as_their_number_allows(reach: int) -> None:
    seen = overview_of(drawn(1, 500, reach))

    assert max(seen.shape) <= MOST_CELLS
    assert seen.bits[0] == 0 or max(seen.shape) >= MOST_CELLS // 2 - 1


def test_every_point_is_in_its_cell() -> None:
    points = drawn(3, 2000, 3000)

    seen = overview_of(points)

    rows = (points[:, 1] >> seen.bits[1]) - seen.low[1]
    columns = (points[:, 0] >> seen.bits[0]) - seen.low[0]
    counts, highs = np.zeros(seen.shape, int), np.full(seen.shape, NO_HEIGHT)
    np.add.at(counts, (rows, columns), 1)
    counted = points[:, 2] % 3 > 0
    np.maximum.at(highs, (rows[counted], columns[counted]), points[counted, 2])
    ground = points[:, 2] % 3 == 2
    assert np.array_equal(seen.count, counts)
    assert np.array_equal(seen.high, highs)
    assert seen.ground.sum() == ground.sum()
    assert seen.ground_total.sum() == points[ground, 2].sum(dtype=np.int64)


def test_coarser_cells_hold_what_the_finer_held() -> None:
    seen = overview_of(drawn(4, 500, 400))

    coarse = seen.coarser(3)

    assert coarse.bits == (seen.bits[0] + 3, seen.bits[1] + 3)
    assert (coarse.count.sum(), coarse.high.max()) == (seen.count.sum(), seen.high.max())
    assert same(coarse.coarser(2), seen.coarser(5))


def test_a_small_piece_joins_a_vast_cloud_in_its_own_few_cells() -> None:
    vast, piece = np.array([[-(2**31), 0, 5], [2**31 - 1, 9, 7]], np.int32), drawn(5, 40, 30)
    gatherer = Gatherer((0, 0))

    gatherer.join(overview_of(vast))
    gatherer.join(overview_of(piece))

    assert same(gatherer.overview(), overview_of(np.concatenate([vast, piece])))


@pytest.mark.parametrize(
    ("scales", "bits"), [((0.01, 0.01), (0, 0)), ((0.01, 0.001), (0, 3)), ((1e-7, 8e-7), (3, 0))]
)
def test_cells_are_about_square_where_stored_steps_are_not(
    scales: tuple[float, float], bits: tuple[int, int]
) -> None:
    assert base_bits(*scales) == bits
    sizes = [scale * 2**shift for scale, shift in zip(scales, bits, strict=True)]
    assert 0.7 < sizes[0] / sizes[1] < 1.42


def test_nothing_is_no_cells() -> None:
    assert Gatherer((0, 0)).overview().shape == (0, 0)
