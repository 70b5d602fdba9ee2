"""Compressed points: the LASzip record, the table of chunks, and chunks decoded one by one."""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from struct import Struct
from typing import BinaryIO, Final, TypeVar

import lazrs
import numpy as np
from numpy.typing import NDArray

from haulier.core.problem import Code, Problem
from haulier.families.clouds.io.header import Header
from haulier.families.clouds.notes import broken

Bytes = NDArray[np.uint8]
T = TypeVar("T")

LASZIP: Final = ("laszip encoded", 22204)
#: compressor, coder, version, options, chunk size, special EVLRs and their place, items
VLR: Final = Struct("<HHBBHIIqqH")
ITEM: Final = Struct("<HHH")  # type, size, version
POINTWISE: Final = 1
LAYERED: Final = 3
VARIABLE: Final = 0xFFFFFFFF
TABLE_AT: Final = Struct("<q")
TABLE_HEAD: Final = Struct("<II")
WORD: Final = Struct("<I")
#: A chunk of more points is decoded piece by piece.
MOST_CHUNK_POINTS: Final = 2_000_000
#: A compressed chunk is held in memory as a whole.
MOST_CHUNK_BYTES: Final = 128 * 2**20
#: So is what a chunk is decoded to; its points may need pieces, where records are long.
MOST_DECODED_BYTES: Final = 256 * 2**20
PIECE_POINTS: Final = 50_000
#: Equal points take a byte for 650 in LAZ, 3,000 in Zstandard; more are a lie that costs time.
MOST_POINTS_PER_BYTE: Final = 5000
ALL: Final = lazrs.SELECTIVE_DECOMPRESS_ALL

#: Items of a point format by type and size, before extra bytes; then the type of extra bytes.
POINT10, GPSTIME, RGB12, WAVE13 = (6, 20), (7, 8), (8, 6), (9, 29)
POINT14, RGB14, RGBNIR14, WAVE14 = (10, 30), (11, 6), (12, 8), (13, 29)
ITEMS: Final = (
    (POINT10,),
    (POINT10, GPSTIME),
    (POINT10, RGB12),
    (POINT10, GPSTIME, RGB12),
    (POINT10, GPSTIME, WAVE13),
    (POINT10, GPSTIME, RGB12, WAVE13),
    (POINT14,),
    (POINT14, RGB14),
    (POINT14, RGBNIR14),
    (POINT14, WAVE14),
    (POINT14, RGBNIR14, WAVE14),
)
FIRST_LAYERED: Final = 6
BYTE10, BYTE14 = 0, 14
#: Layers of an item of point formats 6 to 10; extra bytes have one for each byte.
LAYERS: Final = {10: 9, 11: 1, 12: 2, 13: 1}


@dataclass(frozen=True)
class Chunk:
    """Some points that are compressed together.

    Attributes:
        first: the number of its first point.
        count: its points.
        offset: where it begins in the file.
        size_bytes: its compressed bytes.
    """

    first: int
    count: int
    offset: int
    size_bytes: int


@dataclass(frozen=True)
class Compression:
    """How the points of a file are compressed."""

    vlr: bytes
    chunk_size: int
    layers: int
    chunks: tuple[Chunk, ...]

    @property
    def is_layered(self) -> bool:
        """Say whether some fields may be decoded without the others."""
        return self.layers > 0


def read_compression(path: Path, header: Header, at: str = "input") -> Compression:
    """Read how a LAZ file is compressed, and the table of its chunks.

    Raises:
        Problem: INVALID, what the file says does not fit itself; UNSUPPORTED, an ancient one.
    """
    found = header.find_vlr(*LASZIP)
    if found is None:
        raise broken("CLOUD_HEADER_WRONG", "the points are compressed, but no VLR says how", at=at)
    chunk_size = _check_vlr(found.data, header, at)
    layers = _layers(header)
    with path.open("rb") as file:
        end = _table_place(file, header, at)
        room = end - header.offset_to_points - TABLE_AT.size
        number = _number_of_chunks(file, end, at)
        if number * header.record_size > room:
            detail = f"its table says {number:,} chunks, {room:,} bytes cannot hold so many"
            raise broken("CLOUD_HEADER_WRONG", detail, at=at)
        table = _read_table(file, header, found.data, at) if number else []
    _check_table(table, room, header, chunk_size, at)
    chunks = _places(table, header)
    for chunk in chunks:
        if chunk.count > MOST_POINTS_PER_BYTE * chunk.size_bytes:
            detail = f"a chunk should have {chunk.count:,} points in {chunk.size_bytes:,} bytes"
            raise broken("CLOUD_HEADER_WRONG", detail, at=at)
    return Compression(found.data, chunk_size, layers, chunks)


def _check_vlr(data: bytes, header: Header, at: str) -> int:
    """Hold the record against the point format; give the points of a chunk."""
    if len(data) < VLR.size:
        raise broken("CLOUD_HEADER_WRONG", f"the LASzip record has {len(data)} bytes", at=at)
    compressor, coder, *_, chunk_size, _, _, items = VLR.unpack_from(data)
    if compressor == POINTWISE:
        detail = (
            "CLOUD_UNSUPPORTED: the file is compressed without chunks, as LASzip did until 2011"
        )
        raise Problem(Code.UNSUPPORTED, f"{detail}; write it anew with a current tool", at=at)
    extra = header.extra_size
    layered = header.point_format >= FIRST_LAYERED
    expected = list(ITEMS[header.point_format])
    if extra:
        expected.append((BYTE14 if layered else BYTE10, extra))
    whole = len(data) >= VLR.size + items * ITEM.size
    said = [ITEM.unpack_from(data, VLR.size + i * ITEM.size)[:2] for i in range(items * whole)]
    if coder != 0 or (compressor == LAYERED) != layered or said != expected or chunk_size == 0:
        detail = f"the LASzip record does not fit point format {header.point_format}"
        raise broken("CLOUD_HEADER_WRONG", f"{detail} with {extra} extra bytes", at=at)
    return int(chunk_size)


def _layers(header: Header) -> int:
    if header.point_format < FIRST_LAYERED:
        return 0
    return sum(LAYERS[kind] for kind, _ in ITEMS[header.point_format]) + header.extra_size


def _table_place(file: BinaryIO, header: Header, at: str) -> int:
    """Give where the table of chunks begins."""
    start = header.offset_to_points
    file.seek(start)
    head = file.read(TABLE_AT.size)
    place = TABLE_AT.unpack(head)[0] if len(head) == TABLE_AT.size else 0
    if place == -1 and header.file_size >= start + 2 * TABLE_AT.size:  # written as a stream
        file.seek(-TABLE_AT.size, io.SEEK_END)
        place = TABLE_AT.unpack(file.read(TABLE_AT.size))[0]
    if not start + TABLE_AT.size <= place <= header.file_size - TABLE_HEAD.size:
        detail = (
            f"the table of its compressed chunks should be at byte {place:,}, but the file has "
            f"{header.file_size:,} bytes"
        )
        raise broken("CLOUD_TRUNCATED", detail, at=at)
    return int(place)


def _number_of_chunks(file: BinaryIO, place: int, at: str) -> int:
    file.seek(place)
    version, number = TABLE_HEAD.unpack(file.read(TABLE_HEAD.size))
    if version:
        raise broken("CLOUD_HEADER_WRONG", f"its table of chunks has version {version}", at=at)
    return int(number)


def _read_table(file: BinaryIO, header: Header, vlr: bytes, at: str) -> list[tuple[int, int]]:
    """Give points and bytes of each chunk."""
    file.seek(header.offset_to_points)
    detail = "the table of its compressed chunks cannot be read"
    return guarded(lambda: lazrs.read_chunk_table(file, lazrs.LazVlr(vlr)), detail, at)


def _check_table(
    table: list[tuple[int, int]], room: int, header: Header, chunk_size: int, at: str
) -> None:
    """Hold the table against the room for chunks and the number of points."""
    if sum(size for _, size in table) > room or any(size <= 0 for _, size in table):
        detail = f"its chunks should fill more than the {room:,} bytes between header and table"
        raise broken("CLOUD_TRUNCATED", detail, at=at)
    if chunk_size == VARIABLE:
        fits = sum(count for count, _ in table) == header.point_count
    else:
        fits = len(table) == -(-header.point_count // chunk_size)
    if not fits:
        points = sum(count for count, _ in table)
        detail = f"the header says {header.point_count:,} points, its {len(table):,} chunks hold"
        most = "" if chunk_size == VARIABLE else "at most "
        raise broken("CLOUD_HEADER_WRONG", f"{detail} {most}{points:,}", at=at)
    if any(size > MOST_CHUNK_BYTES for _, size in table):
        detail = f"a compressed chunk has more than {MOST_CHUNK_BYTES:,} bytes"
        raise broken("CLOUD_UNSUPPORTED", detail, "write it with chunks of 50,000 points", at=at)


def _places(table: list[tuple[int, int]], header: Header) -> tuple[Chunk, ...]:
    chunks = []
    first, offset = 0, header.offset_to_points + TABLE_AT.size
    for count, size in table:
        held = min(count, header.point_count - first)
        if held:
            chunks.append(Chunk(first, held, offset, size))
        first, offset = first + held, offset + size
    return tuple(chunks)


def decode_chunk(
    file: BinaryIO,
    chunk: Chunk,
    compression: Compression,
    record_size: int,
    selection: int,
    at: str,
) -> Iterator[Bytes]:
    """Give the records of a chunk, in pieces if it is a large one.

    Raises:
        Problem: INVALID, the compressed bytes are damaged.
    """
    file.seek(chunk.offset)
    packed = file.read(chunk.size_bytes)
    where = f"the points from {chunk.first:,} to {chunk.first + chunk.count - 1:,}"
    damaged = f"{where} cannot be decoded, their bytes are damaged"
    _check_layers(packed, chunk, compression, record_size, damaged, at)
    chosen = lazrs.DecompressionSelection(selection)
    if chunk.count <= min(MOST_CHUNK_POINTS, MOST_DECODED_BYTES // record_size):
        records = np.empty(chunk.count * record_size, np.uint8)
        table = [(chunk.count, len(packed))]
        guarded(
            lambda: lazrs.decompress_points_with_chunk_table(
                packed, compression.vlr, records, table, chosen
            ),
            damaged,
            at,
        )
        yield records
        return
    alone = _alone(packed, compression.vlr, chunk.count)
    reader = guarded(lambda: lazrs.LasZipDecompressor(alone, compression.vlr, chosen), damaged, at)
    for first in range(0, chunk.count, PIECE_POINTS):
        records = np.empty(min(PIECE_POINTS, chunk.count - first) * record_size, np.uint8)
        guarded(partial(reader.decompress_many, records), damaged, at)
        yield records


def _alone(packed: bytes, vlr: bytes, count: int) -> BinaryIO:
    """Give a chunk as the only one of a stream, with a table of its own."""
    stream = io.BytesIO()
    stream.write(TABLE_AT.pack(TABLE_AT.size + len(packed)))
    stream.write(packed)
    lazrs.write_chunk_table(stream, [(count, len(packed))], lazrs.LazVlr(vlr))
    stream.seek(0)
    return stream


def _check_layers(
    packed: bytes,
    chunk: Chunk,
    compression: Compression,
    record_size: int,
    damaged: str,
    at: str,
) -> None:
    """Hold what a chunk says of its own layers against its bytes, before memory is taken."""
    head = record_size + WORD.size * (1 + compression.layers if compression.layers else 0)
    fits = len(packed) == chunk.size_bytes >= record_size
    if fits and compression.layers:
        fits = len(packed) >= head
        if fits:
            count, *sizes = np.frombuffer(
                packed, "<u4", 1 + compression.layers, record_size
            ).tolist()
            fits = count == chunk.count and head + sum(sizes) <= len(packed)
    if not fits:
        raise broken("CLOUD_DAMAGED", damaged, at=at)


def guarded(act: Callable[[], T], detail: str, at: str) -> T:
    """Call the decoder; damaged bytes end in a Problem, whatever they end in there.

    Raises:
        Problem: INVALID, with the detail.
    """
    try:
        return act()
    except lazrs.LazrsError as error:
        raise broken("CLOUD_DAMAGED", f"{detail} ({error})", at=at) from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # the decoder's own, and no Exception
            raise
        raise broken("CLOUD_DAMAGED", detail, at=at) from None
