"""What the points of a cloud say against its header and the LAS specification."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from haulier.families.clouds.io.cloud import Cloud
from haulier.families.clouds.io.dimensions import SCAN_ANGLE_UNIT_DEG, dimensions_of
from haulier.families.clouds.method.moments import COUNT, GREATEST, LEAST
from haulier.families.clouds.steps.finding import Finding, Severity
from haulier.families.clouds.steps.headerfindings import FIRST_CURRENT, REWRITE
from haulier.families.clouds.steps.surveying import Survey

FloatArray = NDArray[np.float64]

WEEK_S: Final = 604_800
TIME_BIT: Final = 1
MOST_ANGLE_DEG: Final = 180
BYTE: Final = 255
#: Classes that the specification keeps for itself: in formats 0 to 5, and in 6 to 10.
OLD_RESERVED: Final = frozenset({10, 11, *range(13, 32)})
RESERVED: Final = frozenset({12, *range(23, 64)})
NEVER_CLASSIFIED: Final = 0
#: Flags by bit, with what a person should know of points that have them.
FLAGS: Final = (
    ("SYNTHETIC_POINTS", 1, "are synthetic, no echoes"),
    ("WITHHELD_POINTS", 4, "are withheld: the deliverer says not to use them"),
    ("OVERLAP_POINTS", 8, "are where flight lines overlap: density is higher there"),
)
#: So many ranges of the middle 99.8 % beyond it, a height is far out.
FAR: Final = 3.0
MIDDLE: Final = (0.001, 0.999)


@dataclass(frozen=True)
class Evidence:
    """A cloud and what was counted of it."""

    cloud: Cloud
    survey: Survey

    @cached_property
    def ends(self) -> Mapping[str, tuple[float, float, int]]:
        """Give least, greatest and number of the finite values of each dimension."""
        names = [each.name for each in dimensions_of(self.cloud.layout)]
        return {
            name: (float(row[LEAST]), float(row[GREATEST]), int(row[COUNT]))
            for name, row in zip(names, self.survey.whole, strict=True)
        }

    @property
    def is_current(self) -> bool:
        """Say whether the file's own point format is one of 6 to 10."""
        return self.cloud.header.point_format >= FIRST_CURRENT


def point_findings(cloud: Cloud, survey: Survey) -> Iterator[Finding]:
    """Give what reading the points showed."""
    if not survey.point_count:
        return
    seen = Evidence(cloud, survey)
    yield from _bounds(seen)
    yield from _returns(seen)
    yield from _classes(seen)
    yield from _flags(seen)
    yield from _times(seen)
    yield from _colours(seen)
    yield from _others(seen)
    yield from _heights(seen)


def _bounds(seen: Evidence) -> Iterator[Finding]:
    """Hold the bounds of the header against those of the points, within a step."""
    cloud = seen.cloud
    out, loose = [], []
    for axis, name in enumerate("XYZ"):
        scale, offset = cloud.scales[axis], cloud.offsets[axis]
        least, most = (end * scale + offset for end in seen.ends[name][:2])
        low, high = cloud.bounds[0][axis], cloud.bounds[1][axis]
        text = f"{name} {low:.10g} to {high:.10g}, its points {least:.10g} to {most:.10g}"
        if not (low - scale <= least and most <= high + scale):
            out.append(text)
        elif not (low + scale >= least and most >= high - scale):
            loose.append(text)
    if out:
        message = f"points lie beyond the bounds of the header: it says {'; '.join(out)}"
        yield Finding("error", "HEADER_BOUNDS_WRONG", message, REWRITE)
    if loose:
        message = f"the bounds of the header are wider than the points: it says {'; '.join(loose)}"
        yield Finding("warning", "HEADER_BOUNDS_LOOSE", message, REWRITE)


def _returns(seen: Evidence) -> Iterator[Finding]:
    counts, header = seen.survey.returns, seen.cloud.header
    numbers = counts.sum(axis=1)
    said = (*header.returns, *(0,) * 15)[:15]
    most = len(header.returns)
    if most and any(header.returns) and tuple(numbers[1 : most + 1].tolist()) != said[:most]:
        message = (
            f"the header says {list(said[:most])} points by return, "
            f"there are {numbers[1 : most + 1].tolist()}"
        )
        yield Finding("error", "RETURN_COUNTS_WRONG", message, REWRITE)
    if zero := int(numbers[0]):
        message = f"{zero:,} points have return number 0, the first is 1"
        yield Finding("warning", "RETURN_NUMBER_ZERO", message, _DERIVE, zero)
    if beyond := int(np.tril(counts, -1).sum()):
        message = f"{beyond:,} points have a return number above the number of returns"
        yield Finding("warning", "RETURN_BEYOND_NUMBER", message, _DERIVE, beyond)


_DERIVE: Final = "do not choose points by return, or have returns derived from the times anew"


def _classes(seen: Evidence) -> Iterator[Finding]:
    classes = seen.survey.classes
    reserved = RESERVED if seen.is_current else OLD_RESERVED
    used = {int(code): int(classes[code]) for code in np.flatnonzero(classes)}
    if wrong := {code: number for code, number in used.items() if code in reserved}:
        listed = ", ".join(f"{code} ({number:,} points)" for code, number in wrong.items())
        message = f"classes are used that the specification reserves: {listed}"
        hint = "ask what they mean there; classes of one's own begin with 64"
        yield Finding("warning", "CLASS_RESERVED", message, hint, sum(wrong.values()))
    if not used.keys() - {NEVER_CLASSIFIED, 1}:
        hint = "run CLASSIFY_GROUND before anything that needs ground"
        yield Finding("note", "NOT_CLASSIFIED", "no point has a class", hint)


def _flags(seen: Evidence) -> Iterator[Finding]:
    flags = np.arange(len(seen.survey.flags))
    for code, bit, text in FLAGS:
        if number := int(seen.survey.flags[flags & bit > 0].sum()):
            hint = "FILTER them out where that matters"
            yield Finding("note", code, f"{number:,} points {text}", hint, number)


def _times(seen: Evidence) -> Iterator[Finding]:
    least, most, number = seen.ends["GpsTime"]
    if missing := seen.survey.point_count - number:
        message = f"{missing:,} points have a GPS time that is no number"
        yield Finding("error", "GPS_TIME_NOT_FINITE", message, REWRITE, missing)
    if not number:
        return
    if least == most:
        message = f"all points have the GPS time {least:g}"
        yield Finding("note", "GPS_TIME_MISSING", message, "do not order points by time")
        return
    adjusted = bool(seen.cloud.header.global_encoding & TIME_BIT)
    if not adjusted and not 0 <= least <= most <= WEEK_S:
        message = (
            f"the header says seconds of a GPS week, but times go from {least:.10g} to {most:.10g}"
        )
        yield Finding("warning", "GPS_TIME_TYPE_WRONG", message, "read them as adjusted GPS time")
    if adjusted and 0 <= least <= most <= WEEK_S:
        message = (
            f"the header says adjusted GPS time, but times go from {least:.10g} to {most:.10g}, "
            "as seconds of a week do"
        )
        yield Finding("warning", "GPS_TIME_TYPE_WRONG", message, "read them as seconds of a week")


def _colours(seen: Evidence) -> Iterator[Finding]:
    tops = [seen.ends[name][1] for name in ("Red", "Green", "Blue") if name in seen.ends]
    if not tops:
        return
    if max(tops) == 0:
        message = "records have room for colours, and all are black"
        yield Finding("note", "COLOUR_EMPTY", message, "run COLORIZE_FROM_TIF")
    elif max(tops) <= BYTE:
        message = f"colours go to {max(tops):.0f}, the specification asks for 16 bits (to 65535)"
        yield Finding("warning", "COLOUR_8_BIT", message, "multiply them with 257 before showing")


def _others(seen: Evidence) -> Iterator[Finding]:
    ends = seen.ends
    least, most = ends["ScanAngleRank"][:2]
    if max(-least, most) > MOST_ANGLE_DEG + SCAN_ANGLE_UNIT_DEG:
        message = f"scan angles go from {least:.3f} to {most:.3f} degrees"
        yield Finding("error", "SCAN_ANGLE_WRONG", message, "do not use them")
    if ends["Intensity"][1] == 0:
        yield Finding("note", "INTENSITY_EMPTY", "no point has an intensity", "nothing")
    if twice := int(seen.survey.twice[0]):
        message = f"at least {twice:,} points have the place, time and return of another"
        severity: Severity = "warning"
        yield Finding(severity, "POINTS_TWICE", message, "THIN with a small voxel", twice)


def _heights(seen: Evidence) -> Iterator[Finding]:
    """Look for heights far from all others: of birds, clouds, and reflections."""
    heights = seen.survey.heights
    shares = heights.counts.cumsum() / heights.total
    first, last = (int(np.searchsorted(shares, share)) for share in MIDDLE)
    width = max(last - first + 1, 1)
    numbers = np.arange(len(heights.counts))
    out = (numbers < first - FAR * width) | (numbers > last + FAR * width)
    if number := int(heights.counts[out].sum()):
        scale, offset = seen.cloud.scales[2], seen.cloud.offsets[2]
        low, high = (
            ((heights.low[0] + edge) << heights.shift) * scale + offset
            for edge in (first, last + 1)
        )
        message = (
            f"{number:,} points lie far above or below all others, which have "
            f"Z {low:.10g} to {high:.10g}"
        )
        yield Finding("warning", "HEIGHTS_FAR_OUT", message, "run OUTLIER, or FILTER by Z", number)
