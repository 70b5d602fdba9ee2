"""Rows in any order become a column in the order of blocks: sorted by slab, then written."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from haulier.core.problem import Code, Problem
from haulier.families import parquet
from haulier.families.blocks.io.tables import ROWS, TYPES, VALUES
from haulier.families.blocks.method.lattice import IntArray, Lattice
from haulier.families.blocks.params import INDICES, PLACES

SLAB: Final = 4 * ROWS  # blocks, and rows of a table, that are held at once
BLOCK: Final = "block"

#: Takes the fraction that is done; may raise to stop.
Told = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A column that is to be written.

    Attributes:
        table: what was sent: i, j, k or x, y, z, and columns.
        title: the column in it.
        type: what its values are to be.
        old: the column as it was, for blocks that have no row; None: they have no value.
    """

    table: Path
    title: str
    type: str
    old: Path | None


@dataclass(frozen=True, slots=True)
class _Sorted:
    """Rows in a file: which of its batches hold rows of each slab, and how many rows there are."""

    batches: dict[int, list[int]]
    rows: int


def arrange(wanted: Wanted, lattice: Lattice, scratch: Path, target: Path, told: Told) -> int:
    """Write a column in the order of the blocks, and give how many blocks the table has.

    What is held at once is a slab of blocks and as many rows, however long and mixed the table.

    Args:
        wanted: the column.
        lattice: where the blocks are.
        scratch: a folder for the rows sorted by slab; they are as long as the column.
        target: of the column.
        told: how far it is.

    Raises:
        Problem: INVALID at "file"; it is no such table, names a block that is none or twice, or
            has other values.
    """
    spill = scratch / "rows.arrow"
    schema = pa.schema([(BLOCK, pa.int32()), (VALUES, TYPES[wanted.type])])
    with pa.OSFile(str(spill), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
        sorted_ = _sort(_sent(wanted, lattice, told), writer)
    out = pa.schema([(VALUES, TYPES[wanted.type])])
    with (
        pa.OSFile(str(spill)) as source,
        pa.ipc.open_file(source) as reader,
        pq.ParquetWriter(target, out, compression="zstd") as column,
    ):
        for values in _slabs(reader, sorted_, wanted, lattice, told):
            column.write_table(pa.table([values], schema=out), row_group_size=ROWS)
    spill.unlink()
    return sorted_.rows


def _sent(wanted: Wanted, lattice: Lattice, told: Told) -> Iterator[tuple[IntArray, pa.Array]]:
    """Give the numbers of the blocks of a table, and their values, some rows at a time."""
    try:
        with parquet.opened(wanted.table) as file:
            axes = _axes(file.schema_arrow.names, wanted.title)
            first, rows = 0, file.metadata.num_rows
            for batch in file.iter_batches(SLAB, columns=[*axes, wanted.title]):
                values = batch.column(wanted.title)
                if pa.types.is_dictionary(values.type):
                    values = values.dictionary_decode()
                cast = _cast(values, wanted.title, wanted.type)
                yield _numbers(batch, axes, lattice, first), cast
                first += batch.num_rows
                told(0.5 * first / rows)
                if first > lattice.size:
                    break  # some block is in two of these rows, which is found when it is written
    except parquet.BROKEN as error:
        raise _broken(f"it is no parquet: {error}") from error


def _axes(names: Sequence[str], title: str) -> Sequence[str]:
    """Give the columns that say which block a row is."""
    axes = next((each for each in (INDICES, PLACES) if set(each) <= set(names)), None)
    if axes is None:
        has = ", ".join(sorted(names))
        raise _broken(f"it must have the columns i, j, k or x, y, z, has {has}")
    if title not in names:
        raise _broken(f"it has no column '{title}'")
    for name in (*axes, title):
        if (count := names.count(name)) > 1:
            raise _broken(f"it must have one column '{name}', has {count}")
    return axes


def _numbers(batch: pa.RecordBatch, axes: Sequence[str], lattice: Lattice, first: int) -> IntArray:
    """Give the numbers of the blocks of rows, of which the first is row `first` of the table."""
    try:
        if axes == INDICES:
            return lattice.numbers(_places(batch, axes, "Int64"), first=first)
        return lattice.numbers(lattice.blocks_at(_places(batch, axes, "Float64")), first=first)
    except ValueError as error:
        raise _broken(str(error)) from error


def _places(batch: pa.RecordBatch, axes: Sequence[str], type_: str) -> Any:  # noqa: ANN401 -- (n, 3) of that type
    """Give three columns of numbers, none of them missing, and none another one when cast."""
    columns = []
    for name in axes:
        column = batch.column(name)
        if column.null_count:
            raise _broken(f"column '{name}' must have a value in every row")
        columns.append(_cast(column, name, type_).to_numpy())
        if not np.isfinite(columns[-1]).all():
            raise _broken(f"column '{name}' must have a finite number in every row")
    return np.column_stack(columns)


def _sort(rows: Iterator[tuple[IntArray, pa.Array]], writer: pa.RecordBatchFileWriter) -> _Sorted:
    """Write rows so that those of one slab of blocks are found together."""
    batches: dict[int, list[int]] = {}
    count = written = 0
    for numbers, values in rows:
        count += len(numbers)
        slabs = numbers // SLAB
        order = np.argsort(slabs, kind="stable")
        for some in np.split(order, np.flatnonzero(np.diff(slabs[order])) + 1):
            if len(some):
                columns = [(numbers[some] % SLAB).astype(np.int32), values.take(pa.array(some))]
                writer.write_batch(pa.record_batch(columns, names=[BLOCK, VALUES]))
                batches.setdefault(int(slabs[some[0]]), []).append(written)
                written += 1
    return _Sorted(batches, count)


def _slabs(
    reader: pa.RecordBatchFileReader, rows: _Sorted, wanted: Wanted, lattice: Lattice, told: Told
) -> Iterator[pa.Array]:
    """Give the values of each slab of blocks, upon those that they had."""
    before = parquet.opened(wanted.old).iter_batches(SLAB) if wanted.old else None
    for slab, start in enumerate(range(0, lattice.size, SLAB)):
        batches = _batches(reader, rows.batches.get(slab, ()))
        table = pa.Table.from_batches(list(batches), reader.schema).combine_chunks()
        length = min(SLAB, lattice.size - start)
        row = _row_of_block(table.column(BLOCK).to_numpy(), length, start, lattice)
        missing = row < 0
        values = pc.take(table.column(VALUES), pa.array(np.where(missing, 0, row), mask=missing))
        if before is not None:
            values = pc.if_else(pa.array(missing), next(before).column(0), values)
        yield values
        told(0.5 + 0.5 * (start + length) / lattice.size)


def _batches(reader: pa.RecordBatchFileReader, numbers: Sequence[int]) -> Iterator[pa.RecordBatch]:
    """Give the rows of a slab; or enough of too many to tell that a block is in two of them."""
    count = 0
    for number in numbers:
        batch = reader.get_batch(number)
        yield batch
        count += batch.num_rows
        if count > SLAB:
            break


def _row_of_block(places: Any, length: int, start: int, lattice: Lattice) -> IntArray:  # noqa: ANN401 -- (n,) of any whole type
    """Give the row of each block of a slab, -1 where it has none."""
    row = np.full(length, -1, np.int64)
    row[places] = np.arange(len(places))
    twice = np.flatnonzero(row[places] != np.arange(len(places)))
    if len(twice):
        block = lattice.indices(np.array([start + int(places[twice[0]])]))[0]
        raise _broken(f"block ({', '.join(map(str, block))}) is in more than one row")
    return row


def _cast(column: pa.Array, title: str, type_: str) -> pa.Array:
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
