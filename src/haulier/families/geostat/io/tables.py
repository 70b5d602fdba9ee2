"""Tables of values as Parquet files named by their hash: opened with care, read by rows."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from haulier.core.artifact import FileRef
from haulier.core.family import Context
from haulier.core.problem import Code, Problem
from haulier.families import parquet
from haulier.families.geostat.io.objects import STORAGE

FloatArray = NDArray[np.float64]
#: Rows of a chunk of work and of a row group: results do not depend on it, memory does.
CHUNK_ROWS: Final = 65_536
#: As the vendor's client writes them.
COMPRESSION: Final = "gzip"
COMPRESSION_LEVEL: Final = 1
FORMAT: Final = "2.4"
_BYTES: Final = 1 << 20


@contextmanager
def open_table(context: Context, info: object, *, at: str, what: str) -> Iterator[pq.ParquetFile]:
    """Open the file that a table of a document names, and make sure that it is that table.

    Args:
        context: where files are.
        info: `data`, `length`, and `width`, as the document has it.
        at: the parameter that led here.
        what: the table, for a person.

    Raises:
        Problem: INVALID at the parameter; the document names no table, or the file is none or
            another one. NOT_FOUND; there is no such file.
    """
    if not isinstance(info, Mapping) or not isinstance(info.get("data"), str):
        raise Problem(Code.INVALID, f"{what} names no table of values", at=at)
    try:
        path = context.read(FileRef(STORAGE, info["data"]))
    except Problem as problem:
        if problem.code is not Code.NOT_FOUND:
            raise
        detail = f"the values of {what} were never uploaded: there is no file {info['data']}"
        raise Problem(Code.NOT_FOUND, detail, at=at) from None
    with _opened(path, what, at) as file:
        _check(file, info, what, at)
        yield file


@contextmanager
def _opened(path: Path, what: str, at: str) -> Iterator[pq.ParquetFile]:
    """Open a file; what is broken in it may show only when it is read."""
    try:
        with parquet.opened(path) as file:
            yield file
    except parquet.BROKEN as error:
        raise Problem(Code.INVALID, f"{what} is no Parquet file: {error}", at=at) from None


def _check(file: pq.ParquetFile, info: Mapping[str, Any], what: str, at: str) -> None:
    rows, width = file.metadata.num_rows, len(file.schema_arrow)
    if rows != info.get("length", rows):
        detail = f"{what} must have {info['length']} rows as its object says, its file has {rows}"
        raise Problem(Code.INVALID, detail, at=at)
    if width != info.get("width", width):
        detail = f"{what} must have {info['width']} columns as its object says, got {width}"
        raise Problem(Code.INVALID, detail, at=at)


def read_rows(
    file: pq.ParquetFile, first: int, last: int, columns: Sequence[str] | None = None
) -> pa.Table:
    """Read rows from `first` up to `last`, and no row group besides those they lie in."""
    names = file.schema_arrow.names if columns is None else columns
    schema = pa.schema([file.schema_arrow.field(name) for name in names])
    return pa.Table.from_batches(list(batches_of_rows(file, first, last, columns)), schema)


def batches_of_rows(
    file: pq.ParquetFile, first: int, last: int, columns: Sequence[str] | None = None
) -> Iterator[pa.RecordBatch]:
    """Give the rows of `read_rows` in pieces, of which one at a time is held."""
    groups, position = _groups(file, first, last)
    batches = file.iter_batches(CHUNK_ROWS, row_groups=groups, columns=columns) if groups else ()
    for batch in batches:
        low, high = max(first - position, 0), min(last - position, batch.num_rows)
        if low < high:
            yield batch.slice(low, high - low)
        position += batch.num_rows
        if position >= last:
            break


def _groups(file: pq.ParquetFile, first: int, last: int) -> tuple[list[int], int]:
    """Give the row groups that rows lie in, and the row that the first of them begins with."""
    groups: list[int] = []
    begin = start = 0
    for group in range(file.num_row_groups):
        size = file.metadata.row_group(group).num_rows
        if start + size > first and start < last:
            begin = begin if groups else start
            groups.append(group)
        start += size
    return groups, begin


def numbers(column: pa.ChunkedArray | pa.Array) -> FloatArray:
    """Give a column of numbers as doubles, NaN where there is none."""
    doubles = column.cast(pa.float64(), safe=False)  # whole numbers over 2^53 are rounded
    return np.asarray(doubles.to_numpy(zero_copy_only=False), dtype=np.float64)


def matrix(table: pa.Table) -> FloatArray:
    """Give all columns of numbers side by side: (n, k) in C order."""
    out = np.empty((table.num_rows, table.num_columns))
    for index, column in enumerate(table.itercolumns()):
        out[:, index] = _as_array(column)
    return out


def _as_array(column: pa.ChunkedArray) -> FloatArray:
    return numbers(column.combine_chunks()) if column.num_chunks != 1 else numbers(column.chunk(0))


def read_matrix(context: Context, info: object, *, at: str, what: str, columns: int) -> FloatArray:
    """Read a whole table of numbers: (n, columns).

    Raises:
        Problem: as `open_table`; or INVALID, where there are other columns than numbers.
    """
    with open_table(context, info, at=at, what=what) as file:
        if len(file.schema_arrow) != columns or not all(map(is_number, file.schema_arrow.types)):
            detail = f"{what} must have {columns} columns of numbers, got {file.schema_arrow.types}"
            raise Problem(Code.INVALID, detail, at=at)
        return matrix(file.read())


def is_number(type_: pa.DataType) -> bool:
    """Whether a column's values are numbers."""
    return bool(pa.types.is_floating(type_) or pa.types.is_integer(type_))


@contextmanager
def table_writer(path: Path, schema: pa.Schema) -> Iterator[pq.ParquetWriter]:
    """Write a table as the vendor's client would, the same bytes for the same values."""
    with pq.ParquetWriter(
        path,
        schema,
        version=FORMAT,
        compression=COMPRESSION,
        compression_level=COMPRESSION_LEVEL,
    ) as writer:
        yield writer


def write_table(path: Path, table: pa.Table) -> None:
    """Write a whole small table."""
    with table_writer(path, table.schema) as writer:
        writer.write_table(table)


def file_hash(path: Path) -> str:
    """Give the name of a file among the blobs: the SHA-256 of what is in it, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BYTES):
            digest.update(block)
    return digest.hexdigest()


def table_info(path: Path) -> dict[str, Any]:
    """Say what a document says of a table that was written."""
    with pq.ParquetFile(path) as file:
        types = [_TYPES[str(type_)] for type_ in file.schema_arrow.types]
        info: dict[str, Any] = {
            "data": file_hash(path),
            "length": file.metadata.num_rows,
            "width": len(types),
            "data_type": types[0] if len(set(types)) == 1 else "/".join(types),
        }
    return info


def lookup_info(path: Path) -> dict[str, Any]:
    """Say what a document says of a table of categories: keys and their names."""
    info = table_info(path)
    keys, values = info["data_type"].split("/")
    return {
        "data": info["data"],
        "length": info["length"],
        "keys_data_type": keys,
        "values_data_type": values,
    }


_TYPES: Final = {
    "double": "float64",
    "int32": "int32",
    "int64": "int64",
    "uint64": "uint64",
    "bool": "bool",
    "string": "string",
}
