"""What a cloud says of its coordinate system, against where its points are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from pyproj import CRS

from haulier.core.problem import Problem
from haulier.families.clouds.io.cloud import Cloud
from haulier.families.clouds.io.crs import (
    FileCrs,
    has_height,
    horizontal,
    horizontal_unit_m,
    is_angular,
    vertical_unit_m,
)
from haulier.families.clouds.steps.finding import Finding, found
from haulier.families.clouds.steps.traps import Box, check_places, seam_notes, target_notes

COARSE_DEGREES: Final = 1e-6
GIVE: Final = "name the right one as source_epsg of REPROJECT_LAS"


def crs_findings(cloud: Cloud, said: FileCrs, box: Sequence[float]) -> Iterator[Finding]:
    """Give what is odd.

    Args:
        cloud: it.
        said: what it says of its system.
        box: least X and Y, greatest X and Y of its points.
    """
    yield from (found(note) for note in said.notes)
    if said.crs is None:
        message = "the cloud says no coordinate system" + (" that is understood" * bool(said.wkt))
        yield Finding("error", "CRS_MISSING", message, GIVE)
        return
    yield from _place(said.crs, (box[0], box[1], box[2], box[3]))
    yield from _units(cloud, said.crs)


def _place(crs: CRS, box: Box) -> Iterator[Finding]:
    if crs.is_geocentric or not cloud_may_lie(crs):
        message = f"'{crs.name}' is no system of a map: X, Y and Z are none of place and height"
        yield Finding("warning", "CRS_NOT_A_MAP", message, "reproject before making rasters")
        return
    try:
        area, notes = check_places(crs, box, override=True)
    except Problem as problem:
        code, _, message = problem.detail.partition(": ")
        yield Finding("error", code.replace("SOURCE", "CRS"), message, GIVE)
        return
    for note in notes:
        yield Finding("error", "CRS_NOT_HERE", note.message, GIVE)
    yield from (found(note) for note in target_notes(crs, area) if note.code != _TARGET)
    yield from (found(note) for note in seam_notes(crs, box))


_TARGET: Final = "TARGET_OUTSIDE_AREA_OF_USE"


def cloud_may_lie(crs: CRS) -> bool:
    """Say whether a system has places on earth that are looked up: no local or engineering one."""
    flat = horizontal(crs)
    return bool(flat.is_projected or flat.is_geographic)


def _units(cloud: Cloud, crs: CRS) -> Iterator[Finding]:
    if is_angular(crs):
        message = f"X and Y are degrees of '{horizontal(crs).name}'"
        hint = "reproject to a metric system before making rasters"
        yield Finding("warning", "DEGREES_NOT_METRIC", message, hint)
        coarse = max(cloud.scales[:2])
        if coarse > COARSE_DEGREES:
            message = f"degrees are stored in steps of {coarse:g}, that is {coarse * 111_195:.2f} m"
            yield Finding("error", "COARSE_SCALE", message, "have the file written with 1e-7")
        return
    if crs.is_geocentric or not cloud_may_lie(crs):
        return
    if not has_height(crs):
        unit = horizontal(crs).axis_info[0].unit_name
        message = f"'{crs.name}' says nothing of Z; X and Y are in {unit}, Z may be in another unit"
        hint = "name a compound system, such as EPSG:2271+EPSG:6360, where Z's is known"
        yield Finding("warning", "VERTICAL_SYSTEM_MISSING", message, hint)
    elif vertical_unit_m(crs) != horizontal_unit_m(crs):
        units = f"{crs.axis_info[0].unit_name}, Z is in {crs.axis_info[2].unit_name}"
        hint = "nothing, if this is so; steps of ours know it"
        yield Finding("note", "HEIGHT_UNIT_DIFFERS", f"X and Y are in {units}", hint)
