"""Where the records of a cloud come from: plain LAS, compressed LAZ, or the tiles of an EPT."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final, Protocol

import lazrs
import numpy as np

from haulier.families.clouds.io.header import Header
from haulier.families.clouds.io.laszip import ALL, Compression, decode_chunk
from haulier.families.clouds.io.layout import Layout, Records
from haulier.families.clouds.io.upgrade import raw_dtype, upgrade
from haulier.families.clouds.notes import broken

PIECE_POINTS: Final = 50_000
#: What must be decoded for a field; X, Y and the bit fields always are.
LAYER_OF: Final = {
    "X": 0,
    "Y": 0,
    "bit_fields": 0,
    "Z": lazrs.SELECTIVE_DECOMPRESS_Z,
    "classification": lazrs.SELECTIVE_DECOMPRESS_CLASSIFICATION,
    "classification_flags": lazrs.SELECTIVE_DECOMPRESS_FLAGS,
    "intensity": lazrs.SELECTIVE_DECOMPRESS_INTENSITY,
    "scan_angle": lazrs.SELECTIVE_DECOMPRESS_SCAN_ANGLE,
    "user_data": lazrs.SELECTIVE_DECOMPRESS_USER_DATA,
    "point_source_id": lazrs.SELECTIVE_DECOMPRESS_POINT_SOURCE_ID,
    "gps_time": lazrs.SELECTIVE_DECOMPRESS_GPS_TIME,
    "red": lazrs.SELECTIVE_DECOMPRESS_RGB,
    "green": lazrs.SELECTIVE_DECOMPRESS_RGB,
    "blue": lazrs.SELECTIVE_DECOMPRESS_RGB,
    "nir": lazrs.SELECTIVE_DECOMPRESS_NIR,
}


class Source(Protocol):
    """Gives records in the order of the file, whatever holds them."""

    @property
    def starts(self) -> Sequence[int]:
        """Give the numbers of points at which reading may begin for nothing."""
        ...

    def pieces(self, first: int, last: int, fields: Sequence[str] | None) -> Iterator[Records]:
        """Give the records from `first` to before `last`, in pieces of any length.

        Fields that are not asked for may hold anything.
        """
        ...


def selection_of(fields: Sequence[str] | None) -> int:
    """Give what the decoder must decode for these fields; None: for all."""
    if fields is None:
        return int(ALL)
    selection = 0
    for name in fields:
        selection |= LAYER_OF.get(name, lazrs.SELECTIVE_DECOMPRESS_ALL_EXTRA_BYTES)
    return selection


@dataclass(frozen=True)
class PlainSource:
    """Records that are not compressed."""

    path: Path
    header: Header
    layout: Layout
    at: str

    @cached_property
    def starts(self) -> Sequence[int]:
        """Give steps of a piece: reading may begin anywhere."""
        return range(0, self.header.point_count, PIECE_POINTS)

    def pieces(self, first: int, last: int, fields: Sequence[str] | None) -> Iterator[Records]:
        """Give the records from `first` to before `last`."""
        del fields  # they come together
        header = self.header
        raw = raw_dtype(header.point_format, header.extra_size)
        with self.path.open("rb") as file:
            file.seek(header.offset_to_points + first * header.record_size)
            for start in range(first, last, PIECE_POINTS):
                wanted = min(PIECE_POINTS, last - start)
                records = np.fromfile(file, raw, wanted)
                if len(records) < wanted:
                    detail = f"the file ends before point {last:,}"
                    raise broken("CLOUD_TRUNCATED", detail, at=self.at)
                yield upgrade(records, header.point_format, self.layout)


@dataclass(frozen=True)
class PackedSource:
    """Records that are compressed by chunks: LAZ, and COPC, which is a LAZ file too."""

    path: Path
    header: Header
    layout: Layout
    compression: Compression
    at: str

    @cached_property
    def starts(self) -> Sequence[int]:
        """Give where the chunks begin."""
        return [chunk.first for chunk in self.compression.chunks]

    def pieces(self, first: int, last: int, fields: Sequence[str] | None) -> Iterator[Records]:
        """Give the records from `first` to before `last`: chunks they lie in are decoded whole."""
        header = self.header
        raw = raw_dtype(header.point_format, header.extra_size)
        selection = selection_of(fields) if self.compression.is_layered else int(ALL)
        begin = max(int(np.searchsorted(self.starts, first, side="right")) - 1, 0)
        with self.path.open("rb") as file:
            for chunk in self.compression.chunks[begin:]:
                if chunk.first >= last:
                    return
                start = chunk.first
                for piece in decode_chunk(
                    file, chunk, self.compression, header.record_size, selection, self.at
                ):
                    records = piece.view(raw)
                    wanted = records[max(first - start, 0) : max(last - start, 0)]
                    start += len(records)
                    if len(wanted):
                        yield upgrade(wanted, header.point_format, self.layout)


@dataclass(frozen=True)
class TiledSource:
    """Records in many files, one after the other: the tiles of an EPT.

    Attributes:
        counts: points of each tile.
        read: gives the records of tile `i` from `first` to before `last`.
    """

    counts: tuple[int, ...]
    read: Callable[[int, int, int, Sequence[str] | None], Iterator[Records]]

    @cached_property
    def starts(self) -> Sequence[int]:
        """Give where the tiles begin."""
        return [0, *np.cumsum(self.counts)[:-1].tolist()]

    def pieces(self, first: int, last: int, fields: Sequence[str] | None) -> Iterator[Records]:
        """Give the records from `first` to before `last`."""
        for tile, (start, count) in enumerate(zip(self.starts, self.counts, strict=True)):
            begin, end = max(first - start, 0), min(last - start, count)
            if begin < end:
                yield from self.read(tile, begin, end, fields)
