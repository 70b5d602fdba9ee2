"""The terrain under buildings, trees and noise, whatever tile it is looked for in."""

import numpy as np
import pytest

from haulier.families.clouds.method.cloth import Cloth, terrain_by_cloth
from haulier.families.clouds.method.ground import Filter, objects, radii, slope_of, terrain
from haulier.families.clouds.method.openings import Shape
from haulier.families.clouds.method.sampling import sample


def a_town(size: int = 160) -> tuple[np.ndarray, np.ndarray]:
    """Give terrain of gentle hills, and it with houses and trees on it."""
    rng = np.random.default_rng(1)
    down, right = np.mgrid[:size, :size]
    hills = (4 * np.sin(down / 40) + 3 * np.cos(right / 30)).astype(np.float32)
    seen = hills.copy()
    for _ in range(14):
        row, column = rng.integers(0, size - 25, 2)
        rows, columns = rng.integers(6, 25, 2)
        house = seen[row : row + rows, column : column + columns]
        house[:] = house.max() + 6
    seen[rng.random(seen.shape) < 0.05] += 12
    return hills, seen


@pytest.mark.parametrize("shape", ["square", "disc"])
def test_houses_and_trees_are_taken_off_the_hills(shape: Shape) -> None:
    hills, seen = a_town()

    found = terrain(seen, Filter(shape=shape))

    off = np.abs(found - hills)
    assert np.percentile(off, 95) < 0.5
    assert off.mean() < 0.15


def test_low_noise_makes_no_pits() -> None:
    hills, _ = a_town()
    seen = hills.copy()
    seen[20:150:10, 20:150:10] -= 30

    found = terrain(seen, Filter())

    assert np.abs(found - hills).max() < 0.5


def test_terrain_is_the_same_in_a_tile_and_in_the_whole() -> None:
    _, seen = a_town(420)
    seen[np.random.default_rng(2).random(seen.shape) < 0.5] = np.nan
    settings = Filter(window_m=6.0)
    halo = settings.halo

    whole = terrain(seen, settings)
    tile = terrain(seen[150 - halo : 240 + halo, 170 - halo : 230 + halo], settings)

    expected = whole[150:240, 170:230]
    assert np.array_equal(tile[halo:-halo, halo:-halo], expected, equal_nan=True)


def test_a_step_is_an_object_where_it_is_higher_than_the_slope_allows() -> None:
    surface = np.zeros((80, 80), dtype=np.float32)
    surface[35:45, 35:45] = 2.0

    found = objects(surface, Filter(slope=0.15))

    assert found[35:45, 35:45].all()
    assert found.sum() == 100
    assert not objects(surface, Filter(slope=0.5)).any()  # of radius 5 it may be 2.5


def test_slopes_are_rise_over_run() -> None:
    down, right = np.mgrid[:20, :30]
    plane = (0.6 * down + 0.8 * right).astype(np.float32)

    assert np.allclose(slope_of(plane, 1.0), 1.0, atol=1e-5)
    assert np.allclose(slope_of(plane, 2.0), 0.5, atol=1e-5)


def test_windows_grow_by_one_and_then_by_a_tenth() -> None:
    assert radii(4) == [1, 2, 3, 4]
    assert radii(30)[-1] == 30
    assert radii(500)[-1] == 500
    assert len(radii(500)) < 70


def test_a_sample_lies_on_the_plane_of_the_raster() -> None:
    down, right = np.mgrid[:20, :30]
    plane = (2.0 * down + 0.5 * right).astype(np.float32)
    rng = np.random.default_rng(0)
    y, x = rng.uniform(1, 19, 200), rng.uniform(1, 29, 200)

    values = sample(plane, y, x)

    assert np.allclose(values, 2.0 * (y - 0.5) + 0.5 * (x - 0.5), atol=1e-4)
    assert np.isnan(sample(plane, np.array([-0.1]), np.array([3.0]))).all()


@pytest.mark.parametrize("cell_m", [1e-6, 1e-320, 5e-324])
def test_a_filter_of_tiny_cells_knows_how_far_it_looks(cell_m: float) -> None:
    assert Filter(cell_m=cell_m).halo > 10**6


def test_a_cloth_over_a_lake_falls_on_its_shores() -> None:
    """Over voids alone the library would look for points around each knot, for hours."""
    lowest = np.full((250, 250), np.nan, np.float32)
    lowest[:, :5], lowest[:, -5:] = 3.0, 7.0

    found = terrain_by_cloth(lowest, Cloth(1.0, 0.5, rigidness=3, iterations=500, steep=False))

    assert np.isfinite(found).all()
    assert 2.5 < found.min() < found.max() < 7.5
