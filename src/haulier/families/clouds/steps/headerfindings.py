"""What a header says against what the LAS specification asks of it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

from haulier.core.problem import Problem
from haulier.families.clouds.io.cloud import Cloud
from haulier.families.clouds.io.copc import read_copc
from haulier.families.clouds.io.frame import WKT, WKT_BIT
from haulier.families.clouds.io.header import FIRST, LAS_1_4, RECORD_SIZES, SIZES, Header
from haulier.families.clouds.io.layout import UNDOCUMENTED
from haulier.families.clouds.steps.finding import Finding, unreadable

REWRITE: Final = "write the file anew, for instance with MERGE_LAS of this file alone"
#: The first version (1.x) that knows a point format.
SINCE: Final = (0, 0, 2, 2, 3, 3, 4, 4, 4, 4, 4)
FIRST_CURRENT: Final = 6
LAST_DAY: Final = 366
RESERVED_BITS: Final = 0xFFE0
FILLED: Final = 0.9
INT32: Final = 2**31
COARSE_STEP: Final = 0.1


def header_findings(cloud: Cloud) -> Iterator[Finding]:
    """Give what can be seen without reading a point."""
    header = cloud.header
    if cloud.container != "ept":
        yield from _raw(cloud)
        yield from _formats(header)
        yield from _origin(header)
        yield from _records(cloud)
    if cloud.container == "copc":
        yield from _octree(cloud)
    yield from _numbers(cloud)


def _raw(cloud: Cloud) -> Iterator[Finding]:
    """Look at fields that no reader needs."""
    with cloud.path.open("rb") as file:
        fields = FIRST.unpack(file.read(FIRST.size))
    header, minor = cloud.header, cloud.header.version[1]
    size, legacy, by_return = fields[10], fields[15], fields[16:21]
    if size != SIZES[minor]:
        message = f"the header has {size} bytes, that of LAS 1.{minor} has {SIZES[minor]}"
        yield Finding("warning", "HEADER_SIZE_ODD", message, f"nothing if it reads well; {REWRITE}")
    if minor >= LAS_1_4 and header.point_format >= FIRST_CURRENT and (legacy or any(by_return)):
        message = (
            f"the fields of 32 bits say {legacy:,} points; point format {header.point_format} "
            "asks for zero there"
        )
        yield Finding("warning", "LEGACY_COUNTS_SET", message, REWRITE)
    elif minor >= LAS_1_4 and legacy and legacy != header.point_count:
        message = f"the count of 32 bits says {legacy:,} points, that of 64 {header.point_count:,}"
        yield Finding("error", "COUNTS_DISAGREE", message, REWRITE)


def _octree(cloud: Cloud) -> Iterator[Finding]:
    """Follow the hierarchy: viewers need it, while all else reads the chunks without it."""
    try:
        read_copc(cloud.path)
    except Problem as problem:
        yield unreadable(problem.detail)


def _formats(header: Header) -> Iterator[Finding]:
    number, minor = header.point_format, header.version[1]
    if minor < SINCE[number]:
        message = f"LAS 1.{minor} has no point format {number}, it came with 1.{SINCE[number]}"
        yield Finding("error", "FORMAT_NOT_OF_VERSION", message, REWRITE)
    if minor < LAS_1_4:
        message = f"it is LAS 1.{minor} of point format {number}"
        yield Finding("note", "OLD_VERSION", message, "nothing; outputs of ours are LAS 1.4")
    if number >= FIRST_CURRENT and not header.global_encoding & WKT_BIT:
        message = (
            f"point format {number} asks for the WKT bit of the global encoding, it is not set"
        )
        yield Finding("warning", "WKT_BIT_MISSING", message, REWRITE)
    if header.global_encoding & RESERVED_BITS:
        message = f"reserved bits of the global encoding are set: {header.global_encoding:#06x}"
        yield Finding("warning", "RESERVED_BITS_SET", message, REWRITE)
    if header.global_encoding & WKT_BIT and not _says_wkt(header):
        message = "the global encoding says that there is a WKT, but no record has it"
        yield Finding("warning", "WKT_RECORD_MISSING", message, "give it a coordinate system")


def _says_wkt(header: Header) -> bool:
    long = {(each.user_id, each.record_id) for each in header.evlrs}
    return header.find_vlr(*WKT) is not None or WKT in long


def _origin(header: Header) -> Iterator[Finding]:
    year, day = header.created
    if not year or not day:
        message = f"it does not say when it was made (day {day} of year {year})"
        yield Finding("note", "CREATION_DATE_MISSING", message, "nothing")
    elif day > LAST_DAY:
        message = f"it says it was made on day {day} of {year}"
        yield Finding("warning", "CREATION_DATE_WRONG", message, REWRITE)
    if not header.generating_software:
        yield Finding("note", "SOFTWARE_MISSING", "it does not say what wrote it", "nothing")


def _records(cloud: Cloud) -> Iterator[Finding]:
    header = cloud.header
    unknown = [each for each in cloud.layout.extra if each.data_type == UNDOCUMENTED]
    if unknown:
        size = sum(each.size_bytes for each in unknown)
        message = f"{size} bytes of each record are not described"
        yield Finding("warning", "EXTRA_BYTES_UNDOCUMENTED", message, "ask whoever wrote the file")
    names = [(vlr.user_id, vlr.record_id) for vlr in header.vlrs]
    twice = sorted({name for name in names if names.count(name) > 1 and name[0] == WKT[0]})
    if twice:
        message = f"records of the coordinate system stand there twice: {twice}"
        yield Finding("warning", "CRS_RECORDS_TWICE", message, REWRITE)
    if not header.compressed:
        size = header.offset_to_points + header.point_count * header.record_size
        left = header.file_size - size - sum(60 + each.size_bytes for each in header.evlrs)
        if left > 0:
            message = f"{left:,} bytes behind the points belong to nothing that the header says"
            yield Finding("warning", "BYTES_LEFT_OVER", message, REWRITE)
    least = RECORD_SIZES[header.point_format] + sum(each.size_bytes for each in cloud.layout.extra)
    if header.record_size != least:
        message = f"records have {header.record_size} bytes, format and extra bytes {least}"
        yield Finding("warning", "RECORD_SIZE_ODD", message, REWRITE)


def _numbers(cloud: Cloud) -> Iterator[Finding]:
    if not cloud.point_count:
        yield Finding("warning", "NO_POINTS", "the cloud has no points", "check where it is from")
        return
    if not cloud.bounds_are_credible:
        low, high = cloud.bounds
        message = f"no points of such scales and offsets can lie within {low} and {high}"
        yield Finding("error", "BOUNDS_IMPOSSIBLE", message, REWRITE)
    for axis, (scale, offset) in enumerate(zip(cloud.scales, cloud.offsets, strict=True)):
        name = "XYZ"[axis]
        far = max(abs(each[axis] - offset) / scale for each in cloud.bounds)
        if math.isfinite(far) and far > FILLED * INT32:
            message = (
                f"{name} reaches {far / INT32:.0%} of what 32 bits hold with a scale of {scale}"
            )
            yield Finding("note", "NEAR_OVERFLOW", message, "shift the offset before moving it")
        if scale > COARSE_STEP:
            message = f"{name} is stored in steps of {scale}"
            yield Finding("warning", "COARSE_SCALE", message, "ask for a finer delivery")
