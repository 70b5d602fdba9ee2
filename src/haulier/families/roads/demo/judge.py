"""Compare the results of a job with the truth: precision, recall, and what was invented."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import shapely
from numpy.typing import NDArray

from haulier.families.roads.demo.release import GEOD
from haulier.families.roads.io.releases import open_release, opened
from haulier.families.roads.method.lines import FloatArray
from haulier.families.roads.method.matches import no_matches
from haulier.families.roads.method.score import Score, score
from haulier.families.roads.method.settings import THRESHOLD
from haulier.families.roads.method.truth import Truth

if TYPE_CHECKING:
    from haulier.families.roads.demo.make import DemoFiles


def judge(
    results: Path, files: "DemoFiles", *, only: pa.Array | None = None, threshold: int = THRESHOLD
) -> Score:
    """Judge the results of a road matching job.

    Args:
        results: Parquet in the vendor's columns.
        files: release, customer and truth that belong together.
        only: ids (text) of the roads to judge by; None: all.
        threshold: confidence from which a match counts.

    Returns:
        Length precision, recall and F1; exact roads; roads that were given a match though they
        truly have none.
    """
    names, segment_m = _segments(files)
    roads = _texts(pq.read_table(files.customer, columns=["id"])["id"])
    if only is not None:
        roads = roads.filter(pc.is_in(roads, only))
    columns = ["id", "gers", "confidence", "lr_gers_start", "lr_gers_end"]
    found = _known(pq.read_table(results, columns=columns), roads, names)
    true = _known(pq.read_table(files.truth), roads, names)
    n = found.num_rows
    blank = no_matches()
    matches = replace(
        blank,
        road=_numbers(found["road"], np.int32),
        segment=_numbers(found["segment"], np.int32),
        segment_from=_numbers(found["lr_gers_start"], np.float64),
        segment_to=_numbers(found["lr_gers_end"], np.float64),
        confidence=_numbers(found["confidence"], np.uint8),
        sequence=np.zeros(n, np.int32),
    )
    truth = Truth(
        _numbers(true["road"], np.int32),
        _numbers(true["segment"], np.int32),
        _numbers(true["gers_start"], np.float64),
        _numbers(true["gers_end"], np.float64),
        _numbers(true["same_direction"], np.bool_),
    )
    return score(matches, truth, len(roads), segment_m, threshold)


def _segments(files: "DemoFiles") -> tuple[pa.Array, FloatArray]:
    """Read the ids of the release's segments, and their lengths in metres."""
    release = open_release(files.release_name, {"url": str(files.release)})
    names: list[pa.Array] = []
    length_m: list[float] = []
    for number in range(len(release.files)):
        with opened(release, number) as parquet:
            table = parquet.read(columns=["id", "geometry"])
        names.extend(_texts(table["id"]).to_pylist())
        lines = shapely.from_wkb(table["geometry"].to_numpy())
        length_m.extend(GEOD.geometry_length(line) for line in lines)
    return pa.array(names, pa.string()), np.array(length_m)


def _texts(column: pa.ChunkedArray) -> pa.Array:
    return pc.cast(column, pa.string()).combine_chunks()


def _known(table: pa.Table, roads: pa.Array, names: pa.Array) -> pa.Table:
    """Number roads and segments; rows about others are left out."""
    road = pc.index_in(_texts(table["id"]), roads)
    segment = pc.index_in(_texts(table["gers"]), names)
    table = table.append_column("road", road).append_column("segment", segment)
    return table.filter(pc.and_(pc.is_valid(road), pc.is_valid(segment)))


def _numbers(column: pa.ChunkedArray, type_: type[np.generic]) -> NDArray[Any]:
    return np.asarray(column.to_numpy()).astype(type_)
