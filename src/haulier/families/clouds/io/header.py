"""The header of a LAS file, read without trust: every number is held against the file's size."""

from dataclasses import dataclass
from pathlib import Path
from struct import Struct
from typing import BinaryIO, Final

from haulier.core.problem import Problem
from haulier.families.clouds.io.vlr import LONG, SHORT, Evlr, Vlr, text
from haulier.families.clouds.notes import broken

Triple = tuple[float, float, float]

MAGIC: Final = b"LASF"
#: signature, source, encoding, guid, version, system, software, day, year, header size, offset to
#: points, VLRs, format, record length, points, by return; scales, offsets, max and min in turn
FIRST: Final = Struct("<4sHH16sBB32s32sHHHIIBHI5I3d3d6d")
WAVEFORMS: Final = Struct("<Q")  # 1.3 on
FOURTH: Final = Struct("<QIQ15Q")  # EVLRs: start, number; points, by return; 1.4
#: The smallest header of each version.
SIZES: Final = {0: 227, 1: 227, 2: 227, 3: 235, 4: 375}
#: Bytes of a record of each point format.
RECORD_SIZES: Final = (20, 28, 26, 34, 57, 63, 30, 36, 38, 59, 67)
COMPRESSED: Final = 0x80
FORMAT_BITS: Final = 0x3F
#: Far more than any survey has: coordinates beyond have no area, no middle and no neighbours.
LEAST_SCALE, MOST_SCALE = 1e-12, 1e6
MOST_OFFSET: Final = 1e15
LAS_1_4: Final = 4
#: Batches of records are held in memory: all that can be described has 2,800 bytes at most.
MOST_RECORD: Final = 4096
#: EVLRs that are read with the header; a larger one is a part of the data.
MOST_EVLRS: Final = 10_000
#: What other files begin with, and what to do about them.
LOOKS_LIKE: Final = (
    (b"PK", "a ZIP archive", "unpack it first"),
    (b"\x1f\x8b", "a gzip file", "unpack it first"),
    (b"<", "a page of HTML or XML, perhaps an error page", "download the file again"),
    (b"{", "a JSON document", "an EPT is given by the folder of its ept.json"),
    (b"II*", "a TIFF image", "give a point cloud"),
)


@dataclass(frozen=True)
class Header:
    """What the header of a file says, as it says it.

    Attributes:
        version: such as (1, 4).
        point_format: the number of the format, 0 to 10.
        record_size: bytes of a record.
        created: year and day of it.
        mins: the least coordinates, in the units of the file.
        maxs: the greatest.
        returns: points by return number, from the first.
        evlrs: where the records behind the points are.
        file_size: of the whole file, in bytes.
    """

    version: tuple[int, int]
    point_format: int
    record_size: int
    compressed: bool
    point_count: int
    scales: Triple
    offsets: Triple
    mins: Triple
    maxs: Triple
    returns: tuple[int, ...] = ()
    vlrs: tuple[Vlr, ...] = ()
    evlrs: tuple[Evlr, ...] = ()
    offset_to_points: int = 0
    file_size: int = 0
    global_encoding: int = 0
    file_source_id: int = 0
    guid: bytes = bytes(16)
    system_identifier: str = ""
    generating_software: str = ""
    created: tuple[int, int] = (0, 0)

    def find_vlr(self, user_id: str, record_id: int) -> Vlr | None:
        """Give the first record of these names."""
        for vlr in self.vlrs:
            if (vlr.user_id, vlr.record_id) == (user_id, record_id):
                return vlr
        return None

    @property
    def extra_size(self) -> int:
        """Give how many bytes a record has more than its format needs."""
        return self.record_size - RECORD_SIZES[self.point_format]


def read_header(path: Path, at: str = "input") -> Header:
    """Read header, VLRs and the places of EVLRs of a LAS or LAZ file.

    Raises:
        Problem: INVALID, saying what is wrong with the file and what to do.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        first = file.read(max(SIZES.values()))
        refuse_other_files(first, at)
        header = _fixed_part(first, size, at)
        file.seek(int.from_bytes(first[94:96], "little"))
        number = int.from_bytes(first[100:104], "little")
        vlrs = _read_vlrs(file, number, header.offset_to_points, at)
        evlrs = _read_evlr_places(file, first, size, at) if header.version[1] >= LAS_1_4 else ()
    given = {**header.__dict__, "vlrs": vlrs, "evlrs": evlrs}
    return Header(**given)


def read_evlr(path: Path, evlr: Evlr) -> Vlr:
    """Read a record behind the points; the caller has looked at its size."""
    with path.open("rb") as file:
        file.seek(evlr.offset)
        data = file.read(evlr.size_bytes)
    return Vlr(evlr.user_id, evlr.record_id, evlr.description, data)


def refuse_other_files(first: bytes, at: str) -> None:
    """Say what a file is that is not a LAS file.

    Raises:
        Problem: INVALID, it is none.
    """
    if not first:
        raise broken("CLOUD_EMPTY_FILE", "the file is empty, 0 bytes", at=at)
    if first.startswith(MAGIC):
        return
    for beginning, name, hint in LOOKS_LIKE:
        if first.startswith(beginning):
            detail = f"the file is no LAS or LAZ file, it looks like {name}"
            raise broken("NOT_A_CLOUD", detail, hint, at=at)
    raise broken("NOT_A_CLOUD", f"the file begins with {first[:4]!r}, expected b'LASF'", at=at)


def _fixed_part(first: bytes, size: int, at: str) -> Header:
    if len(first) < SIZES[0]:
        detail = f"the file ends after {len(first)} bytes, within its header of {SIZES[0]}"
        raise broken("CLOUD_TRUNCATED", detail, at=at)
    parts = FIRST.unpack_from(first)
    (source, encoding, guid, major, minor) = parts[1:6]
    if major != 1 or minor not in SIZES:
        raise _wrong(f"the version is {major}.{minor}, expected 1.0 to 1.4", at)
    header_size, points_at, bits, record_size = parts[10], parts[11], parts[13], parts[14]
    if header_size < SIZES[minor] or len(first) < SIZES[minor]:
        raise _wrong(f"the header has {header_size} bytes, LAS 1.{minor} has {SIZES[minor]}", at)
    if not header_size <= points_at:
        raise _wrong(f"points begin at byte {points_at}, within the header of {header_size}", at)
    if points_at > size:
        detail = f"points begin at byte {points_at:,}, but the file ends at byte {size:,}"
        raise broken("CLOUD_TRUNCATED", detail, at=at)
    number, returns = _counts(first, minor, parts)
    extremes = parts[27:33]
    header = Header(
        version=(major, minor),
        point_format=bits & FORMAT_BITS,
        record_size=record_size,
        compressed=bool(bits & COMPRESSED),
        point_count=number,
        scales=parts[21:24],
        offsets=parts[24:27],
        mins=extremes[1::2],
        maxs=extremes[0::2],
        returns=returns,
        offset_to_points=points_at,
        file_size=size,
        global_encoding=encoding,
        file_source_id=source,
        guid=guid,
        system_identifier=text(parts[6]),
        generating_software=text(parts[7]),
        created=(parts[9], parts[8]),
    )
    _check_records(header, at)
    return header


def _counts(first: bytes, minor: int, parts: tuple[int, ...]) -> tuple[int, tuple[int, ...]]:
    """Give the number of points, and by return; before 1.4 they are 32 bits wide."""
    number, returns = parts[15], tuple(parts[16:21])
    if minor < LAS_1_4:
        return number, returns
    fourth = FOURTH.unpack_from(first, FIRST.size + WAVEFORMS.size)
    return (fourth[2], tuple(fourth[3:])) if fourth[2] else (number, returns)


def _check_records(header: Header, at: str) -> None:
    if header.point_format >= len(RECORD_SIZES):
        raise _wrong(f"the point format is {header.point_format}, expected 0 to 10", at)
    least = RECORD_SIZES[header.point_format]
    if header.record_size < least:
        detail = f"records have {header.record_size} bytes, format {header.point_format}"
        raise _wrong(f"{detail} needs {least}", at)
    check_quanta(header.scales, header.offsets, at)
    _check_size(header, at)
    if header.record_size > MOST_RECORD:
        detail = f"records have {header.record_size:,} bytes, at most {MOST_RECORD:,} are read"
        raise broken("CLOUD_UNSUPPORTED", detail, "write it with fewer extra bytes", at=at)


def check_quanta(scales: Triple, offsets: Triple, at: str) -> None:
    """Refuse scales and offsets of which no coordinates can be made.

    Raises:
        Problem: INVALID with CLOUD_HEADER_WRONG.
    """
    for axis, scale, offset in zip("XYZ", scales, offsets, strict=True):
        if not LEAST_SCALE <= scale <= MOST_SCALE:  # NaN is none either
            expected = f"expected a number from {LEAST_SCALE:g} to {MOST_SCALE:g}"
            raise _wrong(f"the scale of {axis} is {scale}, {expected}", at)
        if not abs(offset) <= MOST_OFFSET:
            raise _wrong(f"the offset of {axis} is {offset}, expected at most {MOST_OFFSET:g}", at)


def _check_size(header: Header, at: str) -> None:
    """Hold the number of points against the file, where they are not compressed."""
    room = header.file_size - header.offset_to_points
    if header.compressed or header.point_count * header.record_size <= room:
        return
    detail = (
        f"the header says {header.point_count:,} points of {header.record_size} bytes, but "
        f"the file has room for {room // header.record_size:,}"
    )
    raise broken("CLOUD_TRUNCATED", detail, at=at)


def _read_vlrs(file: BinaryIO, number: int, end: int, at: str) -> tuple[Vlr, ...]:
    vlrs = []
    for index in range(number):
        head = file.read(SHORT.size) if file.tell() + SHORT.size <= end else b""
        if len(head) < SHORT.size:
            raise _wrong(f"it says {number:,} VLRs, but only {index} stand before the points", at)
        _, user_id, record_id, length, description = SHORT.unpack(head)
        if file.tell() + length > end:
            detail = f"VLR {index + 1} of {number:,} ('{text(user_id)}', {record_id}) has {length}"
            raise _wrong(f"{detail} bytes and would reach into the points", at)
        vlrs.append(Vlr(text(user_id), record_id, text(description), file.read(length)))
    return tuple(vlrs)


def _read_evlr_places(file: BinaryIO, first: bytes, size: int, at: str) -> tuple[Evlr, ...]:
    start, number = FOURTH.unpack_from(first, FIRST.size + WAVEFORMS.size)[:2]
    if number > MOST_EVLRS:
        raise _wrong(f"it says {number:,} EVLRs, expected at most {MOST_EVLRS:,}", at)
    places = []
    for index in range(number):
        if start + LONG.size > size:
            detail = f"EVLR {index + 1} of {number} would begin at byte {start:,}"
            raise broken("CLOUD_TRUNCATED", f"{detail}, the file has {size:,}", at=at)
        file.seek(start)
        _, user_id, record_id, length, description = LONG.unpack(file.read(LONG.size))
        start += LONG.size
        if start + length > size:
            detail = f"EVLR {index + 1} of {number} ('{text(user_id)}') has {length:,} bytes"
            raise broken("CLOUD_TRUNCATED", f"{detail}, the file ends before", at=at)
        places.append(Evlr(text(user_id), record_id, text(description), start, length))
        start += length
    return tuple(places)


def _wrong(detail: str, at: str) -> Problem:
    return broken("CLOUD_HEADER_WRONG", f"the header is wrong: {detail}", at=at)
