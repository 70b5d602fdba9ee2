"""Tables of blocks: the parquet that callers send and get, and the columns that are kept."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from haulier.core.problem import Code, Problem
from haulier.families.blocks.method.lattice import IntArray, Lattice

VALUES: Final = "values"  # what the one column of a kept file is called
INDICES: Final = ("i", "j", "k")
PLACES: Final = ("x", "y", "z")
ROWS: Final = 1 << 18  # read and written at once

TYPES: Final = {
    "Boolean": pa.bool_(),
    "Int8": pa.int8(),
    "Int16": pa.int16(),
    "Int32": pa.int32(),
    "Int64": pa.int64(),
    "UInt8": pa.uint8(),
    "UInt16": pa.uint16(),
    "UInt32": pa.uint32(),
    "UInt64": pa.uint64(),
    "Float16": pa.float16(),
    "Float32": pa.float32(),
    "Float64": pa.float64(),
    "Utf8": pa.utf8(),
    "Date32": pa.date32(),
    "Timestamp": pa.timestamp("us", tz="UTC"),
}


def rows_of_blocks(path: Path, lattice: Lattice) -> IntArray:
    """Give the row of a table (or -1) that each block of a lattice has.

    Returns:
        (lattice.size,) row numbers.

    Raises:
        Problem: INVALID at "file"; it is no such table, or names a block that is none or twice.
    """
    names = _names(path)
    if set(INDICES) <= names:
        indices = _numbers(path, INDICES, "Int64")
    elif set(PLACES) <= names:
        indices = lattice.blocks_at(_numbers(path, PLACES, "Float64"))
    else:
        raise _broken(
            f"it must have the columns i, j, k or x, y, z, has {', '.join(sorted(names))}"
        )
    try:
        numbers = lattice.numbers(indices)
    except ValueError as error:
        raise _broken(str(error)) from error
    rows = np.full(lattice.size, -1, np.int64)
    rows[numbers] = np.arange(len(numbers))
    if np.count_nonzero(rows >= 0) != len(numbers):
        twice = int(np.flatnonzero(rows[numbers] != np.arange(len(numbers)))[0])
        raise _broken(f"row {twice} is a block that another row is, too")
    return rows


def arrange(path: Path, title: str, type_: str, rows: IntArray, old: Path | None) -> pa.Table:
    """Give a column in the order of the blocks.

    Args:
        path: the table that was sent.
        title: the column in it.
        type_: what its values are to be.
        rows: (n,) the row of each block, -1 where it has none.
        old: the column as it was, for blocks that have no row; None: they have no value.

    Raises:
        Problem: INVALID at "file"; the column is not there, or has other values.
    """
    if title not in _names(path):
        raise _broken(f"it has no column '{title}'")
    sent = pq.read_table(path, columns=[title]).column(0).combine_chunks()
    if pa.types.is_dictionary(sent.type):
        sent = sent.dictionary_decode()
    sent = _cast(sent, title, type_)
    missing = rows < 0
    values = sent.take(pa.array(np.where(missing, 0, rows), mask=missing))
    if old is not None:
        before = pq.read_table(old).column(0).combine_chunks()
        values = pc.if_else(pa.array(missing), before, values)
    return pa.table({VALUES: values})


def write(table: pa.Table, path: Path) -> None:
    """Write a column, always in the same bytes."""
    pq.write_table(table, path, compression="zstd", row_group_size=ROWS)


def gather(
    columns: Sequence[tuple[str, Path]],
    lattice: Lattice,
    path: Path,
    *,
    geometry: str,
    box: tuple[Sequence[int], Sequence[int]] | None,
    exclude_null_rows: bool,
) -> Iterator[int]:
    """Write a table of blocks, a slab at a time, and give how many blocks are behind each time.

    Args:
        columns: what each column of the answer is called, and its file.
        lattice: where the blocks are.
        path: of the answer.
        geometry: "indices" or "coordinates".
        box: the first and the last i, j and k; None: every block.
        exclude_null_rows: leave out blocks without any value.
    """
    streams = [pq.ParquetFile(file).iter_batches(batch_size=ROWS) for _, file in columns]
    schema = _schema(columns, geometry)
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for start in range(0, lattice.size, ROWS):
            numbers = np.arange(start, min(start + ROWS, lattice.size))
            slab = _shown(lattice, numbers, geometry)
            slab |= {
                name: next(stream).column(0)
                for (name, _), stream in zip(columns, streams, strict=True)
            }
            table = pa.table(slab, schema=schema)
            keep = _kept(table, lattice.indices(numbers), box, exclude_null_rows)
            writer.write_table(table if keep is None else table.filter(keep))
            yield start + len(numbers)


def _schema(columns: Sequence[tuple[str, Path]], geometry: str) -> pa.Schema:
    first: list[Any]
    if geometry == "indices":
        first = [pa.field(name, pa.uint32()) for name in INDICES]
    else:
        first = [pa.field(name, pa.float64()) for name in PLACES]
    rest = [pa.field(name, pq.read_schema(file).field(0).type) for name, file in columns]
    return pa.schema([*first, *rest])


def _shown(lattice: Lattice, numbers: IntArray, geometry: str) -> dict[str, Any]:
    if geometry == "indices":
        indices = lattice.indices(numbers).astype(np.uint32)
        return {name: indices[:, axis] for axis, name in enumerate(INDICES)}
    centres = lattice.centres(numbers)
    return {name: centres[:, axis] for axis, name in enumerate(PLACES)}


def _kept(
    table: pa.Table,
    indices: IntArray,
    box: tuple[Sequence[int], Sequence[int]] | None,
    exclude_null_rows: bool,  # noqa: FBT001 -- as the caller was asked
) -> Any:  # noqa: ANN401 -- Arrow has no types
    """Give which rows stay; None: all of them."""
    keep = None
    if box is not None:
        inside = ((indices >= np.array(box[0])) & (indices <= np.array(box[1]))).all(axis=1)
        keep = pa.array(inside)
    asked = table.columns[len(INDICES) :]
    if exclude_null_rows and asked:
        some = np.zeros(len(table), bool)
        for column in asked:
            some |= column.is_valid().to_numpy()
        keep = pa.array(some) if keep is None else pc.and_(keep, pa.array(some))
    return keep


def _names(path: Path) -> set[str]:
    try:
        return set(pq.read_schema(path).names)
    except (pa.ArrowInvalid, OSError) as error:
        raise _broken(f"it is no parquet: {error}") from error


def _numbers(path: Path, names: Sequence[str], type_: str) -> Any:  # noqa: ANN401 -- (n, 3) of that type
    """Give three columns of numbers, none of them missing, and none another one when cast."""
    table = pq.read_table(path, columns=list(names))
    columns = []
    for name in names:
        column = table.column(name)
        if column.null_count:
            raise _broken(f"column '{name}' must have a value in every row")
        columns.append(_cast(column, name, type_).to_numpy())
        if not np.isfinite(columns[-1]).all():
            raise _broken(f"column '{name}' must have a finite number in every row")
    return np.column_stack(columns)


def _cast(column: Any, title: str, type_: str) -> Any:  # noqa: ANN401 -- Arrow has no types
    """Give a column in another type.

    Raises:
        Problem: INVALID at "file"; its values have none in that type.
    """
    try:
        return column.cast(TYPES[type_])
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        detail = f"column '{title}' must be of {type_}, is {column.type}: {error}"
        raise _broken(detail) from error


def _broken(why: str) -> Problem:
    return Problem(Code.INVALID, f"the table of blocks cannot be used: {why}", at="file")
