"""Potree: its three files read as its viewer does, and every point of the input in them once."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from struct import unpack_from
from typing import Any

import laspy
import numpy as np
import pyarrow as pa
import pytest

from haulier.families.clouds.io.cloud import open_cloud

Build = Callable[..., Any]
VIEWER = "potree-core@2.0.15"
#: Loads all nodes with the viewer's own loader: what that asks of a browser is made here of node.
SCRIPT = """
import { readFile } from "node:fs/promises";
import { createContext, runInContext } from "node:vm";

globalThis.self = globalThis;
globalThis.Blob = class { constructor(parts) { this.text = parts.join(""); } };
URL.createObjectURL = (blob) => blob.text;
URL.revokeObjectURL = () => {};
globalThis.Worker = class {
  constructor(text) {
    const postMessage = (data) => setImmediate(() => this.onmessage({ data }));
    this.inside = createContext({ console, TextDecoder, performance, postMessage });
    this.inside.self = this.inside;
    runInContext(text, this.inside);
  }
  postMessage(data) { setImmediate(() => this.inside.onmessage({ data })); }
};
const requests = {
  getUrl: async (url) => url,
  fetch: async (url, options) => {
    const whole = await readFile(`${process.argv[2]}/${url.split("/").pop()}`);
    const range = /bytes=(\\d+)-(\\d+)/.exec(options?.headers?.Range ?? "");
    return new Response(range ? whole.subarray(Number(range[1]), Number(range[2]) + 1) : whole);
  },
};
const { Potree } = await import("potree-core");
const cloud = await new Potree().loadPointCloud("folder/metadata.json", requests);
const { root, offset } = cloud.pcoGeometry;
const points = [];
const waiting = [root];
let nodes = 0;
while (waiting.length) {
  const node = waiting.pop();
  await node.load();
  while (!node.loaded) await new Promise(setImmediate);
  nodes += 1;
  const { position, intensity, rgba } = node.geometry.attributes;
  const low = offset.clone().add(node.boundingBox.min).toArray();
  for (let i = 0; i < node.numPoints; i++) {
    const place = low.map((each, axis) => each + position.array[3 * i + axis]);
    points.push([...place, intensity.array[i], ...rgba.array.slice(4 * i, 4 * i + 3)]);
  }
  waiting.push(...Object.values(node.children).filter(Boolean));
}
console.log(JSON.stringify({ nodes, points }));
"""

SMALL: dict[str, Any] = {"span": 32, "leaf_max": 40}
KINDS = {
    "int8": "i1", "uint8": "u1", "int16": "i2", "uint16": "u2", "int32": "i4", "uint32": "u4",
    "float": "f4", "double": "f8",
}  # fmt: skip


@dataclass
class Node:
    """A node by its octants from the root, and where its points are."""

    name: str
    points: int = 0
    offset: int = 0
    size: int = 0


def nodes_of(folder: Path, head: Any) -> Iterator[Node]:
    """Follow the hierarchy as the viewer does: children in the order in which they are named."""
    hierarchy = (folder / "hierarchy.bin").read_bytes()
    waiting = [("r", 0, head["hierarchy"]["firstChunkSize"])]
    while waiting:
        name, begin, size = waiting.pop()
        names = [name]
        for number in range(size // 22):
            kind, mask, points, offset, length = unpack_from(
                "<BBIQQ", hierarchy, begin + 22 * number
            )
            if kind == 2:
                assert number
                waiting.append((names[number], offset, length))
                continue
            assert kind == (0 if mask else 1)
            yield Node(names[number], points, offset, length)
            names += [f"{names[number]}{octant}" for octant in range(8) if mask >> octant & 1]
        assert len(names) == size // 22


@pytest.fixture(scope="module", params=["DEFAULT", "BROTLI"])
def potree(build: Build, terrain: Path, request: pytest.FixtureRequest) -> Path:
    return Path(build("BUILD_POTREE", terrain, encoding=request.param, **SMALL).path)


@pytest.fixture(scope="module")
def head(potree: Path) -> Any:
    return json.loads((potree / "metadata.json").read_bytes())


def points_of(potree: Path, head: Any, node: Node) -> Any:
    dtype = np.dtype(
        [(each["name"], KINDS[each["type"]], (each["numElements"],)) for each in head["attributes"]]
    )
    content = (potree / "octree.bin").read_bytes()[node.offset : node.offset + node.size]
    if head["encoding"] == "DEFAULT":
        return np.frombuffer(content, dtype)
    size = node.points * (dtype.itemsize + 4 + 2)  # positions and colours are padded to 64 bits
    content = pa.Codec("brotli").decompress(content, size, asbytes=True)
    return unwoven(content, node.points, dtype)


def unwoven(content: bytes, count: int, dtype: np.dtype[Any]) -> Any:
    """Read attribute after attribute, and take apart the bits of positions and colours."""
    points = np.empty(count, dtype)
    at = 0
    for name in dtype.names or ():
        if name in {"position", "rgb"}:
            words = 2 if name == "position" else 1
            codes = np.frombuffer(content, "<u8", words * count, at).reshape(count, words)
            bits = np.arange(16, dtype=np.uint64)
            for axis in range(3):
                halves = (codes[..., None] >> (3 * bits + np.uint64(axis)) & 1) << bits
                low = halves.sum(axis=2)
                value = low[:, 0] if words == 1 else low[:, 0] << 16 | low[:, 1]
                points[name][:, axis] = value.astype(np.uint32).view(np.int32)
            at += codes.nbytes
        else:
            column = np.frombuffer(content, dtype[name].base, count, at)
            points[name][:, 0] = column
            at += column.nbytes
    assert at == len(content)
    return points


def test_the_viewer_finds_every_point_once(potree: Path, head: Any, terrain: Path) -> None:
    found = np.concatenate([points_of(potree, head, node) for node in nodes_of(potree, head)])

    records = np.concatenate(list(open_cloud(terrain).read()))
    assert head["points"] == len(found) == len(records)
    names = ("X", "Y", "Z", "red", "green", "blue", "gps_time", "scan_angle", "Reflectance")
    expected = sorted(zip(*(records[name].tolist() for name in names), strict=True))
    columns = (
        *found["position"].T, *found["rgb"].T, found["gps-time"][:, 0], found["scan angle"][:, 0],
        found["Reflectance"][:, 0],
    )  # fmt: skip
    assert sorted(zip(*(column.tolist() for column in columns), strict=True)) == expected
    returns = found["return number"][:, 0] | found["number of returns"][:, 0] << 4
    assert np.array_equal(np.sort(returns), np.sort(records["bit_fields"]))


def test_points_lie_in_the_box_that_a_name_stands_for(potree: Path, head: Any) -> None:
    for node in nodes_of(potree, head):
        low = np.array(head["boundingBox"]["min"])
        size = head["boundingBox"]["max"][0] - low[0]
        for octant in map(int, node.name[1:]):
            size /= 2
            low = low + size * np.array([octant >> 2 & 1, octant >> 1 & 1, octant & 1])
        places = points_of(potree, head, node)["position"] * head["scale"] + head["offset"]
        assert np.all((places >= low - 1e-6) & (places <= low + size + 1e-6))


def test_attributes_say_their_range(head: Any, terrain: Path) -> None:
    records = np.concatenate(list(open_cloud(terrain).read()))
    said = {each["name"]: (each["min"], each["max"]) for each in head["attributes"]}

    assert said["intensity"] == ([records["intensity"].min()], [records["intensity"].max()])
    assert said["position"][0][0] == pytest.approx(records["X"].min() * 0.01 + 1000)
    assert said["rgb"][1][2] == records["blue"].max()


def test_a_hierarchy_of_many_nodes_has_links_to_pages(
    build: Build, terrain: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("haulier.families.clouds.io.potree.PAGE_NODES", 9)
    folder = build("BUILD_POTREE", terrain, **SMALL).path
    head = json.loads((folder / "metadata.json").read_bytes())

    nodes = list(nodes_of(folder, head))

    assert head["hierarchy"]["firstChunkSize"] <= 9 * 22 < (folder / "hierarchy.bin").stat().st_size
    assert sum(node.points for node in nodes) == 14_000
    assert len({node.name for node in nodes}) == len(nodes)


def test_the_viewers_own_loader_finds_every_point_once(
    potree: Path, head: Any, terrain: Path, beside_npm: Callable[[str, str, Path], str]
) -> None:
    found = json.loads(beside_npm(VIEWER, SCRIPT, potree))

    las = laspy.read(terrain)
    # The viewer takes a colour of up to 255 as one of 8 bits.
    bits = [np.asarray(each) for each in (las.red, las.green, las.blue)]
    colours = [np.where(each > 255, each // 256, each) for each in bits]
    fields = [las.x * 100, las.y * 100, las.z * 100, las.intensity, *colours]
    expected = np.stack([np.array(each, float) for each in fields], axis=1)
    points = np.array(found["points"])
    points[:, :3] *= 100  # whole hundredths: the viewer has them as numbers of 32 bits
    assert found["nodes"] == len([node for node in nodes_of(potree, head) if node.points])
    assert sorted(np.rint(points).tolist()) == sorted(np.rint(expected).tolist())
