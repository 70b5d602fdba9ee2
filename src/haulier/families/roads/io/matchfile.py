"""Matches between the steps: one record batch a tile, and apart those that tiles compete for."""

from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from haulier.families.roads.method.lines import BoolArray, IntArray
from haulier.families.roads.method.matches import FEATURES, Matches

#: Columns of Matches that are kept as they are.
PLAIN: Final = {
    "road": pa.int32(),
    "road_from": pa.float64(),
    "road_to": pa.float64(),
    "segment_from": pa.float64(),
    "segment_to": pa.float64(),
    "forward": pa.bool_(),
    "offset_m": pa.float32(),
    "signed_m": pa.float32(),
    "sequence": pa.int32(),
    "confidence": pa.uint8(),
    "alone": pa.uint8(),
}
MATCH_SCHEMA: Final = pa.schema([*PLAIN.items(), ("gers", pa.string())])
SHARED_SCHEMA: Final = pa.schema(
    [
        *PLAIN.items(),
        ("gers", pa.string()),
        ("place", pa.int64()),  # row among the tile's matches
        ("row", pa.int64()),  # of the road in the customer's file
        ("penalty", pa.float32()),
        ("features", pa.list_(pa.float32(), len(FEATURES))),
    ]
)


def match_batch(matches: Matches, gers: pa.Array) -> pa.RecordBatch:
    """Give matches as they are kept.

    Args:
        matches: r rows.
        gers: (r,) the id of each row's segment.
    """
    columns = {name: pa.array(getattr(matches, name), type_) for name, type_ in PLAIN.items()}
    return pa.RecordBatch.from_pydict({**columns, "gers": gers}, schema=MATCH_SCHEMA)


def shared_batch(
    matches: Matches, gers: pa.Array, shared: BoolArray, row: IntArray
) -> pa.RecordBatch:
    """Give the matches on segments that other tiles see too, with all that decides confidence.

    Args:
        matches: r rows of one tile.
        gers: (r,) the id of each row's segment.
        shared: (r,) which of them are on such a segment.
        row: (r,) of the road in the customer's file.
    """
    place = np.flatnonzero(shared)
    batch = match_batch(matches, gers).take(pa.array(place))
    columns = {name: batch[name] for name in MATCH_SCHEMA.names}
    features = np.ascontiguousarray(matches.features[place], dtype=np.float32)
    columns.update(
        place=pa.array(place, pa.int64()),
        row=pa.array(row[place], pa.int64()),
        penalty=pa.array(matches.penalty[place], pa.float32()),
        features=pa.FixedSizeListArray.from_arrays(pa.array(features.ravel()), len(FEATURES)),
    )
    return pa.RecordBatch.from_pydict(columns, schema=SHARED_SCHEMA)


def read_matches(batch: pa.RecordBatch) -> Matches:
    """Give a batch back as the matcher's table; features and penalty are there if kept."""
    r = batch.num_rows
    whole = {name: np.array(batch[name].to_numpy(zero_copy_only=False)) for name in PLAIN}
    features, penalty = np.zeros((r, 0), dtype=np.float32), np.zeros(r, dtype=np.float32)
    if "features" in batch.schema.names:
        features = np.array(batch["features"].flatten().to_numpy()).reshape(r, len(FEATURES))
        penalty = np.array(batch["penalty"].to_numpy())
    segment = np.zeros(r, dtype=np.int32)  # a row among a tile's segments means nothing here
    return Matches(segment=segment, features=features, penalty=penalty, **whole)


def with_confidence_of(
    batch: pa.RecordBatch, place: IntArray, confidence: NDArray[np.uint8]
) -> pa.RecordBatch:
    """Replace the confidence of some rows."""
    renewed = np.array(batch["confidence"].to_numpy())
    renewed[place] = confidence
    at = batch.schema.get_field_index("confidence")
    return batch.set_column(at, batch.schema.field(at), pa.array(renewed, pa.uint8()))
