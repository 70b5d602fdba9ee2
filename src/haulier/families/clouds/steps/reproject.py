"""REPROJECT_LAS: ranges of chunks are decoded, moved and encoded, then put together to one file."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import msgspec

from haulier.core.family import Context, Part, PartResult, StepResult
from haulier.core.recipe import StepPlan
from haulier.families.clouds.io.cloud import Cloud, open_cloud
from haulier.families.clouds.io.crs import vertical_unit_m, wkt_of
from haulier.families.clouds.io.frame import Facts, Frame, frame_of, real_bounds
from haulier.families.clouds.io.header import Triple
from haulier.families.clouds.io.lazwriter import (
    CHUNK_POINTS,
    ShardFacts,
    ShardWriter,
    assemble,
    assemble_plain,
)
from haulier.families.clouds.notes import Note
from haulier.families.clouds.params.reproject import ReprojectLas
from haulier.families.clouds.steps.crossing import Crossing, Plan, plan_crossing
from haulier.families.clouds.steps.moving import Mover, Tally, surrogate_of

INPUT: Final = "input_las"
OUTPUT: Final = "output_las"
SHARD: Final = "chunks"
MEDIA_TYPES: Final = {"laz": "application/vnd.laszip", "las": "application/vnd.las"}
#: A cloud is cut into about so many parts, of chunks within these bounds.
PARTS: Final = 24
LEAST_CHUNKS, MOST_CHUNKS = 4, 40


class Span(msgspec.Struct, frozen=True):
    """What makes a part: its points, and how they are moved."""

    first: int
    last: int
    crossing: Crossing


class Moved(msgspec.Struct, frozen=True):
    """What a part did, and the bounds that the whole was planned with."""

    facts: ShardFacts
    tally: Tally
    bounds: tuple[Triple, Triple]


def split(step: StepPlan, context: Context) -> Sequence[Part]:
    """Cut the cloud into ranges of chunks as they will be written."""
    cloud, plan = _plan(step, context)
    chunks = -(-cloud.point_count // CHUNK_POINTS)
    points = min(max(chunks // PARTS, LEAST_CHUNKS), MOST_CHUNKS) * CHUNK_POINTS
    parts = []
    for number, first in enumerate(range(0, cloud.point_count, points)):
        last = min(first + points, cloud.point_count)
        params = msgspec.to_builtins(Span(first, last, plan.crossing))
        parts.append(Part(f"{number:06d}", params, weight=float(last - first)))
    return parts


def run(step: StepPlan, part: Part, context: Context) -> PartResult:
    """Decode a range, move its points, and compress them chunk by chunk."""
    span = msgspec.convert(part.params, Span)
    cloud = _open(step, context)
    mover = Mover(span.crossing, cloud.scales, cloud.offsets)
    tally = Tally()
    done = span.first
    packed = _params(step).out_format == "laz"
    with ShardWriter(context.part_file(SHARD), cloud.layout, compressed=packed) as writer:
        for records in cloud.read(span.first, span.last, batch=CHUNK_POINTS):
            context.check()
            tally = tally.plus(mover.move(records, done))
            writer.add(records)
            done += len(records)
            context.report((done - span.first) / (span.last - span.first))
        moved = Moved(writer.facts(), tally, (span.crossing.low, span.crossing.high))
    return PartResult(msgspec.to_builtins(moved), {"points": float(done - span.first)})


def merge(step: StepPlan, results: Mapping[str, PartResult], context: Context) -> StepResult:
    """Put the chunks of all parts together to one file, and say how it was made."""
    moved = {key: msgspec.convert(result.values, Moved) for key, result in results.items()}
    cloud, plan = _plan(step, context, next(iter(moved.values())).bounds)
    shards = [(context.part_file(SHARD, key), each.facts) for key, each in moved.items()]
    crossing = plan.crossing
    frame = replace(
        frame_of(cloud, wkt_of(plan.heights.output)),
        scales=crossing.scales,
        offsets=crossing.offsets,
    )
    ending = _params(step).out_format
    path = context.write(OUTPUT, media_type=MEDIA_TYPES[ending], filename=f"output.{ending}")
    whole = (assemble if ending == "laz" else assemble_plain)(path, frame, shards)
    tally = Tally()
    for each in moved.values():
        tally = tally.plus(each.tally)
    values = _values(plan, frame, whole, tally)
    return StepResult(values, {"points": float(whole.point_count)})


def _plan(
    step: StepPlan, context: Context, bounds: tuple[Triple, Triple] | None = None
) -> tuple[Cloud, Plan]:
    cloud = _open(step, context)
    return cloud, plan_crossing(cloud, _params(step), context.check, bounds)


def _params(step: StepPlan) -> ReprojectLas:
    return msgspec.convert(step.params, ReprojectLas)


def _open(step: StepPlan, context: Context) -> Cloud:
    return open_cloud(context.read(step.inputs[INPUT]), INPUT)


def _values(plan: Plan, frame: Frame, whole: ShardFacts, tally: Tally) -> dict[str, Any]:
    """Give what the next step and a person want to know of the new file."""
    operation, crossing = plan.operation, plan.crossing
    fitted = surrogate_of(crossing)
    facts = Facts(whole.point_count, whole.mins, whole.maxs, whole.returns)
    low, high = real_bounds(frame, facts)
    return {
        "point_count": whole.point_count,
        "bounds": [*low, *high],
        "crs": plan.heights.output.name,
        "crs_wkt": frame.wkt,
        "scales": list(frame.scales),
        "offsets": list(frame.offsets),
        "point_format": frame.layout.point_format,
        "operation": {
            "proj_string": operation.pipeline,
            "name": operation.name,
            "accuracy_m": operation.accuracy_m,
            "missing_grids": list(operation.missing_grids),
            "best_accuracy_m": operation.best_accuracy_m,
            "proj_version": operation.proj_version,
            "database_version": operation.database_version,
        },
        "heights": plan.heights.treatment,
        "height_factor": plan.heights.factor,
        "height_unit_m": vertical_unit_m(plan.heights.output),
        "surrogate": {
            "patches": fitted.patches if fitted else 0,
            "fit_error_mm": fitted.error * 1000 if fitted else None,
            "checked_points": tally.checked,
            "worst_error_mm": tally.worst_m * 1000,
            "points_by_proj": tally.by_proj,
        },
        "warnings": [msgspec.to_builtins(note) for note in _notes(plan, tally)],
    }


def _notes(plan: Plan, tally: Tally) -> list[Note]:
    notes = list(plan.notes)
    if tally.outside:
        message = f"{tally.outside:,} points lie beyond the bounds that the header says"
        notes.append(Note("HEADER_BOUNDS_WRONG", message, "the new header says the true bounds"))
    return notes
