"""Traps of rasters: each an error or a warning with a code, and none of them silent."""

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio

from haulier.core.problem import Code, Problem

WEST, SOUTH = 292_000.0, 6_832_000.0
OF_CLOUDS: dict[str, dict[str, Any]] = {
    "CLASSIFY_GROUND": {},
    "HEIGHT_ABOVE_GROUND": {},
    "GENERATE_DEM": {"ground": "class"},
    "DENSITY": {},
    "COLORIZE_AS_DEM": {},
    "REGRID_LAS": {"resolution": 1.0},
}


def some_places(number: int = 3_000) -> np.ndarray:
    flat = np.random.default_rng(0).uniform(0.01, 49.99, (number, 2))
    return np.column_stack([WEST + flat[:, 0], SOUTH + flat[:, 1], 10 + 0.1 * flat[:, 0]])


def as_ground(number: int = 3_000) -> dict[str, Any]:
    return {"classification": np.full(number, 2, np.uint8)}


@pytest.mark.parametrize("kind", OF_CLOUDS)
def test_degrees_are_refused_with_a_metric_system_to_take(
    do: Any, write_cloud: Any, kind: str
) -> None:
    places = some_places() - (WEST, SOUTH, 0) + np.array([-2520.0, 48_000.0, 0])
    places[:, :2] /= 1000.0
    cloud = write_cloud(places, crs="EPSG:4326", step=1e-7, **as_ground())

    with pytest.raises(Problem, match=r"DEGREES_NOT_METRIC.*EPSG:32630") as caught:
        do(kind, input_las=cloud, **OF_CLOUDS[kind])

    assert caught.value.code is Code.INVALID


@pytest.mark.parametrize("kind", OF_CLOUDS)
@pytest.mark.parametrize(("crs", "code"), [("EPSG:3857", "MAP_SCALE"), (None, "CRS_UNKNOWN")])
def test_a_map_that_is_longer_than_the_ground_or_unknown_is_said(
    do: Any, write_cloud: Any, kind: str, crs: str | None, code: str
) -> None:
    cloud = write_cloud(some_places(), crs=crs, **as_ground())

    assert code in do(kind, input_las=cloud, **OF_CLOUDS[kind]).codes


@pytest.mark.parametrize(
    ("crs", "asked", "code"),
    [
        ("EPSG:2154", {}, "HEIGHT_UNIT_ASSUMED"),
        ("EPSG:2154+EPSG:6360", {}, "HEIGHT_UNIT_DIFFERS"),
        ("EPSG:2154", {"height_unit": "foot"}, None),
        ("EPSG:2154+EPSG:5720", {}, None),
    ],
)
def test_the_unit_of_z_is_said_where_it_is_not_known(
    do: Any, write_cloud: Any, crs: str, asked: dict[str, Any], code: str | None
) -> None:
    cloud = write_cloud(some_places(), crs=crs, **as_ground())

    codes = do("CLASSIFY_GROUND", input_las=cloud, cell_m=2.0, **asked).codes

    assert codes == ({code} if code else set())


def test_sparse_cells_are_said_with_a_better_size(do: Any, write_cloud: Any) -> None:
    done = do("CLASSIFY_GROUND", input_las=write_cloud(some_places()), cell_m=0.2)

    assert "CELLS_SPARSE" in done.codes


CELLS = [("DENSITY", "resolution"), ("CLASSIFY_GROUND", "cell_m")]


@pytest.mark.parametrize(("kind", "at"), CELLS)
def test_cells_beyond_counting_are_refused(do: Any, write_cloud: Any, kind: str, at: str) -> None:
    with pytest.raises(Problem, match="CELL_TOO_SMALL") as caught:
        do(kind, input_las=write_cloud(some_places()), **{at: 1e-5})

    assert caught.value.at == at


def test_a_line_of_ever_so_many_cells_is_refused(do: Any, write_cloud: Any) -> None:
    places = some_places()[:2]
    places[0, :2] = places[1, 0] - 2e6, places[1, 1]

    with pytest.raises(Problem, match=r"TOO_MANY_CELLS.*10,000,000 along a side"):
        do("REGRID_LAS", input_las=write_cloud(places), resolution=0.1)


@pytest.mark.parametrize(
    ("kind", "asked", "at"),
    [
        ("CLASSIFY_GROUND", {"cell_m": 0.004}, "cell_m"),
        ("GENERATE_DEM", {"resolution": 0.004, "ground": "smrf"}, "resolution"),
    ],
)
def test_cells_that_a_window_has_too_many_of_are_refused(
    do: Any, write_cloud: Any, kind: str, asked: dict[str, Any], at: str
) -> None:
    with pytest.raises(Problem, match=r"CELLS_TOO_FINE.*at most 100,000,000 may be") as caught:
        do(kind, input_las=write_cloud(some_places()), **asked)

    assert caught.value.at == at


@pytest.mark.parametrize(
    ("kind", "asked"),
    [
        ("CLASSIFY_GROUND", {"method": "csf", "cell_m": 100.0, "cloth_m": 0.1}),
        ("GENERATE_DEM", {"ground": "csf", "resolution": 1000.0}),
    ],
)
def test_a_cloth_of_too_many_knots_is_refused_before_it_ends_the_process(
    do: Any, write_cloud: Any, kind: str, asked: dict[str, Any]
) -> None:
    places = some_places()
    places[::2, :2] -= 20_000.0

    with pytest.raises(Problem, match=r"CLOTH_TOO_FINE: .* knots, at most 5,000,000") as caught:
        do(kind, input_las=write_cloud(places), **asked)

    assert caught.value.at == "cloth_m"


@pytest.mark.parametrize(("kind", "at"), CELLS)
def test_a_point_far_from_all_others_is_refused_before_it_makes_a_huge_raster(
    do: Any, write_cloud: Any, kind: str, at: str
) -> None:
    places = some_places()
    places[0, :2] = 0.0

    with pytest.raises(Problem, match=r"TOO_MANY_CELLS.*crop points that lie far") as caught:
        do(kind, input_las=write_cloud(places, step=0.01), **{at: 0.5})

    assert caught.value.at == at


def test_tiles_without_points_cost_nothing_and_are_void(do: Any, write_cloud: Any) -> None:
    places = some_places()
    places[0, :2] += 4_000.0
    cloud = write_cloud(places, step=0.01, **as_ground())

    done = do("GENERATE_DEM", input_las=cloud)

    assert min(done.values["rows"], done.values["columns"]) > 3_900
    assert done.values["known_cells"] < 3_000
    assert done.path.stat().st_size < 1_000_000


def test_an_empty_cloud_is_refused(do: Any, write_cloud: Any) -> None:
    with pytest.raises(Problem, match=r"CLOUD_EMPTY|NO_POINTS_CHOSEN"):
        do("DENSITY", input_las=write_cloud(some_places(1), withheld=np.ones(1, np.uint8)))


PLANE = np.arange(400, dtype=np.float32).reshape(20, 20)
DEGREES: dict[str, Any] = {"crs": "EPSG:4326", "west": -2.5, "north": 48.0, "cell": 0.001}


@pytest.mark.parametrize(
    ("kind", "raster", "code"),
    [
        ("GENERATE_HILLSHADE", DEGREES, "DEGREES_NOT_METRIC"),
        ("DIFF_DEM", DEGREES, "DEGREES_NOT_METRIC"),
        ("DIFF_DEM", {"crs": "EPSG:2975"}, "RASTERS_DIFFER_IN_CRS"),
        ("DIFF_DEM", {"crs": "EPSG:2154+EPSG:6360"}, "RASTERS_DIFFER_IN_UNIT"),
        ("DIFF_DEM", {"west": WEST + 500}, "RASTERS_APART"),
        ("DIFF_DEM", {"west": WEST + 0.4}, "RASTERS_NOT_ALIGNED"),
        ("DIFF_DEM", {"cell": 1.5}, "RASTERS_NOT_ALIGNED"),
    ],
)
def test_rasters_that_would_give_wrong_numbers_are_refused(
    do: Any, write_raster: Any, kind: str, raster: dict[str, Any], code: str
) -> None:
    inputs = {"input_tif": write_raster(PLANE, **raster)}
    if kind == "DIFF_DEM":
        inputs["input_earlier_tif"] = write_raster(PLANE, "earlier.tif")

    with pytest.raises(Problem, match=code):
        do(kind, **inputs)


@pytest.mark.parametrize("kind", ["GENERATE_HILLSHADE", "GENERATE_CONTOURS"])
def test_a_picture_is_no_model_of_heights(do: Any, write_raster: Any, kind: str) -> None:
    picture = write_raster(np.zeros((3, 20, 20), dtype=np.uint8))

    with pytest.raises(Problem, match="RASTER_NOT_HEIGHTS"):
        do(kind, input_tif=picture)


def test_heights_are_no_picture(do: Any, write_cloud: Any, write_raster: Any) -> None:
    with pytest.raises(Problem, match="RASTER_NOT_PICTURE"):
        do("COLORIZE_FROM_TIF", input_las=write_cloud(some_places()), input_tif=write_raster(PLANE))


def test_too_many_lines_are_refused(do: Any, write_raster: Any) -> None:
    with pytest.raises(Problem, match="TOO_MANY_CONTOURS"):
        do("GENERATE_CONTOURS", input_tif=write_raster(PLANE), interval=1e-6)


def test_a_raster_whose_header_says_too_many_cells_is_refused(do: Any, tmp_path: Path) -> None:
    path = tmp_path / "vast.tif"
    profile = {"height": 400_000, "width": 400_000, "count": 1, "dtype": "uint8"}
    sparse = {"tiled": True, "sparse_ok": True, "bigtiff": "YES", "blockxsize": 4096}
    shift = rasterio.Affine(2, 0, 0, 0, -2, 0)
    with rasterio.open(path, "w", "GTiff", **profile, **sparse, blockysize=4096, transform=shift):
        pass

    with pytest.raises(Problem, match=r"TOO_MANY_CELLS: it says 400,000 by 400,000 cells"):
        do("GENERATE_HILLSHADE", input_tif=path)


@pytest.mark.parametrize("content", [b"", b"II*\0", b"<VRTDataset/>", b"not a picture" * 100])
def test_a_file_that_is_no_geotiff_is_refused(do: Any, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.tif"
    path.write_bytes(content)

    with pytest.raises(Problem, match="RASTER_UNREADABLE"):
        do("GENERATE_HILLSHADE", input_tif=path)


@pytest.mark.parametrize("cell", [float("nan"), float("inf")])
def test_a_raster_of_cells_without_size_is_refused(
    do: Any, write_raster: Any, tmp_path: Path, cell: float
) -> None:
    content = bytearray(write_raster(PLANE, cell=17.25).read_bytes())
    content = content.replace(struct.pack("<d", 17.25), struct.pack("<d", cell))
    (tmp_path / "broken.tif").write_bytes(content)

    with pytest.raises(Problem, match="RASTER_NOT_NORTH_UP"):
        do("GENERATE_HILLSHADE", input_tif=tmp_path / "broken.tif")


def test_a_truncated_geotiff_is_refused(do: Any, write_raster: Any) -> None:
    path = write_raster(np.random.default_rng(0).random((600, 600)), compress="deflate")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    with pytest.raises(Problem, match=r"RASTER_DAMAGED|RASTER_UNREADABLE"):
        do("GENERATE_HILLSHADE", input_tif=path)


@pytest.mark.parametrize(
    ("kind", "asked"),
    [("CLASSIFY_GROUND", {"method": "csf", "cell_m": 2.0}), ("GENERATE_DEM", {"ground": "csf"})],
)
def test_a_cloth_in_several_tiles_is_said(
    do: Any, write_cloud: Any, kind: str, asked: dict[str, Any]
) -> None:
    places = some_places() + np.array([900.0, 500.0, 0.0])  # in the middle of a tile of both
    one = write_cloud(places)
    places[::2, 0] += 3000.0
    several = write_cloud(places, "several.laz")

    codes = [do(kind, input_las=path, **asked).codes for path in (one, several)]

    assert [("CLOTH_IN_TILES" in each) for each in codes] == [False, True]
