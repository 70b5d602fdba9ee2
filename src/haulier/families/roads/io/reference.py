"""Read the segments of one tile out of an Overture release."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray

from haulier.families.roads.io.releases import (
    BATCH_ROWS,
    Release,
    opened,
    segment_boxes,
    usable,
)
from haulier.families.roads.method.lines import BoolArray, FloatArray, IntArray, Lines, no_lines
from haulier.families.roads.method.network import Reference, road_class_code
from haulier.families.roads.tiles import meets

KEPT: Final = ("id", "geometry", "bbox", "subtype", "class", "connectors")
LINESTRING: Final = int(shapely.GeometryType.LINESTRING)


@dataclass(frozen=True, slots=True)
class TileSegments:
    """The segments near the roads of one tile.

    Attributes:
        gers: (s,) GERS ids.
        boxes: (s, 4) west, south, east, north.
        reference: the same segments for the matcher.
    """

    gers: pa.Array
    boxes: FloatArray
    reference: Reference


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which attributes the matcher can use, because the customer's roads have them."""

    names: bool = False
    levels: bool = False
    one_way: bool = False

    def columns(self, existing: Iterable[str]) -> list[str]:
        """Name the columns to read, of those that exist."""
        asked = list(KEPT)
        if self.names:
            asked.append("names.primary")
        if self.levels:
            asked.append("level_rules")
        if self.one_way:
            asked.append("access_restrictions")
        there = set(existing)
        return [name for name in asked if name.partition(".")[0] in there]


def read_segments(
    release: Release, groups: Sequence[tuple[int, int]], areas: FloatArray, wanted: Wanted
) -> TileSegments:
    """Read the usable segments that meet the areas.

    Args:
        release: where they are.
        groups: (file, row group) pairs to look in.
        areas: (k, 4) bounds of the tile's roads, halo included.
        wanted: attributes to read besides the class.

    Raises:
        Problem: INVALID; a file of the release is damaged.
    """
    tables = []
    for file in sorted({file for file, _ in groups}):
        with opened(release, file) as parquet:
            rows = [group for each, group in groups if each == file]
            columns = wanted.columns(parquet.schema_arrow.names)
            for batch in parquet.iter_batches(BATCH_ROWS, row_groups=rows, columns=columns):
                near = usable(batch) & meets(segment_boxes(batch), areas)
                if near.any():
                    table = pa.Table.from_batches([batch.filter(pa.array(near))])
                    tables.append(table.replace_schema_metadata(None))
    if not tables:
        return no_segments()
    return segments_of(pa.concat_tables(tables, promote_options="default").combine_chunks())


def no_segments() -> TileSegments:
    """Give what a tile has that the release does not cover."""
    none = np.zeros(0, dtype=np.int64)
    reference = Reference(no_lines(), np.zeros(0), none, np.zeros(1, dtype=np.int64))
    return TileSegments(pa.array([], pa.string()), np.zeros((0, 4)), reference)


def segments_of(table: pa.Table) -> TileSegments:
    """Turn rows of an Overture release into arrays.

    Args:
        table: with the columns of `Wanted`; rows that are no LINESTRING are left out.
    """
    geometries = shapely.from_wkb(table["geometry"].to_numpy())
    lines = shapely.get_type_id(geometries) == LINESTRING
    if not lines.all():
        table = table.filter(pa.array(lines)).combine_chunks()
        geometries = geometries[lines]
    if table.num_rows == 0:
        return no_segments()
    at, codes, offsets = _connectors(_one(table["connectors"]))
    counts = shapely.get_num_coordinates(geometries)
    return TileSegments(
        gers=pc.cast(_one(table["id"]), pa.string()),
        boxes=segment_boxes(table.to_batches()[0]),
        reference=Reference(
            lines=Lines(shapely.get_coordinates(geometries), _offsets(counts)),
            connector_at=at,
            connector_id=codes,
            connector_offsets=offsets,
            road_class=_classes(table),
            names=_names(table),
            level=_levels(table),
            one_way=_one_way(table),
        ),
    )


def _one(column: pa.ChunkedArray) -> pa.Array:
    return pa.concat_arrays(column.chunks)


def _offsets(counts: NDArray[Any]) -> IntArray:
    return np.concatenate([np.zeros(1), np.cumsum(counts)]).astype(np.int64)


def _connectors(column: pa.Array) -> tuple[FloatArray, IntArray, IntArray]:
    """Flatten the lists of connectors: fractions, codes of their ids, offsets."""
    counts = pc.fill_null(pc.list_value_length(column), 0).to_numpy(zero_copy_only=False)
    flat = pc.list_flatten(column)
    at = pc.struct_field(flat, "at").to_numpy(zero_copy_only=False).astype(np.float64)
    codes = pc.struct_field(flat, "connector_id").dictionary_encode().indices
    return at, codes.to_numpy(zero_copy_only=False).astype(np.int64), _offsets(counts)


def _classes(table: pa.Table) -> IntArray | None:
    if "class" not in table.schema.names:
        return None
    encoded = _one(table["class"]).dictionary_encode(null_encoding="encode")
    words = encoded.dictionary.to_pylist()
    codes = np.array([road_class_code(word) for word in words], dtype=np.int64)
    return np.asarray(codes[encoded.indices.to_numpy()])


def _names(table: pa.Table) -> tuple[str | None, ...] | None:
    if "names" not in table.schema.names:
        return None
    return tuple(pc.struct_field(_one(table["names"]), "primary").to_pylist())


def _levels(table: pa.Table) -> IntArray | None:
    """Give the level that holds for the whole segment; a rule for a part of it does not count."""
    if "level_rules" not in table.schema.names:
        return None
    column = _one(table["level_rules"])
    rules, parents = pc.list_flatten(column), pc.list_parent_indices(column)
    whole = pc.is_null(pc.struct_field(rules, "between")).to_numpy(zero_copy_only=False)
    values = pc.fill_null(pc.struct_field(rules, "value"), 0).to_numpy(zero_copy_only=False)
    level = np.zeros(table.num_rows, dtype=np.int64)
    level[parents.to_numpy()[whole]] = values[whole]
    return level


def _one_way(table: pa.Table) -> IntArray | None:
    """Read directions: a denial for everybody against one heading, always and everywhere.

    Returns:
        (s,) 1 along the segment only, -1 against it only, 0 both.
    """
    if "access_restrictions" not in table.schema.names:
        return None
    column = _one(table["access_restrictions"])
    rules, parents = pc.list_flatten(column), pc.list_parent_indices(column).to_numpy()
    denied = _says(pc.struct_field(rules, "access_type"), "denied")
    when = pc.struct_field(rules, "when")
    for part in ("during", "mode", "using", "recognized", "vehicle"):
        if when.type.get_field_index(part) >= 0:
            denied &= _absent(pc.struct_field(when, part))
    if rules.type.get_field_index("between") >= 0:
        denied &= _absent(pc.struct_field(rules, "between"))
    heading = pc.struct_field(when, "heading")
    direction = np.zeros(table.num_rows, dtype=np.int64)
    direction[parents[denied & _says(heading, "backward")]] = 1
    direction[parents[denied & _says(heading, "forward")]] = -1
    return direction


def _says(column: pa.Array, word: str) -> BoolArray:
    equal = pc.fill_null(pc.equal(column, word), fill_value=False)
    return np.array(equal.to_numpy(zero_copy_only=False))


def _absent(column: pa.Array) -> BoolArray:
    return np.array(pc.is_null(column).to_numpy(zero_copy_only=False))
