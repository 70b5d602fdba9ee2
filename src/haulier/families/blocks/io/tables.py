"""Tables of blocks: how columns are kept, and the parquet that callers get of them."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from haulier.families import parquet
from haulier.families.blocks.method.lattice import IntArray, Lattice
from haulier.families.blocks.params import INDICES, PLACES

VALUES: Final = "values"  # what the one column of a kept file is called
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
    streams = [parquet.opened(file).iter_batches(batch_size=ROWS) for _, file in columns]
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
