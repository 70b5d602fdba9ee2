"""Entwine Point Tile: what a folder of tiles says of itself, read and checked.

Source:
    Entwine Point Tile, versions 1.0 and 1.1.
"""

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Final, Literal, TypeVar

import msgspec
from msgspec import Meta
from pyproj import CRS
from pyproj.exceptions import CRSError

from haulier.families.clouds.io.laszip import MOST_POINTS_PER_BYTE
from haulier.families.clouds.notes import broken

T = TypeVar("T")
Key = tuple[int, int, int, int]

ROOT: Final[Key] = (0, 0, 0, 0)
#: In a page of the hierarchy: the counts from this node on stand in a page of its own.
ELSEWHERE: Final = -1
SUFFIXES: Final = {"laszip": ".laz", "binary": ".bin", "zstandard": ".zst"}
DEEPEST: Final = 60  # a page that names deeper nodes is nonsense, and would overflow
#: No folder of tiles has more: a hierarchy beyond that is made to exhaust memory.
MOST_TILES: Final = 50_000_000

MOST_PAGE_BYTES: Final = 1 << 28
GZIP: Final = 16 + zlib.MAX_WBITS
KEY: Final = re.compile(r"(\d{1,2})-(\d{1,19})-(\d{1,19})-(\d{1,19})")

DataType = Literal["laszip", "binary", "zstandard"]
Box = Annotated[tuple[float, ...], Meta(min_length=6, max_length=6)]


class Dimension(msgspec.Struct, frozen=True, omit_defaults=True):
    """One field of the points, under PDAL's name."""

    name: Annotated[str, Meta(min_length=1)]
    type: Literal["signed", "unsigned", "float"]
    size: Literal[1, 2, 4, 8]
    scale: float = 1.0
    offset: float = 0.0


class Srs(msgspec.Struct, frozen=True, omit_defaults=True):
    """The coordinate system of the points; empty where none is known."""

    authority: str = ""
    horizontal: str = ""
    vertical: str = ""
    wkt: str = ""


class Head(msgspec.Struct, frozen=True, rename="camel"):
    """What `ept.json` says."""

    bounds: Box
    bounds_conforming: Box
    data_type: DataType
    hierarchy_type: Literal["json", "gzip"]
    points: Annotated[int, Meta(ge=0)]
    schema: tuple[Dimension, ...]
    span: Annotated[int, Meta(ge=1)]
    version: str
    srs: Srs = Srs()


@dataclass(frozen=True)
class EptIndex:
    """A folder of tiles: its head, and how many points each tile has.

    Attributes:
        folder: where `ept.json` is.
        tiles: (depth, x, y, z) and the points of each tile, sorted by key.
    """

    folder: Path
    head: Head
    tiles: list[tuple[Key, int]]

    @property
    def point_count(self) -> int:
        """Give how many points the tiles have in all."""
        return self.head.points

    @property
    def bounds(self) -> tuple[float, ...]:
        """Give xmin, ymin, zmin, xmax, ymax, zmax of the points."""
        return self.head.bounds_conforming

    @property
    def schema(self) -> tuple[Dimension, ...]:
        """Give the fields of the points."""
        return self.head.schema

    @property
    def data_type(self) -> DataType:
        """Give how tiles are encoded."""
        return self.head.data_type

    @cached_property
    def wkt(self) -> str:
        """Give the coordinate system as WKT; empty where none is known."""
        srs = self.head.srs
        if srs.wkt or not (srs.authority and srs.horizontal):
            return srs.wkt
        codes = [srs.horizontal, srs.vertical] if srs.vertical else [srs.horizontal]
        try:
            return str(CRS("+".join(f"{srs.authority}:{code}" for code in codes)).to_wkt())
        except CRSError:
            return ""

    def tile_path(self, key: Key) -> Path:
        """Give the file of a tile."""
        return self.folder / tile_name(key, self.data_type)


def name_of(key: Key) -> str:
    """Give a node's name: "depth-x-y-z"."""
    return "-".join(map(str, key))


def tile_name(key: Key, data_type: DataType) -> str:
    """Give the path of a tile within its folder."""
    return f"ept-data/{name_of(key)}{SUFFIXES[data_type]}"


def read_index(folder: Path, at: str = "input") -> EptIndex:
    """Read the head and the whole hierarchy of a folder of tiles.

    Raises:
        Problem: INVALID; a file of it is missing or not what the format says, counts do not add
            up, or a tile is missing.
    """
    head = _decoded(_content(folder / "ept.json", at), Head, "ept.json", at)
    tiles: list[tuple[Key, int]] = []
    for each in _counts(folder, head, at):
        tiles.append(each)
        if len(tiles) > MOST_TILES:
            raise broken("EPT_HIERARCHY", f"more than {MOST_TILES} tiles are named", at=at)
    tiles.sort()
    index = EptIndex(folder, head, tiles)
    _check(index, at)
    return index


def _check(index: EptIndex, at: str) -> None:
    total = sum(count for _, count in index.tiles)
    if total != index.point_count:
        detail = f"ept.json says {index.point_count} points, its hierarchy counts {total}"
        raise broken("EPT_COUNTS", detail, at=at)
    for (key, _), (following, _) in zip(index.tiles, index.tiles[1:], strict=False):
        if key == following:
            raise broken("EPT_HIERARCHY", f"node {name_of(key)} is named twice", at=at)
    sizes = [_size(index.tile_path(key)) for key, _ in index.tiles]
    missing = [key for (key, _), size in zip(index.tiles, sizes, strict=True) if size is None]
    if missing:
        some = ", ".join(map(name_of, missing[:3]))
        detail = f"{len(missing)} of {len(index.tiles)} tiles are not there: {some}"
        raise broken("EPT_TILE_MISSING", detail, at=at)
    for (key, count), size in zip(index.tiles, sizes, strict=True):
        if count > MOST_POINTS_PER_BYTE * (size or 0):
            detail = f"tile {name_of(key)} should have {count:,} points in {size:,} bytes"
            raise broken("EPT_COUNTS", detail, at=at)


def _size(path: Path) -> int | None:
    """Give the bytes of a file; None where there is none."""
    return path.stat().st_size if path.is_file() else None


def _counts(folder: Path, head: Head, at: str) -> Iterator[tuple[Key, int]]:
    waiting = [ROOT]
    seen = {ROOT}
    while waiting:
        page = waiting.pop()
        for key, count in _page(folder, head, page, at):
            if count != ELSEWHERE:
                yield key, count
            elif key in seen:
                detail = f"the page of node {name_of(key)} is named twice"
                raise broken("EPT_HIERARCHY", detail, at=at)
            else:
                seen.add(key)
                waiting.append(key)


def _page(folder: Path, head: Head, page: Key, at: str) -> list[tuple[Key, int]]:
    packed = head.hierarchy_type == "gzip"
    name = f"ept-hierarchy/{name_of(page)}.json" + (".gz" if packed else "")
    content = _content(folder / name, at)
    if packed:
        content = _unpacked(content, name, at)
    counts = _decoded(content, dict[str, int], name, at)
    found = [(_key(each, name, at), count) for each, count in counts.items()]
    wrong = [count for _, count in found if count < ELSEWHERE]
    if wrong:
        detail = f"{name} must count points or say {ELSEWHERE}, got {wrong[0]}"
        raise broken("EPT_HIERARCHY", detail, at=at)
    return [(key, count) for key, count in found if count]


def _unpacked(content: bytes, name: str, at: str) -> bytes:
    opener = zlib.decompressobj(wbits=GZIP)
    try:
        opened = opener.decompress(content, MOST_PAGE_BYTES)
    except zlib.error as error:
        raise broken("EPT_HIERARCHY", f"{name} is no gzip file: {error}", at=at) from error
    if not opener.eof:
        detail = f"{name} is cut short, or longer than {MOST_PAGE_BYTES} bytes"
        raise broken("EPT_HIERARCHY", detail, at=at)
    return opened


def _key(name: str, where: str, at: str) -> Key:
    found = KEY.fullmatch(name)
    if found:
        depth, x, y, z = map(int, found.groups())
        if depth <= DEEPEST and max(x, y, z) < 1 << depth:
            return depth, x, y, z
    detail = f"{where} must name nodes as depth-x-y-z within 2**depth, got {name[:100]!r}"
    raise broken("EPT_HIERARCHY", detail, at=at)


def _content(path: Path, at: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        detail = f"the folder has no {path.parent.name}/{path.name}: {error.strerror}"
        raise broken("EPT_FILE_MISSING", detail, at=at) from error


def _decoded(content: bytes, type_: type[T], name: str, at: str) -> T:
    try:
        return msgspec.json.decode(content, type=type_)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise broken("EPT_FILE", f"{name} is not what it should be: {error}", at=at) from error
