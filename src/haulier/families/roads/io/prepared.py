"""The customer's roads between the steps: checked, plain, in one record batch a tile."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from haulier.families.roads.io.checks import BadRow, CheckedRows
from haulier.families.roads.io.sources import Source
from haulier.families.roads.method.lines import BoolArray, FloatArray, IntArray, Lines
from haulier.families.roads.method.network import NO_VALUE, Customer, road_class_code
from haulier.families.roads.pieces import Pieces, cut_long_roads
from haulier.families.roads.tiles import bounds, finest_keys, middles

PLACE: Final = pa.list_(pa.float64(), 2)
ROAD_FIELDS: Final = (
    pa.field("key", pa.int32()),  # finest tile of the middle of its bounds
    pa.field("row", pa.int64()),  # in the customer's file, from 0
    pa.field("id", pa.string()),
    pa.field("hash", pa.uint64()),  # of the id
    pa.field("navigable", pa.bool_()),
    pa.field("length_m", pa.float64()),  # geodesic
    pa.field("start", pa.float64()),  # which stretch of the road this is: 0 and 1
    pa.field("stop", pa.float64()),  # unless it was too long for a tile
    pa.field("box", pa.list_(pa.float64(), 4)),
    pa.field("line", pa.list_(PLACE)),
)
OPTIONAL_FIELDS: Final = {
    "name": pa.field("name", pa.string()),
    "class": pa.field("class", pa.int64()),
    "one_way": pa.field("one_way", pa.bool_()),
    "level": pa.field("level", pa.int64()),
}
BAD_SCHEMA: Final = pa.schema(
    [
        ("row", pa.int64()),
        ("id", pa.string()),
        ("column", pa.string()),
        ("reason", pa.string()),
        ("detail", pa.string()),
    ]
)
HASH_FACTOR: Final = 0x9E3779B97F4A7C15


@dataclass(frozen=True, slots=True)
class TileRoads:
    """The customer's roads of one tile.

    Attributes:
        row: (m,) in the customer's file, from 0.
        id: (m,) as text.
        start: (m,) fraction of the road where this piece begins.
        stop: (m,) fraction of the road where it ends.
        length_m: (m,) geodesic.
        customer: the same roads for the matcher.
    """

    row: IntArray
    id: pa.Array
    start: FloatArray
    stop: FloatArray
    length_m: FloatArray
    customer: Customer

    @property
    def whole(self) -> BoolArray:
        """Say which of them are whole roads and no pieces."""
        return np.asarray((self.start == 0.0) & (self.stop == 1.0))


def road_schema(roles: Iterable[str]) -> pa.Schema:
    """Give the columns of prepared roads whose source serves these roles."""
    further = [OPTIONAL_FIELDS[role] for role in OPTIONAL_FIELDS if role in set(roles)]
    return pa.schema([*ROAD_FIELDS, *further])


def road_batch(source: Source, rows: CheckedRows) -> pa.RecordBatch:
    """Give checked rows in the form that is kept, sorted by tile.

    Roads too long for a tile become several rows.
    """
    pieces = cut_long_roads(rows.lines)
    boxes = bounds(pieces.lines.coordinates, pieces.lines.offsets)
    keys = finest_keys(middles(boxes))
    owner = pa.array(pieces.owner)
    ids = rows.id.take(owner)
    columns: dict[str, pa.Array] = {
        "key": pa.array(keys, pa.int32()),
        "row": pa.array(rows.row[pieces.owner], pa.int64()),
        "id": ids,
        "hash": pa.array(id_hashes(ids), pa.uint64()),
        "navigable": _navigable(source, rows.batch).take(owner),
        "length_m": pa.array(pieces.length_m),
        "start": pa.array(pieces.start),
        "stop": pa.array(pieces.stop),
        "box": pa.FixedSizeListArray.from_arrays(pa.array(boxes.ravel()), 4),
        "line": _line_column(pieces),
    }
    columns.update({role: column.take(owner) for role, column in _attributes(source, rows.batch)})
    batch = pa.RecordBatch.from_pydict(columns, schema=road_schema(source.columns))
    return batch.take(pa.array(np.argsort(keys, kind="stable")))


def _line_column(pieces: Pieces) -> pa.ListArray:
    flat = pa.array(np.ascontiguousarray(pieces.lines.coordinates).ravel())
    places = pa.FixedSizeListArray.from_arrays(flat, 2)
    return pa.ListArray.from_arrays(pa.array(pieces.lines.offsets.astype(np.int32)), places)


def _navigable(source: Source, batch: pa.RecordBatch) -> pa.Array:
    """No column: all are navigable. Null: this one is not."""
    if "is_navigable" not in source.columns:
        return pa.array(np.ones(batch.num_rows, dtype=bool))
    return pc.fill_null(batch.column(source.columns["is_navigable"]), fill_value=False)


def _attributes(source: Source, batch: pa.RecordBatch) -> Iterator[tuple[str, pa.Array]]:
    for role, field in OPTIONAL_FIELDS.items():
        if role not in source.columns:
            continue
        column = batch.column(source.columns[role])
        if pa.types.is_dictionary(column.type):
            column = column.dictionary_decode()
        yield role, _class_codes(column) if role == "class" else pc.cast(column, field.type)


def _class_codes(words: pa.Array) -> pa.Array:
    encoded = pc.cast(words, pa.string()).dictionary_encode(null_encoding="encode")
    codes = np.array([road_class_code(word) for word in encoded.dictionary.to_pylist()], np.int64)
    return pa.array(codes[encoded.indices.to_numpy()] if len(codes) else codes, pa.int64())


def id_hashes(ids: pa.Array) -> NDArray[np.uint64]:
    """Hash texts to 64 bits: a polynomial of the bytes, then a finish that mixes all bits.

    Source:
        Steele, Lea & Flood (2014), Fast splittable pseudorandom number generators (the finish).
    """
    ids = pa.concat_arrays([ids])  # without an offset into larger buffers
    offsets = np.frombuffer(ids.buffers()[1], dtype=np.int32)[: len(ids) + 1].astype(np.int64)
    data = ids.buffers()[2]
    text = np.frombuffer(data, dtype=np.uint8) if data is not None else np.zeros(0, np.uint8)
    text = text[offsets[0] : offsets[-1]]
    offsets = offsets - offsets[0]
    counts = np.diff(offsets)
    place = np.arange(len(text)) - np.repeat(offsets[:-1], counts)
    powers = np.cumprod(np.full(int(counts.max(initial=0)) + 1, HASH_FACTOR, np.uint64))
    terms = (text + np.uint64(1)) * powers[place]
    total = np.concatenate([np.zeros(1, np.uint64), np.cumsum(terms)])
    code = total[offsets[1:]] - total[offsets[:-1]]
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB), (31, 1)):
        code = (code ^ (code >> np.uint64(shift))) * np.uint64(factor)
    return np.asarray(code)


def bad_table(bad: Sequence[BadRow]) -> pa.Table:
    """Give bad rows as a table."""
    columns = {name: [getattr(row, name) for row in bad] for name in BAD_SCHEMA.names}
    return pa.table(columns, schema=BAD_SCHEMA)


@contextmanager
def batch_writer(path: Path, schema: pa.Schema) -> Iterator[Any]:
    """Write record batches that `mapped` can read without copying them."""
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
        yield writer


@contextmanager
def mapped(path: Path) -> Iterator[Any]:
    """Map a file of record batches: a batch costs memory only while it is used."""
    with pa.memory_map(str(path)) as file, pa.ipc.open_file(file) as reader:
        yield reader


def read_tile(path: Path, batch: int) -> TileRoads:
    """Read the roads of one tile."""
    with mapped(path) as reader:
        roads = reader.get_batch(batch)
        return TileRoads(
            np.array(roads["row"].to_numpy()),
            pa.concat_arrays([roads["id"]]),
            np.array(roads["start"].to_numpy()),
            np.array(roads["stop"].to_numpy()),
            np.array(roads["length_m"].to_numpy()),
            _customer(roads),
        )


def tile_lines(roads: pa.RecordBatch) -> Lines:
    """Give the geometry of a batch of prepared roads, copied out of its file."""
    column = roads["line"]
    offsets = column.offsets.to_numpy().astype(np.int64)
    flat = column.flatten().flatten().to_numpy()
    return Lines(np.array(flat).reshape(-1, 2), offsets - offsets[0])


def _customer(roads: pa.RecordBatch) -> Customer:
    names = roads.schema.names
    return Customer(
        lines=tile_lines(roads),
        navigable=np.array(roads["navigable"].to_numpy(zero_copy_only=False)),
        one_way=_filled(roads, "one_way", value=False).astype(bool) if "one_way" in names else None,
        road_class=_filled(roads, "class", value=NO_VALUE) if "class" in names else None,
        names=tuple(roads["name"].to_pylist()) if "name" in names else None,
        level=_filled(roads, "level", value=0) if "level" in names else None,
    )


def _filled(roads: pa.RecordBatch, name: str, *, value: int) -> NDArray[Any]:
    return np.array(pc.fill_null(roads[name], value).to_numpy(zero_copy_only=False))
