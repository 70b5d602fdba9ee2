"""Read an EPT as one cloud: tile after tile, compressed or binary."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from haulier.core.problem import Code, Problem
from haulier.families.clouds.io import cloud as clouds
from haulier.families.clouds.io.ept import Dimension, read_index
from haulier.families.clouds.io.frame import wkt_vlr
from haulier.families.clouds.io.header import Header, Triple, check_quanta
from haulier.families.clouds.io.layout import ExtraDimension, Layout, Records, convert
from haulier.families.clouds.io.sources import TiledSource
from haulier.families.clouds.notes import broken

#: Where a dimension of a binary tile goes: a field, and the bit that it begins at.
PLACES: Final[Mapping[str, tuple[str, int]]] = {
    "X": ("X", 0),
    "Y": ("Y", 0),
    "Z": ("Z", 0),
    "Intensity": ("intensity", 0),
    "ReturnNumber": ("bit_fields", 0),
    "NumberOfReturns": ("bit_fields", 4),
    "ClassFlags": ("classification_flags", 0),
    "Synthetic": ("classification_flags", 0),
    "KeyPoint": ("classification_flags", 1),
    "Withheld": ("classification_flags", 2),
    "Overlap": ("classification_flags", 3),
    "ScanChannel": ("classification_flags", 4),
    "ScanDirectionFlag": ("classification_flags", 6),
    "EdgeOfFlightLine": ("classification_flags", 7),
    "Classification": ("classification", 0),
    "UserData": ("user_data", 0),
    "PointSourceId": ("point_source_id", 0),
    "GpsTime": ("gps_time", 0),
    "Red": ("red", 0),
    "Green": ("green", 0),
    "Blue": ("blue", 0),
    "Infrared": ("nir", 0),
}
#: Angles are degrees there and 0.006 degrees here.
ANGLES: Final = frozenset({"ScanAngleRank", "ScanAngle"})
ANGLE_UNIT: Final = 0.006
SHARED: Final = frozenset({"bit_fields", "classification_flags"})
#: How far a dimension reaches that shares a field with others; the rest have one bit.
WIDTHS: Final[Mapping[str, int]] = {
    "ReturnNumber": 15, "NumberOfReturns": 15, "ClassFlags": 15, "ScanChannel": 3,
}  # fmt: skip
KINDS: Final = {"signed": "i", "unsigned": "u", "float": "f"}
#: LAS' codes of types of extra bytes.
CODES: Final[Mapping[str, int]] = {
    "u1": 1, "i1": 2, "u2": 3, "i2": 4, "u4": 5, "i4": 6, "u8": 7, "i8": 8, "f4": 9, "f8": 10,
}  # fmt: skip


def open_ept(folder: Path, at: str) -> "clouds.Cloud":
    """Open the folder of an EPT.

    Raises:
        Problem: INVALID or UNSUPPORTED, what is wrong with it.
    """
    index = read_index(folder, at)
    counts = tuple(count for _, count in index.tiles)
    if not counts:
        raise broken("CLOUD_EMPTY", "the EPT has no points", "build it again", at=at)
    paths = [index.tile_path(key) for key, _ in index.tiles]
    if index.data_type == "laszip":
        packed = PackedTiles(paths, counts, clouds.open_cloud(paths[0], at), at)
        tiles: PackedTiles | BinaryTiles = packed
        scales, offsets = packed.first.scales, packed.first.offsets
        vlrs, encoding = packed.first.header.vlrs, packed.first.header.global_encoding
    else:
        zstandard = index.data_type == "zstandard"
        binary = _binary_tiles(paths, counts, index.schema, at, zstandard=zstandard)
        tiles, scales, offsets = binary, binary.scales, binary.offsets
        vlrs, encoding = (), 0  # of which seconds its GPS times are, it does not say
    own = wkt_vlr(index.wkt)
    header = Header(
        version=(1, 4),
        point_format=tiles.layout.point_format,
        record_size=tiles.layout.record_size,
        compressed=index.data_type == "laszip",
        point_count=sum(counts),
        scales=scales,
        offsets=offsets,
        mins=_triple(index.bounds[:3]),
        maxs=_triple(index.bounds[3:]),
        vlrs=(*((own,) if own else ()), *vlrs),
        global_encoding=encoding,
    )
    return clouds.Cloud(folder, "ept", header, tiles.layout, TiledSource(counts, tiles.read))


@dataclass(frozen=True)
class PackedTiles:
    """Tiles that are LAZ files."""

    paths: Sequence[Path]
    counts: Sequence[int]
    first: "clouds.Cloud"
    at: str

    @property
    def layout(self) -> Layout:
        """Give the layout of the first tile, which the others' records get too."""
        return self.first.layout

    def read(
        self, tile: int, first: int, last: int, fields: Sequence[str] | None
    ) -> Iterator[Records]:
        """Give the records of a tile from `first` to before `last`."""
        opened = clouds.open_cloud(self.paths[tile], self.at)
        name = self.paths[tile].name
        if opened.point_count != self.counts[tile]:
            detail = f"tile {name} has {opened.point_count:,} points, its hierarchy says"
            raise broken("CLOUD_DAMAGED", f"{detail} {self.counts[tile]:,}", at=self.at)
        if (opened.scales, opened.offsets) != (self.first.scales, self.first.offsets):
            raise broken("CLOUD_DAMAGED", f"tile {name} has another scale or offset", at=self.at)
        for records in opened.source.pieces(first, last, fields):
            yield convert(records, self.layout)


@dataclass(frozen=True)
class BinaryTiles:
    """Tiles that are records as the schema says, one behind the other.

    Attributes:
        dtype: of a record, under the names of the schema.
        places: of each of these names: a field of the layout, and the bit that it begins at.
        zstandard: whether tiles are compressed as a whole.
    """

    paths: Sequence[Path]
    counts: Sequence[int]
    dtype: np.dtype[Any]
    layout: Layout
    scales: Triple
    offsets: Triple
    places: Mapping[str, tuple[str, int]]
    zstandard: bool
    at: str

    def read(
        self, tile: int, first: int, last: int, fields: Sequence[str] | None
    ) -> Iterator[Records]:
        """Give the records of a tile from `first` to before `last`."""
        del fields  # they come together
        path, size = self.paths[tile], self.dtype.itemsize
        there = path.stat().st_size if path.is_file() else -1
        if there < 0 or (not self.zstandard and there != self.counts[tile] * size):
            detail = f"tile {path.name} should have {self.counts[tile] * size:,} bytes"
            said = "is missing" if there < 0 else f"has {there:,}"
            raise broken("CLOUD_DAMAGED", f"{detail} and {said}", at=self.at)
        try:
            with pa.OSFile(os.fspath(path)) as file:
                yield from self._opened(file, first, last)
        except (OSError, EOFError) as error:  # what Arrow says of bytes that are no Zstandard
            detail = f"tile {path.name} cannot be read: {str(error)[:200]}"
            raise broken("CLOUD_DAMAGED", detail, at=self.at) from error

    def _opened(self, file: pa.NativeFile, first: int, last: int) -> Iterator[Records]:
        """Give records of an open tile; a compressed one is read from its beginning, in pieces."""
        size, begin = self.dtype.itemsize, first
        if self.zstandard:
            file, begin = pa.CompressedInputStream(file, "zstd"), 0
        else:
            file.seek(first * size)
        for start in range(begin, last, clouds.BATCH):
            wanted = min(clouds.BATCH, last - start)
            stored = np.frombuffer(file.read(wanted * size), np.uint8)
            if len(stored) != wanted * size:
                raise EOFError(f"it ends before its record {last:,}")
            records = stored.view(self.dtype)[max(first - start, 0) :]
            if len(records):
                yield self._records(records)

    def _records(self, stored: Records) -> Records:
        records = np.zeros(len(stored), self.layout.dtype)
        for name in stored.dtype.names or ():
            if name in ANGLES:
                angle = np.rint(stored[name].astype(np.float64) / ANGLE_UNIT)
                records["scan_angle"] = np.clip(angle, -30_000, 30_000).astype(np.int16)
                continue
            field, bits = self.places[name]
            if field in SHARED:
                held = stored[name].astype(np.int64) & WIDTHS.get(name, 1)
                records[field] |= (held << bits).astype(np.uint8)
            else:
                records[field] = stored[name]
        return records


def _binary_tiles(
    paths: Sequence[Path],
    counts: Sequence[int],
    schema: Sequence[Dimension],
    at: str,
    *,
    zstandard: bool,
) -> BinaryTiles:
    dimensions = {each.name: each for each in schema}
    missing = {"X", "Y", "Z"} - dimensions.keys()
    if missing:
        raise broken("CLOUD_HEADER_WRONG", f"the schema has no {sorted(missing)}", at=at)
    types = {name: f"{KINDS[each.type]}{each.size}" for name, each in dimensions.items()}
    if missing_types := sorted(name for name, kind in types.items() if kind not in CODES):
        detail = f"the schema has dimensions of no known type: {', '.join(missing_types)}"
        raise broken("CLOUD_HEADER_WRONG", detail, at=at)
    dtype = np.dtype([(name, f"<{kind}") for name, kind in types.items()])
    placed = [dimensions[axis] for axis in "XYZ"]
    scales = _triple([each.scale for each in placed])
    offsets = _triple([each.offset for each in placed])
    check_quanta(scales, offsets, at)
    if any(types[axis] != "i4" for axis in "XYZ"):
        detail = "CLOUD_UNSUPPORTED: X, Y and Z of a binary EPT must be signed numbers of 4 bytes"
        raise Problem(Code.UNSUPPORTED, detail, at=at)
    best = 8 if "Infrared" in types else 7 if "Red" in types else 6
    extra = tuple(
        ExtraDimension(name, CODES[kind], description="of the EPT")
        for name, kind in types.items()
        if name not in PLACES and name not in ANGLES
    )
    layout = Layout(best, extra)
    # Extra dimensions stand behind the fields of the format, under names that are free there.
    fields = (layout.dtype.names or ())[-len(extra) :] if extra else ()
    own = {each.name: (field, 0) for each, field in zip(extra, fields, strict=True)}
    return BinaryTiles(
        paths=paths,
        counts=counts,
        dtype=dtype,
        layout=layout,
        scales=scales,
        offsets=offsets,
        places={**PLACES, **own},
        zstandard=zstandard,
        at=at,
    )


def _triple(numbers: Sequence[float]) -> Triple:
    x, y, z = numbers
    return (x, y, z)
