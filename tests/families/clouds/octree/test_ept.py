"""Folders of tiles: every point of the input once, where the rule says, and read by others."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import laspy
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from haulier.core.family import Cancelled
from haulier.core.problem import Problem
from haulier.core.recipe import StepPlan
from haulier.families.clouds.io.cloud import Cloud, open_cloud
from haulier.families.clouds.io.ept import Key, read_index
from haulier.families.clouds.steps import build_ept, passes
from haulier.testing.context import LocalContext, World, run_step

Build = Callable[..., Any]
Las = Callable[..., Path]

KINDS = {"signed": "i", "unsigned": "u", "float": "f"}
SMALL: dict[str, Any] = {"span": 32, "leaf_max": 40}
COORDINATE = st.one_of(
    st.sampled_from([0, 1, 2**20, 2**20 - 1, 4096, 8192]), st.integers(-(2**24), 2**24)
)
PLACE = st.tuples(COORDINATE, COORDINATE, COORDINATE)
#: Few places that are taken often, many that are not, and clouds that are flat along an axis.
PLACES = st.one_of(
    st.lists(PLACE, min_size=1, max_size=200),
    st.tuples(st.lists(PLACE, min_size=1, max_size=4), st.integers(1, 90)).map(
        lambda few: few[0] * few[1]
    ),
    st.tuples(st.lists(PLACE, min_size=1, max_size=200), st.sampled_from([0, 1, 2])).map(
        lambda flat: [tuple(0 if a == flat[1] else v for a, v in enumerate(p)) for p in flat[0]]
    ),
)


def all_of(cloud: Cloud) -> bytes:
    """Give the records of a cloud sorted, so that clouds can be compared."""
    records = np.concatenate(list(cloud.read()))
    raw = records.view(np.uint8).reshape(len(records), -1)
    words = np.pad(raw, ((0, 0), (0, -raw.shape[1] % 8))).view(np.uint64)
    return words[np.lexsort(words.T)].tobytes()


def tiles_of(folder: Path) -> dict[Key, laspy.LasData]:
    index = read_index(folder)
    return {key: laspy.read(index.tile_path(key)) for key, _ in index.tiles}


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(PLACES, st.sampled_from([0, 1, 2, 3, 6, 7, 8]))
def test_tiles_hold_every_point_once(
    build: Build, las: Las, places: list[tuple[int, int, int]], point_format: int
) -> None:
    source = las(places, point_format=point_format)

    built = build("BUILD_EPT", source, **SMALL)

    assert all_of(open_cloud(built.path)) == all_of(open_cloud(source))
    assert built.values["point_count"] == len(places)


@pytest.fixture(scope="module")
def tiled(build: Build, terrain: Path) -> Path:
    return Path(build("BUILD_EPT", terrain, **SMALL).path)


def test_a_tile_lies_in_its_cell_and_an_open_one_has_one_point_of_a_voxel(tiled: Path) -> None:
    index = read_index(tiled)
    scale, offset = 0.01, np.array([1000.0, -500.0, 0.0])
    lowest = np.rint((np.array(index.head.bounds[:3]) - offset) / scale).astype(int)
    side = round((index.head.bounds[3] - index.head.bounds[0]) / scale)
    keys = {key for key, _ in index.tiles}

    for (depth, *place), tile in tiles_of(tiled).items():
        quanta = np.stack([tile.X, tile.Y, tile.Z], axis=1).astype(np.int64) - lowest
        assert np.all(quanta * 2**depth // side == place)
        assert np.allclose(tile.header.mins, tile.xyz.min(axis=0))
        assert np.allclose(tile.header.maxs, tile.xyz.max(axis=0))
        voxels = np.unique(quanta * 2**depth * SMALL["span"] // side, axis=0)
        if any((depth + 1, *child) in keys for child in children(place)):
            assert len(voxels) == len(tile.points)
        else:
            assert len(tile.points) <= SMALL["leaf_max"]


def children(place: list[int]) -> list[tuple[int, ...]]:
    return [
        tuple(2 * each + bit for each, bit in zip(place, (x, y, z), strict=True))
        for x in (0, 1)
        for y in (0, 1)
        for z in (0, 1)
    ]


def test_points_of_a_tile_are_in_the_order_of_the_input(tiled: Path, terrain: Path) -> None:
    order = {
        record.tobytes(): number
        for number, record in enumerate(np.concatenate(list(open_cloud(terrain).read())))
    }

    for tile in tiles_of(tiled).values():
        numbers = [order[record.tobytes()] for record in tile.points.array]
        assert numbers == sorted(numbers)


def test_the_head_says_what_the_format_asks_for(tiled: Path, terrain: Path) -> None:
    head = json.loads((tiled / "ept.json").read_bytes())
    low, high = open_cloud(terrain).bounds

    assert head["version"] == "1.1.0"
    assert head["points"] == 14_000
    assert head["boundsConforming"] == pytest.approx([*low, *high])
    assert (
        len({round(head["bounds"][axis + 3] - head["bounds"][axis], 6) for axis in range(3)}) == 1
    )
    assert head["srs"]["authority"] == "EPSG"
    assert head["srs"]["horizontal"] == "25832"
    assert head["schema"][0] == {
        "name": "X", "type": "signed", "size": 4, "scale": 0.01, "offset": 1000.0,
    }  # fmt: skip
    assert {each["name"] for each in head["schema"]} >= {"Intensity", "GpsTime", "Reflectance"}
    assert json.loads((tiled / "ept-sources/manifest.json").read_bytes())[0]["points"] == 14_000


def test_pages_of_the_hierarchy_are_small_and_add_up(build: Build, terrain: Path) -> None:
    built = build("BUILD_EPT", terrain, page_nodes=9, **SMALL)

    pages = list((built.path / "ept-hierarchy").iterdir())
    assert len(pages) > 10
    assert all(len(json.loads(page.read_bytes())) <= 9 for page in pages)
    assert sum(count for _, count in read_index(built.path).tiles) == 14_000


@pytest.mark.parametrize("data_type", ["binary", "zstandard"])
def test_tiles_of_other_encodings_hold_the_same_points(
    build: Build, terrain: Path, data_type: str
) -> None:
    built = build("BUILD_EPT", terrain, data_type=data_type, **SMALL)

    assert all_of(open_cloud(built.path)) == all_of(open_cloud(terrain))


def test_points_of_several_sources_say_which_one_they_are_from(build: Build, las: Las) -> None:
    sources = [las([(k, n, n) for k in range(60)], name=f"{n}.las", seed=n) for n in range(3)]

    built = build("BUILD_EPT", *sources, **SMALL)

    records = np.concatenate(list(open_cloud(built.path).read()))
    assert np.array_equal(records["OriginId"], records["Y"])
    manifest = json.loads((built.path / "ept-sources/manifest.json").read_bytes())
    assert [each["path"] for each in manifest] == ["0.las", "1.las", "2.las"]


def test_sources_of_different_scales_do_not_go_together(
    build: Build, las: Las, tmp_path: Path
) -> None:
    first = las([(0, 0, 0)])
    other = laspy.read(first)
    other.change_scaling(scales=[0.001] * 3)
    other.write(tmp_path / "other.las")

    with pytest.raises(Problem, match="CLOUDS_DIFFER: sources must have one scale"):
        build("BUILD_EPT", first, tmp_path / "other.las")


def wrong_header(path: Path, maxs: tuple[float, float, float]) -> Path:
    """Give the file with another extent in its header."""
    content = bytearray(path.read_bytes())
    for axis, most in enumerate(maxs):
        content[179 + 16 * axis : 187 + 16 * axis] = np.float64(most).tobytes()
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("maxs", [(1001.0, -499.0, 10.0), (np.nan, 0.0, 0.0), (0.0, 0.0, 0.0)])
def test_a_header_with_a_wrong_extent_is_an_error_that_says_what_to_do(
    build: Build, las: Las, maxs: tuple[float, float, float]
) -> None:
    source = wrong_header(las([(0, 0, 0), (90_000, 50_000, 3_000)] * 50), maxs)

    with pytest.raises(Problem, match=r'EXTENT_WRONG: .*; ask for extent "points"'):
        build("BUILD_EPT", source, **SMALL)

    built = build("BUILD_EPT", source, extent="points", **SMALL)
    assert built.values["bounds"] == [1000.0, -500.0, 0.0, 1900.0, 0.0, 30.0]
    assert all_of(open_cloud(built.path)) == all_of(open_cloud(source))


@pytest.mark.parametrize("kind", ["BUILD_EPT", "BUILD_COPC", "BUILD_POTREE"])
def test_a_system_that_cannot_be_right_is_told(
    build: Build, las: Las, terrain: Path, kind: str
) -> None:
    nowhere = build(kind, las([(0, 0, 0), (90_000, 50_000, 3_000)] * 50), **SMALL)
    elsewhere = build(kind, terrain, **SMALL)

    assert [note["code"] for note in nowhere.values["warnings"]] == ["CRS_MISSING"]
    assert [note["code"] for note in elsewhere.values["warnings"]] == ["CRS_NOT_HERE"]


def test_no_points_are_no_octree(build: Build, las: Las) -> None:
    with pytest.raises(Problem, match="CLOUD_EMPTY"):
        build("BUILD_EPT", las(np.empty((0, 3), dtype=np.int32)))


class Stopped(LocalContext):
    """A context whose caller wants no more after some checks."""

    def check(self) -> None:
        if self._step.stage == "write" and len(list(self._world.folder.rglob("*.laz"))) > 3:
            raise Cancelled


def test_a_folder_that_is_not_whole_has_no_head(
    terrain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("haulier.testing.context.LocalContext", Stopped)
    world = World(tmp_path, storages={"in": terrain.parent})
    inputs = {"input_las": {"storage": "in", "filename": terrain.name}}
    step = StepPlan("e", "clouds", "BUILD_EPT", SMALL, inputs=inputs, stages=passes.STAGES)

    with pytest.raises(Cancelled):
        run_step(build_ept, step, world)  # type: ignore[arg-type]  # the module has what it takes

    assert len(list(tmp_path.rglob("*.laz"))) > 3
    assert not list(tmp_path.rglob("ept.json"))


@pytest.mark.parametrize(
    "name",
    [
        "ellipsoid.copc.laz", "1.2-with-color.las", "extrabytes.las", "autzen_trim.laz",
        "fullwave.laz", "simple1_4.las",
    ],
)  # fmt: skip
def test_real_clouds_keep_every_point(
    build: Build, shared: Callable[[str], Path], name: str
) -> None:
    source = shared(name)

    built = build("BUILD_EPT", source, leaf_max=5_000, memory_mb=5)

    assert all_of(open_cloud(built.path)) == all_of(open_cloud(source))


Spoil = Callable[[Path], object]


def rewritten(name: str, **changes: Any) -> Spoil:
    def spoil(folder: Path) -> None:
        path = folder / name
        path.write_text(json.dumps(json.loads(path.read_bytes()) | changes))

    return spoil


ROOT = "ept-hierarchy/0-0-0-0.json"


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda folder: (folder / "ept.json").unlink(), "EPT_FILE_MISSING: .*ept.json"),
        (lambda folder: (folder / "ept.json").write_text("{"), "EPT_FILE: ept.json"),
        (rewritten("ept.json", points=3), "EPT_COUNTS: ept.json says 3 points"),
        (rewritten("ept.json", dataType="rar"), "EPT_FILE: ept.json"),
        (rewritten("ept.json", bounds=[1, 2]), "EPT_FILE: ept.json"),
        (rewritten("ept.json", hierarchyType="gzip"), "EPT_FILE_MISSING"),
        (rewritten(ROOT, **{"1-0-0-0": -7}), "EPT_HIERARCHY: .* count points or say -1, got -7"),
        (rewritten(ROOT, **{"1-0-0-0": "x"}), "EPT_FILE: ept-hierarchy"),
        (rewritten(ROOT, **{"1-2-0-0": 1}), "EPT_HIERARCHY: .* within .*, got '1-2-0-0'"),
        (rewritten(ROOT, **{"../../x": 1}), "EPT_HIERARCHY: .* got '../../x'"),
        (rewritten(ROOT, **{"0-0-0-0": -1}), "EPT_HIERARCHY: the page of .* named twice"),
        (lambda folder: (folder / "ept-data/0-0-0-0.laz").unlink(), "EPT_TILE_MISSING: 1 of"),
    ],
)  # fmt: skip
def test_a_broken_folder_is_an_error_that_says_what_is_wrong(
    tiled: Path, tmp_path: Path, spoil: Spoil, said: str
) -> None:
    for path in tiled.rglob("*.*"):
        target = tmp_path / path.relative_to(tiled)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    spoil(tmp_path)

    with pytest.raises(Problem, match=said):
        read_index(tmp_path)
