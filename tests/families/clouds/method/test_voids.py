"""Voids are filled between known cells: exactly on planes, never beyond, the same in any tile."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from haulier.families.clouds.method.voids import ROUNDS, fill_voids


def a_plane(rows: int, columns: int) -> np.ndarray:
    down, right = np.mgrid[:rows, :columns]
    return np.asarray(3.0 + 0.5 * down - 0.25 * right, dtype=np.float32)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.1, 0.9))
def test_a_plane_is_continued_exactly(seed: int, share: float) -> None:
    plane = a_plane(40, 50)
    holed = np.where(
        np.random.default_rng(seed).random(plane.shape) < share, np.float32(np.nan), plane
    )

    filled = fill_voids(holed, 30)

    known = ~np.isnan(filled)
    assert np.allclose(filled[known], plane[known], atol=1e-4)


def test_nothing_is_filled_outside_of_the_hull() -> None:
    raster = np.full((60, 60), np.nan, dtype=np.float32)
    down, right = np.mgrid[:60, :60]
    ring = np.abs(np.hypot(down - 30, right - 30) - 20) < 1.0
    raster[ring] = 7.0

    filled = fill_voids(raster, 60)

    inside = np.hypot(down - 30, right - 30) < 18
    outside = np.hypot(down - 30, right - 30) > 22
    assert np.allclose(filled[inside], 7.0)
    assert np.all(np.isnan(filled[outside]))


def test_a_void_wider_than_the_reach_stays_void_in_its_middle() -> None:
    raster = a_plane(40, 40)
    raster[5:35, 5:35] = np.nan

    filled = fill_voids(raster, 10)

    assert np.isnan(filled[20, 20])
    assert not np.isnan(fill_voids(raster, 31)[20, 20])


def test_outwards_gives_every_cell_something() -> None:
    raster = np.full((20, 20), np.nan, dtype=np.float32)
    raster[10, 10] = 4.0

    filled = fill_voids(raster, 9, outwards=True)

    assert filled[10, 3] == filled[3, 3] == 4.0


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_a_tile_with_enough_around_it_is_filled_as_the_whole(seed: int, outwards: bool) -> None:  # noqa: FBT001 -- hypothesis
    rng = np.random.default_rng(seed)
    whole = rng.normal(0, 10, (90, 80)).astype(np.float32)
    whole[rng.random(whole.shape) < 0.8] = np.nan
    reach = 12
    halo = reach + ROUNDS

    expected = fill_voids(whole, reach, outwards=outwards)[30:60, 30:50]
    tile = whole[30 - halo : 60 + halo, 30 - halo : 50 + halo]
    filled = fill_voids(tile, reach, outwards=outwards)[halo:-halo, halo:-halo]

    assert np.array_equal(filled, expected, equal_nan=True)
