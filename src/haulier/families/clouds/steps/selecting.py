"""Leave points out of a cloud: what FILTER, CROP, THIN and OUTLIER have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from haulier.core.family import Context, Part, PartResult, StepResult
from haulier.core.recipe import StepPlan
from haulier.families.clouds.io.cloud import Cloud, open_cloud
from haulier.families.clouds.io.layout import Records
from haulier.families.clouds.io.lazwriter import CHUNK_POINTS, ShardWriter
from haulier.families.clouds.notes import Note
from haulier.families.clouds.steps import rewriting
from haulier.families.clouds.steps.rewriting import SHARD, Rewriting

BoolArray = NDArray[np.bool_]

INPUT: Final = "input_las"
#: Says which of some records are kept; the number is that of the first of them in the cloud.
Keep = Callable[[Records, int], BoolArray]


def open_input(step: StepPlan, context: Context) -> Cloud:
    """Open the cloud of a step."""
    return open_cloud(context.read(step.inputs[INPUT]), f"inputs.{INPUT}")


def select(
    cloud: Cloud,
    part: Part,
    context: Context,
    keep: Keep,
    *,
    fields: Sequence[str] | None = None,
) -> PartResult:
    """Write the points of a range that are kept; a chunk of them for each chunk read.

    Args:
        cloud: it.
        part: which of its points.
        context: of the part.
        keep: says which.
        fields: what it looks at. With them, records are decoded whole only where some of them
            are kept: worth it where most ranges have none.
    """
    first, last = part.params["first"], part.params["last"]
    done = first
    with ShardWriter(context.part_file(SHARD), cloud.layout) as writer:
        for looked in cloud.read(first, last, fields=fields, batch=CHUNK_POINTS):
            context.check()
            kept = keep(looked, done)
            if kept.any():
                whole = looked if fields is None else _whole(cloud, done, len(looked))
                writer.add(whole if kept.all() else whole[kept])
            done += len(looked)
            context.report((done - first) / (last - first), "points", {"points": done - first})
        facts = writer.facts()
    return rewriting.result_of(facts, done - first, left_out=done - first - facts.point_count)


def _whole(cloud: Cloud, first: int, number: int) -> Records:
    (records,) = cloud.read(first, first + number, batch=number)
    return records


def finish(
    cloud: Cloud,
    results: Mapping[str, PartResult],
    context: Context,
    notes: Sequence[Note] = (),
    more: Mapping[str, Any] | None = None,
) -> StepResult:
    """Put what is left of a cloud together, and say how much was left out."""
    changed = Rewriting(cloud, cloud.layout, "")
    values = rewriting.merge(changed, results, context)
    left_out = rewriting.tallies(results).get("left_out", 0)
    said = [*cloud.notes, *notes]
    if not values["point_count"]:
        message = f"none of {cloud.point_count:,} points is left"
        said.append(Note("NOTHING_LEFT", message, "check the condition, its units and its system"))
    values |= {"left_out": left_out, **(more or {}), "warnings": rewriting.in_json(said)}
    return StepResult(values, {"points": cloud.point_count, "left_out": left_out})
