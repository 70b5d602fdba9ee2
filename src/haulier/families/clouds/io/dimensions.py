"""The fields of a record one by one, by PDAL's names, as formats without packed bits have them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from haulier.families.clouds.io.ept import Dimension
from haulier.families.clouds.io.layout import EXTRA_TYPES, FORMATS, Layout, Records

SCAN_ANGLE_UNIT_DEG: Final = 0.006


@dataclass(frozen=True)
class Taken:
    """Where the values of a dimension come from.

    Attributes:
        name: PDAL's.
        type: of the values, as numpy writes it.
        field: of the records.
        shift: bits to the right of it.
        mask: of its bits; 0 takes the field as it is.
        unit: what one is worth.
        column: which of several values of a field.
    """

    name: str
    type: str
    field: str
    shift: int = 0
    mask: int = 0
    unit: float = 1.0
    column: int | None = None

    def of(self, records: Records) -> NDArray[Any]:
        """Give the values."""
        values = records[self.field]
        if self.column is not None:
            values = values[:, self.column]
        if self.mask:
            return np.asarray(values >> self.shift & self.mask)
        return np.asarray(values) if self.unit == 1.0 else np.asarray(values * self.unit)


# fmt: off
COMMON: Final = (
    Taken("X", "<i4", "X"),
    Taken("Y", "<i4", "Y"),
    Taken("Z", "<i4", "Z"),
    Taken("Intensity", "<u2", "intensity"),
    Taken("ReturnNumber", "u1", "bit_fields", 0, 15),
    Taken("NumberOfReturns", "u1", "bit_fields", 4, 15),
    Taken("ScanDirectionFlag", "u1", "classification_flags", 6, 1),
    Taken("EdgeOfFlightLine", "u1", "classification_flags", 7, 1),
    Taken("Classification", "u1", "classification"),
    Taken("Synthetic", "u1", "classification_flags", 0, 1),
    Taken("KeyPoint", "u1", "classification_flags", 1, 1),
    Taken("Withheld", "u1", "classification_flags", 2, 1),
    Taken("Overlap", "u1", "classification_flags", 3, 1),
    Taken("ScanAngleRank", "<f4", "scan_angle", unit=SCAN_ANGLE_UNIT_DEG),
    Taken("UserData", "u1", "user_data"),
    Taken("PointSourceId", "<u2", "point_source_id"),
    Taken("GpsTime", "<f8", "gps_time"),
    Taken("ScanChannel", "u1", "classification_flags", 4, 3),
)
COLOURS: Final = (
    Taken("Red", "<u2", "red"),
    Taken("Green", "<u2", "green"),
    Taken("Blue", "<u2", "blue"),
    Taken("Infrared", "<u2", "nir"),
)
# fmt: on
KINDS: Final = {"i": "signed", "u": "unsigned", "f": "float"}


def dimensions_of(layout: Layout) -> tuple[Taken, ...]:
    """Give every dimension of records, the extra bytes last."""
    there = {field[0] for field in FORMATS[layout.point_format]}
    colours = tuple(each for each in COLOURS if each.field in there)
    return (*COMMON, *colours, *extra_dimensions(layout))


def extra_dimensions(layout: Layout) -> tuple[Taken, ...]:
    """Give the dimensions of the extra bytes; a field of several values is several of them."""
    names = (layout.dtype.names or ())[len(FORMATS[layout.point_format]) :]
    taken: list[Taken] = []
    for name in names:
        base, shape = layout.dtype[name].base, layout.dtype[name].shape
        if shape:
            taken += [
                Taken(f"{name}_{column}", base.str, name, column=column)
                for column in range(shape[0])
            ]
        else:
            taken.append(Taken(name, base.str, name))
    return tuple(taken)


def schema_of(
    layout: Layout, scales: Sequence[float], offsets: Sequence[float]
) -> tuple[Dimension, ...]:
    """Give the schema of a folder of tiles."""
    extra = {each.name: each for each in layout.extra if each.data_type <= len(EXTRA_TYPES)}
    schema: list[Dimension] = []
    for each in dimensions_of(layout):
        type_ = np.dtype(each.type)
        scale, offset = 1.0, 0.0
        if each.name in "XYZ":
            axis = "XYZ".index(each.name)
            scale, offset = scales[axis], offsets[axis]
        elif each.field == each.name and each.name in extra:
            scale, offset = extra[each.name].scale or 1.0, extra[each.name].offset or 0.0
        kind: Any = KINDS[type_.kind]
        size: Any = type_.itemsize
        schema.append(Dimension(each.name, kind, size, scale, offset))
    return tuple(schema)


def unpacked(records: Records, dimensions: Sequence[Taken]) -> Records:
    """Give records with one field a dimension, in the order of the dimensions."""
    given = np.empty(len(records), [(each.name, each.type) for each in dimensions])
    for each in dimensions:
        given[each.name] = each.of(records)
    return given
