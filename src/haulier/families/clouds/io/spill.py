"""Points on disk sorted by cell: written piece by piece, read one cell of all pieces at a time.

A piece holds neighbours in the order of the cloud. Within it, points are sorted by the cells of one
depth, so that any cell of that depth or a higher one is one range of each piece; each point's place
in the piece stands behind them, so that the order of the cloud comes back when a cell is read. A
point that a node above keeps already stays with its cell, for it counts; its place is inverted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from haulier.families.clouds.method.morton import DEPTH, ByteArray, CodeArray
from haulier.families.clouds.method.octree import KEPT, Int32Array, Int64Array
from haulier.families.clouds.method.sorting import in_order_of, sorted_by_cell

ROWS_AT_ONCE: Final = 65_536


@dataclass(frozen=True)
class Piece:
    """One piece of a spill.

    Attributes:
        records: its file of records, with the points' places behind them.
        cells: its index: in which row each cell begins.
        points: how many it has.
        first: the place of its first point in the cloud.
        record_size: bytes of a record.
    """

    records: Path
    cells: Path
    points: int
    first: int
    record_size: int


class Rows(NamedTuple):
    """Neighbouring rows of a piece."""

    piece: Piece
    first: int
    last: int


@dataclass(frozen=True)
class Points:
    """Points as they come out of a spill.

    Attributes:
        records: (n, r) bytes.
        places: (n,) the place of each in the cloud.
        kept: (n,) whether a node above keeps it already.
    """

    records: ByteArray
    places: Int64Array
    kept: NDArray[np.bool_]

    def __len__(self) -> int:
        """Give how many there are."""
        return len(self.records)


@dataclass(frozen=True)
class Levels:
    """What a spill is sorted by: cells at depth `low`, all within one cell at depth `top`."""

    top: int
    low: int

    def cells_of(self, codes: CodeArray) -> Int64Array:
        """Give the cell of each point, counted within the one at the top."""
        wide = (codes >> np.uint64(3 * (DEPTH - self.low))).astype(np.int64)
        return wide & ((1 << 3 * (self.low - self.top)) - 1)


def write_piece(
    records: ByteArray, codes: CodeArray, levels: Levels, into: tuple[Path, Path]
) -> None:
    """Write one piece.

    Args:
        records: (n, r) the records, in the order of the cloud.
        codes: (n,) their Morton codes.
        levels: what to sort by.
        into: the files for the records and for the index.
    """
    order = sorted_by_cell(codes, levels.top, levels.low)
    cells = levels.cells_of(codes[order])
    starts = np.flatnonzero(np.diff(cells, prepend=-1))
    index = np.empty((2, len(starts) + 1), dtype=np.int64)
    index[0, :-1], index[1, :-1] = cells[starts], starts
    index[:, -1] = 1 << 3 * (levels.low - levels.top), len(cells)
    with into[0].open("wb") as file:
        for begin in range(0, len(order), ROWS_AT_ONCE):
            some = order[begin : begin + ROWS_AT_ONCE]
            file.write(np.take(records, some, axis=0, mode="clip").data)
        kept = codes[order] & KEPT != 0
        file.write(np.where(kept, ~order, order).data)
    np.save(into[1], index)


def count_cells(pieces: Sequence[Piece], levels: Levels) -> Int64Array:
    """Give how many points each cell has in all pieces: (8**k,), in Morton order."""
    counts = np.zeros(1 << 3 * (levels.low - levels.top), dtype=np.int64)
    for piece in pieces:
        cells, starts = np.load(piece.cells)
        counts[cells[:-1]] += np.diff(starts)
    return counts


def find_rows(pieces: Sequence[Piece], cells: Sequence[tuple[int, int]]) -> list[list[Rows]]:
    """Find where the points of some ranges of cells are.

    Args:
        pieces: in the order of the cloud.
        cells: the first cell of each range, and the one behind its last.

    Returns:
        For each range, the rows of every piece that has any.
    """
    found: list[list[Rows]] = [[] for _ in cells]
    for piece in pieces:
        there, starts = np.load(piece.cells, mmap_mode="r")
        edges = starts[np.searchsorted(there, np.asarray(cells))].tolist()
        for rows, (low, high) in zip(found, edges, strict=True):
            if high > low:
                rows.append(Rows(piece, low, high))
    return found


def read_rows(rows: Sequence[Rows]) -> Points:
    """Read points, piece after piece: in the order of the cloud if they are of one cell."""
    found = _empty(sum(high - low for _, low, high in rows), rows[0].piece.record_size)
    begin = 0
    for piece, low, high in rows:
        end = begin + high - low
        with piece.records.open("rb") as file:
            _read_rows(piece, file, low, _slice(found, begin, end))
        begin = end
    return found


def read_blocks(rows: Sequence[Rows], most: int) -> Iterator[Points]:
    """Read points as `read_rows` does, at most so many at a time."""
    for piece, low, high in rows:
        for begin in range(low, high, most):
            yield read_rows([Rows(piece, begin, min(begin + most, high))])


def in_order(places: Int64Array) -> Int32Array:
    """Give the positions of points sorted by their place in the cloud."""
    return in_order_of(places - places.min(initial=2**62))


def _empty(points: int, record_size: int) -> Points:
    return Points(
        np.empty((points, record_size), dtype=np.uint8),
        np.empty(points, dtype=np.int64),
        np.empty(points, dtype=np.bool_),
    )


def _slice(points: Points, begin: int, end: int) -> Points:
    return Points(points.records[begin:end], points.places[begin:end], points.kept[begin:end])


def _read_rows(piece: Piece, file: BinaryIO, row: int, into: Points) -> None:
    file.seek(row * piece.record_size)
    _fill(file, into.records)
    rows = np.empty(len(into), dtype=np.int32)
    file.seek(piece.points * piece.record_size + row * rows.itemsize)
    _fill(file, rows)
    np.less(rows, 0, out=into.kept)
    into.places[:] = np.where(into.kept, ~rows, rows)
    into.places[:] += piece.first


def _fill(file: BinaryIO, array: NDArray[Any]) -> None:
    wanted = array.data.cast("B")
    got = file.readinto(wanted)  # type: ignore[attr-defined]  # every binary file has it
    if got != len(wanted):
        raise OSError(f"{file.name} ends {len(wanted) - got} bytes too early")
