"""THIN: fewer points, evenly spread: one a voxel, none nearer than a distance, or every n-th."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from haulier.core.family import Context, Part, PartResult, StepResult
from haulier.core.problem import Code, Problem
from haulier.core.recipe import StepPlan
from haulier.families.clouds.io.layout import Records
from haulier.families.clouds.method.squares import Squares
from haulier.families.clouds.method.thinning import (
    centres_of_voxels,
    far_apart,
    first_of_voxels,
    in_turn,
)
from haulier.families.clouds.notes import Note, trap
from haulier.families.clouds.params.choosing import Thin
from haulier.families.clouds.steps import placing, selecting, spilling
from haulier.families.clouds.steps.placing import LOOK, NOTHING, PLACE
from haulier.families.clouds.steps.source import Source, open_source

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

#: Squares are coloured as a chess board of four colours; of one colour, no two touch.
PICKS: Final = ("pick0", "pick1", "pick2", "pick3")
WRITE: Final = "write"
STAGES: Final = (LOOK, PLACE, *PICKS, WRITE)
KEPT: Final = "kept.npy"


@dataclass(frozen=True)
class Task:
    """What is thinned, and how."""

    source: Source
    params: Thin

    @property
    def is_counted(self) -> bool:
        """Say whether places do not matter."""
        return self.params.method == "nth"

    @property
    def notes(self) -> list[Note]:
        """Give what to know of the cloud."""
        return [] if self.is_counted else placing.notes_of(self.source)

    @property
    def size(self) -> float:
        """Give the edge or distance."""
        return self.params.size or 0.0

    def squares(self, context: Context) -> Squares:
        """Give squares that no voxel is cut by, and no smaller than the distance."""
        side = placing.spread_of(context).side()
        return Squares(max(ceil(side / self.size), 1) * self.size, (0.0, 0.0))

    def stages(self) -> Sequence[str]:
        """Give the stages that choose: points in voxels ask for no order of squares."""
        return PICKS if self.params.method == "poisson" else PICKS[:1]


def split(step: StepPlan, context: Context) -> Sequence[Part]:
    """Give the parts of a stage."""
    task = _task(step, context)
    if step.stage == WRITE:
        return placing.chunks(task.source)
    if task.is_counted or step.stage not in {LOOK, PLACE, *task.stages()}:
        return [NOTHING]
    if step.stage in PICKS:
        return placing.groups(_squares_of(task, step.stage, context))
    return placing.ranges(task.source)


def run(step: StepPlan, part: Part, context: Context) -> PartResult:
    """Do a part of a stage."""
    if part.key == NOTHING.key:
        return PartResult()
    task = _task(step, context)
    if step.stage == LOOK:
        return placing.look(task.source, part, context)
    if step.stage == PLACE:
        return placing.place(task.source, part, context, task.squares(context))
    if step.stage == WRITE:
        return _write(task, part, context)
    return _pick(task, step.stage, part, context)


def merge(step: StepPlan, results: Mapping[str, PartResult], context: Context) -> StepResult:
    """End a stage."""
    task = _task(step, context)
    done = {key: result for key, result in results.items() if key != NOTHING.key}
    if step.stage == WRITE:
        return selecting.finish(task.source.cloud, done, context, task.notes)
    if step.stage != LOOK:
        return spilling.merge(done, context)
    if task.is_counted:
        return StepResult({"density": 1.0})
    found = placing.looked(task.source, done, context)
    _check_size(task, placing.Spread(found.values["density"]))
    return found


def _task(step: StepPlan, context: Context) -> Task:
    """Open the cloud.

    Raises:
        Problem: INVALID; what the method needs is missing.
    """
    params = msgspec.convert(step.params, Thin)
    counted = params.method == "nth"
    name, other = ("every", "size") if counted else ("size", "every")
    given = params.every if counted else params.size
    if given is None or getattr(params, other) is not None:
        detail = f"method {params.method} needs {name}, and no {other}"
        raise Problem(Code.INVALID, detail, at=name if given is None else other)
    if counted:
        return Task(_unmeasured(step, context), params)
    source = open_source(step, context, params.height_unit)
    spilling.check_size(source.cloud, params.size or 0.0)
    return Task(source, params)


def _unmeasured(step: StepPlan, context: Context) -> Source:
    """Open a cloud whose units do not matter."""
    from haulier.families.clouds.steps.metric import Metric  # noqa: PLC0415 -- for this alone

    cloud = selecting.open_input(step, context)
    return Source(cloud, None, "", Metric(1.0, 1.0), cloud.notes)


def _check_size(task: Task, spread: placing.Spread) -> None:
    points = spread.points(task.size)
    if points > placing.MOST_SQUARE_POINTS:
        message = f"a column of size {task.size:g} has about {points:,.0f} points"
        raise trap("SIZE_TOO_LARGE", message, "thin with method nth, or a smaller size", at="size")


def _squares_of(task: Task, stage: str, context: Context) -> Iterator[tuple[spilling.Place, int]]:
    """Give the squares that a stage is about."""
    rooms = spilling.load_rooms(context, PLACE)
    for (column, row), _, points in rooms.tiles():
        colour = column % 2 + 2 * (row % 2)
        if len(task.stages()) == 1 or PICKS[colour] == stage:
            yield (column, row), points


def _pick(task: Task, stage: str, part: Part, context: Context) -> PartResult:
    """Choose the points of some squares."""
    rooms = spilling.load_rooms(context, PLACE)
    earlier = [spilling.load_rooms(context, each) for each in task.stages()[: PICKS.index(stage)]]
    squares = part.params["squares"]
    picked = []
    done, whole = 0, sum(rooms.points((column, row)) for column, row in squares)
    for square in squares:
        context.check()
        placed, _ = placing.read_square(rooms, square)
        near = [_around(each, square) for each in earlier]
        picked.append(placed[_chosen(task, placed, near)])
        done += len(placed)
        context.report(done / max(whole, 1), "choosing points", {"points": done})
    kept = np.concatenate(picked)
    np.save(context.part_file(KEPT), np.sort(kept["index"]))
    spilling.write(kept, kept["x"], kept["y"], task.squares(context), context)
    return PartResult(counters={"points": done})


def _around(rooms: spilling.Rooms, square: Sequence[int]) -> Records:
    """Give what was chosen in the eight squares around."""
    column, row = square
    beside = [(column + a, row + b) for a in (-1, 0, 1) for b in (-1, 0, 1) if a or b]
    return np.concatenate([placing.read_square(rooms, each)[0] for each in beside])


def _chosen(task: Task, placed: Records, near: Sequence[Records]) -> IntArray:
    places, numbers = placing.coordinates_of(placed), placed["index"]
    if task.params.method == "voxel_first":
        return first_of_voxels(places, numbers, task.size)
    if task.params.method == "voxel_centre":
        return centres_of_voxels(places, numbers, task.size)
    order = in_turn(numbers)
    taken = np.concatenate([np.zeros((0, 3)), *map(placing.coordinates_of, near)])
    return order[far_apart(places[order], taken, task.size)]


def _write(task: Task, part: Part, context: Context) -> PartResult:
    """Write the chosen points of a range."""
    first = part.params["first"]
    if task.is_counted:
        every = task.params.every or 1
        chosen = np.arange(first, part.params["last"]) % every == 0
    else:
        chosen = placing.chosen_of(context, part, KEPT, task.stages())

    def keep(records: Records, at: int) -> NDArray[np.bool_]:
        return np.asarray(chosen[at - first : at - first + len(records)])

    return selecting.select(task.source.cloud, part, context, keep)
