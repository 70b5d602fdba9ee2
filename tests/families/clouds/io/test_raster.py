"""GeoTIFFs that are written are cloud optimized, and the same bytes for the same values."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio
from pyproj import CRS

from haulier.core.problem import Problem
from haulier.families.clouds.io.raster import (
    Band,
    RasterFrame,
    frame_of_cells,
    open_raster,
    raster_writer,
)
from haulier.families.clouds.method.lattice import Window

WKT = CRS.from_user_input("EPSG:2154+EPSG:5720").to_wkt("WKT1_GDAL")
FRAME = RasterFrame(292_000.0, 6_833_000.0, 2.0, 2.0, 1300, 900, WKT, "metre")


def some_values() -> np.ndarray:
    values = np.random.default_rng(0).normal(50, 3, (1300, 900)).astype(np.float32)
    values[100:300, 50:400] = np.nan
    return values


def write(folder: Path, windows: list[Window], values: np.ndarray, band: Band = Band()) -> Path:  # noqa: B008 -- it is frozen
    folder.mkdir()
    path = folder / "dem.tif"
    with raster_writer(path, FRAME, band, folder) as writer:
        for window in windows:
            writer.write(window, values[window.inside(FRAME.window)])
    return path


def test_the_bytes_do_not_depend_on_the_order_or_the_size_of_tiles(tmp_path: Path) -> None:
    values = some_values()

    one = write(tmp_path / "one", [FRAME.window], values)
    many = write(tmp_path / "many", list(FRAME.window.tiles(300))[::-1], values)

    assert one.read_bytes() == many.read_bytes()
    assert [each.name for each in (tmp_path / "many").iterdir()] == ["dem.tif"]


def test_what_is_written_is_cloud_optimized_and_says_where_it_is(tmp_path: Path) -> None:
    path = write(tmp_path / "one", [FRAME.window], some_values())

    with rasterio.open(path) as file:
        assert file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert file.overviews(1)
        assert file.nodata == -9999.0
        assert file.units == ("metre",)
        assert CRS.from_wkt(file.crs.to_wkt()).sub_crs_list[0].to_epsg() == 2154
        assert np.allclose(file.read(1, masked=True).filled(np.nan), some_values(), equal_nan=True)


def test_a_window_beyond_the_raster_is_void_there(tmp_path: Path) -> None:
    values = some_values()
    path = write(tmp_path / "one", [FRAME.window], values)

    with open_raster(path, "input") as raster:
        read = raster.read(Window(-10, 880, 30, 40))

        assert replace(raster.frame, wkt=WKT) == FRAME
    assert np.isnan(read[:10]).all()
    assert np.isnan(read[:, 20:]).all()
    assert np.array_equal(read[10:, :20], values[:20, 880:])


def test_whole_numbers_have_a_void_of_their_own(tmp_path: Path) -> None:
    counts = np.arange(1300 * 900, dtype=np.uint32).reshape(1300, 900)
    band = Band("uint32", 2**32 - 1, "points", "nearest")

    path = write(tmp_path / "one", [FRAME.window], counts, band)

    with rasterio.open(path) as file:
        assert np.array_equal(file.read(1), counts)


def test_cells_of_all_clouds_lie_on_each_other() -> None:
    frame = frame_of_cells(Window(-20, 7, 3, 4), 2.5, "")

    assert (frame.west, frame.north) == (17.5, 50.0)
    assert frame.bounds == (17.5, 42.5, 27.5, 50.0)


@pytest.mark.parametrize(
    "shift",
    [
        rasterio.Affine(1, 0.1, 0, 0, -1, 0),
        rasterio.Affine(1, 0, 5, 0, 1, 5),
        rasterio.Affine.identity(),
    ],
)
@pytest.mark.filterwarnings("ignore:The given matrix")  # of what writes this file
def test_turned_cells_and_cells_of_no_place_are_refused(
    tmp_path: Path, shift: rasterio.Affine
) -> None:
    path = tmp_path / "turned.tif"
    profile = {"driver": "GTiff", "width": 4, "height": 4, "count": 1, "dtype": "float32"}
    with rasterio.open(path, "w", transform=shift, **profile) as file:
        file.write(np.zeros((1, 4, 4), dtype=np.float32))

    with pytest.raises(Problem, match="RASTER_NOT_NORTH_UP"), open_raster(path, "input"):
        pass


@pytest.mark.parametrize("size", [1, 7, 1024])
def test_tiles_cover_a_window_once(size: int) -> None:
    window = Window(-13, 5, 29, 17)
    covered = np.zeros(window.shape, dtype=int)

    for tile in window.tiles(size):
        covered[tile.inside(window)] += 1

    assert np.all(covered == 1)
