"""What a record of a cloud is made of: the point formats of LAS and their extra bytes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from struct import Struct
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from haulier.families.clouds.io.vlr import Vlr, text

Records = NDArray[np.void]
Field = tuple[str, str]

#: The first thirty bytes of a record of point formats 6 to 10.
CURRENT: Final[tuple[Field, ...]] = (
    ("X", "<i4"),
    ("Y", "<i4"),
    ("Z", "<i4"),
    ("intensity", "<u2"),
    ("bit_fields", "u1"),  # return number, 4 bits; number of returns, 4 bits
    ("classification_flags", "u1"),  # synthetic, key, withheld, overlap; channel, 2; scan; edge
    ("classification", "u1"),
    ("user_data", "u1"),
    ("scan_angle", "<i2"),  # in 0.006 degrees
    ("point_source_id", "<u2"),
    ("gps_time", "<f8"),
)
COLOUR: Final[tuple[Field, ...]] = (("red", "<u2"), ("green", "<u2"), ("blue", "<u2"))
INFRARED: Final[tuple[Field, ...]] = (("nir", "<u2"),)
#: The formats that every record is read as and written in, with what follows the thirty bytes.
FORMATS: Final = {6: CURRENT, 7: CURRENT + COLOUR, 8: CURRENT + COLOUR + INFRARED}

#: Types of extra bytes by their code in LAS; 11 to 20 and 21 to 30 are two and three of them.
EXTRA_TYPES: Final = ("u1", "i1", "<u2", "<i2", "<u4", "<i4", "<u8", "<i8", "<f4", "<f8")
UNDOCUMENTED: Final = 0
EXTRA_BYTES: Final = ("LASF_Spec", 4)
#: reserved, type, options, name, unused, no data, least, most, scales, offsets, description
DESCRIPTOR: Final = Struct("<2sBB32s4s24s24s24s3d3d32s")
HAS_SCALE: Final = 8
HAS_OFFSET: Final = 16


@dataclass(frozen=True)
class ExtraDimension:
    """A field that a file adds to each record.

    Attributes:
        name: as the file says it.
        data_type: its code in LAS; 0 for bytes of which nothing is known.
        count: how many bytes, where nothing is known of them.
        scale: times which a stored number is meant, if it is.
        offset: which a stored number is counted from, if it is.
        descriptor: the 192 bytes that a file described it with, kept as they were.
    """

    name: str
    data_type: int
    count: int = 1
    scale: float | None = None
    offset: float | None = None
    description: str = ""
    descriptor: bytes = b""

    @property
    def field(self) -> tuple[str, str] | tuple[str, str, tuple[int, ...]]:
        """Give the type of its column, under its own name."""
        if self.data_type == UNDOCUMENTED:
            return (self.name, "u1", (self.count,))
        several, kind = divmod(self.data_type - 1, len(EXTRA_TYPES))
        return (self.name, EXTRA_TYPES[kind], (several + 1,) if several else ())

    @property
    def size_bytes(self) -> int:
        """Give how many bytes it takes in a record."""
        return np.dtype([self.field]).itemsize

    def packed(self) -> bytes:
        """Give the descriptor that a file holds for it."""
        if self.descriptor:
            return self.descriptor
        options = self.count if self.data_type == UNDOCUMENTED else 0
        options |= HAS_SCALE if self.scale is not None else 0
        options |= HAS_OFFSET if self.offset is not None else 0
        scale, offset = self.scale or 0.0, self.offset or 0.0
        name, about = self.name.encode()[:32], self.description.encode()[:32]
        empty = bytes(24)
        numbers = (scale, 0.0, 0.0, offset, 0.0, 0.0)
        return DESCRIPTOR.pack(
            b"", self.data_type, options, name, b"", empty, empty, empty, *numbers, about
        )


@dataclass(frozen=True)
class Layout:
    """The fields of a record: point format 6, 7 or 8, and extra bytes."""

    point_format: int
    extra: tuple[ExtraDimension, ...] = ()

    @cached_property
    def dtype(self) -> np.dtype[Any]:
        """Give the type of an array of records, byte for byte as a file holds them."""
        fields: list[Any] = list(FORMATS[self.point_format])
        taken = {field[0] for field in fields}
        for dimension in self.extra:
            name = free_name(dimension.name or "extra_bytes", taken)
            taken.add(name)
            fields.append((name, *dimension.field[1:]))
        return np.dtype(fields)

    @property
    def record_size(self) -> int:
        """Give the bytes of a record."""
        return int(self.dtype.itemsize)

    @property
    def extra_size(self) -> int:
        """Give the bytes of a record that are extra."""
        return sum(dimension.size_bytes for dimension in self.extra)

    @property
    def has_colour(self) -> bool:
        """Say whether records have red, green and blue."""
        return self.point_format >= 7  # noqa: PLR2004 -- the number of a format

    def extended(self, *dimensions: ExtraDimension) -> "Layout":
        """Give the layout with more extra bytes behind."""
        return replace(self, extra=(*self.extra, *dimensions))


def free_name(name: str, taken: set[str]) -> str:
    """Give a name that no other field has: the name, or the name with a number."""
    number = 2
    free = name
    while free in taken:
        free = f"{name}_{number}"
        number += 1
    return free


def extra_bytes_vlr(layout: Layout) -> Vlr | None:
    """Give the record that describes the extra bytes, if there are any that a name is known of."""
    known = [dimension for dimension in layout.extra if dimension.data_type != UNDOCUMENTED]
    if not known:
        return None
    data = b"".join(dimension.packed() for dimension in layout.extra)
    return Vlr(*EXTRA_BYTES, "Extra bytes", data)


def read_extra_bytes(vlrs: Sequence[Vlr], size_bytes: int) -> tuple[ExtraDimension, ...] | None:
    """Give the extra dimensions of records that have so many bytes more than their format.

    Bytes at the end that are not described stay one field of bytes.

    Returns:
        None if more bytes are described than there are.
    """
    found = [vlr for vlr in vlrs if (vlr.user_id, vlr.record_id) == EXTRA_BYTES]
    described = found[0].data if found else b""
    whole = len(described) // DESCRIPTOR.size * DESCRIPTOR.size
    dimensions = [
        _dimension(described[start : start + DESCRIPTOR.size])
        for start in range(0, whole, DESCRIPTOR.size)
    ]
    left = size_bytes - sum(dimension.size_bytes for dimension in dimensions)
    if left < 0:
        return None
    if left:
        dimensions.append(ExtraDimension("extra_bytes", UNDOCUMENTED, left))
    return tuple(dimensions)


def undocumented(size_bytes: int) -> tuple[ExtraDimension, ...]:
    """Give so many bytes, of which nothing is known, as extra dimensions."""
    return (ExtraDimension("extra_bytes", UNDOCUMENTED, size_bytes),) if size_bytes else ()


def _dimension(descriptor: bytes) -> ExtraDimension:
    parts = DESCRIPTOR.unpack(descriptor)
    data_type, options, name, about = parts[1], parts[2], parts[3], parts[14]
    if not 0 < data_type <= 3 * len(EXTRA_TYPES):
        return ExtraDimension(text(name), UNDOCUMENTED, options, descriptor=descriptor)
    return ExtraDimension(
        name=text(name),
        data_type=data_type,
        scale=parts[8] if options & HAS_SCALE else None,
        offset=parts[11] if options & HAS_OFFSET else None,
        description=text(about),
        descriptor=descriptor,
    )


def convert(records: Records, layout: Layout) -> Records:
    """Give records in another layout: fields of one name are copied, the others are zero."""
    if records.dtype == layout.dtype:
        return records
    given = np.zeros(len(records), layout.dtype)
    there = set(records.dtype.names or ())
    for name in layout.dtype.names or ():
        if name in there:
            given[name] = records[name]
    return given
