"""OUTLIER: points that are far from their neighbours, given a class of noise or left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import pi, sqrt
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from haulier.core.family import Context, Part, PartResult, StepResult
from haulier.core.recipe import StepPlan
from haulier.families.clouds.io.layout import Records
from haulier.families.clouds.method.isolation import isolation_of
from haulier.families.clouds.method.moments import COUNT, MEAN, SQUARES, joined, moments_of
from haulier.families.clouds.method.squares import Squares
from haulier.families.clouds.params.choosing import Outlier
from haulier.families.clouds.steps import placing, rewriting, selecting, spilling
from haulier.families.clouds.steps.placing import LOOK, NOTHING, PLACE
from haulier.families.clouds.steps.rewriting import Rewriting
from haulier.families.clouds.steps.source import Source, open_source

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

MEASURE: Final = "measure"
WRITE: Final = "write"
STAGES: Final = (LOOK, PLACE, MEASURE, WRITE)
MEASURED: Final = "measured.npy"
ROWS: Final = "moments.npy"
#: The margin of squares is so many times the distance within which neighbours are expected.
MARGIN: Final = 3.0
LOW_NOISE, HIGH_NOISE = 7, 18
#: A point: its number, its mean distance, and whether it is above its neighbours.
POINT: Final = np.dtype([("index", "<i8"), ("distance", "<f8"), ("above", "?")])


@dataclass(frozen=True)
class Task:
    """What is looked at, and how."""

    source: Source
    params: Outlier

    def squares(self, context: Context) -> Squares:
        """Give squares with a margin that has the neighbours of nearly all points."""
        spread = placing.spread_of(context)
        reach = sqrt((self.params.neighbours + 1) / (pi * spread.density))
        side = spread.side()
        return Squares(side, (0.0, 0.0), min(MARGIN * reach, side))


def split(step: StepPlan, context: Context) -> Sequence[Part]:
    """Give the parts of a stage."""
    task = _task(step, context)
    if step.stage == WRITE:
        return placing.chunks(task.source)
    if step.stage == MEASURE:
        rooms = spilling.load_rooms(context, PLACE)
        return placing.groups((place, own) for place, own, _ in rooms.tiles() if own)
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
    if step.stage == MEASURE:
        return _measure(task, part, context)
    return _write(task, part, context)


def merge(step: StepPlan, results: Mapping[str, PartResult], context: Context) -> StepResult:
    """End a stage."""
    task = _task(step, context)
    done = {key: result for key, result in results.items() if key != NOTHING.key}
    if step.stage == LOOK:
        return placing.looked(task.source, done, context)
    if step.stage == PLACE:
        return spilling.merge(done, context)
    if step.stage == MEASURE:
        return _threshold(task, done, context)
    return _finish(task, done, context)


def _task(step: StepPlan, context: Context) -> Task:
    params = msgspec.convert(step.params, Outlier)
    return Task(open_source(step, context, params.height_unit), params)


def _measure(task: Task, part: Part, context: Context) -> PartResult:
    """Measure the distances of the points of some squares."""
    rooms = spilling.load_rooms(context, PLACE)
    squares = task.squares(context)
    measured, rows = [], []
    done, whole = 0, sum(_own_points(rooms, square) for square in part.params["squares"])
    for square in part.params["squares"]:
        context.check()
        points = _measured(rooms, square, squares, task.params.neighbours)
        measured.append(points)
        rows.append(moments_of(points["distance"]))
        done += len(points)
        context.report(done / max(whole, 1), "measuring distances", {"points": done})
    points = np.concatenate(measured)
    np.save(context.part_file(MEASURED), points[np.argsort(points["index"])])
    np.save(context.part_file(ROWS), np.array(rows)[:, None, :])
    return PartResult(counters={"points": done})


def _own_points(rooms: spilling.Rooms, square: Sequence[int]) -> int:
    rows = rooms.of((square[0], square[1]))
    return int((rows[:, 1 + spilling.COUNT] * rows[:, 1 + spilling.OWN]).sum())


def _measured(
    rooms: spilling.Rooms, square: Sequence[int], squares: Squares, neighbours: int
) -> NDArray[Any]:
    """Measure one square; what has its neighbours farther away, among all squares around."""
    placed, own = placing.read_square(rooms, square)
    mine = placing.coordinates_of(placed[own])
    found = isolation_of(mine, placing.coordinates_of(placed), neighbours)
    given = np.empty(len(mine), POINT)
    given["index"] = placed["index"][own]
    given["distance"], given["above"] = found.distances, found.above
    unsure = np.flatnonzero(found.farthest > _room(mine, square, squares))
    if len(unsure):
        column, row = square
        around = [(column + a, row + b) for a in (-1, 0, 1) for b in (-1, 0, 1)]
        wide = [placing.read_square(rooms, each) for each in around]
        among = np.concatenate([placing.coordinates_of(each[own]) for each, own in wide])
        again = isolation_of(mine[unsure], among, neighbours)
        given["distance"][unsure], given["above"][unsure] = again.distances, again.above
    return given


def _room(places: FloatArray, square: Sequence[int], squares: Squares) -> FloatArray:
    """Give how far each place is from the edge of what was looked at."""
    west, south, east, north = squares.bounds(square[0], square[1])
    x, y, _ = places.T
    inner = np.minimum.reduce([x - west, east - x, y - south, north - y])
    return np.asarray(inner + squares.margin)


def _threshold(task: Task, results: Mapping[str, PartResult], context: Context) -> StepResult:
    """Give the distance beyond which a point is an outlier."""
    rows = [np.load(context.part_file(ROWS, key)) for key in results]
    (whole,) = joined(np.concatenate([np.zeros((0, 1, 5)), *rows]))
    deviation = sqrt(whole[SQUARES] / max(whole[COUNT] - 1, 1))
    values = {
        "keys": list(results),
        "mean": float(whole[MEAN]),
        "deviation": deviation,
        "threshold": float(whole[MEAN]) + task.params.multiplier * deviation,
    }
    return StepResult(values, {"points": float(whole[COUNT])})


def _write(task: Task, part: Part, context: Context) -> PartResult:
    """Write a range, its outliers classified or left out."""
    first = part.params["first"]
    low, high = _noise(part, context)
    cloud = task.source.cloud
    if task.params.action == "drop":

        def keep(records: Records, at: int) -> BoolArray:
            here = slice(at - first, at - first + len(records))
            return np.asarray(~(low[here] | high[here]))

        return selecting.select(cloud, part, context, keep)
    done = 0

    def change(records: Records) -> Records:
        nonlocal done
        here = slice(done, done + len(records))
        records["classification"][low[here]] = LOW_NOISE
        records["classification"][high[here]] = HIGH_NOISE
        done += len(records)
        return records

    changed = Rewriting(cloud, cloud.layout, "classifying points")
    facts = rewriting.run(changed, part, context, change)
    tally = {"low": int(low.sum()), "high": int(high.sum())}
    return rewriting.result_of(facts, done, **tally)


def _noise(part: Part, context: Context) -> tuple[BoolArray, BoolArray]:
    """Say which points of a range are outliers below, and above, their neighbours."""
    first, last = part.params["first"], part.params["last"]
    values = context.values(f"stage:{MEASURE}")
    low, high = np.zeros((2, last - first), bool)
    for key in values["keys"]:
        points = np.load(context.part_file(MEASURED, key, stage=MEASURE), mmap_mode="r")
        begin, end = np.searchsorted(points["index"], (first, last)).tolist()
        far = points[begin:end][points["distance"][begin:end] > values["threshold"]]
        low[far["index"][~far["above"]] - first] = True
        high[far["index"][far["above"]] - first] = True
    return low, high


def _finish(task: Task, results: Mapping[str, PartResult], context: Context) -> StepResult:
    values = context.values(f"stage:{MEASURE}")
    tallies = rewriting.tallies(results)
    outliers = tallies.get("left_out", 0) + tallies.get("low", 0) + tallies.get("high", 0)
    unit = task.source.metric.unit or "units of X and Y"
    more = {
        "outliers": outliers,
        "low_noise": tallies.get("low", 0),
        "high_noise": tallies.get("high", 0),
        "mean_distance": values["mean"],
        "threshold": values["threshold"],
        "distance_unit": unit,
    }
    notes = placing.notes_of(task.source)
    return selecting.finish(task.source.cloud, results, context, notes, more)
