"""Densities, hillshades, contours and differences of models."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from pyproj import Transformer

from haulier.core.problem import Problem
from haulier.families.clouds.io.raster import Raster
from haulier.families.clouds.method.hillshade import hillshade
from haulier.families.clouds.method.lattice import Window
from haulier.families.clouds.steps import diff_dem, tiling

Published = Callable[[str], Path]
WEST, NORTH = 292_000.0, 6_833_000.0


def small_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiling.split, "__defaults__", (37,))


def a_cone(size: int = 150) -> np.ndarray:
    down, right = np.mgrid[:size, :size]
    return np.asarray(60 - np.hypot(down - 70.2, right - 75.4), dtype=np.float32)


@pytest.mark.parametrize("name", ["simple1_4.las", "bcts_1.laz", "ellipsoid.copc.laz"])
def test_the_counts_of_cells_are_all_the_points(do: Any, published: Published, name: str) -> None:
    if name == "simple1_4.las":
        with pytest.raises(Problem, match="DEGREES_NOT_METRIC"):
            do("DENSITY", input_las=published(name))
        return

    counts = do("DENSITY", input_las=published(name), quantity="count", resolution=5.0)

    assert np.nansum(counts.raster) == counts.values["point_count"]
    assert counts.values["occupied_cells"] == int(np.sum(counts.raster > 0))


def test_density_is_by_square_metres_on_the_ground(do: Any, write_cloud: Any) -> None:
    places = np.random.default_rng(0).uniform(0.01, 99.99, (50_000, 3))
    here, there = np.array([WEST, NORTH, 0.0]), np.array([-8_242_596.0, 5_041_300.0, 0.0])
    metres = do("DENSITY", input_las=write_cloud(places + here), resolution=10.0)
    mercator = places / np.cos(np.radians(41.19)) + there
    stretched = write_cloud(mercator, "mercator.laz", crs="EPSG:3857")

    done = do("DENSITY", input_las=stretched, resolution=10.0)

    assert metres.values["mean_density_per_m2"] == pytest.approx(5.0, rel=0.01)
    assert done.values["highest_density_per_m2"] == pytest.approx(5.0, rel=0.2)
    assert "MAP_SCALE" in done.codes


def test_a_hillshade_in_tiles_is_that_of_the_whole(
    do: Any, write_raster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    cone = a_cone()
    cone[20:30, 40:60] = -9999
    small_tiles(monkeypatch)

    done = do("GENERATE_HILLSHADE", input_tif=write_raster(cone, nodata=-9999), z_factor=1.0)

    expected = hillshade(np.where(cone == -9999, np.nan, cone), (1.0, 1.0))
    assert np.array_equal(np.nan_to_num(done.raster), expected)


@pytest.mark.parametrize(
    ("crs", "unit", "cell", "expected"),
    [
        ("EPSG:2154+EPSG:5720", "", 1.0, 1.0),
        ("EPSG:2154", "US survey foot", 1.0, 1200 / 3937),
        ("EPSG:2154+EPSG:6360", "", 1.0, 1200 / 3937),
        ("EPSG:3857", "metre", 1.0, 1.329),
    ],
)
def test_the_z_factor_knows_units_and_the_scale_of_the_map(
    do: Any, write_raster: Any, crs: str, unit: str, cell: float, expected: float
) -> None:
    place = {"west": -8_242_596.0, "north": 5_041_300.0} if crs == "EPSG:3857" else {}
    path = write_raster(a_cone(), crs=crs, cell=cell, **place)
    if unit:
        with rasterio.open(path, "r+") as file:
            file.set_band_unit(1, unit)

    done = do("GENERATE_HILLSHADE", input_tif=path)

    assert done.values["z_factor"] == pytest.approx(expected, rel=2e-3)


def test_contours_of_a_cone_are_circles_on_the_globe(
    do: Any, write_raster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_raster(a_cone())
    whole = do("GENERATE_CONTOURS", input_tif=path, interval=10.0)
    small_tiles(monkeypatch)

    done = do("GENERATE_CONTOURS", input_tif=path, interval=10.0,
        order=lambda parts: list(reversed(parts)))  # fmt: skip

    assert done.path.read_bytes() == whole.path.read_bytes()
    back = Transformer.from_crs(4326, 2154, always_xy=True)
    features = json.loads(done.path.read_text())["features"]
    closed = [each for each in features if each["properties"]["elevation"] >= 10]
    assert [each["properties"]["elevation"] for each in closed] == [10, 20, 30, 40, 50]
    for feature in closed:
        x, y = back.transform(*np.array(feature["geometry"]["coordinates"]).T)
        radius = np.hypot(x - WEST - 75.9, NORTH - y - 70.7)
        assert np.allclose(radius, 60 - feature["properties"]["elevation"], atol=0.03)
        assert (x[0], y[0]) == (x[-1], y[-1])


def test_contours_may_keep_the_system_of_the_raster(do: Any, write_raster: Any) -> None:
    path = write_raster(a_cone(), crs="EPSG:2154")

    done = do("GENERATE_CONTOURS", input_tif=path, interval=25.0, coordinates="source")

    said = json.loads(done.path.read_text())
    assert said["crs"]["properties"]["name"] == "urn:ogc:def:crs:EPSG::2154"
    assert said["features"][0]["geometry"]["coordinates"][0][0] > WEST - 1


def test_a_difference_has_the_volume_that_was_added(
    do: Any, write_raster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = a_cone()
    after = before.copy()
    after[10:20, 10:30] += 2.0
    after[50:60, 50:60] -= 1.0
    shifted = write_raster(after[5:, 5:], "after.tif", west=WEST + 5, north=NORTH - 5)
    small_tiles(monkeypatch)

    done = do("DIFF_DEM", input_tif=shifted, input_earlier_tif=write_raster(before))

    scale = done.values["map_scale"]
    assert done.values["gain_m3"] == pytest.approx(400 / scale**2, rel=1e-5)
    assert done.values["loss_m3"] == pytest.approx(100 / scale**2, rel=1e-5)
    assert np.array_equal(done.raster, (after - before)[5:, 5:])


def test_a_tile_reads_no_more_of_a_finer_raster_than_a_tile(
    do: Any, write_raster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    fine = np.repeat(np.repeat(a_cone(48), 16, axis=0), 16, axis=1)
    later = write_raster(a_cone(48) + np.float32(2.0), "later.tif", cell=16.0)
    earlier = write_raster(fine, "earlier.tif", cell=1.0)
    read = Raster.read
    seen: list[int] = []

    def noted(raster: Raster, window: Window, band: int = 1) -> np.ndarray:
        seen.append(max(window.shape))
        return read(raster, window, band)

    monkeypatch.setattr(Raster, "read", noted)
    monkeypatch.setattr(diff_dem, "TILE", 100)

    done = do("DIFF_DEM", input_tif=later, input_earlier_tif=earlier, align="resample")

    assert max(seen) <= 100 + 16
    assert np.nanmedian(done.raster) == pytest.approx(2.0)


def test_a_raster_that_is_ever_so_much_finer_is_refused(do: Any, write_raster: Any) -> None:
    later = write_raster(a_cone(4), "later.tif", cell=100.0)
    earlier = write_raster(a_cone(50), "earlier.tif", cell=1.0)

    with pytest.raises(Problem, match=r"RASTERS_DIFFER_IN_CELLS: .* more than 64 times"):
        do("DIFF_DEM", input_tif=later, input_earlier_tif=earlier, align="resample")


def test_rasters_that_do_not_lie_on_each_other_are_resampled_if_asked(
    do: Any, write_raster: Any
) -> None:
    down, right = np.mgrid[:40, :40] + 0.5
    plane = (0.3 * down + 0.1 * right).astype(np.float32)
    later = write_raster(plane + np.float32(1.0), "later.tif")
    down, right = (np.mgrid[:40, :40] + 0.5) * 0.75
    earlier = write_raster(
        (0.3 * (down + 0.4) + 0.1 * (right + 0.4)).astype(np.float32),
        "earlier.tif", cell=0.75, west=WEST + 0.4, north=NORTH - 0.4,
    )  # fmt: skip

    with pytest.raises(Problem, match="RASTERS_NOT_ALIGNED"):
        do("DIFF_DEM", input_tif=later, input_earlier_tif=earlier)
    done = do("DIFF_DEM", input_tif=later, input_earlier_tif=earlier, align="resample")

    assert "RASTERS_RESAMPLED" in done.codes
    assert done.raster[1:-1, 1:-1] == pytest.approx(1.0, abs=1e-4)


def test_contours_are_cut_where_they_cross_180_degrees(do: Any, write_raster: Any) -> None:
    plane = np.broadcast_to(np.arange(40.0)[:, None], (40, 40)).astype(np.float32)
    path = write_raster(plane, crs="EPSG:32760", west=815_000.0, north=8_131_000.0, cell=200.0)

    done = do("GENERATE_CONTOURS", input_tif=path, interval=10.0, origin=0.5)

    lines = [f["geometry"]["coordinates"] for f in json.loads(done.path.read_text())["features"]]
    assert len(lines) == 2 * 4
    assert max(float(np.ptp(np.array(line)[:, 0])) for line in lines) < 1
