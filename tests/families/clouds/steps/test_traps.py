"""The traps of reprojection: each an error or a warning with a code, and none of them silent."""

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import laspy
import numpy as np
import pytest
from pyproj import CRS, Transformer

from haulier.core.problem import Code, Problem
from haulier.families.clouds import FAMILY
from haulier.families.clouds.io.cloud import open_cloud
from haulier.families.clouds.io.crs import crs_of, has_height, vertical_unit_m
from haulier.families.clouds.steps.traps import check_places
from haulier.testing.stepkind_suite import StepSample, do

MakeLas = Callable[..., Path]
FOOT_M = 1200 / 3937
Reproject = Callable[..., Any]

#: A cloud in Pennsylvania, and others elsewhere or in other systems.
PINEY: dict[str, Any] = {"crs": "EPSG:2271"}
NAMELESS: dict[str, Any] = {}
DEGREES: dict[str, Any] = {
    "crs": "EPSG:4326", "low": (-79.6, 41.0, 0), "high": (-79.5, 41.1, 50), "step": 1e-7,
}  # fmt: skip
UTM: dict[str, Any] = {
    "crs": "EPSG:32613", "low": (515_368, 4_918_340, 0), "high": (515_400, 4_918_380, 50),
}  # fmt: skip
FAR: dict[str, Any] = {
    "crs": "EPSG:2271", "low": (9_000_000, 375_000, 0), "high": (9_001_000, 376_000, 50),
}  # fmt: skip
POLE: dict[str, Any] = {
    "crs": "EPSG:4326", "low": (0, 89, 0), "high": (1, 90, 5), "step": 1e-7,
}  # fmt: skip
#: Fiji, in degrees from both sides of the line, and in a zone that goes over it.
FIJI: dict[str, Any] = {
    "crs": "EPSG:4326", "low": (-179.99, -16.9, 0), "high": (179.99, -16.8, 50), "step": 2e-7,
}  # fmt: skip
FIJI_FLAT: dict[str, Any] = {
    "crs": "EPSG:32760", "low": (815_000, 8_130_000, 0), "high": (823_000, 8_131_000, 50),
}  # fmt: skip

ERRORS: dict[str, tuple[dict[str, Any], Any, Any, dict[str, Any], str, str]] = {
    # name: cloud, source, target, other parameters, code, where
    "feet to metres": (PINEY, 2271, 3857, {}, "VERTICAL_UNIT_AMBIGUOUS", "vertical"),
    "feet to degrees": (PINEY, 2271, 4326, {}, "VERTICAL_UNIT_AMBIGUOUS", "vertical"),
    "degrees to feet": (DEGREES, 4326, 2271, {}, "VERTICAL_UNIT_AMBIGUOUS", "vertical"),
    "feet of height to a flat system": (
        PINEY, "2271+6360", 3857, {}, "VERTICAL_UNIT_AMBIGUOUS", "vertical",
    ),
    "heights from nowhere": (
        PINEY, 2271, "3857+5703", {}, "VERTICAL_SOURCE_UNKNOWN", "source_epsg",
    ),
    "heights from nowhere, by name": (
        PINEY, 2271, 3857, {"vertical": "EPSG:5703"}, "VERTICAL_SOURCE_UNKNOWN", "source_epsg",
    ),
    "heights kept and named": (
        PINEY, "2271+6360", "3857+5703", {"vertical": "keep"}, "VERTICAL_CONTRADICTION",
        "vertical",
    ),
    "heights named twice": (
        PINEY, "2271+6360", "3857+5703", {"vertical": "EPSG:5703"}, "VERTICAL_CONTRADICTION",
        "vertical",
    ),
    "a geoid that is not here": (
        PINEY, "2271+6360", 4979, {}, "BALLPARK_OPERATION", "grids",
    ),
    "grids required": (
        PINEY, 2271, 3857, {"vertical": "keep", "grids": "require"}, "GRIDS_MISSING", "grids",
    ),
    "no operation without grids": (
        {**DEGREES, "crs": "EPSG:4269"}, "4269+5703", "4326+3855", {}, "GRIDS_MISSING",
        "target_epsg",
    ),
    "another system in the header": (
        PINEY, 2272, 3857, {"vertical": "keep"}, "SOURCE_CRS_MISMATCH", "source_epsg",
    ),
    "degrees that are metres": (
        {**UTM, "crs": None}, 4326, 3857, {}, "SOURCE_NOT_A_PLACE", "source_epsg",
    ),
    "a place far off": (
        FAR, 2271, 3857, {"vertical": "keep"}, "SOURCE_OUTSIDE_AREA_OF_USE", "source_epsg",
    ),
    "a header that says degrees of metres": (
        {**UTM, "crs": "EPSG:4326"}, 32613, 3857, {}, "SOURCE_CRS_MISMATCH", "source_epsg",
    ),
    "too fine a step": (UTM, 32613, 3857, {"scale": 1e-9}, "SCALE_OVERFLOW", "scale"),
    "a step of feet for degrees": (
        UTM, 32613, 4326, {"scale": 0.01}, "SCALE_TOO_COARSE", "scale",
    ),
    "a step of kilometres": (UTM, 32613, 3857, {"scale": 1000.0}, "SCALE_TOO_COARSE", "scale"),
    "from the centre of the earth": (UTM, 4978, 3857, {}, "CRS_NOT_A_MAP", "source_epsg"),
    "to heights alone": (UTM, 32613, 5703, {}, "CRS_NOT_A_MAP", "target_epsg"),
    "no points": ({**UTM, "count": 0}, 32613, 3857, {}, "CLOUD_EMPTY", "input_las"),
    "the other side of the earth": (UTM, 32613, 2393, {}, "BALLPARK_OPERATION", "grids"),
    "latitudes beyond the pole": (
        {**POLE, "low": (1, 60, 0), "high": (2, 100, 5)}, 4326, 3857, {}, "NOT_TRANSFORMABLE",
        "target_epsg",
    ),
}  # fmt: skip

WARNINGS: dict[str, tuple[dict[str, Any], Any, Any, dict[str, Any], str]] = {
    "feet kept": (PINEY, 2271, 3857, {"vertical": "keep"}, "VERTICAL_UNIT_KEPT"),
    "grids missing": (PINEY, 2271, 3857, {"vertical": "keep"}, "GRIDS_MISSING"),
    "web mercator": (UTM, 32613, 3857, {}, "WEB_MERCATOR_SCALE"),
    "geoid ignored": (
        PINEY, "2271+6360", 4979, {"grids": "allow_ballpark"}, "BALLPARK_OPERATION",
    ),
    "nothing in the header": ({**UTM, "crs": None}, 32613, 3857, {}, "SOURCE_CRS_ABSENT"),
    "header overridden": (
        {**UTM, "crs": "EPSG:4326"}, 32613, 3857, {"override_source_crs": True},
        "SOURCE_CRS_OVERRIDDEN",
    ),
    "a place far off, overridden": (
        FAR, 2271, 4326, {"vertical": "keep", "override_source_crs": True},
        "SOURCE_OUTSIDE_AREA_OF_USE",
    ),
    "another zone": (UTM, 32613, 32617, {}, "TARGET_OUTSIDE_AREA_OF_USE"),
    "systems that move against each other": (
        {**DEGREES, "crs": "EPSG:9000", "low": (5, 50, 0), "high": (5.1, 50.1, 9)}, 9000, 4258, {},
        "COORDINATE_EPOCH_UNKNOWN",
    ),
    "an operation of four metres": (
        {"crs": "EPSG:3005", "low": (885_022, 629_157, 0), "high": (885_210, 629_399, 9)},
        3005, 3857, {}, "OPERATION_ACCURACY",
    ),
    "Switzerland from above": (
        {**DEGREES, "low": (7.4, 46.9, 2900), "high": (7.5, 47.0, 3000)}, 4326, 2056, {},
        "HEIGHT_MOVES_PLACE",
    ),
    "on both sides of 180 degrees": (FIJI, 4326, 32760, {}, "ANTIMERIDIAN_CROSSED"),
    "over 180 degrees": (FIJI_FLAT, 32760, 4326, {}, "ANTIMERIDIAN_CROSSED"),
    "over the seam of a map": (FIJI_FLAT, 32760, 3857, {}, "ANTIMERIDIAN_CROSSED"),
    "waveforms": ({**UTM, "point_format": 9}, 32613, 3857, {}, "WAVEFORMS_DROPPED"),
}  # fmt: skip


@pytest.mark.parametrize("name", ERRORS)
def test_what_would_be_silently_wrong_is_an_error(
    make_las: MakeLas, reproject: Reproject, name: str
) -> None:
    cloud, source, target, params, code, at = ERRORS[name]
    path = make_las(**cloud)

    with pytest.raises(Problem) as caught:
        reproject(path, source, target, **params)

    problem = caught.value
    assert (problem.code, problem.detail.partition(":")[0], problem.at) == (Code.INVALID, code, at)
    assert ";" in problem.detail  # and what to do


@pytest.mark.parametrize("name", WARNINGS)
def test_what_a_person_should_know_is_a_warning(
    make_las: MakeLas, reproject: Reproject, name: str
) -> None:
    cloud, source, target, params, code = WARNINGS[name]
    path = make_las(**cloud)

    given = reproject(path, source, target, **params)

    notes = {note["code"]: note for note in given.values["warnings"]}
    assert code in notes
    assert notes[code]["message"]
    assert notes[code]["what_to_do"]


def test_nothing_is_warned_of_where_nothing_is_odd(make_las: MakeLas, reproject: Reproject) -> None:
    given = reproject(make_las(**UTM), 32613, 4326)

    assert given.values["warnings"] == []


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("EPSG:99999", "crs not found: EPSG:99999"),
        ("Pennsylvania North", "source_epsg must be like EPSG:2271"),
        ("+proj=utm +zone=17", "source_epsg must be like EPSG:2271"),
        ("EPSG:2271+EPSG:6360+EPSG:5703", "source_epsg must be like EPSG:2271"),
        ("EPSG:2271+EPSG:3857", "PROJ does not know"),
        ("PROJCS[nonsense]", "PROJ does not know"),
        ("", "source_epsg must be like EPSG:2271"),
        (-1, "PROJ does not know"),
    ],
)
def test_a_system_that_is_none_is_named_in_the_error(
    make_las: MakeLas, reproject: Reproject, value: str | int, said: str
) -> None:
    with pytest.raises(Problem, match=said) as caught:
        reproject(make_las(**PINEY), value, 3857)

    assert (caught.value.code, caught.value.at) == (Code.INVALID, "source_epsg")


@pytest.mark.parametrize("vertical", ["EPSG:3857", "metres", "KEEP"])
def test_a_vertical_policy_that_is_none_is_named_in_the_error(
    make_las: MakeLas, reproject: Reproject, vertical: str
) -> None:
    with pytest.raises(Problem) as caught:
        reproject(make_las(**PINEY), 2271, 3857, vertical=vertical)

    assert (caught.value.code, caught.value.at) == (Code.INVALID, "vertical")


@pytest.mark.parametrize(
    "source", [2271, "2271", "EPSG:2271", "epsg:2271", "ESRI:102728", "EPSG:2271+EPSG:6360"]
)
def test_a_system_may_be_named_in_many_ways(
    make_las: MakeLas, reproject: Reproject, source: str | int
) -> None:
    given = reproject(
        make_las(**PINEY),
        source,
        3857,
        vertical="keep",
        override_source_crs=source == "ESRI:102728",
    )

    assert given.values["point_count"] == 1000


def test_an_empty_wkt_and_keys_that_disagree_are_warned_of(
    make_las: MakeLas, reproject: Reproject
) -> None:
    header = laspy.LasHeader(version="1.2", point_format=1)
    header.scales, header.offsets = np.full(3, 0.01), np.array([515_368, 4_918_340, 0.0])
    empty = laspy.VLR("LASF_Projection", 2112, "", b"\0")
    keys = struct.pack("<12H", 1, 1, 0, 2, 1024, 0, 1, 1, 3072, 0, 1, 32612)
    directory = laspy.VLR("LASF_Projection", 34735, "", keys)
    path = make_las(**{**UTM, "crs": None})
    codes = []

    for records in ([empty], [directory, wkt_of(32613)], [directory]):
        cloud = laspy.LasData(header)
        cloud.vlrs = laspy.vlrs.vlrlist.VLRList(records)
        cloud.x, cloud.y, cloud.z = np.array([[515_370.0], [4_918_350.0], [1.0]])
        cloud.write(path)
        codes.append(reproject(path, 32613, 4326, override_source_crs=True).codes)

    assert codes == [
        {"CRS_EMPTY_WKT", "SOURCE_CRS_ABSENT"},
        {"CRS_RECORDS_DISAGREE", "SOURCE_CRS_OVERRIDDEN"},
        {"SOURCE_CRS_OVERRIDDEN"},
    ]


def wkt_of(code: int) -> laspy.VLR:
    """Give a record that says a system as WKT."""
    return laspy.VLR("LASF_Projection", 2112, "", CRS(code).to_wkt("WKT1_GDAL").encode() + b"\0")


def test_the_pole_and_the_antimeridian_are_left_to_proj(
    make_las: MakeLas, reproject: Reproject
) -> None:
    pole = reproject(make_las(**POLE), 4326, 5041)
    over = {**POLE, "low": (179.9, 10, 0), "high": (180.1, 11, 5)}
    antimeridian = reproject(make_las("other.laz", **over), 4326, 3857)

    assert antimeridian.values["surrogate"]["points_by_proj"] == 1000
    for given in (pole, antimeridian):
        assert given.values["surrogate"]["worst_error_mm"] <= 0.01
        assert given.values["point_count"] == 1000


@pytest.mark.parametrize(
    ("crs", "target", "vertical", "unit_m"),
    [(2271, 3857, "keep", FOOT_M), (32613, 2231, "keep", 1.0), (2271, 2274, "scale_to_m", 1.0)],
)
def test_a_unit_of_heights_that_no_system_says_goes_with_the_file_through_every_step(
    make_las: MakeLas,
    reproject: Reproject,
    tmp_path: Path,
    crs: int,
    target: int,
    vertical: str,
    unit_m: float,
) -> None:
    cloud = UTM if crs == 32613 else PINEY
    given = {"vertical": vertical, "grids": "allow_ballpark", "override_source_crs": True}
    needed: dict[str, Any] = {"THIN": {"size": 1.0}, "FILTER": {"expression": "Z > 0"}}
    path = reproject(make_las(**cloud), crs, target, **given).path

    for kind in ("THIN", "BUILD_COPC", "BUILD_EPT", "FILTER", "GENERATE_DEM"):
        found = crs_of(open_cloud(path)).crs
        assert found is not None
        assert has_height(found)
        assert vertical_unit_m(found) == pytest.approx(unit_m)
        params = needed.get(kind, {})
        sample = StepSample(kind, kind, {"input_las": [path]}, params)
        result, world = do(FAMILY, sample, tmp_path / kind)
        path = next(iter(world.outputs.values())).path

    names = {1.0: "metre", FOOT_M: "US survey foot"}
    assert result.values["height_unit"] == names[unit_m]
    assert "HEIGHT_UNIT_ASSUMED" not in {each["code"] for each in result.values["warnings"]}


@pytest.mark.parametrize("crs", [4326, 4979])
@pytest.mark.parametrize("vertical", ["keep", "scale_to_m"])
def test_metres_over_degrees_are_metres_over_feet(
    make_las: MakeLas, reproject: Reproject, crs: int, vertical: str
) -> None:
    moved = reproject(make_las(**{**DEGREES, "crs": crs}), crs, 2271, vertical=vertical)

    found = moved.cloud.header.parse_crs()
    assert found.sub_crs_list[1].name == "height in metre"
    assert vertical_unit_m(found) == 1.0
    assert moved.values["height_unit_m"] == 1.0
    assert ("VERTICAL_UNIT_KEPT" in moved.codes) is (vertical == "keep")


def test_what_heights_move_is_told_from_heights_in_their_own_unit(
    make_las: MakeLas, reproject: Reproject
) -> None:
    high = {**DEGREES, "low": (7.4, 46.9, 2900), "high": (7.5, 47.0, 3000)}

    moved = reproject(make_las(**high), "4326+6360", 2056, vertical="keep")

    notes = {each["code"]: each["message"] for each in moved.values["warnings"]}
    assert "at 914 m above" in notes["HEIGHT_MOVES_PLACE"]


@pytest.mark.parametrize("kind", ["DATASET_INFO", "VALIDATE_LAS", "BUILD_COPC"])
def test_a_cloud_on_both_sides_of_180_degrees_is_warned_of(
    make_las: MakeLas, tmp_path: Path, kind: str
) -> None:
    sample = StepSample(kind, kind, {"input_las": [make_las(**FIJI)]}, {})

    result, _ = do(FAMILY, sample, tmp_path / "world")

    said = result.values.get("findings", result.values["warnings"])
    assert "ANTIMERIDIAN_CROSSED" in {each["code"] for each in said}


def test_a_zone_is_named_that_a_cloud_over_180_degrees_lies_in(
    make_las: MakeLas, tmp_path: Path
) -> None:
    sample = StepSample("dem", "GENERATE_DEM", {"input_las": [make_las(**FIJI)]}, {})

    with pytest.raises(Problem, match=r"DEGREES_NOT_METRIC.*EPSG:32760"):
        do(FAMILY, sample, tmp_path / "world")


@pytest.mark.parametrize("target", [32760, 3832])
def test_a_cloud_on_both_sides_of_180_degrees_is_as_fine_in_a_system_of_its_region(
    make_las: MakeLas, reproject: Reproject, target: int
) -> None:
    path = make_las(**{**FIJI, "low": (179.95, -16.9, 0), "high": (180.05, -16.8, 50)})
    cloud = laspy.read(path)
    cloud.x = np.where(cloud.x > 180, cloud.x - 360, cloud.x)
    cloud.write(path)

    moved = reproject(path, 4326, target)

    to = Transformer.from_crs(4326, target, always_xy=True)
    x, y = to.transform(np.array(cloud.x), np.array(cloud.y))
    assert np.abs(x - moved.cloud.x).max() <= 0.00051
    assert np.abs(y - moved.cloud.y).max() <= 0.00051
    assert moved.codes == set()


def test_an_operation_is_looked_for_where_the_cloud_is_not_all_around_the_earth(
    make_las: MakeLas, reproject: Reproject
) -> None:
    box = (815_000.0, 8_130_000.0, 823_000.0, 8_131_000.0)

    (west, _, east, _), notes = check_places(CRS("EPSG:32760"), box, override=False)
    moved = reproject(make_las(**FIJI_FLAT), 32760, 3832)

    assert 179 < west < 180 < east < 181
    assert notes == []
    assert moved.codes == set()
