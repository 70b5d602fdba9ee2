"""Columns of block models as files: the values of an attribute, in row groups that readers know."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from haulier.families import parquet
from haulier.families.geostat.io.blockmodels import WRITTEN

VALUES: Final = "values"
ROWS: Final = 1 << 18  # of a row group: what reads columns side by side counts on it


def write_column(source: Path, target: Path, type_: str, categories: Sequence[str] = ()) -> None:
    """Write the values of one attribute as a column of a block model is kept.

    Args:
        source: the table of the attribute.
        target: where the column goes.
        type_: of the attribute; categories become their names.
        categories: names of the categories 0, 1, ...
    """
    _, stored = WRITTEN[type_]
    schema = pa.schema([(VALUES, stored)])
    names = pa.array(list(categories), pa.string())
    with (
        parquet.opened(source) as file,
        pq.ParquetWriter(target, schema, compression="zstd") as out,
    ):
        for column in _groups(file):
            values = names.take(column) if type_ == "category" else column
            out.write_table(pa.table([values.cast(stored)], schema=schema), row_group_size=ROWS)


def _groups(file: pq.ParquetFile) -> Iterator[pa.Array]:
    """Give the values in groups of `ROWS`, however they are grouped in the file."""
    kept: list[pa.Array] = []
    rows = 0
    for batch in file.iter_batches(ROWS):
        column = batch.column(0)
        while rows + len(column) >= ROWS:
            kept.append(column.slice(0, ROWS - rows))
            yield pa.concat_arrays(kept)
            column, kept, rows = column.slice(len(kept[-1])), [], 0
        if len(column):
            kept.append(column)
            rows += len(column)
    if kept:
        yield pa.concat_arrays(kept)
