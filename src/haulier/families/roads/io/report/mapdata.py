"""What the map of a report shows: lines in small integers, packed for a browser."""

import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray

from haulier.families.roads.io.outcomes import Outcome
from haulier.families.roads.io.view import geometries, joined_gers
from haulier.families.roads.method.lines import BoolArray, FloatArray, IntArray, Lines, take

MOST_ROADS: Final = 250_000  # about 12 MB of HTML; a browser draws them in a second
TOLERANCE_DEG: Final = 1.5e-5  # about 1.5 m: less than a pixel until a street fills the screen
UNIT_DEG: Final = 1e-6
STEP: Final = np.uint64(0x9E3779B97F4A7C15)  # spreads row numbers evenly (Knuth, vol. 3, 6.4)
PACKING: Final = 3  # zlib: ids are random, so that more effort takes thrice the time for 4 %
GERS_SHOWN: Final = 160  # characters a road: four ids; the results have all


class MapData(msgspec.Struct, frozen=True):
    """The packed map.

    Attributes:
        total: roads in the job.
        shown: roads on the map.
        vertices: of the roads on the map.
        packed: zlib of the sections, one after another: points in each line (uint16), status
            (uint8), confidence (uint8), reason (uint8), first points and then steps between
            points (int32 each, in four planes of bytes), texts.
        texts: bytes of the texts: ids, then GERS ids, by line.
        reasons: the words that the reason codes stand for.
    """

    total: int
    shown: int
    vertices: int
    packed: bytes
    texts: int
    reasons: list[str]


@dataclass(slots=True)
class _Heap:
    """What is gathered tile by tile."""

    counts: list[NDArray[Any]] = field(default_factory=list)
    status: list[NDArray[Any]] = field(default_factory=list)
    confidence: list[NDArray[Any]] = field(default_factory=list)
    reason: list[NDArray[Any]] = field(default_factory=list)
    first: list[NDArray[Any]] = field(default_factory=list)
    steps: list[NDArray[Any]] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    gers: list[str] = field(default_factory=list)


def map_data(outcomes: Iterable[Outcome], total: int, threshold: int) -> MapData:
    """Pack the roads, or an even sample of them where there are more than MOST_ROADS.

    Args:
        outcomes: what became of the roads.
        total: about how many roads there are, to choose the sample by.
        threshold: confidence from which a match counts.
    """
    heap = _Heap()
    words: dict[str, int] = {"": 0}
    roads = 0
    for outcome in outcomes:
        roads += len(outcome.row)
        chosen = sample(outcome.row, MOST_ROADS / max(total, 1))
        if chosen.any():
            _gather(heap, words, outcome, chosen, threshold)
    texts = "\n".join(heap.ids + heap.gers).encode()
    body = b"".join(
        [
            _bytes(heap.counts, np.uint16),
            _bytes(heap.status, np.uint8),
            _bytes(heap.confidence, np.uint8),
            _bytes(heap.reason, np.uint8),
            _planes(heap.first),
            _planes(heap.steps),
            texts,
        ]
    )
    vertices = sum(int(c.sum()) for c in heap.counts)
    packed = zlib.compress(body, PACKING)
    return MapData(roads, len(heap.ids), vertices, packed, len(texts), list(words))


def sample(row: IntArray, share: float) -> BoolArray:
    """Choose an even share of the rows, the same ones every time."""
    if share >= 1:
        return np.ones(len(row), dtype=bool)
    scattered = (row.astype(np.uint64) * STEP) >> np.uint64(32)
    return np.asarray(scattered < np.uint64(int(share * 2**32)))


def _gather(
    heap: _Heap, words: dict[str, int], outcome: Outcome, chosen: BoolArray, threshold: int
) -> None:
    rows = np.flatnonzero(chosen)
    lines = _simplified(take(outcome.lines, rows))
    counts = np.diff(lines.offsets)
    whole = np.round(lines.coordinates / UNIT_DEG).astype(np.int32)
    steps = np.diff(whole, axis=0, prepend=whole[:1])
    inner = np.ones(len(whole), dtype=bool)
    inner[lines.offsets[:-1]] = False
    heap.counts.append(counts)
    heap.first.append(whole[~inner])
    heap.steps.append(steps[inner])
    heap.status.append(outcome.status.status[rows])
    heap.confidence.append(outcome.status.best_confidence[rows])
    said = outcome.reasons()[rows]
    heap.reason.append(np.array([words.setdefault(word, len(words)) for word in said]))
    mask = pa.array(rows)
    heap.ids.extend(_lines_of_text(outcome.id.take(mask)))
    gers = pc.utf8_slice_codeunits(joined_gers(outcome, threshold).take(mask), 0, GERS_SHOWN)
    heap.gers.extend(gers.to_pylist())


def _lines_of_text(ids: pa.Array) -> list[str]:
    texts: list[str] = pc.replace_substring(ids, "\n", " ").to_pylist()
    return texts


def _simplified(lines: Lines) -> Lines:
    """Thin the vertices; a line keeps its ends, and at most 65,535 points."""
    thin = shapely.simplify(geometries(lines), TOLERANCE_DEG, preserve_topology=False)
    counts = np.minimum(shapely.get_num_coordinates(thin), np.iinfo(np.uint16).max)
    offsets = np.concatenate([[0], np.cumsum(shapely.get_num_coordinates(thin))])
    every = Lines(shapely.get_coordinates(thin), offsets.astype(np.int64))
    if np.array_equal(counts, np.diff(every.offsets)):
        return every
    within = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
    kept: FloatArray = every.coordinates[np.repeat(every.offsets[:-1], counts) + within]
    return Lines(kept, np.concatenate([[0], np.cumsum(counts)]).astype(np.int64))


def _bytes(arrays: list[NDArray[Any]], type_: type[np.generic]) -> bytes:
    return np.concatenate([np.zeros(0), *arrays]).astype(type_).tobytes()


def _planes(arrays: list[NDArray[Any]]) -> bytes:
    """Write int32 as all first bytes, then all second bytes, ...: zlib likes it better."""
    flat = np.concatenate([np.zeros((0, 2)), *arrays]).astype("<i4").ravel()
    return np.ascontiguousarray(flat.view(np.uint8).reshape(-1, 4).T).tobytes()
