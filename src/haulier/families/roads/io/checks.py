"""Check the rows of a customer's file, a batch at a time, and turn them into plain arrays."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray

from haulier.families.roads.io.sources import Encoding, Source
from haulier.families.roads.method.lines import BoolArray, FloatArray, IntArray, Lines

LINESTRING: Final = int(shapely.GeometryType.LINESTRING)
MULTILINESTRING: Final = int(shapely.GeometryType.MULTILINESTRING)
LONGEST_QUOTE: Final = 60
HIGHEST: Final = 2**63 - 1  # of a level
LIKE_METRES: Final = 400.0  # no longitude slips this far; eastings and northings do

ObjectArray = NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be a road.

    Attributes:
        row: its number in the file, from 0.
        id: as text; empty where there is none.
        column: where the fault is.
        reason: one word, for tables.
        detail: what was expected, and the value.
    """

    row: int
    id: str
    column: str
    reason: str
    detail: str

    def sentence(self) -> str:
        """Name row, column and fault for a person."""
        named = f" (id {self.id!r})" if self.id else ""
        place = f"row {self.row}{named}, counted from 0, column {self.column!r}"
        return f"{place}: {self.detail}"


@dataclass(frozen=True, slots=True)
class CheckedRows:
    """The good rows of a batch, and the bad ones in the order of the file.

    Attributes:
        row: (m,) numbers in the file, from 0.
        id: (m,) as text.
        lines: m roads, degrees.
        batch: the good rows as they were read, for their other columns.
        bad: what was left out.
    """

    row: IntArray
    id: pa.Array
    lines: Lines
    batch: pa.RecordBatch
    bad: tuple[BadRow, ...]


@dataclass(slots=True)
class _Faults:
    """The first fault of each row; checks that come later do not overwrite it."""

    reason: ObjectArray
    detail: ObjectArray
    column: ObjectArray

    @property
    def none(self) -> BoolArray:
        return np.equal(self.reason, "").astype(bool)

    def add(self, rows: IntArray, column: str, reason: str, details: list[str]) -> None:
        self.reason[rows] = reason
        self.column[rows] = column
        self.detail[rows] = np.array(details, dtype=object)


def check_rows(source: Source, batch: pa.RecordBatch, first_row: int) -> CheckedRows:
    """Sort the rows of a batch into roads and bad rows.

    For each row the checks are, in this order: text that is UTF-8, level in range, id there,
    geometry there, geometry readable, a LINESTRING (or a MULTILINESTRING of one), not empty,
    finite coordinates, coordinates in range.

    Args:
        source: where the batch is from.
        batch: as `Source.batches` gives it.
        first_row: number of the first row of the batch.
    """
    n = batch.num_rows
    faults = _Faults(*(np.full(n, "", dtype=object) for _ in range(3)))
    for role, column in source.columns.items():
        batch = _with_readable(batch, role, column, faults)
    ids = _text(batch.column(source.columns["id"]))
    missing = np.flatnonzero(ids.is_null().to_numpy(zero_copy_only=False) & faults.none)
    faults.add(missing, source.columns["id"], "no_id", ["an id is needed, got null"] * len(missing))
    lines, good = _checked_lines(source, batch, faults)
    bad = tuple(
        BadRow(
            first_row + int(i),
            ids[int(i)].as_py() or "",
            str(faults.column[i]),
            str(faults.reason[i]),
            str(faults.detail[i]),
        )
        for i in np.flatnonzero(~good)
    )
    row = first_row + np.flatnonzero(good)
    if bad:
        mask = pa.array(good)
        return CheckedRows(row, ids.filter(mask), lines, batch.filter(mask), bad)
    return CheckedRows(row, ids, lines, batch, bad)


def _with_readable(batch: pa.RecordBatch, role: str, name: str, faults: _Faults) -> pa.RecordBatch:
    """Give a batch with nulls for the values of a column that nobody can read."""
    column = _plain(batch.column(name))
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        rows, details = _no_text(column)
    elif role == "level" and pa.types.is_uint64(column.type):
        rows, details = _too_high(column)
    else:
        return batch
    if len(rows) == 0:
        return batch
    fresh = faults.none[rows]
    reason = "out_of_range" if role == "level" else "not_text"
    faults.add(rows[fresh], name, reason, [details[i] for i in np.flatnonzero(fresh)])
    fine = np.ones(len(column), dtype=bool)
    fine[rows] = False
    kept = pc.if_else(pa.array(fine), column, pa.scalar(None, column.type))
    return batch.set_column(batch.schema.get_field_index(name), name, kept)


def _no_text(column: pa.Array) -> tuple[IntArray, list[str]]:
    """Find the values that are no UTF-8: nothing has checked them until here."""
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        pass
    else:
        return np.empty(0, np.int64), []
    rows, details = [], []
    for row, raw in enumerate(pc.cast(column, pa.large_binary()).to_pylist()):
        try:
            (raw or b"").decode()
        except UnicodeDecodeError as error:
            rows.append(row)
            near = raw[max(error.start - 10, 0) : error.start + 10]
            details.append(f"text must be UTF-8, byte {error.start} is not, in {near!r}")
    return np.array(rows, np.int64), details


def _too_high(column: pa.Array) -> tuple[IntArray, list[str]]:
    high = pc.fill_null(pc.greater(column, pa.scalar(HIGHEST, column.type)), fill_value=False)
    rows = np.flatnonzero(high.to_numpy(zero_copy_only=False))
    return rows, [f"a level must be at most {HIGHEST}, got {column[int(i)]}" for i in rows]


def _text(column: pa.Array) -> pa.Array:
    return pc.cast(_plain(column), pa.string())


def _plain(column: pa.Array) -> pa.Array:
    """Give a column without the wrappings of extensions and dictionaries."""
    if isinstance(column, pa.ExtensionArray):
        column = column.storage
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def _checked_lines(
    source: Source, batch: pa.RecordBatch, faults: _Faults
) -> tuple[Lines, BoolArray]:
    """Parse the geometry column and check it; gives the good lines and which rows they are."""
    name = source.geometry
    column = _plain(batch.column(name))
    geometries = _parsed(column, source.encoding)
    _find_missing(column, geometries, name, faults, source.encoding)
    geometries = _find_wrong_types(geometries, name, faults)
    _find_empty(geometries, name, faults)
    kept = np.flatnonzero(faults.none)
    coordinates = shapely.get_coordinates(geometries[kept])
    counts = shapely.get_num_coordinates(geometries[kept])
    owner = np.repeat(np.arange(len(kept)), counts)
    wrong = _find_bad_places(coordinates, owner, kept, name, faults)
    if wrong.any():
        coordinates, counts = coordinates[~wrong[owner]], counts[~wrong]
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return Lines(coordinates, offsets), faults.none


def _parsed(column: pa.Array, encoding: Encoding) -> ObjectArray:
    values = column.to_numpy(zero_copy_only=False)
    read = shapely.from_wkt if encoding is Encoding.WKT else shapely.from_wkb
    with np.errstate(invalid="ignore"):  # NaN is found among the coordinates, and named
        try:
            parsed = read(values, on_invalid="ignore")
        except NotImplementedError:  # a curve somewhere: find it row by row
            parsed = [_one_parsed(read, value) for value in values]
    return np.asarray(parsed, dtype=object)


def _one_parsed(read: Callable[..., Any], value: object) -> shapely.Geometry | None:
    try:
        return read(value, on_invalid="ignore")
    except NotImplementedError:
        return None


def _find_missing(
    column: pa.Array, geometries: ObjectArray, name: str, faults: _Faults, encoding: Encoding
) -> None:
    absent = column.is_null().to_numpy(zero_copy_only=False)
    rows = np.flatnonzero(absent & faults.none)
    faults.add(rows, name, "no_geometry", ["a LINESTRING is needed, got null"] * len(rows))
    rows = np.flatnonzero(shapely.is_missing(geometries) & faults.none)
    wanted = f"the geometry must be a LINESTRING as {encoding}, of two points or more"
    details = [f"{wanted}, got {_quoted(column[int(i)].as_py())}" for i in rows]
    faults.add(rows, name, "unreadable_geometry", details)


def _quoted(value: str | bytes) -> str:
    if isinstance(value, bytes):
        return f"{len(value)} bytes starting with {value[:9].hex()}"
    return repr(value if len(value) <= LONGEST_QUOTE else value[:LONGEST_QUOTE] + "…")


def _find_wrong_types(geometries: ObjectArray, name: str, faults: _Faults) -> ObjectArray:
    """Open up MULTILINESTRINGs of one member; everything else but LINESTRINGs is a fault."""
    types = shapely.get_type_id(geometries)
    multi = np.flatnonzero(types == MULTILINESTRING)
    if len(multi):
        single = multi[shapely.get_num_geometries(geometries[multi]) == 1]
        geometries = geometries.copy()
        geometries[single] = shapely.get_geometry(geometries[single], 0)
        types[single] = LINESTRING
    rows = np.flatnonzero((types != LINESTRING) & faults.none)
    details = [f"the geometry must be a LINESTRING, got {_kind(geometries[i])}" for i in rows]
    faults.add(rows, name, "wrong_geometry", details)
    return geometries


def _kind(geometry: shapely.Geometry) -> str:
    members = shapely.get_num_geometries(geometry)
    kind = geometry.geom_type.upper()
    return f"a {kind} of {members} members" if kind.startswith("MULTI") else f"a {kind}"


def _find_empty(geometries: ObjectArray, name: str, faults: _Faults) -> None:
    rows = np.flatnonzero(shapely.is_empty(geometries) & faults.none)
    detail = "the LINESTRING must have at least two points, got LINESTRING EMPTY"
    faults.add(rows, name, "empty_geometry", [detail] * len(rows))


def _find_bad_places(
    coordinates: FloatArray, owner: IntArray, kept: IntArray, name: str, faults: _Faults
) -> BoolArray:
    """Find lines with a coordinate that is no place on Earth; gives which of the kept they are."""
    x, y = coordinates[:, 0], coordinates[:, 1]
    with np.errstate(invalid="ignore"):
        fine = (np.abs(x) <= 180.0) & (np.abs(y) <= 90.0)  # noqa: PLR2004 -- degrees
    wrong = np.zeros(len(kept), dtype=bool)
    at = np.flatnonzero(~fine)
    lines, first = np.unique(owner[at], return_index=True)
    wrong[lines] = True
    for line, vertex in zip(lines, at[first], strict=True):
        reason, detail = _place_fault(float(x[vertex]), float(y[vertex]))
        faults.add(kept[line : line + 1], name, reason, [detail])
    return wrong


def _place_fault(x: float, y: float) -> tuple[str, str]:
    if not (np.isfinite(x) and np.isfinite(y)):
        return "not_finite", f"coordinates must be finite numbers, got ({x:g}, {y:g})"
    if abs(x) > LIKE_METRES or abs(y) > LIKE_METRES:
        detail = (
            "coordinates must be degrees of longitude (-180 to 180) and latitude (-90 to 90), "
            f"got ({x:.12g}, {y:.12g}), which looks like metres of a projected coordinate system"
        )
        return "projected", detail
    swapped = "; are longitude and latitude swapped?" if abs(x) <= 90 < abs(y) <= 180 else ""  # noqa: PLR2004 -- degrees
    detail = (
        "longitude must be within -180 to 180 and latitude within -90 to 90, "
        f"got ({x:.12g}, {y:.12g}){swapped}"
    )
    return "out_of_range", detail
