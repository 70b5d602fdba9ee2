"""MERGE_LAS and TILE_LAS lose no point, and decide nothing that a caller should."""

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import laspy
import numpy as np
import pytest
from pyproj import CRS
from tests.families.clouds.landscape import SOUTH, WEST, write_landscape

from haulier.core.problem import Problem
from haulier.families.clouds import FAMILY
from haulier.families.clouds.steps import tile_las
from haulier.testing.stepkind_suite import StepSample, do

Do = Callable[..., tuple[dict[str, Any], Path]]
MakeLas = Callable[..., Path]


@pytest.fixture
def step(tmp_path: Path) -> Do:
    """Give what does a step, and gives its values and its output."""
    numbers = iter(range(1000))

    def run(kind: str, *files: Path, **params: Any) -> tuple[dict[str, Any], Path]:
        sample = StepSample(kind, kind, {"input_las": files}, params)
        result, world = do(FAMILY, sample, tmp_path / f"run-{next(numbers)}")
        (output,) = world.outputs.values()
        return dict(result.values), output.path

    return run


def test_merging_puts_clouds_one_behind_the_other(tmp_path: Path, step: Do) -> None:
    one = write_landscape(tmp_path / "one.laz", count=70_000)
    two = write_landscape(tmp_path / "two.las", count=500, seed=2, point_format=6)

    values, path = step("MERGE_LAS", one, two, source_ids="number")

    whole, first, second = (laspy.read(each) for each in (path, one, two))
    assert len(whole) == 70_500 == values["point_count"]
    np.testing.assert_array_equal(whole.X, np.r_[first.X, second.X])
    np.testing.assert_array_equal(whole.gps_time, np.r_[first.gps_time, second.gps_time])
    assert (whole.red[:70_000] == first.red).all()
    assert not whole.red[70_000:].any()
    assert set(whole.point_source_id[:70_000]) == {1}
    assert set(whole.point_source_id[70_000:]) == {2}
    assert [each["code"] for each in values["warnings"]] == ["COLOUR_MISSING"]


def test_offsets_need_not_be_the_same(make_las: MakeLas, step: Do) -> None:
    one = make_las("one.las", crs="EPSG:2271")
    two = make_las("two.las", crs="EPSG:2271", low=(1_503_500.0, 375_100.0, 900.0))

    _, path = step("MERGE_LAS", one, two)

    expected = np.concatenate([laspy.read(one).xyz, laspy.read(two).xyz])
    np.testing.assert_allclose(laspy.read(path).xyz, expected, atol=1e-6)


@pytest.mark.parametrize(
    ("other", "params", "code"),
    [
        ({"crs": "EPSG:26915"}, {"crs": "first"}, "CRS_DIFFER"),
        ({"crs": "EPSG:2271+EPSG:6360"}, {"crs": "first"}, "CRS_DIFFER"),
        ({"crs": None}, {"crs": "first"}, "CRS_DIFFER"),
        ({"step": 0.003}, {"scale": "first"}, "SCALES_DIFFER"),
        ({"step": 0.003}, {"scale": "finest"}, "SCALES_DIFFER"),
        ({"low": (1_503_000.0, 375_000.0, 1000.004)}, None, ""),
    ],
)
def test_a_disagreement_is_an_error_unless_a_parameter_decides(
    make_las: MakeLas, step: Do, other: dict[str, Any], params: dict[str, Any] | None, code: str
) -> None:
    one = make_las("one.las", crs="EPSG:2271")
    two = make_las("two.las", **{"crs": "EPSG:2271", **other})
    if params is None:
        step("MERGE_LAS", one, two)
        return

    with pytest.raises(Problem, match=code):
        step("MERGE_LAS", one, two)
    values, path = step("MERGE_LAS", one, two, **params)

    said = {each["code"] for each in values["warnings"]}
    assert said & {code, "COORDINATES_ROUNDED"}
    expected = np.concatenate([laspy.read(one).xyz, laspy.read(two).xyz])
    np.testing.assert_allclose(laspy.read(path).xyz, expected, atol=0.0051)


def test_times_of_two_kinds_are_not_mixed_in_silence(tmp_path: Path, step: Do) -> None:
    one = write_landscape(tmp_path / "one.las")
    two = tmp_path / "two.las"
    content = bytearray(one.read_bytes())
    content[6] &= 0xFE
    two.write_bytes(content)

    with pytest.raises(Problem, match="GPS_TIMES_DIFFER"):
        step("MERGE_LAS", one, two)
    values, _ = step("MERGE_LAS", one, two, gps_time="first")

    assert [each["code"] for each in values["warnings"]] == ["GPS_TIMES_DIFFER"]


def test_clouds_too_far_apart_to_be_stored_are_refused(make_las: MakeLas, step: Do) -> None:
    one = make_las("one.las", crs="EPSG:2271", step=0.0001)
    two = make_las(
        "two.las",
        crs="EPSG:2271",
        step=0.0001,
        low=(5e6, 375_000.0, 0),
        high=(5.001e6, 376_000.0, 9),
    )

    with pytest.raises(Problem, match="COORDINATES_OVERFLOW: X goes from"):
        step("MERGE_LAS", one, two)


def test_extra_dimensions_of_one_name_must_mean_the_same(make_las: MakeLas, step: Do) -> None:
    files = [
        make_las(f"{kind}.las", crs="EPSG:2271", extra=(laspy.ExtraBytesParams("height", kind),))
        for kind in ("int16", "float32")
    ]

    with pytest.raises(Problem, match="EXTRA_DIMENSIONS_DIFFER: extra dimension 'height'"):
        step("MERGE_LAS", *files)
    _, path = step("MERGE_LAS", files[0], make_las("none.las", crs="EPSG:2271"))

    assert laspy.read(path)["height"][:1000].tolist() == laspy.read(files[0])["height"].tolist()


def test_every_point_is_in_one_tile_and_in_every_buffer_that_reaches_it(
    tmp_path: Path, step: Do, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud = write_landscape(tmp_path / "cloud.laz", count=60_000)
    monkeypatch.setattr(tile_las, "PART_POINTS", 10_000)

    values, folder = step("TILE_LAS", cloud, size=25.0, buffer=4.0)

    index = json.loads((folder / "tiles.json").read_text())
    assert values["tiles"] == len(index["tiles"]) == 9 == len(list(folder.glob("*.laz")))
    whole = laspy.read(cloud)
    assert values["point_count"] == len(whole)
    x, y = np.asarray(whole.x), np.asarray(whole.y)
    for tile in index["tiles"]:
        west, south, east, north = tile["bounds"]
        found = laspy.read(folder / tile["filename"])
        own = (x >= west) & (x < east) & (y >= south) & (y < north)
        near = (abs(x - (west + east) / 2) <= 16.5) & (abs(y - (south + north) / 2) <= 16.5)
        withheld = np.asarray(found.withheld).astype(bool)
        assert (~withheld).sum() == own.sum() == tile["points"]
        assert withheld.sum() == tile["buffer_points"]
        assert abs(withheld.sum() - (near & ~own).sum()) <= 20  # those just on the edge
        own_points = found.points.array[~withheld]
        assert (own_points == whole.points.array[own]).all()
        assert found.header.parse_crs() == CRS("EPSG:25832+EPSG:7837")


def test_tiles_are_named_by_their_corner_and_begin_at_an_origin(tmp_path: Path, step: Do) -> None:
    cloud = write_landscape(tmp_path / "cloud.laz", count=500)

    _, folder = step("TILE_LAS", cloud, size=100.0, origin=(WEST - 20, SOUTH - 30))

    assert [path.name for path in folder.glob("*.laz")] == ["tile_499980_5599970.laz"]


def test_too_many_tiles_are_refused(tmp_path: Path, step: Do) -> None:
    cloud = write_landscape(tmp_path / "cloud.laz", count=500)

    with pytest.raises(Problem, match="TOO_MANY_TILES") as refusal:
        step("TILE_LAS", cloud, size=0.01)

    assert refusal.value.at == "size"


def test_a_header_that_lies_hides_no_number_of_tiles(
    tmp_path: Path, step: Do, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud = write_landscape(tmp_path / "cloud.laz", count=500)
    content = bytearray(cloud.read_bytes())
    struct.pack_into("<6d", content, 179, *(0.0,) * 6)  # greatest and least of X, Y and Z
    cloud.write_bytes(content)
    monkeypatch.setattr(tile_las, "MOST_TILES", 100)

    with pytest.raises(Problem, match=r"TOO_MANY_TILES: .* at most 100 may be") as refusal:
        step("TILE_LAS", cloud, size=1.0)

    assert refusal.value.at == "size"


@pytest.mark.parametrize(
    ("asked", "said", "at"),
    [
        ({"size": 1.0, "buffer": 1.5}, "BUFFER_TOO_WIDE: a buffer of 1.5 is wider than", "buffer"),
        ({"size": 1e-7}, r"SIZE_TOO_SMALL: .* must be at least", "size"),
        ({"size": 50.0, "origin": [1e300, 0]}, r"SIZE_TOO_SMALL: .* can be 1e\+300", "size"),
    ],
)
def test_tiles_that_could_not_be_told_apart_are_refused(
    tmp_path: Path, step: Do, asked: dict[str, Any], said: str, at: str
) -> None:
    cloud = write_landscape(tmp_path / "cloud.laz", count=500)

    with pytest.raises(Problem, match=said) as refusal:
        step("TILE_LAS", cloud, **asked)

    assert refusal.value.at == at
