"""Colours for points, and points for cells."""

from typing import Any

import laspy
import numpy as np
import pytest
from pyproj import Transformer

from haulier.core.problem import Problem
from haulier.families.clouds.steps import gridding

WEST, SOUTH, NORTH = 292_000.0, 6_832_000.0, 6_833_000.0


def some_places(number: int = 5_000) -> np.ndarray:
    east, north = np.random.default_rng(0).uniform(0.01, 99.99, (2, number)).round(3)
    return np.column_stack([WEST + east, NORTH - 100 + north, 10 + 0.5 * east])


def colours(cloud: laspy.LasData) -> np.ndarray:
    return np.stack([cloud.red, cloud.green, cloud.blue], axis=1).astype(np.int64)


def a_picture() -> np.ndarray:
    """Give red rising eastwards, green rising southwards, blue in squares."""
    down, right = np.mgrid[:200, :200]
    return np.stack([right, down, (down // 50 + right // 50) % 2 * 255]).astype(np.uint8)


@pytest.mark.parametrize("name", ["palette", "pallete"])
def test_a_ramp_has_its_first_colour_low_and_its_last_high(
    do: Any, write_cloud: Any, name: str
) -> None:
    cloud = write_cloud(some_places())
    asked = {name: "#0000ff,#ff0000", "shading": 0.0, "resolution": 2.0}

    done = do("COLORIZE_AS_DEM", input_las=cloud, **asked)

    red, z = colours(done.cloud)[:, 0], np.asarray(done.cloud.z)
    assert red[z < 10.5].max() < 2_000
    assert red[z > 59.5].min() > 63_000
    assert np.corrcoef(red, z)[0, 1] > 0.999
    assert done.values["point_format"] == 7


def test_shading_darkens_what_is_turned_away_from_the_light(do: Any, write_cloud: Any) -> None:
    places = some_places(20_000)
    places[:, 2] = 10 - 2 * np.abs(places[:, 0] - WEST - 50)  # a ridge from south to north
    cloud = write_cloud(places)

    shaded = do("COLORIZE_AS_DEM", input_las=cloud, palette="#ffffff,#ffffff", shading=1.0)

    red, east = colours(shaded.cloud)[:, 0], np.asarray(shaded.cloud.x) - WEST
    assert red[east < 45].mean() > 2 * red[east > 55].mean()


@pytest.mark.parametrize(
    ("asked", "words"),
    [({"pallete": "mud"}, "pallete must be one of"), ({"low": 5.0, "high": 1.0}, "high must not")],
)
def test_colours_that_cannot_be_are_refused(
    do: Any, write_cloud: Any, asked: dict[str, Any], words: str
) -> None:
    with pytest.raises(Problem, match=words):
        do("COLORIZE_AS_DEM", input_las=write_cloud(some_places()), **asked)


def test_points_get_the_colour_of_the_cell_they_lie_in(
    do: Any, write_cloud: Any, write_raster: Any
) -> None:
    picture = a_picture()

    done = do("COLORIZE_FROM_TIF", input_las=write_cloud(some_places()),
        input_tif=write_raster(picture, cell=0.5))  # fmt: skip

    x, y = np.asarray(done.cloud.x), np.asarray(done.cloud.y)
    expected = picture[:, ((NORTH - y) / 0.5).astype(int), ((x - WEST) / 0.5).astype(int)].T
    assert np.array_equal(colours(done.cloud), expected.astype(np.int64) * 257)


def test_a_picture_in_another_system_is_looked_up_where_points_are(
    do: Any, write_cloud: Any, write_raster: Any
) -> None:
    places = some_places()
    move = Transformer.from_crs(2154, 3857, always_xy=True)
    x, y = move.transform(places[:, 0], places[:, 1])
    west, north = float(np.min(x)) - 20, float(np.max(y)) + 20
    picture = write_raster(a_picture(), crs="EPSG:3857", west=west, north=north, cell=1.0)

    done = do("COLORIZE_FROM_TIF", input_las=write_cloud(places), input_tif=picture,
        sampling="bilinear")  # fmt: skip

    assert "CRS_DIFFERS" in done.codes
    assert np.abs(colours(done.cloud)[:, 0] / 257 - (x - west - 0.5)).max() < 0.1


def test_points_outside_of_the_picture_keep_their_colour_and_are_counted(
    do: Any, write_cloud: Any, write_raster: Any
) -> None:
    red = np.full(5_000, 1234, dtype=np.uint16)
    cloud = write_cloud(some_places(), point_format=7, red=red)
    picture = write_raster(a_picture(), cell=0.25)

    done = do("COLORIZE_FROM_TIF", input_las=cloud, input_tif=picture)

    x, y = np.asarray(done.cloud.x), np.asarray(done.cloud.y)
    outside = (x > WEST + 50) | (y < NORTH - 50)
    assert "PICTURE_TOO_SMALL" in done.codes
    assert done.values["uncoloured_points"] == pytest.approx(outside.sum(), abs=5)
    assert set(np.asarray(done.cloud.red)[x > WEST + 50.1].tolist()) == {1234}


def test_a_picture_of_elsewhere_is_refused(do: Any, write_cloud: Any, write_raster: Any) -> None:
    picture = write_raster(a_picture(), west=WEST + 5_000)

    with pytest.raises(Problem, match="PICTURE_ELSEWHERE"):
        do("COLORIZE_FROM_TIF", input_las=write_cloud(some_places()), input_tif=picture)


@pytest.mark.parametrize("method", ["mean", "min", "max"])
def test_a_regridded_cloud_has_one_point_in_the_middle_of_each_cell(
    do: Any, write_cloud: Any, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    places = some_places()
    path = write_cloud(places, "cloud.las", intensity=np.full(5_000, 40, np.uint16))

    done = do("REGRID_LAS", input_las=path, resolution=5.0, method=method)

    cells = np.floor(places[:, :2] / 5.0 + 1e-9)
    unique, inverse = np.unique(cells, axis=0, return_inverse=True)
    given = {(x, y): z for x, y, z in done.cloud.xyz.tolist()}
    assert len(given) == len(unique) == len(done.cloud)
    for number, (column, row) in enumerate(unique[:50]):
        height = getattr(places[inverse == number, 2], method)()
        assert given[column * 5 + 2.5, row * 5 + 2.5] == pytest.approx(height, abs=0.001)
    assert np.asarray(done.cloud["PointCount"]).sum() == 5_000
    assert set(np.asarray(done.cloud.intensity).tolist()) == {40}
    monkeypatch.setattr(gridding, "PART_POINTS", 700)
    again = do("REGRID_LAS", input_las=path, resolution=5.0, method=method)
    assert again.path.read_bytes() == done.path.read_bytes()
