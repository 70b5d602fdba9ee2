"""First pass: read the cloud once, and spill its points sorted by cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np

from haulier.core.family import Context, Part, PartResult, StepResult
from haulier.core.problem import Problem
from haulier.core.recipe import StepPlan
from haulier.families.clouds.io.cloud import Cloud
from haulier.families.clouds.io.layout import convert
from haulier.families.clouds.io.spill import Levels, Piece, count_cells, write_piece
from haulier.families.clouds.method.bins import plan_bins
from haulier.families.clouds.method.measure import measure
from haulier.families.clouds.method.morton import (
    ByteArray,
    Cube,
    FloatArray,
    codes_of,
    cube_around,
)
from haulier.families.clouds.notes import trap
from haulier.families.clouds.params.octree import Octree
from haulier.families.clouds.steps.building import (
    ORIGIN_ID,
    SLOT,
    BinFacts,
    Binned,
    CubeFacts,
    Job,
    PieceFacts,
    open_job,
    said,
)

STAGE: Final = "bin"
RECORDS: Final = "records.{}"
CELLS: Final = "cells.{}.npy"
#: A cell that was counted lies no deeper than the voxels of the root, for no voxel may be cut.
DEEPEST_BIN: Final = 7


def split(step: StepPlan, context: Context, type_: type[Octree]) -> Sequence[Part]:
    """Give ranges of the sources, cut where they can be read from."""
    job = open_job(step, context, type_)
    cube = _cube(job)
    parts: list[Part] = []
    before = 0
    for source, cloud in enumerate(job.clouds):
        for first, last in cloud.ranges(job.part_points):
            params = {"source": source, "first": first, "last": last, "before": before}
            key = f"{source:05}-{first:012}"
            parts.append(Part(key, {**params, "cube": said(cube)}, weight=last - first))
        before += cloud.point_count
    return parts


def run(step: StepPlan, part: Part, context: Context, type_: type[Octree]) -> PartResult:
    """Spill one range, in as many pieces as memory asks for.

    Raises:
        Problem: INVALID; points lie outside the extent that the header gives.
    """
    job = open_job(step, context, type_)
    cube = msgspec.convert(part.params["cube"], CubeFacts).cube
    pieces: list[PieceFacts] = []
    first = part.params["first"]
    while first < part.params["last"]:
        last = min(first + job.points_at_once, part.params["last"])
        piece = _Range(part, first, last, number=len(pieces))
        pieces.append(_spill(job, piece, cube, context))
        first = last
    values = {"pieces": [said(piece) for piece in pieces], "cube": part.params["cube"]}
    return PartResult(values, {"points": part.params["last"] - part.params["first"]})


def merge(
    step: StepPlan, results: Mapping[str, PartResult], context: Context, type_: type[Octree]
) -> StepResult:
    """Plan the bins from what the pieces counted."""
    job = open_job(step, context, type_)
    facts = [
        msgspec.convert(piece, PieceFacts)
        for each in results.values()
        for piece in each.values["pieces"]
    ]
    cubes = [msgspec.convert(each.values["cube"], CubeFacts) for each in results.values()]
    counts = count_cells(pieces_of(job, facts, context), levels_of(job))
    bins = tuple(
        BinFacts(each.depth, each.first, each.last, each.points)
        for each in plan_bins(counts, 0, job.part_points)
    )
    binned = Binned(cubes[0], tuple(facts), bins)
    return StepResult(said(binned), {"points": sum(each.points for each in facts)})


def levels_of(job: Job) -> Levels:
    """Give what the spill of the whole cloud is sorted by."""
    return Levels(0, min(DEEPEST_BIN, job.rule.span_bits))


def pieces_of(
    job: Job, facts: Sequence[PieceFacts], context: Context, *, stage: str = ""
) -> list[Piece]:
    """Give the pieces of the spill; from a later stage, name this one."""
    return [
        Piece(
            records=context.part_file(RECORDS.format(each.number), each.key, stage=stage),
            cells=context.part_file(CELLS.format(each.number), each.key, stage=stage),
            points=each.points,
            first=each.first,
            record_size=job.layout.record_size,
        )
        for each in facts
    ]


@dataclass(frozen=True)
class _Range:
    """Some points of a part, which become one piece."""

    part: Part
    first: int
    last: int
    number: int


def _spill(job: Job, wanted: _Range, cube: Cube, context: Context) -> PieceFacts:
    """Read some points, and write them as a piece."""
    params = wanted.part.params
    records = _read(job, wanted, context)
    codes, outside = codes_of(records, cube)
    if outside:
        raise _wrong_extent(job.clouds[params["source"]], outside, wanted)
    write_piece(
        records,
        codes,
        levels_of(job),
        (
            context.part_file(RECORDS.format(wanted.number)),
            context.part_file(CELLS.format(wanted.number)),
        ),
    )
    found = measure(records)
    times = job.records_of(records)["gps_time"]
    times = times[np.isfinite(times)]
    return PieceFacts(
        key=wanted.part.key,
        number=wanted.number,
        points=len(records),
        first=params["before"] + wanted.first,
        mins=tuple(found.mins.tolist()),
        maxs=tuple(found.maxs.tolist()),
        returns=tuple(found.returns.tolist()),
        times=(float(times.min()), float(times.max())) if len(times) else None,
    )


def _read(job: Job, wanted: _Range, context: Context) -> ByteArray:
    """Read some points as bytes."""
    params = wanted.part.params
    cloud = job.clouds[params["source"]]
    records = np.empty((wanted.last - wanted.first, job.layout.record_size), dtype=np.uint8)
    done = 0
    for block in cloud.read(wanted.first, wanted.last):
        context.check()
        made = convert(block, job.layout)
        if cloud.layout != job.layout:
            made[ORIGIN_ID.name] = params["source"]
        records[done : done + len(block)] = made.view(np.uint8).reshape(len(made), -1)
        done += len(block)
        whole = wanted.first - params["first"] + done
        fraction = whole / (params["last"] - params["first"])
        context.report(fraction, "sorting points", {"points": whole})
    return records


def _cube(job: Job) -> CubeFacts:
    boxes = [_extent(cloud, job.params) for cloud in job.clouds if cloud.point_count]
    first = job.clouds[0]
    low, high = np.min([low for low, _ in boxes], axis=0), np.max([top for _, top in boxes], axis=0)
    try:
        cube = cube_around(low, high, np.array(first.scales), np.array(first.offsets))
    except ValueError as error:
        hint = "write the cloud with scales that go together"
        raise trap("CUBE_IMPOSSIBLE", str(error), hint, at=f"inputs.{SLOT}") from None
    return CubeFacts(cube.lowest, cube.size, cube.origin, cube.quanta)


def _extent(cloud: Cloud, params: Octree) -> tuple[FloatArray, FloatArray]:
    """Give the least and greatest coordinates: of the header, or if asked for of the points."""
    if params.extent == "header":
        if not cloud.bounds_are_credible:
            mins, maxs = cloud.bounds
            message = f"the header of '{cloud.path.name}' gives the extent {mins} to {maxs}"
            raise trap("EXTENT_WRONG", message, 'ask for extent "points"', at=f"inputs.{SLOT}")
        return np.array(cloud.bounds[0]), np.array(cloud.bounds[1])
    low, high = np.full(3, np.inf), np.full(3, -np.inf)
    for block in cloud.read(fields=("X", "Y", "Z")):
        places = np.stack([block[axis] for axis in "XYZ"], axis=1)
        places = places * np.array(cloud.scales) + np.array(cloud.offsets)
        low, high = np.minimum(low, places.min(axis=0)), np.maximum(high, places.max(axis=0))
    return low, high


def _wrong_extent(cloud: Cloud, outside: int, among: _Range) -> Problem:
    mins, maxs = cloud.bounds
    message = (
        f"the header of '{cloud.path.name}' gives the extent {mins} to {maxs}, "
        f"but {outside} of its points from {among.first} to {among.last - 1} lie outside"
    )
    return trap("EXTENT_WRONG", message, 'ask for extent "points"', at=f"inputs.{SLOT}")
