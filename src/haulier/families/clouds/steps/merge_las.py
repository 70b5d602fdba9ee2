"""MERGE_LAS: several clouds, one behind the other, as one file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from haulier.core.family import Context, Part, PartResult, StepResult
from haulier.core.recipe import StepPlan
from haulier.families.clouds.io.cloud import open_cloud
from haulier.families.clouds.params.handling import MergeLas
from haulier.families.clouds.steps import rewriting
from haulier.families.clouds.steps.joining import AT, Joint, join
from haulier.families.clouds.steps.rewriting import Rewriting

INPUT: Final = "input_las"


def split(step: StepPlan, context: Context) -> Sequence[Part]:
    """Give ranges of points of all clouds together."""
    return rewriting.split(_joint(step, context).cloud)


def run(step: StepPlan, part: Part, context: Context) -> PartResult:
    """Write a range in the terms of all."""
    cloud = _joint(step, context).cloud
    changed = Rewriting(cloud, cloud.layout, "merging points")
    facts = rewriting.run(changed, part, context, lambda records: records)
    return rewriting.result_of(facts, facts.point_count)


def merge(step: StepPlan, results: Mapping[str, PartResult], context: Context) -> StepResult:
    """Put all together."""
    joint = _joint(step, context)
    changed = Rewriting(joint.cloud, joint.cloud.layout, "")
    values = rewriting.merge(changed, results, context, joint.wkt)
    values["clouds"] = len(_references(step))
    values["warnings"] = rewriting.in_json(joint.notes)
    return StepResult(values, {"points": values["point_count"]})


def _joint(step: StepPlan, context: Context) -> Joint:
    clouds = [open_cloud(context.read(each), AT) for each in _references(step)]
    return join(clouds, msgspec.convert(step.params, MergeLas))


def _references(step: StepPlan) -> list[object]:
    given = step.inputs[INPUT]
    return list(given) if isinstance(given, list | tuple) else [given]
