"""VALIDATE_LAS finds what was put wrong, DATASET_INFO says what is there."""

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import laspy
import numpy as np
import pytest
from tests.families.clouds.landscape import write_landscape

from haulier.families.clouds import FAMILY
from haulier.testing.stepkind_suite import StepSample, do

Change = Callable[[laspy.LasData], None]
Damage = Callable[[bytearray], None]
Document = dict[str, Any]


def document(tmp_path: Path, kind: str, path: Path, **params: Any) -> Document:
    """Do a step, and give the JSON that it wrote."""
    folder = tmp_path / f"{kind}-{len(list(tmp_path.iterdir()))}"
    _, world = do(FAMILY, StepSample(kind, kind, {"input_las": [path]}, params), folder)
    (output,) = world.outputs.values()
    given: Document = json.loads(output.path.read_text())
    return given


def codes(report: Document) -> dict[str, str]:
    return {each["code"]: each["severity"] for each in report["findings"]}


def put(kind: str, at: int, value: float) -> Damage:
    return lambda content: struct.pack_into("<" + kind, content, at, value)


def test_a_sound_cloud_is_valid(tmp_path: Path) -> None:
    report = document(tmp_path, "VALIDATE_LAS", write_landscape(tmp_path / "cloud.laz"))

    assert report["valid"]
    assert report["points_read"] == 6000
    assert {code for code, severity in codes(report).items() if severity != "note"} <= {
        "HEIGHTS_FAR_OUT"
    }


#: What is done to the header of a LAS 1.4 file of format 7, and the code that must be found.
HEADERS: dict[str, tuple[Damage, str, str]] = {
    "legacy count": (put("I", 107, 5), "LEGACY_COUNTS_SET", "warning"),
    "wkt bit": (put("H", 6, 1), "WKT_BIT_MISSING", "warning"),
    "reserved bits": (put("H", 6, 0x8011), "RESERVED_BITS_SET", "warning"),
    "no date": (put("H", 92, 0), "CREATION_DATE_MISSING", "note"),
    "day 400": (put("I", 90, 2020 << 16 | 400), "CREATION_DATE_WRONG", "warning"),
    "no software": (put("Q", 58, 0), "SOFTWARE_MISSING", "note"),
    "too narrow": (put("d", 179, 500_001.0), "HEADER_BOUNDS_WRONG", "error"),
    "too wide": (put("d", 179, 501_000.0), "HEADER_BOUNDS_LOOSE", "warning"),
    "endless": (put("d", 179, float("inf")), "BOUNDS_IMPOSSIBLE", "error"),
    "returns": (put("Q", 255, 7), "RETURN_COUNTS_WRONG", "error"),
    "week time": (put("H", 6, 16), "GPS_TIME_TYPE_WRONG", "warning"),
    "version": (put("B", 25, 4), "OLD_VERSION", ""),
}


@pytest.mark.parametrize("name", HEADERS)
def test_a_wrong_header_is_found(tmp_path: Path, name: str) -> None:
    damage, code, severity = HEADERS[name]
    path = write_landscape(tmp_path / "cloud.las")
    content = bytearray(path.read_bytes())
    damage(content)
    path.write_bytes(content)

    found = codes(document(tmp_path, "VALIDATE_LAS", path))

    assert found.get(code, "") == severity


def set_all(name: str, value: float) -> Change:
    def change(las: laspy.LasData) -> None:
        las[name] = np.full(len(las), value, las[name].dtype)

    return change


def dim(las: laspy.LasData) -> None:
    for name in ("red", "green", "blue"):
        las[name] = np.asarray(las[name]) // 256


def black(las: laspy.LasData) -> None:
    for name in ("red", "green", "blue"):
        set_all(name, 0)(las)


def no_time(las: laspy.LasData) -> None:
    times = np.asarray(las.gps_time).copy()
    times[3] = np.nan
    las.gps_time = times


def twice(las: laspy.LasData) -> None:
    las.points.array[1] = las.points.array[0]


POINTS: dict[str, tuple[Change, str, str]] = {
    "return 0": (set_all("return_number", 0), "RETURN_NUMBER_ZERO", "warning"),
    "return 4 of 1": (set_all("return_number", 4), "RETURN_BEYOND_NUMBER", "warning"),
    "class 12": (set_all("classification", 12), "CLASS_RESERVED", "warning"),
    "class 0": (set_all("classification", 0), "NOT_CLASSIFIED", "note"),
    "synthetic": (set_all("synthetic", 1), "SYNTHETIC_POINTS", "note"),
    "withheld": (set_all("withheld", 1), "WITHHELD_POINTS", "note"),
    "overlap": (set_all("overlap", 1), "OVERLAP_POINTS", "note"),
    "no times": (set_all("gps_time", 0), "GPS_TIME_MISSING", "note"),
    "times of a week": (set_all("gps_time", 5), "GPS_TIME_MISSING", "note"),
    "a time that is none": (no_time, "GPS_TIME_NOT_FINITE", "error"),
    "bytes as colours": (dim, "COLOUR_8_BIT", "warning"),
    "black": (black, "COLOUR_EMPTY", "note"),
    "angles": (set_all("scan_angle", 32_000), "SCAN_ANGLE_WRONG", "error"),
    "no intensity": (set_all("intensity", 0), "INTENSITY_EMPTY", "note"),
    "twice": (twice, "POINTS_TWICE", "warning"),
    "strays": (lambda _: None, "HEIGHTS_FAR_OUT", "warning"),
}  # fmt: skip


@pytest.mark.parametrize("name", POINTS)
def test_odd_points_are_found(tmp_path: Path, name: str) -> None:
    change, code, severity = POINTS[name]
    las = laspy.read(write_landscape(tmp_path / "cloud.las"))
    change(las)
    las.write(tmp_path / "changed.laz")

    report = document(tmp_path, "VALIDATE_LAS", tmp_path / "changed.laz")

    assert codes(report).get(code) == severity
    assert report["valid"] == ("error" not in codes(report).values())


@pytest.mark.parametrize(
    ("crs", "code", "severity"),
    [
        (None, "CRS_MISSING", "error"),
        ("EPSG:4326", "CRS_NOT_A_PLACE", "error"),
        ("EPSG:2271", "CRS_NOT_HERE", "error"),
        ("EPSG:25832", "VERTICAL_SYSTEM_MISSING", "warning"),
        ("EPSG:25832+EPSG:6360", "HEIGHT_UNIT_DIFFERS", "note"),
        ("EPSG:3857", "WEB_MERCATOR_SCALE", "warning"),
        ("EPSG:4978", "CRS_NOT_A_MAP", "warning"),
    ],
)
def test_an_odd_coordinate_system_is_found(
    tmp_path: Path, crs: str | None, code: str, severity: str
) -> None:
    report = document(tmp_path, "VALIDATE_LAS", write_landscape(tmp_path / "c.laz", crs=crs))

    assert codes(report).get(code) == severity


def test_a_file_that_cannot_be_read_is_reported_and_not_refused(tmp_path: Path) -> None:
    path = tmp_path / "page.laz"
    path.write_text("<html>not found</html>")

    report = document(tmp_path, "VALIDATE_LAS", path)

    assert not report["valid"]
    assert [each["code"] for each in report["findings"]] == ["NOT_A_CLOUD"]
    assert report["findings"][0]["what_to_do"] == "download the file again"


def test_damaged_points_are_reported(tmp_path: Path) -> None:
    path = write_landscape(tmp_path / "cloud.laz", count=120_000)
    content = bytearray(path.read_bytes())
    begin = struct.unpack_from("<I", content, 96)[0] + 60
    content[begin : begin + 900] = np.random.default_rng(1).bytes(900)
    path.write_bytes(content)

    report = document(tmp_path, "VALIDATE_LAS", path)

    assert codes(report).get("CLOUD_DAMAGED") == "error"
    assert not report["valid"]


def test_the_header_alone_can_be_looked_at(tmp_path: Path) -> None:
    path = write_landscape(tmp_path / "cloud.las", crs=None)

    report = document(tmp_path, "VALIDATE_LAS", path, read_points=False)

    assert report["points_read"] == 0
    assert codes(report).get("CRS_MISSING") == "error"


def test_the_description_is_true(tmp_path: Path) -> None:
    path = write_landscape(tmp_path / "cloud.laz", count=70_000)

    info = document(tmp_path, "DATASET_INFO", path)

    las = laspy.read(path)
    by_name = {each["name"]: each for each in info["stats"]["statistic"]}
    for name, values in {
        "X": las.x,
        "Z": las.z,
        "Intensity": las.intensity,
        "Red": las.red,
    }.items():
        numbers = np.asarray(values, np.float64)
        said = by_name[name]
        assert said["count"] == 70_000
        assert said["minimum"] == pytest.approx(numbers.min(), abs=1e-9)
        assert said["maximum"] == pytest.approx(numbers.max(), abs=1e-9)
        assert said["average"] == pytest.approx(numbers.mean(), rel=1e-12)
        assert said["stddev"] == pytest.approx(numbers.std(ddof=1), rel=1e-9)
    assert info["points"] == 70_000
    assert info["crs"]["horizontal_code"] == "EPSG:25832"
    assert info["crs"]["vertical_code"] == "EPSG:7837"
    classes = {each["code"]: each["count"] for each in info["classes"]}
    assert classes == {code: int((las.classification == code).sum()) for code in (2, 5, 6)}
    assert info["returns"]["single"] == int((np.asarray(las.number_of_returns) == 1).sum())
    assert info["point_sources"] == {"11": 35_000, "12": 35_000}
    heights = info["histograms"]["Z"]
    assert sum(heights["counts"]) == 70_000
    assert len(heights["counts"]) <= 256
    bins = np.floor((np.asarray(las.z) - heights["first"]) / heights["width"] + 1e-9).astype(int)
    assert np.abs(np.bincount(bins) - heights["counts"]).sum() <= 20  # on an edge, by rounding


def test_density_and_outline_are_those_of_the_ground(tmp_path: Path) -> None:
    path = write_landscape(tmp_path / "cloud.laz", count=70_000)

    info = document(tmp_path, "DATASET_INFO", path)

    true = 70_000 / 3600
    assert info["density"]["per_square_metre"] == pytest.approx(true, rel=0.05)
    assert info["outline"]["area"] == pytest.approx(3600, rel=0.05)
    place = info["stats"]["bbox"]["EPSG:4326"]["boundary"]
    lon, lat = place["coordinates"][0][0]
    assert lon == pytest.approx(9.0, abs=0.01)
    assert lat == pytest.approx(50.55, abs=0.05)


def test_density_in_feet_is_by_square_metre(tmp_path: Path) -> None:
    path = write_landscape(tmp_path / "feet.laz", crs="EPSG:2271", east=1_000_000 - 500_000.0)
    info = document(tmp_path, "DATASET_INFO", path)

    ratio = info["density"]["per_square_metre"] / info["density"]["per_square_unit"]
    assert ratio == pytest.approx((3937 / 1200) ** 2, rel=0.2)


@pytest.mark.parametrize(
    "name",
    ["autzen_trim.laz", "lone-star.laz", "extrabytes.las", "fullwave.laz", "simple1_4.las",
     "ellipsoid.copc.laz", "epsg_4326.las", "warsaw_small.las", "1.2-with-color.las",
     "sample_lareunion_epsg2975.laz"],
)  # fmt: skip
def test_published_clouds_are_described(
    tmp_path: Path, published: Callable[[str], Path], name: str
) -> None:
    path = published(name)

    info = document(tmp_path, "DATASET_INFO", path)

    with laspy.open(path) as file:
        las = file.read()
    assert info["points"] == len(las)
    np.testing.assert_allclose(info["bounds"], [*las.xyz.min(axis=0), *las.xyz.max(axis=0)])
    assert sum(each["count"] for each in info["classes"]) == len(las)
