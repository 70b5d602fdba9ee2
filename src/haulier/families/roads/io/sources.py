"""Open a customer's file, whatever its format, and check what can be seen before its rows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
from pyogrio.errors import DataSourceError

from haulier.core.problem import Code, Problem
from haulier.families import parquet
from haulier.families.roads.io.geo import Geo, check_crs, read_geo
from haulier.families.roads.params import Columns

BATCH_ROWS: Final = 32_768
PARQUET_MAGIC: Final = b"PAR1"
AT: Final = "input"
MOST_COLUMNS_NAMED: Final = 30
UNNAMED: Final = "wkb_geometry"  # what GDAL calls a geometry whose format has no name for it
SUFFIXES: Final = {"FlatGeobuf": ".fgb", "GPKG": ".gpkg", "GeoJSON": ".geojson"}


class Encoding(StrEnum):
    """How a geometry column spells its geometries."""

    WKT = "WKT"
    WKB = "WKB"


@dataclass(frozen=True, slots=True)
class Source:
    """A customer's file, opened and found to have the columns that it must have.

    Attributes:
        path: of the file, or of a link to it whose name GDAL cannot misread.
        driver: "Parquet", or the name of GDAL's driver.
        rows: how many there are.
        row_groups: rows in each row group of a Parquet file; one entry elsewhere.
        geometry: name of the geometry column.
        encoding: how it is spelled.
        columns: role to column, for every role that the file serves.
    """

    path: Path
    driver: str
    rows: int
    row_groups: tuple[int, ...]
    geometry: str
    encoding: Encoding
    columns: dict[str, str]

    def batches(self, row_groups: Sequence[int] | None = None) -> Iterator[pa.RecordBatch]:
        """Read the columns that have a role, a bounded number of rows at a time.

        Args:
            row_groups: which row groups of a Parquet file to read; None: all.

        Raises:
            Problem: INVALID; the file is damaged inside.
        """
        names = list(dict.fromkeys(self.columns.values()))
        try:
            if self.driver == "Parquet":
                groups = range(len(self.row_groups)) if row_groups is None else row_groups
                with parquet.opened(self.path) as file:
                    yield from file.iter_batches(BATCH_ROWS, row_groups=groups, columns=names)
            else:
                yield from self._features(names)
        except (pa.ArrowException, OSError, DataSourceError) as error:
            raise damaged(self.path, error) from error

    def _features(self, names: list[str]) -> Iterator[pa.RecordBatch]:
        wanted = [name for name in names if name != self.geometry]
        with pyogrio.open_arrow(
            self.path, columns=wanted, batch_size=BATCH_ROWS, use_pyarrow=True
        ) as (meta, reader):
            inside = meta["geometry_name"] or UNNAMED
            for batch in reader:
                order = [inside if name == self.geometry else name for name in names]
                yield pa.RecordBatch.from_arrays([batch.column(name) for name in order], names)


def open_source(path: Path, filename: str, columns: Columns, scratch: Path) -> Source:
    """Open a file and check its format, that it has rows, its columns and coordinate system.

    The order of these checks is fixed, and the first that fails is reported.

    Args:
        path: where the file is.
        filename: what its owner calls it, for messages.
        columns: which column has which role.
        scratch: a folder that stays for as long as the source is read.

    Raises:
        Problem: INVALID; the detail names what is wrong with which column.
    """
    driver = _driver(path, filename)
    if driver == "Parquet":
        return _open_parquet(path, filename, columns)
    return _open_features(_linked(path, driver, scratch), filename, columns)


def _linked(path: Path, driver: str, scratch: Path) -> Path:
    """Give a link with a name of ours: in others, GDAL reads archives, options and parts."""
    link = scratch / f"input{SUFFIXES[driver]}"
    link.unlink(missing_ok=True)
    link.symlink_to(path.absolute())
    return link


def _require_rows(rows: int, filename: str) -> None:
    if rows == 0:
        raise Problem(Code.INVALID, f"{filename} has no rows; at least one road is needed", at=AT)


def damaged(path: Path, error: Exception) -> Problem:
    """Say that a file broke while it was read."""
    first_line = str(error).splitlines()[0] if str(error) else type(error).__name__
    first_line = first_line.replace(str(path), "the file")
    return Problem(Code.INVALID, f"the input is damaged or truncated: {first_line}", at=AT)


def cut_short(promised: int, read: int) -> Problem:
    """Say that a file ended before all the rows that it promises: some drivers just stop."""
    detail = f"the input is truncated: it promises {promised} rows, {read} could be read"
    return Problem(Code.INVALID, detail, at=AT)


def _driver(path: Path, filename: str) -> str:
    """Tell the format by the first bytes, not by the name."""
    size_bytes = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(64)
        file.seek(max(size_bytes - 4, 0))
        tail = file.read(4)
    if not head:
        raise Problem(Code.INVALID, f"{filename} is empty (0 bytes)", at=AT)
    if head.startswith(PARQUET_MAGIC):
        if tail != PARQUET_MAGIC or size_bytes < 12:  # noqa: PLR2004 -- two magics and a length
            raise Problem(
                Code.INVALID,
                f"{filename} is a truncated Parquet file: it must end in b'PAR1', "
                f"but ends in {tail!r} after {size_bytes} bytes",
                at=AT,
            )
        return "Parquet"
    if head.startswith(b"fgb"):
        return "FlatGeobuf"
    if head.startswith(b"SQLite format 3\x00"):
        return "GPKG"
    if head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{"):
        return "GeoJSON"
    if filename.lower().endswith(".parquet"):
        raise Problem(
            Code.INVALID,
            f"{filename} is not a Parquet file: it must start with b'PAR1', got {head[:4]!r}",
            at=AT,
        )
    raise Problem(
        Code.INVALID,
        f"{filename} is no Parquet, FlatGeobuf, GeoPackage or GeoJSON file: "
        f"it starts with {head[:8]!r}",
        at=AT,
    )


def _open_parquet(path: Path, filename: str, columns: Columns) -> Source:
    try:
        with pq.ParquetFile(path) as file:
            schema, metadata = file.schema_arrow, file.metadata
    except (pa.ArrowException, OSError) as error:
        raise damaged(path, error) from error
    _require_rows(metadata.num_rows, filename)
    geo = read_geo((schema.metadata or {}).get(b"geo"))
    geometry = columns.geometry or geo.primary_column or "geometry"
    roles = _roles(schema, columns, geometry)
    encoding = _encoding(schema, geo, geometry)
    check_crs(geo.column(geometry).crs, geometry)  # absent means OGC:CRS84
    sizes = tuple(metadata.row_group(i).num_rows for i in range(metadata.num_row_groups))
    return Source(path, "Parquet", metadata.num_rows, sizes, geometry, encoding, roles)


def _open_features(path: Path, filename: str, columns: Columns) -> Source:
    try:
        info = pyogrio.read_info(path, force_feature_count=True)
        rows = int(info["features"])
        _require_rows(rows, filename)  # some formats have no columns either, then
        with pyogrio.open_arrow(path, batch_size=1, use_pyarrow=True) as (meta, reader):
            inside = meta["geometry_name"] or UNNAMED
            schema = reader.schema
    except (pa.ArrowException, OSError, DataSourceError) as error:
        raise damaged(path, error) from error
    # A layer of these formats has one; what it is called says nothing.
    geometry = "geometry" if inside == UNNAMED else inside
    others = [field for field in schema if field.name not in {inside, geometry}]
    lines = schema.field(schema.get_all_field_indices(inside)[-1])
    schema = pa.schema([*others, lines.with_name(geometry)])
    roles = _roles(schema, columns, geometry)
    check_crs(info["crs"], geometry)
    return Source(path, str(info["driver"]), rows, (rows,), geometry, Encoding.WKB, roles)


def _roles(schema: pa.Schema, columns: Columns, geometry: str) -> dict[str, str]:
    """Map each role to its column; only `is_navigable` may be missing."""
    asked = {**msgspec.to_builtins(columns), "geometry": geometry}
    roles: dict[str, str] = {}
    for role in ("id", "geometry", "is_navigable", "name", "class", "one_way", "level"):
        column = asked[role]
        if not column or (role == "is_navigable" and column not in schema.names):
            continue
        if column not in schema.names:
            raise Problem(
                Code.INVALID,
                f"column {column!r} ({role}) is missing; the file has {_listed(schema.names)}",
                at=f"input.{column}",
            )
        times = schema.names.count(column)
        if times > 1:
            detail = f"the file has {times} columns {column!r} ({role}); it must have one"
            raise Problem(Code.INVALID, detail, at=f"input.{column}")
        _check_type(role, column, schema.field(column).type)
        roles[role] = column
    return roles


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:MOST_COLUMNS_NAMED])
    more = len(names) - MOST_COLUMNS_NAMED
    return f"{shown} and {more} more" if more > 0 else shown or "no columns"


def _is_text(type_: pa.DataType) -> bool:
    if pa.types.is_dictionary(type_):
        return _is_text(type_.value_type)
    return bool(pa.types.is_string(type_) or pa.types.is_large_string(type_))


def _is_bytes(type_: pa.DataType) -> bool:
    return bool(pa.types.is_binary(type_) or pa.types.is_large_binary(type_))


def _check_type(role: str, column: str, type_: pa.DataType) -> None:
    if isinstance(type_, pa.BaseExtensionType):
        type_ = type_.storage_type
    whole, words = bool(pa.types.is_integer(type_)), _is_text(type_)
    expected, fits = {
        "id": ("int32, int64 or string", whole or words),
        "geometry": ("WKT (string) or WKB (binary)", words or _is_bytes(type_)),
        "is_navigable": ("boolean", bool(pa.types.is_boolean(type_))),
        "name": ("string", words),
        "class": ("string", words),
        "one_way": ("boolean", bool(pa.types.is_boolean(type_))),
        "level": ("an integer", whole),
    }[role]
    if not fits:
        raise Problem(
            Code.INVALID,
            f"column {column!r} ({role}) must be {expected}, got {type_}",
            at=f"input.{column}",
        )


def _encoding(schema: pa.Schema, geo: Geo, geometry: str) -> Encoding:
    said = geo.column(geometry).encoding
    if said.upper() not in {"WKB", "WKT"}:
        raise Problem(
            Code.INVALID,
            f"column {geometry!r} must hold WKB or WKT, its GeoParquet encoding is {said!r}",
            at=f"input.{geometry}",
        )
    return Encoding.WKT if _is_text(schema.field(geometry).type) else Encoding.WKB
