"""Several clouds as one: what they must agree in, and records in the terms of all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from haulier.families.clouds.io.cloud import INT32, Cloud
from haulier.families.clouds.io.crs import FileCrs, crs_of, is_same, vertical
from haulier.families.clouds.io.header import Triple
from haulier.families.clouds.io.layout import ExtraDimension, Layout, Records, convert
from haulier.families.clouds.io.sources import TiledSource
from haulier.families.clouds.notes import Note, trap
from haulier.families.clouds.params.handling import MergeLas

AT: Final = "inputs.input_las"
TIME_BIT: Final = 1
#: So near to a whole number of steps, two offsets are as good as on one grid.
ON_GRID: Final = 1e-6


@dataclass(frozen=True)
class Joint:
    """Several clouds, to be read as one.

    Attributes:
        cloud: the one that they are together.
        wkt: its coordinate system.
        notes: what to know of it.
    """

    cloud: Cloud
    wkt: str
    notes: tuple[Note, ...]


@dataclass(frozen=True)
class Stored:
    """How coordinates are stored."""

    scales: Triple
    offsets: Triple


def join(clouds: Sequence[Cloud], params: MergeLas) -> Joint:
    """Read clouds as one.

    Raises:
        Problem: INVALID; they disagree in what `params` lets nobody decide.
    """
    notes = [note for cloud in clouds for note in cloud.notes]
    wkt = _system(clouds, params, notes)
    _times(clouds, params, notes)
    stored = _stored(clouds, params, notes)
    layout = Layout(max(each.layout.point_format for each in clouds), _extra(clouds))
    if len({each.layout.has_colour for each in clouds}) > 1:
        message = "some of the clouds have no colours: their points become black"
        notes.append(Note("COLOUR_MISSING", message, "run COLORIZE_FROM_TIF afterwards"))

    def read(number: int, first: int, last: int, fields: Sequence[str] | None) -> Iterator[Records]:
        for records in clouds[number].source.pieces(first, last, fields):
            moved = _moved(convert(records, layout), clouds[number], stored)
            if params.source_ids == "number":
                moved["point_source_id"] = number + 1
            yield moved

    counts = tuple(each.point_count for each in clouds)
    header = replace(
        clouds[0].header,
        point_count=sum(counts),
        scales=stored.scales,
        offsets=stored.offsets,
        mins=_corner(clouds, 0),
        maxs=_corner(clouds, 1),
    )
    one = Cloud(clouds[0].path, "las", header, layout, TiledSource(counts, read))
    return Joint(one, wkt, tuple(notes))


def _corner(clouds: Sequence[Cloud], end: int) -> Triple:
    """Give the least (0) or greatest (1) coordinates that the headers say."""
    corners = [each.bounds[end] for each in clouds if each.point_count] or [clouds[0].bounds[end]]
    x, y, z = (np.max if end else np.min)(corners, axis=0).tolist()
    return (x, y, z)


def _system(clouds: Sequence[Cloud], params: MergeLas, notes: list[Note]) -> str:
    """Give the system of all."""
    said = [crs_of(cloud) for cloud in clouds]
    notes += [note for each in said for note in each.notes]
    odd = [number for number, each in enumerate(said) if not _agree(said[0], each)]
    if odd:
        one, other = (_name(said[number]) for number in (0, odd[0]))
        message = (
            f"'{clouds[0].path.name}' (1) is in {one}, '{clouds[odd[0]].path.name}' "
            f"({odd[0] + 1}) in {other}"
        )
        if params.crs == "same":
            hint = "reproject them to one system first, or set crs to first if both mean the same"
            raise trap("CRS_DIFFER", message, hint, at=AT)
        hint = "check that they lie side by side"
        notes.append(Note("CRS_DIFFER", f"{message}; that of the first is said of all", hint))
    return said[0].wkt


def _agree(one: FileCrs, other: FileCrs) -> bool:
    if one.crs is None or other.crs is None:
        return one.crs is None and other.crs is None and one.wkt == other.wkt
    heights = vertical(one.crs), vertical(other.crs)
    return is_same(one.crs, other.crs) and heights[0] == heights[1]


def _name(said: FileCrs) -> str:
    return f"'{said.crs.name}'" if said.crs is not None else "none that is understood"


def _times(clouds: Sequence[Cloud], params: MergeLas, notes: list[Note]) -> None:
    kinds = [each.header.global_encoding & TIME_BIT for each in clouds]
    if len(set(kinds)) == 1:
        return
    number = kinds.index(1 - kinds[0])
    words = ("seconds of a GPS week", "adjusted GPS time")
    message = (
        f"'{clouds[0].path.name}' (1) has {words[kinds[0]]}, '{clouds[number].path.name}' "
        f"({number + 1}) has {words[kinds[number]]}"
    )
    if params.gps_time == "same":
        hint = "set gps_time to first if times do not matter"
        raise trap("GPS_TIMES_DIFFER", message, hint, at=AT)
    notes.append(Note("GPS_TIMES_DIFFER", message, "do not order points by time"))


def _stored(clouds: Sequence[Cloud], params: MergeLas, notes: list[Note]) -> Stored:
    """Choose how all coordinates are stored."""
    scales = [each.scales for each in clouds]
    first = clouds[0]
    if params.scale == "finest":
        x, y, z = np.min(scales, axis=0).tolist()
        stored = Stored((x, y, z), first.offsets)
    else:
        stored = Stored(first.scales, first.offsets)
    rounded = [number for number, each in enumerate(clouds) if not _is_exact(each, stored)]
    if rounded:
        other = clouds[rounded[0]]
        message = (
            f"'{first.path.name}' (1) is stored in steps of {first.scales} from {first.offsets}, "
            f"'{other.path.name}' ({rounded[0] + 1}) in steps of {other.scales} from "
            f"{other.offsets}"
        )
        if params.scale == "same":
            hint = "set scale to finest or first: coordinates are rounded to the new steps"
            raise trap("SCALES_DIFFER", message, hint, at=AT)
        notes.append(Note("COORDINATES_ROUNDED", message, "nothing, if the new steps do"))
    return _with_room(clouds, stored)


def _is_exact(cloud: Cloud, stored: Stored) -> bool:
    """Say whether a cloud's coordinates are whole steps of what is stored."""
    for axis in range(3):
        ratio = cloud.scales[axis] / stored.scales[axis]
        shift = (cloud.offsets[axis] - stored.offsets[axis]) / stored.scales[axis]
        if abs(ratio - round(ratio)) > ON_GRID / INT32 or abs(shift - round(shift)) > ON_GRID:
            return False
    return True


def _with_room(clouds: Sequence[Cloud], stored: Stored) -> Stored:
    """Move offsets by whole steps to where all of the clouds can be stored.

    Raises:
        Problem: INVALID with COORDINATES_OVERFLOW; they lie too far apart.
    """
    low, high = np.array(_corner(clouds, 0)), np.array(_corner(clouds, 1))
    offsets = np.array(stored.offsets)
    for axis, scale in enumerate(stored.scales):
        ends = ((low[axis] - offsets[axis]) / scale, (high[axis] - offsets[axis]) / scale)
        if max(map(abs, ends)) < INT32 - 1:
            continue
        offsets[axis] += round((ends[0] + ends[1]) / 2) * scale
        if not high[axis] - low[axis] < (2 * INT32 - 4) * scale:
            message = (
                f"{'XYZ'[axis]} goes from {low[axis]:.10g} to {high[axis]:.10g}, more than "
                f"numbers of 32 bits hold in steps of {scale}"
            )
            hint = "merge neighbours only, or have them written with coarser steps"
            raise trap("COORDINATES_OVERFLOW", message, hint, at=AT)
    x, y, z = offsets.tolist()
    return Stored(stored.scales, (x, y, z))


def _extra(clouds: Sequence[Cloud]) -> tuple[ExtraDimension, ...]:
    """Give the extra dimensions of all."""
    found: dict[str, ExtraDimension] = {}
    for cloud in clouds:
        for each in cloud.layout.extra:
            known = found.setdefault(each.name, each)
            if _meaning(known) != _meaning(each):
                message = f"extra dimension '{each.name}' has another type or scale in some"
                hint = "have them written with the same extra dimensions"
                raise trap("EXTRA_DIMENSIONS_DIFFER", message, hint, at=AT)
    return tuple(found.values())


def _meaning(each: ExtraDimension) -> tuple[object, ...]:
    return (each.data_type, each.count, each.scale, each.offset)


def _moved(records: Records, cloud: Cloud, stored: Stored) -> Records:
    """Give records with X, Y and Z in the steps that are stored."""
    for axis, name in enumerate("XYZ"):
        scale, offset = stored.scales[axis], stored.offsets[axis]
        factor = cloud.scales[axis] / scale
        shift = (cloud.offsets[axis] - offset) / scale
        if factor == 1 and shift == 0:
            continue
        numbers = np.rint(records[name] * factor + round(shift, 6))
        if np.abs(numbers).max(initial=0.0) >= INT32:
            message = f"points of '{cloud.path.name}' lie far beyond the bounds of its header"
            raise trap("COORDINATES_OVERFLOW", message, "validate it with VALIDATE_LAS", at=AT)
        records[name] = numbers
    return records
