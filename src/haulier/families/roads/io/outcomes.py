"""What became of the roads, tile by tile: the two earlier steps read side by side."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from haulier.families.roads.io.matchfile import read_matches
from haulier.families.roads.io.prepared import TileRoads, mapped, read_tile
from haulier.families.roads.method.lines import BoolArray, FloatArray, IntArray, Lines, take
from haulier.families.roads.method.long_roads import Cut, rejoin
from haulier.families.roads.method.matches import Matches, join, pick
from haulier.families.roads.method.status import Reason, RoadStatus, Status, road_status
from haulier.families.roads.result import Counts

STATUS_WORDS: Final = {
    Status.UNMATCHED: "unmatched",
    Status.PARTIAL: "partially_matched",
    Status.FULL: "fully_matched",
}
NO_REFERENCE: Final = "no_reference"  # no segment at all near the whole tile

WordArray = NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Some roads, their matches and their status.

    Attributes:
        row: (m,) in the customer's file, from 0.
        id: (m,) as text.
        length_m: (m,) geodesic.
        lines: m roads, degrees.
        matches: r rows; `road` is a row of these roads, `segment` a code within this outcome.
        gers: (r,) the id of each row's segment.
        status: of the m roads.
        no_reference: the release has nothing near these roads.
    """

    row: IntArray
    id: pa.Array
    length_m: FloatArray
    lines: Lines
    matches: Matches
    gers: pa.Array
    status: RoadStatus
    no_reference: bool = False

    def reasons(self) -> WordArray:
        """Give the reason of each road in words; empty for a matched one."""
        words = np.array([reason.name.lower() for reason in Reason], dtype=object)
        words[Reason.MATCHED] = ""
        if self.no_reference:
            words[Reason.NO_CANDIDATE] = NO_REFERENCE
        return np.asarray(words[self.status.reason])

    def status_words(self) -> WordArray:
        """Give the status of each road in words."""
        words = np.array([STATUS_WORDS[status] for status in Status], dtype=object)
        return np.asarray(words[self.status.status])


@dataclass(frozen=True, slots=True)
class Held:
    """Pieces of long roads in one tile, kept until all tiles are read.

    Attributes:
        roads: of the whole tile.
        rows: (p,) the pieces among them.
        matches: whose `road` is a place in `rows`.
        gers: (r,) the id of each match's segment.
    """

    roads: TileRoads
    rows: IntArray
    matches: Matches
    gers: pa.Array


def outcomes(
    customers: Path, matches: Path, threshold: int, without_reference: Sequence[int]
) -> Iterator[Outcome]:
    """Read what became of the roads, one tile in memory at a time.

    Args:
        customers: the prepared roads, a batch a tile.
        matches: the matches, a batch a tile.
        threshold: confidence from which a match counts.
        without_reference: tiles for which the release has no segment.

    Yields:
        An outcome a tile; at the end one for the roads that were cut into pieces, if any.
    """
    held: list[Held] = []
    with mapped(matches) as reader:
        for tile in range(reader.num_record_batches):
            roads, batch = read_tile(customers, tile), reader.get_batch(tile)
            found, gers = read_matches(batch), pa.concat_arrays([batch["gers"]])
            whole = roads.whole
            if not whole.all():
                pieces = np.flatnonzero(~whole)
                held.append(Held(roads, pieces, *_of_roads(found, gers, ~whole, pieces)))
            kept = np.flatnonzero(whole)
            outcome = _outcome(roads, kept, _of_roads(found, gers, whole, kept), threshold)
            yield replace(outcome, no_reference=tile in without_reference)
    if held:
        yield _long_roads(held, threshold)


def _of_roads(
    matches: Matches, gers: pa.Array, chosen: BoolArray, roads: IntArray
) -> tuple[Matches, pa.Array]:
    """Take the matches of the chosen roads, whose numbers become places in `roads`."""
    mine = chosen[matches.road]
    if not chosen.all():
        matches, gers = pick(matches, mine), gers.filter(pa.array(mine))
        place = np.searchsorted(roads, matches.road).astype(np.int32)
        matches = replace(matches, road=place)
    return replace(matches, segment=_codes(gers)), gers


def _codes(gers: pa.Array) -> NDArray[np.int32]:
    return np.asarray(gers.dictionary_encode().indices.to_numpy(), dtype=np.int32)


def _outcome(
    roads: TileRoads, kept: IntArray, found: tuple[Matches, pa.Array], threshold: int
) -> Outcome:
    navigable, length_m = roads.customer.navigable[kept], roads.length_m[kept]
    return Outcome(
        row=roads.row[kept],
        id=roads.id.take(pa.array(kept)),
        length_m=length_m,
        lines=take(roads.customer.lines, kept),
        matches=found[0],
        gers=found[1],
        status=road_status(len(kept), length_m, found[0], threshold, navigable),
    )


def _long_roads(held: Sequence[Held], threshold: int) -> Outcome:
    """Join the pieces of long roads, and their matches, from all tiles."""
    row = np.concatenate([each.roads.row[each.rows] for each in held])
    start, stop, length_m = (
        np.concatenate([getattr(each.roads, name)[each.rows] for each in held])
        for name in ("start", "stop", "length_m")
    )
    navigable = np.concatenate([each.roads.customer.navigable[each.rows] for each in held])
    ids = pa.concat_arrays([each.roads.id.take(pa.array(each.rows)) for each in held])
    order = np.lexsort((start, row))
    rows, first, parent = np.unique(row[order], return_index=True, return_inverse=True)
    lines = _piece_lines(held, order)
    gers = pa.concat_arrays([each.gers for each in held])
    found = replace(join(_placed(held, order)), segment=_codes(gers))
    matches = rejoin(found, Cut(lines, parent, start[order], stop[order]))
    total_m = np.bincount(parent, weights=length_m[order]).astype(np.float64)
    status = road_status(len(rows), total_m, matches, threshold, navigable[order][first])
    return Outcome(
        row=rows,
        id=ids.take(pa.array(order[first])),
        length_m=total_m,
        lines=_sewn(lines, parent, len(rows)),
        matches=matches,
        gers=gers.dictionary_encode().dictionary.take(pa.array(matches.segment)),
        status=status,
    )


def _piece_lines(held: Sequence[Held], order: IntArray) -> Lines:
    each = [take(some.roads.customer.lines, some.rows) for some in held]
    counts = np.concatenate([np.diff(lines.offsets) for lines in each])
    offsets = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(counts)])
    return take(Lines(np.concatenate([lines.coordinates for lines in each]), offsets), order)


def _placed(held: Sequence[Held], order: IntArray) -> list[Matches]:
    """Number the pieces of all tiles in one order, in the matches too."""
    place = np.empty(len(order), dtype=np.int32)
    place[order] = np.arange(len(order), dtype=np.int32)
    tables: list[Matches] = []
    first = 0
    for each in held:
        tables.append(replace(each.matches, road=place[first + each.matches.road]))
        first += len(each.rows)
    return tables


def _sewn(lines: Lines, parent: IntArray, roads: int) -> Lines:
    """Make one line of the pieces of each road; the vertex at a cut stands once."""
    keep = np.ones(len(lines.coordinates), dtype=bool)
    goes_on = np.flatnonzero(parent[1:] == parent[:-1]) + 1
    keep[lines.offsets[goes_on]] = False
    counts = np.diff(lines.offsets)
    counts[goes_on] -= 1
    total = np.bincount(parent, weights=counts, minlength=roads).astype(np.int64)
    offsets = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(total)])
    return Lines(lines.coordinates[keep], offsets)


def counted(outcome: Outcome, threshold: int) -> Counts:
    """Count what the statistics need of an outcome."""
    status, matches = outcome.status, outcome.matches
    full = status.status == Status.FULL
    counts = matches.confidence >= threshold
    span_m = (matches.road_to - matches.road_from) * outcome.length_m[matches.road]
    words, numbers = np.unique(outcome.reasons().astype(str), return_counts=True)
    tens = np.bincount(np.minimum(matches.confidence // 10, 9), minlength=10)
    return Counts(
        roads=len(outcome.row),
        fully=int(full.sum()),
        partially=int((status.status == Status.PARTIAL).sum()),
        single=int((full & (status.n_segments == 1)).sum()),
        length_m=float(outcome.length_m.sum()),
        matched_m=float(span_m[counts].sum()),
        matches=int(counts.sum()),
        rows=len(matches),
        reasons={str(w): int(n) for w, n in zip(words, numbers, strict=True) if w},
        histogram=tuple(int(n) for n in tens),
    )
