"""COPC: every point of the input once, read back by laspy and by npm's copc."""

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import laspy
import numpy as np
import pytest

from haulier.core.problem import Problem
from haulier.families.clouds import FAMILY
from haulier.families.clouds.io.cloud import open_cloud
from haulier.families.clouds.io.copc import ENTRY, read_copc
from haulier.testing.stepkind_suite import StepSample, do

Build = Callable[..., Any]
Las = Callable[..., Path]

SMALL: dict[str, Any] = {"span": 32, "leaf_max": 40}
#: Where the info record says its first page's place and size: behind header and record head.
PLACE = 375 + 54 + 40
SCRIPT = """
import { Copc } from 'copc'
const path = process.argv[2]
const copc = await Copc.create(path)
async function follow(page) {
  const { nodes, pages } = await Copc.loadHierarchyPage(path, page)
  let all = { ...nodes }
  for (const key of Object.keys(pages)) all = { ...all, ...(await follow(pages[key])) }
  return all
}
const nodes = await follow(copc.info.rootHierarchyPage)
const names = ['X', 'Y', 'Z', 'Intensity', 'GpsTime', 'ReturnNumber', 'Red', 'Reflectance']
const points = []
for (const key of Object.keys(nodes)) {
  const view = await Copc.loadPointDataView(path, copc, nodes[key])
  const get = names.map(name => view.getter(name))
  for (let i = 0; i < view.pointCount; ++i) points.push(get.map(each => each(i)))
}
console.log(JSON.stringify({ nodes: Object.keys(nodes).length, cube: copc.info.cube, points }))
"""


def all_of(path: Path) -> list[bytes]:
    return sorted(record.tobytes() for records in open_cloud(path).read() for record in records)


@pytest.fixture(scope="module")
def copc(build: Build, terrain: Path) -> Path:
    return Path(build("BUILD_COPC", terrain, page_nodes=20, **SMALL).path)


def test_our_reader_finds_every_point_once(copc: Path, terrain: Path) -> None:
    assert open_cloud(copc).container == "copc"
    assert all_of(copc) == all_of(terrain)


def test_laspy_finds_every_point_once(copc: Path, terrain: Path) -> None:
    with laspy.CopcReader.open(copc) as reader:
        found = reader.query()
        root = reader.query(level=0)
        crs = reader.header.parse_crs()

    assert sorted(record.tobytes() for record in found.array) == all_of(terrain)
    assert 0 < len(root) < len(found)
    assert crs.to_epsg() == 25832


def test_laspy_finds_the_points_of_a_box(copc: Path, terrain: Path) -> None:
    box = laspy.copc.Bounds(mins=np.array([1010.0, -490.0]), maxs=np.array([1030.0, -470.0]))
    every = laspy.read(terrain).xyz
    inside = np.all((every[:, :2] >= box.mins) & (every[:, :2] <= box.maxs), axis=1)

    with laspy.CopcReader.open(copc) as reader:
        found = reader.query(bounds=box)

    assert 0 < len(found) == np.count_nonzero(inside)


def test_copc_js_finds_every_point_once(
    copc: Path, terrain: Path, beside_npm: Callable[[str, str, Path], str]
) -> None:
    found = json.loads(beside_npm("copc@0.0.8", SCRIPT, copc))

    las = laspy.read(terrain)
    fields = [
        las.x, las.y, las.z, las.intensity, las.gps_time, las.return_number, las.red,
        las["Reflectance"],
    ]  # fmt: skip
    expected = sorted(np.stack([np.array(each, float) for each in fields], axis=1).tolist())
    assert found["nodes"] == len(read_copc(copc).nodes)
    assert np.allclose(sorted(found["points"]), expected, rtol=0, atol=1e-6)


def test_the_hierarchy_spreads_over_pages_and_adds_up(copc: Path) -> None:
    _, size = struct.unpack_from("<QQ", copc.read_bytes(), PLACE)
    nodes = read_copc(copc).nodes

    assert size // ENTRY.size <= 20 < len(nodes)
    assert sum(node.points for node in nodes) == 14_000


@pytest.mark.parametrize("point_format", [0, 1, 2, 3, 6, 7, 8])
def test_every_point_format_becomes_one_of_6_to_8(
    build: Build, las: Las, point_format: int
) -> None:
    source = las([(k, k * k % 97, k % 13) for k in range(300)], point_format=point_format)

    built = build("BUILD_COPC", source, **SMALL)

    before = laspy.read(source)
    after = laspy.read(built.path)
    assert after.header.point_format.id == {0: 6, 1: 6, 2: 7, 3: 7}.get(point_format, point_format)
    for name in set(before.point_format.dimension_names) & set(after.point_format.dimension_names):
        assert sorted(np.array(before[name])) == sorted(np.array(after[name])), name


def test_a_single_point_is_a_file_of_one_node(build: Build, las: Las) -> None:
    built = build("BUILD_COPC", las([(5, 6, 7)]), **SMALL)

    (node,) = read_copc(built.path).nodes
    assert (node.key, node.points) == ((0, 0, 0, 0), 1)


@pytest.mark.parametrize("name", ["lone-star.copc.laz", "ellipsoid.copc.laz"])
def test_the_index_of_others_files_is_read(shared: Callable[[str], Path], name: str) -> None:
    path = shared(name)

    index = read_copc(path)

    assert sum(node.points for node in index.nodes) == open_cloud(path).point_count


def patched(copc: Path, into: Path, offset: int, value: bytes) -> Path:
    content = bytearray(copc.read_bytes())
    content[offset : offset + len(value)] = value
    path = into / "broken.copc.laz"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("offset", "value", "said"),
    [
        (PLACE, struct.pack("<Q", 2**40), "COPC_HIERARCHY: a page of .* does not lie in"),
        (PLACE + 8, struct.pack("<Q", 31), "COPC_HIERARCHY: a page of 31 bytes"),
        (PLACE + 8, struct.pack("<Q", 32), "COPC_COUNTS: its header says 14000 points"),
        (377, b"nope", "COPC_INFO_MISSING"),
    ],
)
def test_a_broken_index_is_an_error_that_says_what_is_wrong(
    copc: Path, tmp_path: Path, offset: int, value: bytes, said: str
) -> None:
    with pytest.raises(Problem, match=said):
        read_copc(patched(copc, tmp_path, offset, value))


def test_a_page_that_names_itself_is_an_error(copc: Path, tmp_path: Path) -> None:
    content = copc.read_bytes()
    place, size = struct.unpack_from("<QQ", content, PLACE)
    itself = ENTRY.pack(0, 0, 0, 0, place, size, -1)

    with pytest.raises(Problem, match=r"COPC_HIERARCHY: the page at byte \d+ is named twice"):
        read_copc(patched(copc, tmp_path, place, itself))


def test_pages_that_lie_on_each_other_are_an_error_before_they_take_long(
    copc: Path, tmp_path: Path
) -> None:
    content = bytearray(copc.read_bytes())
    start, number = len(content), 1000
    nodes = start + ENTRY.size * number
    for page in range(number):  # pages that begin an entry later each, over the same nodes
        content += ENTRY.pack(0, 0, 0, 0, nodes + ENTRY.size * page, ENTRY.size * number, -1)
    content += ENTRY.pack(0, 0, 0, 0, nodes, ENTRY.size, 1) * 2 * number
    struct.pack_into("<QQ", content, PLACE, start, ENTRY.size * number)
    path = tmp_path / "broken.copc.laz"
    path.write_bytes(content)

    with pytest.raises(Problem, match="COPC_HIERARCHY: its pages have more bytes than the file"):
        read_copc(path)


def test_a_broken_hierarchy_is_a_finding_of_validation(copc: Path, tmp_path: Path) -> None:
    path = patched(copc, tmp_path, PLACE + 8, struct.pack("<Q", 32))
    broken, sound = (
        do(FAMILY, StepSample("copc", "VALIDATE_LAS", {"input_las": [each]}), tmp_path / each.stem)
        for each in (path, copc)
    )

    assert not broken[0].values["valid"]
    assert "COPC_COUNTS" in {each["code"] for each in broken[0].values["warnings"]}
    assert "COPC_COUNTS" not in {each["code"] for each in sound[0].values["warnings"]}
