"""Sort the points of a cloud by square, in files of the parts, for a later stage to read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from haulier.core.family import Context, Part, PartResult, StepResult
from haulier.families.clouds.io.cloud import Cloud
from haulier.families.clouds.io.layout import Records
from haulier.families.clouds.io.lazwriter import CHUNK_POINTS
from haulier.families.clouds.method.squares import FARTHEST, Squares
from haulier.families.clouds.notes import trap
from haulier.families.clouds.steps.worth import places_of

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
Place = tuple[int, int]

RECORDS: Final = "sorted.bin"
ROOM: Final = "room.npy"
#: Points that are sorted at once, within memory.
PIECE_POINTS: Final = 10 * CHUNK_POINTS
#: What a row of a room says: column, row, 1 if it is the square's own points, first, and how many.
COLUMN, ROW, OWN, FIRST, COUNT = range(5)


def split(cloud: Cloud) -> Sequence[Part]:
    """Give ranges of points; a cloud without points is one empty range."""
    parts = [
        Part(f"{first:012d}", {"first": first, "last": last}, weight=float(last - first))
        for first in range(0, cloud.point_count, PIECE_POINTS)
        for last in [min(first + PIECE_POINTS, cloud.point_count)]
    ]
    return parts or [Part("none", {"first": 0, "last": 0})]


def check_size(cloud: Cloud, size: float, origin: float = 0.0, most: float = FARTHEST) -> None:
    """Refuse squares or cubes that are too small to be told apart.

    Args:
        cloud: that is to be sorted by them.
        size: of a side.
        origin: how far from zero they are counted from.
        most: how many there may be from there to the farthest place.

    Raises:
        Problem: INVALID with SIZE_TOO_SMALL.
    """
    reach = cloud.reach + origin
    if size < reach / most:
        message = f"size is {size:g}, where X, Y or Z can be {reach:.4g}"
        hint = f"it must be at least {reach / most:.3g}"
        raise trap("SIZE_TOO_SMALL", message, hint, at="size")


def spill(cloud: Cloud, part: Part, context: Context, squares: Squares) -> PartResult:
    """Sort the records of a range by square; of each square, in the order of the file."""
    none = np.zeros(0, cloud.layout.dtype)
    whole = np.concatenate([none, *pieces_of(cloud, part, context)])
    x, y, _ = places_of(whole, cloud).T
    write(whole, x, y, squares, context)
    return PartResult(counters={"points": len(whole)})


def pieces_of(
    cloud: Cloud, part: Part, context: Context, fields: Sequence[str] | None = None
) -> Iterator[Records]:
    """Give the records of a range, and say how far it is."""
    first, last = part.params["first"], part.params["last"]
    done = 0
    for records in cloud.read(first, last, fields=fields, batch=CHUNK_POINTS):
        context.check()
        yield records
        done += len(records)
        context.report(done / (last - first), "sorting points", {"points": done})


def write(
    records: Records, x: FloatArray, y: FloatArray, squares: Squares, context: Context
) -> None:
    """Write records by the squares that their places lie in, as files of the part."""
    number, room = _sorted(x, y, squares)
    records[number].tofile(context.part_file(RECORDS))
    np.save(context.part_file(ROOM), room)


def _sorted(x: FloatArray, y: FloatArray, squares: Squares) -> tuple[IntArray, IntArray]:
    """Give the numbers of places by square, own ones before those of its margin; and the rooms."""
    column, row = squares.own(x, y)
    number, beside, above = squares.shared(x, y)
    columns, rows = np.concatenate([column, beside]), np.concatenate([row, above])
    numbers = np.concatenate([np.arange(len(x)), number])
    own = np.arange(len(numbers)) < len(x)
    order = np.lexsort((numbers, ~own, rows, columns))
    keys = np.stack([columns, rows, own], axis=1)[order]
    starts = np.flatnonzero(np.r_[len(keys) > 0, (np.diff(keys, axis=0) != 0).any(axis=1)])
    counts = np.diff(np.r_[starts, len(keys)])
    return numbers[order], np.column_stack([keys[starts], starts, counts])


def merge(results: Mapping[str, PartResult], context: Context) -> StepResult:
    """Say which parts there are, for later stages."""
    del context
    points = sum(int(result.counters.get("points", 0)) for result in results.values())
    return StepResult({"keys": list(results)}, {"points": points})


@dataclass(frozen=True)
class Rooms:
    """Where the points of every square are.

    Attributes:
        files: of the sorted records, one a part.
        rooms: (m, 6) rows of all parts by column, row, part: the part, then what a room says.
    """

    files: Sequence[Path]
    rooms: IntArray

    @cached_property
    def _starts(self) -> dict[Place, tuple[int, int]]:
        """Give the first row of each square, and the one after its last."""
        places = self.rooms[:, 1:3]
        starts = np.flatnonzero(np.r_[len(places) > 0, (np.diff(places, axis=0) != 0).any(axis=1)])
        ends = [*starts[1:].tolist(), *[len(places)] * bool(len(places))]
        return {
            (int(places[start][0]), int(places[start][1])): (start, end)
            for start, end in zip(starts.tolist(), ends, strict=True)
        }

    def of(self, place: Place) -> IntArray:
        """Give the rows of a square."""
        start, end = self._starts.get(place, (0, 0))
        return self.rooms[start:end]

    def points(self, place: Place) -> int:
        """Give how many points a square has, those of its margin among them."""
        return int(self.of(place)[:, 1 + COUNT].sum())

    def tiles(self) -> Iterator[tuple[Place, int, int]]:
        """Give each square, its own points, and all that it has."""
        for place in self._starts:
            rows = self.of(place)
            counts, own = rows[:, 1 + COUNT], rows[:, 1 + OWN]
            yield place, int((counts * own).sum()), int(counts.sum())

    def read(
        self, place: Place, dtype: np.dtype[Any], batch: int
    ) -> Iterator[tuple[Records, BoolArray]]:
        """Give the records of a square in arrays of `batch`, and which are its own.

        They come part by part, the own before the others: which does not depend on anything but
        the cloud.
        """
        held: list[tuple[Records, BoolArray]] = []
        size = 0
        for part, _, _, own, first, count in self.of(place).tolist():
            for start in range(first, first + count, batch):
                wanted = min(batch, first + count - start)
                offset = start * dtype.itemsize
                records = np.fromfile(self.files[part], dtype, wanted, offset=offset)
                held.append((records, np.full(wanted, bool(own))))
                size += wanted
                while size >= batch:
                    whole, marks = _joined(held)
                    yield whole[:batch], marks[:batch]
                    held = [(whole[batch:], marks[batch:])]
                    size -= batch
        if size:
            yield _joined(held)


def _joined(held: Sequence[tuple[Records, BoolArray]]) -> tuple[Records, BoolArray]:
    return np.concatenate([each for each, _ in held]), np.concatenate([own for _, own in held])


def load_rooms(context: Context, stage: str) -> Rooms:
    """Give where an earlier stage put the points of every square."""
    keys = context.values(f"stage:{stage}")["keys"]
    files = [context.part_file(RECORDS, key, stage=stage) for key in keys]
    rows = [
        np.insert(np.load(context.part_file(ROOM, key, stage=stage)), 0, number, axis=1)
        for number, key in enumerate(keys)
    ]
    rooms = np.concatenate(rows) if rows else np.zeros((0, 6), np.int64)
    order = np.lexsort((-rooms[:, 1 + OWN], rooms[:, 0], rooms[:, 1 + ROW], rooms[:, 1 + COLUMN]))
    return Rooms(files, rooms[order])
