"""Tables of a cloud: classes, returns, flight lines, dimensions, and what its file is like."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, Final

import numpy as np

from haulier.families.clouds.io.layout import UNDOCUMENTED
from haulier.families.clouds.steps import describing
from haulier.families.clouds.steps.pages.pictures import Density
from haulier.families.clouds.steps.pages.seen import Seen
from haulier.families.reporting.document import Cell, Pairs, Table
from haulier.families.reporting.texts import number

Rows = tuple[tuple[Cell, ...], ...]

SOURCES_SHOWN: Final = 16
SPARSE: Final = 0.01  # points per square metre
CONTAINERS: Final = {"las": "LAS", "laz": "LAZ", "copc": "COPC", "ept": "EPT"}
WHOLE: Final = frozenset(
    {
        "Intensity", "ReturnNumber", "NumberOfReturns", "ScanDirectionFlag", "EdgeOfFlightLine",
        "Classification", "Synthetic", "KeyPoint", "Withheld", "Overlap", "UserData",
        "PointSourceId", "ScanChannel", "Red", "Green", "Blue", "Infrared",
    }
)  # fmt: skip


def share(count: int, total: int) -> str:
    """Write a share of the points; never 0 % of something that is there."""
    if not total:
        return "0 %"
    percent = 100.0 * count / total
    if 0 < percent < 0.01:  # noqa: PLR2004 -- what two digits cannot say
        return "< 0.01 %"
    return f"{percent:.2f} %"


def class_table(seen: Seen) -> Table:
    """Give points by class."""
    total = seen.survey.point_count
    rows = tuple(
        (f"{each['code']}  {each['name']}", f"{each['count']:,}", share(each["count"], total))
        for each in describing.classes_of(seen.survey)
    )
    flags = describing.flags_of(seen.survey)
    flagged = ", ".join(f"{name.replace('_', ' ')} {n:,}" for name, n in flags.items() if n)
    note = f"Points with a flag: {flagged}." if flagged else "No point has a flag."
    return Table("Classes", ("Class", "Points", "Share"), rows, note)


def return_table(seen: Seen) -> Table:
    """Give points by return number and by how many returns their pulse had."""
    counts = seen.survey.returns
    rows_used = np.flatnonzero(counts.any(axis=1)).tolist()
    columns_used = np.flatnonzero(counts.any(axis=0)).tolist()
    rows = tuple(
        (
            f"{row}",
            *(int(counts[row, column]) or None for column in columns_used),
            int(counts[row].sum()),
        )
        for row in rows_used
    )
    columns = ("Return", *(f"of {column}" for column in columns_used), "All")
    first = int(counts[1].sum())
    total = seen.survey.point_count
    note = f"First returns, one a pulse: {first:,}, {share(first, total)} of the points."
    return Table("Returns", columns, rows, note)


def source_table(seen: Seen) -> Table | None:
    """Give points by flight line; None where all are of one."""
    sources = describing.sources_of(seen.survey)
    if len(sources) <= 1:
        return None
    total = seen.survey.point_count
    most = sorted(sources.items(), key=lambda pair: (-pair[1], int(pair[0])))[:SOURCES_SHOWN]
    rows = tuple(
        (name, f"{n:,}", share(n, total)) for name, n in sorted(most, key=lambda p: int(p[0]))
    )
    more = len(sources) - len(rows)
    note = f"{more:,} more have fewer points each." if more else ""
    return Table("Flight lines (point source)", ("Source", "Points", "Share"), rows, note)


def density_table(seen: Seen, density: Density) -> Table:
    """Give how dense points are."""
    held, unit = density.held, density.unit
    low, middle, high = np.quantile(held, (0.05, 0.5, 0.95)).tolist()
    mean = seen.survey.point_count / density.area
    first = int(seen.survey.returns[1].sum())
    rows: list[tuple[Cell, ...]] = [
        ("Mean, of the area with points", density_text(mean, unit)),
        ("Median cell", density_text(middle, unit)),
        ("5 % of the cells have less than", density_text(low, unit)),
        ("5 % of the cells have more than", density_text(high, unit)),
    ]
    if first:
        rows.append(("First returns (pulses)", density_text(first / density.area, unit)))
    if not unit.startswith("square"):
        rows.append(("Mean distance of points", f"{number(mean**-0.5, 3)} m"))
        rows.append(("Area with points", area_text(density.area)))
    rows.append(("Cells", density.cell))
    return Table("", ("", ""), tuple(rows))


def density_text(value: float, unit: str) -> str:
    """Write points by area: by hectare where there are few."""
    if value < SPARSE and not unit.startswith("square"):
        return f"{number(value * 1e4, 3)} per hectare"
    return f"{number(value, 3)} per {unit}"


def area_text(area_m2: float) -> str:
    """Write an area."""
    if area_m2 >= 1e5:  # noqa: PLR2004 -- a tenth of a square kilometre
        return f"{number(area_m2 / 1e6, 3)} km\N{SUPERSCRIPT TWO}"
    return f"{number(area_m2, 3)} m\N{SUPERSCRIPT TWO}"


def dimension_table(seen: Seen) -> Table:
    """Give the statistics of each dimension that varies."""
    names = ("minimum", "maximum", "average", "stddev")
    varies = [each for each in seen.statistics if each["minimum"] != each["maximum"]]
    rows = tuple((each["name"], *(_value(seen, each, name) for name in names)) for each in varies)
    columns = ("Dimension", "Least", "Greatest", "Mean", "Standard deviation")
    note = "X, Y and Z in the units of the coordinate system."
    same = [
        f"{each['name']} {_text(_value(seen, each, 'minimum'))}"
        for each in seen.statistics
        if each["minimum"] == each["maximum"]
    ]
    constant = f" The same for all points: {', '.join(same)}." if same else ""
    return Table("", columns, rows, note + constant)


def _text(value: Cell) -> str:
    return "without a value" if value is None else str(value)


def _value(seen: Seen, each: dict[str, Any], name: str) -> Cell:
    value = each[name]
    if value is None:
        return None
    said = str(each["name"])
    if said in "XYZ" and name != "stddev":
        return seen.coordinate(value, "XYZ".index(said))
    if said == "GpsTime" and name != "stddev":
        return f"{value:,.3f}"
    if said in WHOLE and name in {"minimum", "maximum"}:
        return f"{int(value):,}"
    return number(value, 4)


def file_pairs(seen: Seen) -> Pairs:
    """Give what the file is like."""
    cloud, header = seen.cloud, seen.cloud.header
    year, day = header.created
    made = (
        (date(year, 1, 1) + timedelta(day - 1)).isoformat()
        if _is_day(year, day)
        else f"{day} {year}"
    )
    given: list[tuple[str, Cell]] = [
        ("File", cloud.path.name),
        ("Container", CONTAINERS[cloud.container]),
        ("LAS version", f"{header.version[0]}.{header.version[1]}"),
        ("Point format", f"{header.point_format}, {header.record_size} bytes a point"),
        ("Size", size_text(header.file_size)) if cloud.container != "ept" else ("Size", None),
        ("Scales", _triple(cloud.scales)),
        ("Offsets", _triple(cloud.offsets)),
        ("Bounds in the header, least", _triple(cloud.bounds[0])),
        ("Bounds in the header, greatest", _triple(cloud.bounds[1])),
        ("GPS time", "adjusted standard" if header.global_encoding & 1 else "seconds of the week"),
        ("Made on", made if year and day else None),
        ("System", header.system_identifier),
        ("Software", header.generating_software),
        ("Extra bytes", ", ".join(_extra(seen))),
    ]
    return tuple(pair for pair in given if pair[1])


def _is_day(year: int, day: int) -> bool:
    return 1 <= year <= 9998 and 1 <= day <= 366  # noqa: PLR2004 -- days of a year


def _triple(values: Sequence[float]) -> str:
    return ", ".join(f"{value + 0.0:.12g}" for value in values)


def _extra(seen: Seen) -> list[str]:
    return [
        f"{each.name} ({each.count} bytes)" if each.data_type == UNDOCUMENTED else each.name
        for each in seen.cloud.layout.extra
    ]


def size_text(size_bytes: int) -> str:
    """Write the size of a file."""
    for size, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if size_bytes >= size:
            return f"{number(size_bytes / size, 3)} {unit}"
    return f"{size_bytes} bytes"


def record_table(seen: Seen) -> Table | None:
    """Give the records beside the points; None where there are none."""
    header = seen.cloud.header
    rows: Rows = (
        *((f"{e.user_id} {e.record_id}", e.description, f"{len(e.data):,}") for e in header.vlrs),
        *(
            (
                f"{e.user_id} {e.record_id}",
                f"{e.description} (behind the points)",
                f"{e.size_bytes:,}",
            )
            for e in header.evlrs
        ),
    )
    columns = ("Record", "Description", "Bytes")
    return Table("Variable-length records", columns, rows) if rows else None
