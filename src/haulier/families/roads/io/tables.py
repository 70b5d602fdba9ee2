"""The tables of a job: its matches, the status of each road, and Overture's bridge file."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from haulier.families.roads.io.outcomes import Outcome
from haulier.families.roads.method.lines import FloatArray

PAIR: Final = pa.list_(pa.float64())
RESULT_SCHEMA: Final = pa.schema(
    [
        ("id", pa.string()),
        ("gers", pa.string()),
        ("confidence", pa.int32()),  # 0-100
        ("lr_id", PAIR),  # matched stretch of the road, two fractions
        ("lr_gers", PAIR),  # matched stretch of the segment, two fractions
        ("lr_id_start", pa.float64()),
        ("lr_id_end", pa.float64()),
        ("lr_gers_start", pa.float64()),
        ("lr_gers_end", pa.float64()),
        ("direction", pa.string()),  # forward: the road runs along the segment
        ("mean_offset_m", pa.float32()),
        ("sequence", pa.int32()),  # place along the road, from 0
        ("overture_release", pa.string()),
    ]
)
ROADS_SCHEMA: Final = pa.schema(
    [
        ("id", pa.string()),
        ("status", pa.string()),
        ("coverage", pa.float64()),
        ("n_segments", pa.int32()),
        ("best_confidence", pa.int32()),
        ("reason", pa.string()),  # null for a matched road
        ("length_m", pa.float64()),
        ("row", pa.int64()),  # in the customer's file, from 0
        ("detail", pa.string()),  # what was wrong with a skipped row
    ]
)
BRIDGE_SCHEMA: Final = pa.schema(
    [
        ("id", pa.string()),
        ("record_id", pa.string()),
        ("update_time", pa.string()),
        ("dataset", pa.string()),
        ("theme", pa.string()),
        ("type", pa.string()),
        ("between", PAIR),
        ("dataset_between", PAIR),
    ]
)
SKIPPED: Final = "skipped"
WORDS_REPEAT: Final = ("direction", "overture_release", "status", "reason", "dataset", "theme")


@contextmanager
def table_writer(path: Path, schema: pa.Schema, about: Mapping[str, str]) -> Iterator[Any]:
    """Write a Parquet table, a row group a call, with what it is about in its metadata."""
    described = schema.with_metadata({key.encode(): value.encode() for key, value in about.items()})
    repeated = [name for name in schema.names if name in WORDS_REPEAT]
    with pq.ParquetWriter(
        path, described, compression="zstd", compression_level=1, use_dictionary=repeated
    ) as writer:
        yield writer


def result_table(outcome: Outcome, release: str) -> pa.Table:
    """Give one row a match, whatever its confidence, in the vendor's columns and ours."""
    matches = outcome.matches
    direction = pa.DictionaryArray.from_arrays(
        pa.array((~matches.forward).astype(np.int8)), pa.array(["forward", "backward"])
    )
    columns = {
        "id": outcome.id.take(pa.array(matches.road)),
        "gers": outcome.gers,
        "confidence": pa.array(matches.confidence, pa.int32()),
        "lr_id": _pairs(matches.road_from, matches.road_to),
        "lr_gers": _pairs(matches.segment_from, matches.segment_to),
        "lr_id_start": pa.array(matches.road_from),
        "lr_id_end": pa.array(matches.road_to),
        "lr_gers_start": pa.array(matches.segment_from),
        "lr_gers_end": pa.array(matches.segment_to),
        "direction": direction.dictionary_decode(),
        "mean_offset_m": pa.array(matches.offset_m, pa.float32()),
        "sequence": pa.array(matches.sequence, pa.int32()),
        "overture_release": _same(release, len(matches)),
    }
    return pa.table(columns, schema=RESULT_SCHEMA)


def _pairs(low: FloatArray, high: FloatArray) -> pa.ListArray:
    flat = np.column_stack([low, high]).ravel()
    offsets = np.arange(0, len(flat) + 1, 2, dtype=np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(flat))


def _same(word: str | None, n: int) -> pa.Array:
    return pa.repeat(pa.scalar(word, pa.string()), n)


def roads_table(outcome: Outcome) -> pa.Table:
    """Give one row a road: its status, and why it is not matched."""
    status, reason = outcome.status, outcome.reasons()
    columns = {
        "id": outcome.id,
        "status": pa.array(outcome.status_words(), pa.string()),
        "coverage": pa.array(status.coverage),
        "n_segments": pa.array(status.n_segments, pa.int32()),
        "best_confidence": pa.array(status.best_confidence, pa.int32()),
        "reason": pa.array(reason, pa.string(), mask=np.equal(reason, "").astype(bool)),
        "length_m": pa.array(outcome.length_m),
        "row": pa.array(outcome.row, pa.int64()),
        "detail": _same(None, len(reason)),
    }
    return pa.table(columns, schema=ROADS_SCHEMA)


def skipped_table(bad: pa.Table) -> pa.Table:
    """Give the rows that were left out, in the columns of the roads."""
    n = bad.num_rows
    columns = {
        "id": bad["id"],
        "status": _same(SKIPPED, n),
        "coverage": pa.array(np.zeros(n)),
        "n_segments": pa.array(np.zeros(n), pa.int32()),
        "best_confidence": pa.array(np.zeros(n), pa.int32()),
        "reason": bad["reason"],
        "length_m": pa.nulls(n, pa.float64()),
        "row": bad["row"],
        "detail": bad["detail"],
    }
    return pa.table(columns, schema=ROADS_SCHEMA)


def bridge_table(results: pa.Table, dataset: str, threshold: int) -> pa.Table:
    """Give the matches that count in the columns of Overture's bridge files.

    Args:
        results: as `result_table` gives them.
        dataset: what the customer's data is called.
        threshold: confidence from which a match counts.
    """
    kept = results.filter(pc.greater_equal(results["confidence"], threshold))
    n = kept.num_rows
    columns = {
        "id": kept["gers"],
        "record_id": kept["id"],
        "update_time": _same(None, n),
        "dataset": _same(dataset, n),
        "theme": _same("transportation", n),
        "type": _same("segment", n),
        "between": kept["lr_gers"],
        "dataset_between": kept["lr_id"],
    }
    return pa.table(columns, schema=BRIDGE_SCHEMA)
