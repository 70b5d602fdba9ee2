"""REPROJECT_LAS: every point where pyproj puts it, and the same bytes however it was cut."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import laspy
import numpy as np
import pytest
from pyproj import CRS, Transformer
from pyproj.transformer import AreaOfInterest

from haulier.families.clouds.io.crs import horizontal

Box = tuple[tuple[float, float, float], tuple[float, float, float]]
MakeLas = Callable[..., Path]

#: Source and target, and a box in the source.
PAIRS: dict[tuple[int, int], Box] = {
    (2271, 3857): ((1_503_340, 375_718, 1000), (1_506_766, 380_373, 1209)),
    (2271, 32617): ((1_503_340, 375_718, 1000), (1_506_766, 380_373, 1209)),
    (2271, 4326): ((1_503_340, 375_718, 1000), (1_506_766, 380_373, 1209)),
    (2994, 3857): ((636_001, 848_935, 406), (638_982, 853_535, 586)),
    (3005, 3857): ((885_022, 629_157, 325), (885_210, 629_399, 358)),
    (2154, 32630): ((292_000, 6_832_000, 43), (293_000, 6_833_000, 107)),
    (2949, 3857): ((250_000, 5_180_000, 0), (260_000, 5_190_000, 300)),
    (3857, 32618): ((-8_242_746, 4_966_506, -50), (-8_242_446, 4_966_706, 50)),
    (4326, 2154): ((2.2, 48.8, 30), (2.4, 48.9, 130)),
}


def expected_of(path: Path, source: int | str, target: int | str) -> np.ndarray[Any, Any]:
    """Give where pyproj puts the points of a cloud."""
    cloud = laspy.read(path)
    to_degrees = Transformer.from_crs(source, CRS(source).geodetic_crs, always_xy=True)
    west, south, east, north = to_degrees.transform_bounds(
        *cloud.header.mins[:2], *cloud.header.maxs[:2]
    )
    area = AreaOfInterest(west, south, east, north)
    transformer = Transformer.from_crs(source, target, always_xy=True, area_of_interest=area)
    return np.array(transformer.transform(np.asarray(cloud.x), np.asarray(cloud.y)))


def check_places(given: laspy.LasData, expected: np.ndarray[Any, Any]) -> None:
    """Hold stored X and Y against exact ones: equal, but where a half is rounded."""
    for axis, name in enumerate("XY"):
        exact = (expected[axis] - given.header.offsets[axis]) / given.header.scales[axis]
        stored = np.asarray(given[name], np.float64)
        differs = stored != np.rint(exact)
        assert np.max(np.abs(stored - exact)) < 0.5 + 1e-3
        assert np.all(np.abs(np.abs(exact[differs] % 1) - 0.5) < 1e-3)
        assert np.count_nonzero(differs) < 10


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_every_point_is_where_pyproj_puts_it(
    make_las: MakeLas, reproject: Callable[..., Any], source: int, target: int
) -> None:
    low, high = PAIRS[source, target]
    step = 1e-7 if source == 4326 else 0.01
    path = make_las(count=20_000, low=low, high=high, step=step, crs=source)

    given = reproject(path, source, target, vertical="keep")

    check_places(given.cloud, expected_of(path, source, target))
    assert given.values["surrogate"]["patches"] == 1
    assert given.values["surrogate"]["points_by_proj"] == 0
    assert given.values["surrogate"]["worst_error_mm"] < 1e-3
    assert horizontal(given.cloud.header.parse_crs()) == horizontal(CRS(target))


@pytest.mark.parametrize("cell_s", [2.0, 3600.0])
def test_shifts_by_a_grid_are_where_pyproj_puts_them(
    make_las: MakeLas,
    reproject: Callable[..., Any],
    shifts: Callable[[float], None],
    cell_s: float,
) -> None:
    shifts(cell_s)
    path = make_las(
        count=5_000, low=(3_500_100, 5_541_000, 0), high=(3_500_900, 5_541_900, 9), crs=31467
    )

    given = reproject(path, 31467, 25832)

    assert "hgridshift" in given.values["operation"]["proj_string"]
    check_places(given.cloud, expected_of(path, 31467, 25832))
    by_proj = given.values["surrogate"]["points_by_proj"]
    assert by_proj == (5_000 if cell_s < 60 else 0)  # the cloud lies over many cells, or in one


def test_everything_but_coordinates_stays_as_it_was(
    make_las: MakeLas, reproject: Callable[..., Any]
) -> None:
    extra = (laspy.ExtraBytesParams("height", "f4"),)
    path = make_las(point_format=8, extra=extra, crs=2271)

    given, source = reproject(path, 2271, 3857, vertical="keep").cloud, laspy.read(path)

    for name in set(given.points.array.dtype.names or ()) - {"X", "Y"}:
        ours, theirs = given.points.array[name], source.points.array[name]
        assert ours.tobytes() == theirs.tobytes(), name
    assert np.array_equal(given.z, source.z)


@pytest.mark.parametrize("suffix", ["las", "laz"])
def test_the_bytes_do_not_depend_on_how_the_work_was_cut(
    make_las: MakeLas, reproject: Callable[..., Any], suffix: str
) -> None:
    path = make_las(f"cloud.{suffix}", point_format=6, count=120_000, crs=2271)

    files = {
        points: reproject(path, 2271, 3857, vertical="keep", points=points)
        for points in (0, 50_000, 100_000, 1_000_000)
    }

    assert [each.parts for each in files.values()] == [1, 3, 2, 1]
    assert len({each.path.read_bytes() for each in files.values()}) == 1
    assert files[0].values == files[50_000].values


def test_a_plain_file_has_the_points_of_the_compressed_one(
    make_las: MakeLas, reproject: Callable[..., Any]
) -> None:
    extra = (laspy.ExtraBytesParams("height", "f4"),)
    path = make_las(point_format=3, count=120_000, extra=extra, crs=2271)

    packed = reproject(path, 2271, 3857, vertical="keep")
    plain = {
        points: reproject(path, 2271, 3857, vertical="keep", out_format="las", points=points)
        for points in (50_000, 70_000)
    }

    assert plain[50_000].path.suffix == ".las"
    assert plain[50_000].path.read_bytes() == plain[70_000].path.read_bytes()
    ours, theirs = plain[50_000].cloud, packed.cloud
    assert not ours.header.are_points_compressed
    assert ours.points.array.tobytes() == theirs.points.array.tobytes()
    assert ours.header.parse_crs() == theirs.header.parse_crs()
    for name in ("mins", "maxs", "number_of_points_by_return"):
        assert np.array_equal(getattr(ours.header, name), getattr(theirs.header, name)), name


def test_feet_become_metres_where_that_is_asked_for(
    make_las: MakeLas, reproject: Callable[..., Any]
) -> None:
    path = make_las(crs=2271)

    given = reproject(path, 2271, 3857, vertical="scale_to_m")

    exact = np.asarray(laspy.read(path).z) * 1200 / 3937
    assert np.max(np.abs(given.cloud.z - exact)) <= 0.0005 + 1e-9
    assert given.values["heights"] == "scaled"


@pytest.mark.parametrize(
    ("source", "target", "vertical"),
    [("EPSG:2271+EPSG:6360", "EPSG:3857+EPSG:5703", ""), ("2271+6360", "3857", "EPSG:5703")],
)
def test_heights_of_compound_systems_are_transformed(
    make_las: MakeLas, reproject: Callable[..., Any], source: str, target: str, vertical: str
) -> None:
    path = make_las(crs="EPSG:2271")

    given = reproject(path, source, target, vertical=vertical)

    exact = np.asarray(laspy.read(path).z) * 1200 / 3937
    assert np.max(np.abs(given.cloud.z - exact)) <= 0.0005 + 1e-9
    check_places(given.cloud, expected_of(path, 2271, 3857))
    assert given.values["heights"] == "transformed"
    assert given.cloud.header.parse_crs() == CRS("EPSG:3857+EPSG:5703")


def test_a_vertical_system_that_the_file_says_is_not_lost(
    make_las: MakeLas, reproject: Callable[..., Any]
) -> None:
    path = make_las(
        crs="EPSG:2154+EPSG:5720", low=(292_000, 6_832_000, 43), high=(293_000, 6_833_000, 107)
    )

    given = reproject(path, 2154, 32630)

    assert given.values["crs"] == "WGS 84 / UTM zone 30N + NGF-IGN69 height"


@pytest.mark.parametrize("header", ["zero", "shrunk"])
def test_a_header_with_wrong_bounds_changes_no_point(
    make_las: MakeLas, reproject: Callable[..., Any], header: str
) -> None:
    path = make_las("cloud.las", count=3_000, crs=2271)
    expected = expected_of(path, 2271, 3857)
    content = bytearray(path.read_bytes())
    bounds = np.frombuffer(bytes(content[179:227])).copy()
    bounds[:4] += [-500, 100, -500, 100]
    content[179:227] = bytes(48) if header == "zero" else bounds.tobytes()
    path.write_bytes(bytes(content))

    given = reproject(path, 2271, 3857, vertical="keep")

    check_places(given.cloud, expected)
    assert "HEADER_BOUNDS_WRONG" in given.codes
    assert np.allclose(given.cloud.header.mins[:2], expected.min(axis=1), atol=1e-3)


def test_points_that_polynomials_miss_while_they_run_are_moved_by_proj(
    make_las: MakeLas, reproject: Callable[..., Any]
) -> None:
    path = make_las(count=2_000, crs=2271)

    strict = reproject(path, 2271, 3857, vertical="keep", tolerance_mm=0.0)
    usual = reproject(path, 2271, 3857, vertical="keep")

    assert strict.values["surrogate"]["points_by_proj"] == 2_000
    assert strict.values["surrogate"]["patches"] == 0
    assert np.max(np.abs(strict.cloud.xyz - usual.cloud.xyz)) <= 0.001


def test_the_result_says_how_it_was_made(make_las: MakeLas, reproject: Callable[..., Any]) -> None:
    path = make_las(crs=2271)

    given = reproject(path, 2271, 3857, vertical="keep")

    values, cloud = given.values, given.cloud
    assert values["point_count"] == len(cloud) == 1000
    assert np.allclose(values["bounds"], [*cloud.header.mins, *cloud.header.maxs], rtol=0)
    assert values["operation"]["accuracy_m"] == 4.0
    assert "us_noaa_pahpgn.tif" in values["operation"]["missing_grids"]
    assert values["operation"]["proj_version"].startswith("9.")
    assert values["surrogate"]["checked_points"] == 1
    assert horizontal(CRS(values["crs_wkt"])) == CRS(3857)
    assert values["height_unit_m"] == pytest.approx(1200 / 3937)


@pytest.mark.parametrize("target", ["EPSG:4326", "EPSG:3857"])
def test_published_clouds_are_where_pyproj_puts_them(
    published: Callable[[str], Path], reproject: Callable[..., Any], target: str
) -> None:
    path = published("ellipsoid.copc.laz")

    given = reproject(path, 3857, target)

    assert given.values["point_count"] == 100_000
    check_places(given.cloud, expected_of(path, 3857, target))
