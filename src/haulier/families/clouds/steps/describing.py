"""What DATASET_INFO says of a cloud, in the shape of `pdal info --all` and beyond it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS

from haulier.families.clouds.io.cloud import Cloud
from haulier.families.clouds.io.crs import FileCrs, horizontal, horizontal_unit_m, vertical
from haulier.families.clouds.io.dimensions import Taken, dimensions_of
from haulier.families.clouds.method.moments import COUNT, GREATEST, LEAST, MEAN, SQUARES
from haulier.families.clouds.method.tallies import Tally
from haulier.families.clouds.steps.crsfindings import cloud_may_lie
from haulier.families.clouds.steps.surveying import Survey
from haulier.families.clouds.steps.worth import Worth, worth_of

IntArray = NDArray[np.int64]

#: What the LAS specification calls its classes.
CLASS_NAMES: Final[Mapping[int, str]] = {
    0: "never classified", 1: "unclassified", 2: "ground", 3: "low vegetation",
    4: "medium vegetation", 5: "high vegetation", 6: "building", 7: "low noise", 8: "key point",
    9: "water", 10: "rail", 11: "road surface", 12: "overlap", 13: "wire guard",
    14: "wire conductor", 15: "transmission tower", 16: "wire connector", 17: "bridge deck",
    18: "high noise", 19: "overhead structure", 20: "ignored ground", 21: "snow",
    22: "temporal exclusion",
}  # fmt: skip
FIRST_OWN_CLASS: Final = 64
KINDS: Final = {"i": "signed", "u": "unsigned", "f": "floating"}
FLAGS: Final = ("synthetic", "key_point", "withheld", "overlap")


def statistics_of(cloud: Cloud, survey: Survey) -> list[dict[str, Any]]:
    """Give the statistics of each dimension."""
    listed = []
    taken = zip(dimensions_of(cloud.layout), worth_of(cloud), survey.whole, strict=True)
    for position, (each, worth, row) in enumerate(taken):
        count = int(row[COUNT])
        variance = float(row[SQUARES]) * worth.scale**2 / max(count - 1, 1)
        listed.append(
            {
                "position": position,
                "name": each.name,
                "count": count,
                "minimum": worth.of(float(row[LEAST])),
                "maximum": worth.of(float(row[GREATEST])),
                "average": worth.of(float(row[MEAN])) if count else None,
                "variance": variance if count else None,
                "stddev": math.sqrt(variance) if count else None,
            }
        )
    return listed


def bounds_of(statistics: Sequence[Mapping[str, Any]]) -> list[float]:
    """Give least X, Y, Z and greatest X, Y, Z of the points; empty if there are none."""
    ends = [each[end] for end in ("minimum", "maximum") for each in statistics[:3]]
    return [] if None in ends else ends


def schema_of(cloud: Cloud) -> list[dict[str, Any]]:
    """Give the dimensions with their types."""
    return [_dimension(each) for each in dimensions_of(cloud.layout)]


def _dimension(taken: Taken) -> dict[str, Any]:
    type_ = np.dtype(taken.type)
    return {"name": taken.name, "type": KINDS[type_.kind], "size": type_.itemsize}


def histograms_of(cloud: Cloud, survey: Survey, bins: int) -> dict[str, Any]:
    """Give histograms of height and intensity."""
    intensity = Tally(bins, 0, (0,), _trimmed(survey.intensity))
    return {
        "Z": _histogram(survey.heights, bins, Worth(cloud.scales[2], cloud.offsets[2])),
        "Intensity": _histogram(intensity, bins, Worth()),
    }


def _trimmed(counts: IntArray) -> IntArray:
    used = np.flatnonzero(counts)
    return counts[: used[-1] + 1] if len(used) else counts[:0]


def _histogram(tally: Tally, bins: int, worth: Worth) -> dict[str, Any]:
    if not tally.counts.size:
        return {"first": None, "width": None, "counts": []}
    fewer = narrowed(tally, bins)
    return {
        "first": (fewer.low[0] << fewer.shift) * worth.scale + worth.offset,
        "width": (1 << fewer.shift) * worth.scale,
        "counts": fewer.counts.tolist(),
    }


def narrowed(tally: Tally, cells: int) -> Tally:
    """Give a tally in at most so many cells along each axis."""
    bits = 0
    while max(tally.coarser(bits).counts.shape) > cells:
        bits += 1
    return tally.coarser(bits)


def classes_of(survey: Survey) -> list[dict[str, Any]]:
    """Give the classes that points have, with their names."""
    return [
        {"code": code, "name": class_name(code), "count": count}
        for code, count in _used(survey.classes)
    ]


def class_name(code: int) -> str:
    """Name a class as the LAS specification does."""
    return CLASS_NAMES.get(code, "reserved" if code < FIRST_OWN_CLASS else "user defined")


def returns_of(survey: Survey) -> dict[str, Any]:
    """Give points by return number, and by number of returns of their pulse."""
    counts = survey.returns
    return {
        "by_return_number": {str(n): count for n, count in _used(counts.sum(axis=1))},
        "by_number_of_returns": {str(n): count for n, count in _used(counts.sum(axis=0))},
        "single": int(counts[1, 1]),
        "last": int(np.trace(counts[1:, 1:])),
    }


def flags_of(survey: Survey) -> dict[str, int]:
    """Give how many points have each flag."""
    values = np.arange(len(survey.flags))
    return {name: int(survey.flags[values >> bit & 1 > 0].sum()) for bit, name in enumerate(FLAGS)}


def sources_of(survey: Survey) -> dict[str, int]:
    """Give points by the flight line, or whatever else their source is."""
    return {str(number): count for number, count in _used(survey.sources)}


def _used(counts: IntArray) -> Iterator[tuple[int, int]]:
    for number in np.flatnonzero(counts).tolist():
        yield number, int(counts[number])


def metadata_of(cloud: Cloud) -> dict[str, Any]:
    """Give the header, by the names that PDAL's reader uses."""
    header = cloud.header
    given: dict[str, Any] = {
        "container": cloud.container,
        "compressed": header.compressed,
        "count": header.point_count,
        "major_version": header.version[0],
        "minor_version": header.version[1],
        "dataformat_id": header.point_format,
        "point_length": header.record_size,
        "dataoffset": header.offset_to_points,
        "global_encoding": header.global_encoding,
        "gps_time_type": "adjusted" if header.global_encoding & 1 else "week",
        "filesource_id": header.file_source_id,
        "project_id": header.guid.hex(),
        "system_id": header.system_identifier,
        "software_id": header.generating_software,
        "creation_year": header.created[0],
        "creation_doy": header.created[1],
    }
    for axis, name in enumerate("xyz"):
        given[f"scale_{name}"] = header.scales[axis]
        given[f"offset_{name}"] = header.offsets[axis]
        given[f"min{name}"] = _finite(header.mins[axis])
        given[f"max{name}"] = _finite(header.maxs[axis])
    records = [(each.user_id, each.record_id, len(each.data)) for each in header.vlrs]
    records += [(each.user_id, each.record_id, each.size_bytes) for each in header.evlrs]
    given["vlrs"] = [
        {"user_id": user, "record_id": number, "size_bytes": size} for user, number, size in records
    ]
    return given


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None


def crs_document(said: FileCrs) -> dict[str, Any]:
    """Give the coordinate system in words, codes and units."""
    crs = said.crs
    if crs is None:
        return {"name": "", "wkt": said.wkt, "origin": said.origin}
    height = vertical(crs)
    return {
        "name": crs.name,
        "code": code_of(crs),
        "horizontal_code": code_of(horizontal(crs)),
        "vertical_code": code_of(height) if height else "",
        "unit": crs.axis_info[0].unit_name if crs.axis_info else "",
        "unit_m": horizontal_unit_m(crs) if cloud_may_lie(crs) else None,
        "wkt": said.wkt,
        "origin": said.origin,
    }


def code_of(crs: CRS) -> str:
    """Give authority and code of a system, if it is surely one of a registry's."""
    found = crs.to_authority(min_confidence=100)
    return ":".join(found) if found else ""
