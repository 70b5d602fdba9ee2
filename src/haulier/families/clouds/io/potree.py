"""Potree 2: an octree in three files, as its viewer loads them by ranges.

Source:
    The loader of Potree 1.8 for format 2.0: hierarchy of 22 bytes a node, attributes interleaved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from struct import Struct
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from haulier.families.clouds.io.dimensions import extra_dimensions
from haulier.families.clouds.io.layout import FORMATS, Layout, Records
from haulier.families.clouds.method.morton import CodeArray, Cube, interleaved
from haulier.families.clouds.method.paging import Key, Page, plan_pages

VERSION: Final = "2.0"
#: Brotli's levels go to 11; beyond this one it takes far longer for little.
BROTLI_LEVEL: Final = 5
#: type, which children there are, points, and where its points or, of a link, its page are.
NODE: Final = Struct("<BBIQQ")
INNER, LEAF, LINK = 0, 1, 2
#: Links on a page of the hierarchy are followed when they come into sight: pages are small.
PAGE_NODES: Final = 1_000
#: The viewer's word for the depth of a page; it reads none of the pages by it.
STEP_SIZE: Final = 4
#: The viewer's names of types.
TYPES: Final = {
    "i1": "int8", "u1": "uint8", "i2": "int16", "u2": "uint16", "i4": "int32", "u4": "uint32",
    "i8": "int64", "u8": "uint64", "f4": "float", "f8": "double",
}  # fmt: skip
#: The viewer's names of what formats 6 to 8 have, and the fields of each.
# fmt: off
ATTRIBUTES: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("position", ("X", "Y", "Z")),
    ("intensity", ("intensity",)),
    ("classification flags", ("classification_flags",)),  # with channel, direction and edge
    ("classification", ("classification",)),
    ("user data", ("user_data",)),
    ("scan angle", ("scan_angle",)),
    ("point source id", ("point_source_id",)),
    ("gps-time", ("gps_time",)),
    ("rgb", ("red", "green", "blue")),
    ("nir", ("nir",)),
)
# fmt: on


@dataclass(frozen=True)
class Attribute:
    """One attribute of a point: one value, or several of one type."""

    name: str
    type: str
    elements: int

    @property
    def field(self) -> tuple[str, str, tuple[int, ...]]:
        """Give the type of its column."""
        return self.name, self.type, (self.elements,)


@dataclass(frozen=True)
class Octree:
    """What is written besides the points.

    Attributes:
        name: of the cloud.
        wkt: of its coordinate system, or empty.
        scales: of X, Y and Z.
        offsets: of X, Y and Z.
        cube: the root.
        span: voxels along a side of a node.
        encoding: "DEFAULT" or "BROTLI".
        keys: depth, x, y, z of each node, by depth and then by Morton code.
        points: of each node.
        sizes: bytes of each payload.
    """

    name: str
    wkt: str
    scales: Sequence[float]
    offsets: Sequence[float]
    cube: Cube
    span: int
    encoding: str
    keys: Sequence[Key]
    points: Sequence[int]
    sizes: Sequence[int]


def attributes_of(layout: Layout) -> tuple[Attribute, ...]:
    """Give the attributes of points of a layout, in the order of their bytes."""
    there = {field[0] for field in FORMATS[layout.point_format]}
    found: list[Attribute] = []
    for name, fields in ATTRIBUTES:
        if there.issuperset(fields):
            found.append(Attribute(name, layout.dtype[fields[0]].str, len(fields)))
    found[2:2] = [Attribute("return number", "|u1", 1), Attribute("number of returns", "|u1", 1)]
    return (*found, *(Attribute(each.name, each.type, 1) for each in extra_dimensions(layout)))


def dtype_of(attributes: Sequence[Attribute]) -> np.dtype[Any]:
    """Give the type of an array of points."""
    return np.dtype([each.field for each in attributes])


def encode_potree(records: Records, layout: Layout) -> bytes:
    """Give a node as a payload: attribute behind attribute, point by point."""
    points = _points(records, layout)
    return _ends(points) + points.tobytes()


def encode_brotli(records: Records, layout: Layout) -> bytes:
    """Give a node as a compressed payload: all of an attribute, then all of the next.

    Positions and colours are interleaved bit by bit, as the viewer expects of this encoding.
    """
    points = _points(records, layout)
    columns = [
        WOVEN[name](points[name]) if name in WOVEN else points[name]
        for name in points.dtype.names or ()
    ]
    codec = pa.Codec("brotli", compression_level=BROTLI_LEVEL)
    packed = codec.compress(b"".join(column.tobytes() for column in columns), asbytes=True)
    return _ends(points) + bytes(packed)


def _woven_position(values: NDArray[Any]) -> CodeArray:
    """Give two codes a point: of the upper 16 bits of X, Y and Z, and of the lower ones."""
    bits = values.astype(np.int32).view(np.uint32)
    return np.stack([interleaved(bits >> 16), interleaved(bits & 0xFFFF)], axis=1)


#: What the compressed encoding weaves, and how.
WOVEN: Final[Mapping[str, Callable[[NDArray[Any]], CodeArray]]] = {
    "position": _woven_position,
    "rgb": interleaved,
}


def _points(records: Records, layout: Layout) -> Records:
    points = np.empty(len(records), dtype_of(attributes_of(layout)))
    for name, fields in ATTRIBUTES:
        if name in (points.dtype.names or ()):
            for column, field in enumerate(fields):
                points[name][:, column] = records[field]
    points["return number"][:, 0] = records["bit_fields"] & 15
    points["number of returns"][:, 0] = records["bit_fields"] >> 4
    for each in extra_dimensions(layout):
        points[each.name][:, 0] = each.of(records)
    return points


def _ends(points: Records) -> bytes:
    """Give two points: of the smallest and of the largest value of each attribute."""
    ends = np.empty(2, points.dtype)
    for name in points.dtype.names or ():  # of what is a number
        ends[name] = np.fmin.reduce(points[name]), np.fmax.reduce(points[name])
    return ends.tobytes()


def write_potree(folder: Path, layout: Layout, octree: Octree, payloads: Iterator[bytes]) -> None:
    """Write the three files; `metadata.json`, which the viewer opens, comes last.

    Args:
        folder: where to.
        layout: of the records that the payloads were encoded from.
        octree: the nodes.
        payloads: of each node, in their order: the ends of its values, then what the viewer reads.
    """
    attributes = attributes_of(layout)
    dtype = dtype_of(attributes)
    head_size = 2 * dtype.itemsize
    ends: list[Records] = []
    with (folder / "octree.bin").open("wb") as file:
        for payload in payloads:
            ends.append(np.frombuffer(payload[:head_size], dtype))  # a copy: it keeps no points
            file.write(memoryview(payload)[head_size:])
    octree = replace(octree, sizes=[size - head_size for size in octree.sizes])
    pages = plan_pages(octree.keys, PAGE_NODES)
    (folder / "hierarchy.bin").write_bytes(_packed(pages, octree))
    first_size = len(pages[0].entries) * NODE.size
    whole = np.frombuffer(_ends(np.concatenate(ends)), dtype)
    head = _head(octree, first_size, [_described(each, whole, octree) for each in attributes])
    packed = msgspec.json.format(msgspec.json.encode(head), indent=1)
    (folder / "metadata.json").write_bytes(packed + b"\n")


def _head(octree: Octree, first_size: int, attributes: Sequence[object]) -> dict[str, Any]:
    lowest, size = octree.cube.lowest, octree.cube.size
    return {
        "version": VERSION,
        "name": octree.name,
        "description": "",
        "points": sum(octree.points),
        "projection": octree.wkt,
        "hierarchy": {
            "firstChunkSize": first_size,
            "stepSize": STEP_SIZE,
            "depth": max(key[0] for key in octree.keys),
        },
        "offset": list(octree.offsets),
        "scale": list(octree.scales),
        "spacing": size / octree.span,
        "boundingBox": {"min": list(lowest), "max": [each + size for each in lowest]},
        "encoding": octree.encoding,
        "attributes": attributes,
    }


def _described(each: Attribute, ends: Records, octree: Octree) -> dict[str, Any]:
    low, high = np.nan_to_num(ends[each.name]).tolist()
    if each.name == "position":
        low, high = (
            [n * s + o for n, s, o in zip(corner, octree.scales, octree.offsets, strict=True)]
            for corner in (low, high)
        )
    size = np.dtype(each.type).itemsize
    return {
        "name": each.name,
        "description": "",
        "size": size * each.elements,
        "numElements": each.elements,
        "elementSize": size,
        "type": TYPES[each.type[1:]],
        "min": low,
        "max": high,
        "scale": [1.0] * each.elements,
        "offset": [0.0] * each.elements,
    }


def _packed(pages: Sequence[Page], octree: Octree) -> bytes:
    """Give all pages, one behind the other; nodes of a page by depth, then by octant."""
    places: dict[int, tuple[int, int]] = {}
    end = 0
    for page in pages:
        size = len(page.entries) * NODE.size
        places[page.root] = (end, size)
        end += size
    offsets = np.concatenate([[0], np.cumsum(octree.sizes)]).tolist()
    masks = _child_masks(octree.keys)
    packed = bytearray()
    for page in pages:
        for node in page.entries:
            mask, points = masks[octree.keys[node]], octree.points[node]
            if node in page.links:
                packed += NODE.pack(LINK, mask, points, *places[node])
            else:
                kind = INNER if mask else LEAF
                packed += NODE.pack(kind, mask, points, offsets[node], octree.sizes[node])
    return bytes(packed)


def _child_masks(keys: Sequence[Key]) -> dict[Key, int]:
    """Say which octants of each node have a child: x counts four, y two, z one."""
    masks = dict.fromkeys(keys, 0)
    for depth, x, y, z in keys:
        if depth:
            octant = (x & 1) << 2 | (y & 1) << 1 | (z & 1)
            masks[depth - 1, x >> 1, y >> 1, z >> 1] |= 1 << octant
    return masks
