"""Cloud Optimized Point Cloud: a LAZ file whose chunks are the nodes of an octree.

Source:
    Cloud Optimized Point Cloud Specification 1.0.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from struct import Struct
from typing import BinaryIO, Final

from haulier.families.clouds.io.ept import DEEPEST, Key
from haulier.families.clouds.io.eptwriter import chunk_table
from haulier.families.clouds.io.frame import (
    HEADER_SIZE,
    Facts,
    Frame,
    all_evlrs,
    all_vlrs,
    header_bytes,
)
from haulier.families.clouds.io.header import read_header
from haulier.families.clouds.io.laszip import TABLE_AT
from haulier.families.clouds.io.lazwriter import laz_vlr
from haulier.families.clouds.io.vlr import LONG, Vlr
from haulier.families.clouds.method.morton import Cube
from haulier.families.clouds.method.paging import Page, plan_pages
from haulier.families.clouds.notes import broken

INFO: Final = ("copc", 1)
HIERARCHY: Final = ("copc", 1000)
#: centre, half the side, spacing, place and size of the first page, GPS times; the rest is zero.
INFO_DATA: Final = Struct("<3d2d2Q2d88x")
#: depth, x, y, z, offset, bytes, points
ENTRY: Final = Struct("<4iQii")
ELSEWHERE: Final = -1


@dataclass(frozen=True)
class CopcNode:
    """A node with points: which chunk of the file it is."""

    key: Key
    offset: int
    size_bytes: int
    points: int


@dataclass(frozen=True)
class CopcIndex:
    """What a file says of its octree.

    Attributes:
        centre: of the root, in the unit of the coordinate system.
        halfsize: half the length of its sides.
        spacing: between the points that it keeps.
        times: the earliest and the latest GPS time.
        nodes: those that have points, sorted by key.
    """

    centre: tuple[float, float, float]
    halfsize: float
    spacing: float
    times: tuple[float, float]
    nodes: list[CopcNode]


def read_copc(path: Path, at: str = "input") -> CopcIndex:
    """Read the octree of a file, all pages of it.

    Raises:
        Problem: INVALID; it is no such file, or its hierarchy does not fit its points.
    """
    header = read_header(path, at)
    info = header.find_vlr(*INFO)
    if info is None or len(info.data) < INFO_DATA.size:
        detail = f"'{path.name}' has no record that says where its octree is"
        raise broken("COPC_INFO_MISSING", detail, "build it with BUILD_COPC", at=at)
    x, y, z, halfsize, spacing, offset, size, *times = INFO_DATA.unpack_from(info.data)
    with path.open("rb") as file:
        nodes = sorted(
            _nodes(file, (offset, size), path.stat().st_size, at), key=lambda each: each.key
        )
    points = sum(node.points for node in nodes)
    if points != header.point_count:
        detail = f"its header says {header.point_count} points, its hierarchy counts {points}"
        raise broken("COPC_COUNTS", detail, at=at)
    return CopcIndex((x, y, z), halfsize, spacing, (times[0], times[1]), nodes)


def _nodes(file: BinaryIO, first: tuple[int, int], end: int, at: str) -> Iterator[CopcNode]:
    waiting = [first]
    seen = {first[0]}
    room = end
    while waiting:
        offset, size = waiting.pop()
        room -= size
        if room < 0:  # pages that lie on each other, and could name more nodes than there are bytes
            detail = f"its pages have more bytes than the file, which has {end:,}"
            raise broken("COPC_HIERARCHY", detail, at=at)
        for entry in _page(file, offset, size, end, at):
            depth, x, y, z, place, length, points = entry
            if points == ELSEWHERE:
                if place in seen:
                    detail = f"the page at byte {place} is named twice"
                    raise broken("COPC_HIERARCHY", detail, at=at)
                seen.add(place)
                waiting.append((place, length))
            elif points:
                node = CopcNode((depth, x, y, z), place, length, points)
                _check(node, end, at)
                yield node


def _page(file: BinaryIO, offset: int, size: int, end: int, at: str) -> Iterator[tuple[int, ...]]:
    if size <= 0 or size % ENTRY.size or offset + size > end:
        detail = f"a page of {size} bytes at byte {offset} does not lie in the file's {end}"
        raise broken("COPC_HIERARCHY", detail, at=at)
    file.seek(offset)
    return ENTRY.iter_unpack(file.read(size))


def _check(node: CopcNode, end: int, at: str) -> None:
    depth, *place = node.key
    inside = 0 <= depth <= DEEPEST and all(0 <= each < 1 << depth for each in place)
    if not inside or node.points < 0 or node.size_bytes <= 0 or node.offset + node.size_bytes > end:
        raise broken("COPC_HIERARCHY", f"a node does not lie in the file: {node}", at=at)


@dataclass(frozen=True)
class Octree:
    """What is written besides the points.

    Attributes:
        cube: the root.
        span: voxels along a side of a node.
        times: the earliest and the latest GPS time.
        keys: depth, x, y, z of each node, the root first, no node before its parent.
        points: of each node.
        sizes: compressed bytes of each node.
    """

    cube: Cube
    span: int
    times: tuple[float, float]
    keys: Sequence[Key]
    points: Sequence[int]
    sizes: Sequence[int]


def write_copc(
    path: Path, frame: Frame, facts: Facts, octree: Octree, chunks: Iterator[bytes], nodes_max: int
) -> None:
    """Write a file.

    Args:
        path: where to.
        frame: what it says beside its points.
        facts: what its header says of its points.
        octree: its nodes.
        chunks: the compressed points of each node, in the order of the nodes.
        nodes_max: entries on a page of the hierarchy at most.
    """
    laz = laz_vlr(frame.layout, chunk_points=None)
    vlrs = [Vlr(*INFO, "COPC info VLR", bytes(INFO_DATA.size)), laz, *all_vlrs(frame)]
    points_at = HEADER_SIZE + sum(len(vlr.packed()) for vlr in vlrs)
    table = chunk_table(list(zip(octree.points, octree.sizes, strict=True)), laz)
    table_at = points_at + TABLE_AT.size + sum(octree.sizes)
    evlr_at = table_at + len(table)
    pages = plan_pages(octree.keys, nodes_max)
    hierarchy = _packed(pages, octree, points_at + TABLE_AT.size, evlr_at + LONG.size)
    first_page = evlr_at + LONG.size, len(pages[0].entries) * ENTRY.size
    vlrs[0] = Vlr(*INFO, "COPC info VLR", _info(octree, first_page))
    evlrs = [Vlr(*HIERARCHY, "EPT hierarchy", hierarchy), *all_evlrs(frame)]
    header = header_bytes(
        frame,
        facts,
        vlrs=vlrs,
        offset_to_points=points_at,
        evlr_start=evlr_at,
        evlr_count=len(evlrs),
    )
    with path.open("wb") as file:
        file.write(header + b"".join(vlr.packed() for vlr in vlrs) + TABLE_AT.pack(table_at))
        file.writelines(chunks)
        file.write(table + b"".join(evlr.packed_long() for evlr in evlrs))


def _info(octree: Octree, first_page: tuple[int, int]) -> bytes:
    half = octree.cube.size / 2
    centre = [each + half for each in octree.cube.lowest]
    spacing = octree.cube.size / octree.span
    return INFO_DATA.pack(*centre, half, spacing, *first_page, *octree.times)


def _packed(pages: Sequence[Page], octree: Octree, chunks_at: int, pages_at: int) -> bytes:
    """Give all pages, one behind the other."""
    places: dict[int, tuple[int, int]] = {}
    for page in pages:
        size = len(page.entries) * ENTRY.size
        places[page.root] = (pages_at, size)
        pages_at += size
    offsets = []
    for size in octree.sizes:
        offsets.append(chunks_at)
        chunks_at += size
    packed = bytearray()
    for page in pages:
        for node in page.entries:
            if node in page.links:
                packed += ENTRY.pack(*octree.keys[node], *places[node], ELSEWHERE)
            else:
                size, points = octree.sizes[node], octree.points[node]
                packed += ENTRY.pack(*octree.keys[node], offsets[node], size, points)
    return bytes(packed)
