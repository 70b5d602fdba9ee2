"""What a file of ours says around its points: the header of LAS 1.4 and its records."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from haulier.families.clouds.io.cloud import Cloud
from haulier.families.clouds.io.header import (
    COMPRESSED,
    FIRST,
    FOURTH,
    MAGIC,
    SIZES,
    WAVEFORMS,
    Triple,
    read_evlr,
)
from haulier.families.clouds.io.laszip import LASZIP
from haulier.families.clouds.io.layout import EXTRA_BYTES, Layout, extra_bytes_vlr
from haulier.families.clouds.io.vlr import MOST_SHORT_BYTES, Vlr

HEADER_SIZE: Final = SIZES[4]
WKT_BIT: Final = 16
#: Of the global encoding only these bits outlive a rewriting: GPS time type, synthetic returns.
KEPT_BITS: Final = 0b1001
WKT: Final = ("LASF_Projection", 2112)
SOFTWARE: Final = "Haulier"
#: Records that say what is no longer true of a file written anew.
REPLACED: Final = frozenset({LASZIP, EXTRA_BYTES, ("LASF_Spec", 7), ("liblas", 2112)})
REPLACED_USERS: Final = frozenset({"LASF_Projection", "copc", "entwine", "NIIRS10_TILE"})
WAVEFORM_RECORDS: Final = range(100, 355)  # of LASF_Spec: packet descriptors
WAVEFORM_DATA: Final = 65_535
MOST_KEPT_BYTES: Final = 4 * 2**20


class Facts(msgspec.Struct, frozen=True):
    """What a header says of the points: whole numbers, so that sums do not depend on order.

    Attributes:
        mins: the least X, Y and Z as they are stored.
        maxs: the greatest.
        returns: points by return number, from 1 to 15.
    """

    point_count: int
    mins: tuple[int, int, int]
    maxs: tuple[int, int, int]
    returns: tuple[int, ...]


@dataclass(frozen=True)
class Frame:
    """What a file of ours says beside its points."""

    layout: Layout
    scales: Triple
    offsets: Triple
    wkt: str = ""
    vlrs: tuple[Vlr, ...] = ()
    evlrs: tuple[Vlr, ...] = ()
    system_identifier: str = ""
    global_encoding: int = 0
    file_source_id: int = 0
    guid: bytes = bytes(16)
    created: tuple[int, int] = (0, 0)


def frame_of(cloud: Cloud, wkt: str, system_identifier: str = "MODIFICATION") -> Frame:
    """Give the frame of a file that has the points of a cloud.

    It keeps what the cloud says of itself, but records that a new file has its own of: those of
    compression, extra bytes, coordinate system, index and waveforms.
    """
    header = cloud.header
    long = [evlr for evlr in header.evlrs if evlr.size_bytes <= MOST_KEPT_BYTES]
    return Frame(
        layout=cloud.layout,
        scales=cloud.scales,
        offsets=cloud.offsets,
        wkt=wkt,
        vlrs=tuple(vlr for vlr in header.vlrs if _is_kept(vlr.user_id, vlr.record_id)),
        evlrs=tuple(
            read_evlr(cloud.path, evlr) for evlr in long if _is_kept(evlr.user_id, evlr.record_id)
        ),
        system_identifier=system_identifier,
        global_encoding=header.global_encoding & KEPT_BITS,
        file_source_id=header.file_source_id,
        guid=header.guid,
        created=header.created,
    )


def _is_kept(user_id: str, record_id: int) -> bool:
    if user_id == "LASF_Spec" and (record_id in WAVEFORM_RECORDS or record_id == WAVEFORM_DATA):
        return False
    return (user_id, record_id) not in REPLACED and user_id not in REPLACED_USERS


def all_vlrs(frame: Frame) -> tuple[Vlr, ...]:
    """Give the records before the points: coordinate system, extra bytes, and what is kept."""
    wkt = wkt_vlr(frame.wkt)
    extra = extra_bytes_vlr(frame.layout)
    own = [vlr for vlr in (wkt, extra) if vlr and len(vlr.data) <= MOST_SHORT_BYTES]
    return (*own, *frame.vlrs)


def all_evlrs(frame: Frame) -> tuple[Vlr, ...]:
    """Give the records behind the points: what is kept, and a long coordinate system."""
    wkt = wkt_vlr(frame.wkt)
    long = (wkt,) if wkt and len(wkt.data) > MOST_SHORT_BYTES else ()
    return (*long, *frame.evlrs)


def wkt_vlr(wkt: str) -> Vlr | None:
    """Give the record of a coordinate system, if there is one."""
    return Vlr(*WKT, "WKT of the coordinate system", wkt.encode() + b"\0") if wkt else None


def header_bytes(
    frame: Frame,
    facts: Facts,
    *,
    vlrs: Sequence[Vlr],
    offset_to_points: int,
    evlr_start: int = 0,
    evlr_count: int = 0,
    compressed: bool = True,
) -> bytes:
    """Give the 375 bytes of the header of a file.

    Args:
        frame: what it says beside the points.
        facts: what it says of the points.
        vlrs: the records that follow it, whose number it says.
        offset_to_points: where the points begin.
        evlr_start: where the records behind the points begin, if there are any.
        evlr_count: how many there are.
        compressed: the points are LAZ.
    """
    bits = (frame.global_encoding & KEPT_BITS) | WKT_BIT
    year, day = frame.created
    least, most = real_bounds(frame, facts)
    extremes = [value for pair in zip(most, least, strict=True) for value in pair]
    first = FIRST.pack(
        MAGIC,
        frame.file_source_id,
        bits,
        frame.guid,
        1,
        4,
        frame.system_identifier.encode()[:32],
        SOFTWARE.encode(),
        day,
        year,
        HEADER_SIZE,
        offset_to_points,
        len(vlrs),
        frame.layout.point_format | (COMPRESSED if compressed else 0),
        frame.layout.record_size,
        0,  # points in 32 bits, and by return: zero for formats 6 to 10
        *(0,) * 5,
        *frame.scales,
        *frame.offsets,
        *extremes,
    )
    returns = (*facts.returns, *(0,) * 15)[:15]
    fourth = FOURTH.pack(evlr_start, evlr_count, facts.point_count, *returns)
    return first + WAVEFORMS.pack(0) + fourth


def real_bounds(frame: Frame, facts: Facts) -> tuple[Triple, Triple]:
    """Give the least and greatest coordinates of the points."""
    if not facts.point_count:
        return (0.0, 0.0, 0.0), (0.0, 0.0, 0.0)
    low, high = (
        tuple(n * s + o for n, s, o in zip(ends, frame.scales, frame.offsets, strict=True))
        for ends in (facts.mins, facts.maxs)
    )
    return (low[0], low[1], low[2]), (high[0], high[1], high[2])
