"""Records of every point format as records of formats 6 to 8, no field of theirs lost."""

from typing import Any, Final

import numpy as np

from haulier.families.clouds.io.layout import (
    COLOUR,
    CURRENT,
    FORMATS,
    INFRARED,
    Field,
    Layout,
    Records,
)

LEGACY: Final[tuple[Field, ...]] = (
    ("X", "<i4"),
    ("Y", "<i4"),
    ("Z", "<i4"),
    ("intensity", "<u2"),
    ("bit_fields", "u1"),  # return number, 3 bits; number of returns, 3 bits; scan; edge
    ("raw_classification", "u1"),  # class, 5 bits; synthetic, key, withheld
    ("scan_angle_rank", "i1"),  # in degrees
    ("user_data", "u1"),
    ("point_source_id", "<u2"),
)
TIME: Final[tuple[Field, ...]] = (("gps_time", "<f8"),)
WAVE: Final[tuple[Field, ...]] = (("waveform", "V29"),)
RAW: Final[tuple[tuple[Field, ...], ...]] = (
    LEGACY,
    LEGACY + TIME,
    LEGACY + COLOUR,
    LEGACY + TIME + COLOUR,
    LEGACY + TIME + WAVE,
    LEGACY + TIME + COLOUR + WAVE,
    CURRENT,
    CURRENT + COLOUR,
    CURRENT + COLOUR + INFRARED,
    CURRENT + WAVE,
    CURRENT + COLOUR + INFRARED + WAVE,
)
#: Which format a record of each becomes.
BECOMES: Final = (6, 6, 7, 7, 6, 7, 6, 7, 8, 6, 8)
HAVE_WAVEFORMS: Final = frozenset({4, 5, 9, 10})
FIRST_CURRENT: Final = 6
OVERLAP_CLASS: Final = 12  # of formats 0 to 5; since then it is a flag
OVERLAP_FLAG: Final = 8
SCAN_ANGLE_UNIT: Final = 0.006


def raw_dtype(point_format: int, extra_size: int) -> np.dtype[Any]:
    """Give the type of records as a file of this format holds them."""
    extra = [("extra", f"V{extra_size}")] if extra_size else []
    return np.dtype([*RAW[point_format], *extra])


def upgrade(raw: Records, point_format: int, layout: Layout) -> Records:
    """Give records of a format in a layout that has room for all their fields.

    Args:
        raw: (n,) of `raw_dtype` of the format and the layout's extra bytes.
        point_format: 0 to 10.
        layout: of the format that it becomes.

    Returns:
        (n,) of the layout's dtype; the same memory where nothing changes.
    """
    if point_format == layout.point_format:
        return raw.view(layout.dtype)
    records = np.zeros(len(raw), layout.dtype)
    same = set(raw.dtype.names or ()) & {field[0] for field in FORMATS[layout.point_format]}
    for name in same - {"bit_fields"} if point_format < FIRST_CURRENT else same:
        records[name] = raw[name]
    if point_format < FIRST_CURRENT:
        _widen(raw, records)
    if layout.extra_size:
        at = layout.record_size - layout.extra_size
        kind = raw.dtype["extra"]
        block = np.dtype(
            {
                "names": ["extra"],
                "formats": [kind],
                "offsets": [at],
                "itemsize": layout.record_size,
            }
        )
        records.view(block)["extra"] = raw["extra"]
    return records


def _widen(raw: Records, records: Records) -> None:
    """Spread what formats 0 to 5 hold in fewer bits."""
    bits = raw["bit_fields"]
    records["bit_fields"] = (bits & 7) | ((bits >> 3) & 7) << 4
    classes = raw["raw_classification"]
    code = classes & 31
    records["classification"] = code
    overlap = np.where(code == OVERLAP_CLASS, np.uint8(OVERLAP_FLAG), np.uint8(0))
    records["classification_flags"] = (classes >> 5) | overlap | (bits & 0xC0)
    angle = raw["scan_angle_rank"].astype(np.float64) / SCAN_ANGLE_UNIT
    records["scan_angle"] = np.rint(angle).astype(np.int16)
