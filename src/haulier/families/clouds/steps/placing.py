"""Sort the places of a cloud into squares of about as many points: for what looks at neighbours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from haulier.core.family import Context, Part, PartResult, StepResult
from haulier.families.clouds.io.layout import Records
from haulier.families.clouds.method.squares import Squares
from haulier.families.clouds.method.tallies import Tally, nothing, tally_of
from haulier.families.clouds.notes import Note
from haulier.families.clouds.steps import rewriting, spilling
from haulier.families.clouds.steps.source import Source
from haulier.families.clouds.steps.worth import places_of

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

LOOK: Final = "look"
PLACE: Final = "place"
TALLY: Final = "tally.npz"
CELLS: Final = 512
CELL_POINTS: Final = 16
#: Points of a square on average; few enough for a tree of them, many enough to share out.
SQUARE_POINTS: Final = 100_000
#: More on average would not fit into memory.
MOST_SQUARE_POINTS: Final = 5_000_000
#: Points of the squares of one part.
PART_POINTS: Final = 400_000
#: A place: in the unit of X and Y, heights scaled to it; and which point of the cloud it is.
PLACED: Final = np.dtype([("x", "<f8"), ("y", "<f8"), ("z", "<f8"), ("index", "<i8")])
FLAT: Final = ("X", "Y")
SOLID: Final = ("X", "Y", "Z")
NOTHING: Final = Part("none")
MAP_SCALE: Final = "MAP_SCALE"


@dataclass(frozen=True)
class Spread:
    """How dense a cloud is where it has points.

    Attributes:
        density: points by square of the unit of X and Y.
    """

    density: float

    def side(self, points: int = SQUARE_POINTS) -> float:
        """Give the side of a square that holds so many points."""
        return sqrt(points / self.density)

    def points(self, side: float) -> float:
        """Give the points of a square."""
        return self.density * side**2


def look(source: Source, part: Part, context: Context) -> PartResult:
    """Count a range by cells."""
    whole = nothing(CELLS, 2)
    for records in spilling.pieces_of(source.cloud, part, context, FLAT):
        whole = whole.plus(tally_of(CELLS, records["X"], records["Y"]))
    cells = np.array([whole.shift, *whole.low])
    np.savez(context.part_file(TALLY), counts=whole.counts, cells=cells)
    return PartResult(counters={"points": whole.total})


def looked(source: Source, results: Mapping[str, PartResult], context: Context) -> StepResult:
    """Give the density of the cells that hold points."""
    whole = nothing(CELLS, 2)
    for key in results:
        with np.load(context.part_file(TALLY, key)) as kept:
            shift, *low = kept["cells"].tolist()
            whole = whole.plus(Tally(CELLS, shift, tuple(low), kept["counts"]))
    filled = whole.filled(CELL_POINTS)
    width = 1 << filled.shift
    area = (width * source.cloud.scales[0]) * (width * source.cloud.scales[1])
    held = max(int(np.count_nonzero(filled.counts)), 1)
    return StepResult({"density": max(whole.total, 1) / (held * area)}, {"points": whole.total})


def spread_of(context: Context) -> Spread:
    """Give what the first stage found."""
    return Spread(context.values(f"stage:{LOOK}")["density"])


def place(source: Source, part: Part, context: Context, squares: Squares) -> PartResult:
    """Sort the places of a range by square."""
    placed = []
    first = part.params["first"]
    for records in spilling.pieces_of(source.cloud, part, context, SOLID):
        placed.append(_placed(records, source, first))
        first += len(records)
    whole = np.concatenate(placed)
    spilling.write(whole, whole["x"], whole["y"], squares, context)
    return PartResult(counters={"points": len(whole)})


def _placed(records: Records, source: Source, first: int) -> Records:
    x, y, z = places_of(records, source.cloud).T
    given = np.empty(len(records), PLACED)
    given["x"], given["y"] = x, y
    given["z"] = z * height_factor(source)
    given["index"] = np.arange(first, first + len(records))
    return given


def height_factor(source: Source) -> float:
    """Give what heights must be times to be in the unit of X and Y, as the map has it."""
    metric = source.metric
    return round(metric.z_factor / metric.map_scale, 12)


def notes_of(source: Source) -> list[Note]:
    """Give the warnings of a cloud whose distances are taken on the map, not on the ground."""
    notes = [note for note in source.notes if note.code != MAP_SCALE]
    if len(notes) < len(source.notes):
        message = (
            f"lengths on the map are {source.metric.map_scale:.4f} times those on the ground here; "
            "sizes and distances are those on the map"
        )
        hint = "nothing if that is meant, else reproject to a metric system of the region first"
        notes.append(Note(MAP_SCALE, message, hint))
    return notes


def groups(squares: Iterable[tuple[spilling.Place, int]]) -> list[Part]:
    """Give squares, with the points of each, in parts of about as many points.

    Which square is in which part does not change what is found of it.
    """
    parts: list[Part] = []
    held: list[list[int]] = []
    size = 0
    listed = list(squares)
    for number, (square, points) in enumerate(listed):
        held.append(list(square))
        size += points
        if size >= PART_POINTS or number == len(listed) - 1:
            parts.append(Part(f"{len(parts):06d}", {"squares": held}, weight=float(max(size, 1))))
            held, size = [], 0
    return parts or [NOTHING]


def read_square(rooms: spilling.Rooms, square: Sequence[int]) -> tuple[NDArray[Any], BoolArray]:
    """Give the places of a square, and which are its own."""
    place = (square[0], square[1])
    batch = max(rooms.points(place), 1)
    for records, own in rooms.read(place, PLACED, batch):
        return records, own
    return np.zeros(0, PLACED), np.zeros(0, bool)


def coordinates_of(placed: NDArray[Any]) -> NDArray[np.float64]:
    """Give X, Y and Z of places, (n, 3)."""
    return np.stack([placed[axis] for axis in "xyz"], axis=1)


def chosen_of(context: Context, part: Part, name: str, stages: Sequence[str]) -> BoolArray:
    """Say which points of a range earlier stages chose: files of sorted numbers, one a part."""
    first, last = part.params["first"], part.params["last"]
    chosen = np.zeros(last - first, bool)
    for stage in stages:
        for key in context.values(f"stage:{stage}")["keys"]:
            numbers = np.load(context.part_file(name, key, stage=stage), mmap_mode="r")
            begin, end = np.searchsorted(numbers, (first, last)).tolist()
            chosen[numbers[begin:end] - first] = True
    return chosen


def ranges(source: Source) -> Sequence[Part]:
    """Give the ranges in which places are sorted."""
    return spilling.split(source.cloud)


def chunks(source: Source) -> Sequence[Part]:
    """Give the ranges in which points are written."""
    return rewriting.split(source.cloud)
