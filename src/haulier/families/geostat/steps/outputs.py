"""What a job writes: columns of its parts become tables, and tables become attributes."""

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from haulier.core.family import Context
from haulier.core.problem import Code, Problem
from haulier.families.geostat.io.attributes import BOOL, CATEGORY, ENSEMBLE, INTEGER, SCALAR
from haulier.families.geostat.io.publications import Written
from haulier.families.geostat.io.tables import (
    CHUNK_ROWS,
    lookup_info,
    table_info,
    table_writer,
    write_table,
)
from haulier.families.geostat.kinds import MOST_ATTRIBUTES, PARQUET, blob_names
from haulier.families.geostat.params.pieces import AnyAttribute

MADE: Final = "made.arrow"
Columns = Mapping[str, NDArray[Any]]
ARROW_TYPES: Final = {
    SCALAR: pa.float64(),
    ENSEMBLE: pa.float64(),
    INTEGER: pa.int64(),
    BOOL: pa.bool_(),
    CATEGORY: pa.int32(),
}


@dataclass(frozen=True, slots=True)
class Output:
    """An attribute that a job writes.

    Attributes:
        name: of the column that parts give; (m,) values, or (m, width) of an ensemble.
        at: the parameter that says where it goes.
        spec: a new attribute, or one that is there.
        type: of the attribute.
        width: values a row.
        categories: names of the categories 0, 1, ...
        replace: whether it may replace an attribute of its name, because the task names it.
    """

    name: str
    at: str
    spec: AnyAttribute
    type: str = SCALAR
    width: int = 1
    categories: tuple[str, ...] = ()
    replace: bool = False

    @property
    def columns(self) -> list[str]:
        """Give the names of its columns in the files of parts."""
        if self.type != ENSEMBLE:
            return [self.name]
        return [f"{self.name}.{number}" for number in range(self.width)]

    def none(self) -> NDArray[Any]:
        """Give no values of it, in their type."""
        shape = (0, self.width) if self.type == ENSEMBLE else (0,)
        return np.zeros(shape, dtype=np.bool_ if self.type == BOOL else np.float64)

    @property
    def schema(self) -> pa.Schema:
        """Give the columns of its table."""
        names = [self.name] if self.type != ENSEMBLE else [str(n) for n in range(self.width)]
        return pa.schema([(name, ARROW_TYPES[self.type]) for name in names])


class Blob(msgspec.Struct, frozen=True):
    """A table that a step gave as an output: which, its hash, and what a document says of it."""

    artifact: str
    info: Mapping[str, Any]

    @property
    def sha256(self) -> str:
        """Give the hash that is its name among the blobs."""
        return str(self.info["data"])


def part_schema(outputs: Sequence[Output]) -> pa.Schema:
    """Give the columns of the files of parts."""
    fields = [(name, ARROW_TYPES[each.type]) for each in outputs for name in each.columns]
    return pa.schema(fields)


def batch_of(outputs: Sequence[Output], columns: Columns) -> pa.RecordBatch:
    """Give rows in the form in which parts keep them; NaN becomes null, and so does key -1."""
    arrays = []
    for each in outputs:
        values = columns[each.name]
        matrix = values.reshape(len(values), -1)
        arrays += [_array(matrix[:, n], each.type) for n in range(matrix.shape[1])]
    return pa.RecordBatch.from_arrays(arrays, schema=part_schema(outputs))


def _array(values: NDArray[Any], type_: str) -> pa.Array:
    if type_ in {SCALAR, ENSEMBLE}:
        return pa.array(values, pa.float64(), mask=np.isnan(values))
    if type_ == CATEGORY:
        missing = ~(values >= 0)  # -1, and NaN where nothing was made
        return pa.array(np.where(missing, 0, values).astype(np.int32), pa.int32(), mask=missing)
    if type_ == INTEGER and values.dtype == np.float64:
        missing = np.isnan(values)
        return pa.array(np.where(missing, 0.0, values).astype(np.int64), pa.int64(), mask=missing)
    return pa.array(values, ARROW_TYPES[type_])


def one_batch(batches: Sequence[pa.RecordBatch]) -> pa.RecordBatch:
    """Join batches: what becomes a row group is kept as one."""
    if len(batches) == 1:
        return batches[0]
    return pa.Table.from_batches(batches).combine_chunks().to_batches()[0]


@contextmanager
def part_writer(path: Path, outputs: Sequence[Output]) -> Iterator[pa.RecordBatchFileWriter]:
    """Write the file of a part, batch by batch."""
    schema = part_schema(outputs)
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
        yield writer


def part_batches(path: Path) -> Iterator[pa.RecordBatch]:
    """Give the batches of the file of a part; each costs memory only while it is used."""
    with pa.memory_map(str(path)) as file, pa.ipc.open_file(file) as reader:
        for number in range(reader.num_record_batches):
            yield reader.get_batch(number)


@dataclass(slots=True)
class Blobs:
    """The blobs of a step: gives each a name, and remembers what was written.

    Args:
        context: of the call.
    """

    context: Context
    written: list[Blob] = field(default_factory=list)

    def path(self) -> Path:
        """Give the path for the next one."""
        number = len(self.written)
        if number >= MOST_ATTRIBUTES:
            detail = f"one job can write at most {MOST_ATTRIBUTES} tables; ask for less in each"
            raise Problem(Code.INVALID, detail, at="target")
        name = blob_names(number + 1)[number]
        return self.context.write(name, media_type=PARQUET, filename=f"{name}.parquet")

    def add(self, path: Path, *, lookup: bool = False) -> Blob:
        """Note that one was written to the path that was given last."""
        info = lookup_info(path) if lookup else table_info(path)
        self.written.append(Blob(blob_names(MOST_ATTRIBUTES)[len(self.written)], info))
        return self.written[-1]

    def add_table(self, table: pa.Table, *, lookup: bool = False) -> Blob:
        """Write a whole table."""
        path = self.path()
        write_table(path, table)
        return self.add(path, lookup=lookup)


def gather(
    context: Context, outputs: Sequence[Output], keys: Sequence[str]
) -> dict[str, list[Blob]]:
    """Write the columns of all parts, in their order, as one table an output.

    Returns:
        Of each output its blob; of categories, also that of their names.
    """
    blobs = Blobs(context)
    places = {}
    for each in outputs:
        places[each.name] = blobs.path()
        blobs.written.append(Blob("", {}))  # holds its number until it is written
    with ExitStack() as stack:
        writers = {
            each.name: stack.enter_context(table_writer(places[each.name], each.schema))
            for each in outputs
        }
        for batch in _row_groups(context, keys):
            _append(writers, outputs, batch)
            context.check()
    names = blob_names(len(outputs))
    given = {
        each.name: [Blob(name, table_info(places[each.name]))]
        for each, name in zip(outputs, names, strict=True)
    }
    for each in outputs:
        if each.type == CATEGORY:
            given[each.name].append(blobs.add_table(category_table(each.categories), lookup=True))
    return given


def _row_groups(context: Context, keys: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Give what the parts made, as many rows at a time as a row group has."""
    held: list[pa.RecordBatch] = []
    for number, key in enumerate(keys, 1):
        for batch in part_batches(context.part_file(MADE, key)):
            held.append(batch)
            if sum(each.num_rows for each in held) >= CHUNK_ROWS:
                yield one_batch(held)
                held = []
        context.report(number / len(keys), f"gathered part {number} of {len(keys)}")
    if held:
        yield one_batch(held)


def _append(
    writers: Mapping[str, pq.ParquetWriter], outputs: Sequence[Output], batch: pa.RecordBatch
) -> None:
    for each in outputs:
        arrays = [batch.column(name) for name in each.columns]
        rows = pa.RecordBatch.from_arrays(arrays, schema=each.schema)
        writers[each.name].write_batch(rows, row_group_size=CHUNK_ROWS)


def category_table(names: Sequence[str]) -> pa.Table:
    """Give the table of the categories 0, 1, ... and their names."""
    keys = pa.array(range(len(names)), pa.int32())
    return pa.table({"key": keys, "value": pa.array(list(names), pa.string())})


def written_of(outputs: Sequence[Output], given: Mapping[str, Sequence[Blob]]) -> list[Written]:
    """Say of each output what its attribute's document says."""
    return [
        Written(
            each.at,
            each.spec,
            each.type,
            given[each.name][0].info,
            given[each.name][1].info if each.type == CATEGORY else None,
            each.replace,
        )
        for each in outputs
    ]


def give(source: Path, target: Path) -> None:
    """Make a file an output, without copying it where the file system can.

    It is linked, not moved: it stays whole for another attempt.
    """
    target.unlink(missing_ok=True)
    try:
        os.link(source.resolve(), target)  # a link to a link would be none of a file
    except OSError:
        shutil.copyfile(source, target)
