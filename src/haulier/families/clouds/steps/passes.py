"""The three passes of every build: bin the points, build the bins, write the container."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from haulier.core.family import Context, Part, PartResult, StepResult
from haulier.core.recipe import StepPlan
from haulier.families.clouds.params.octree import Octree
from haulier.families.clouds.steps import binning, finishing, noding

STAGES: Final = (binning.STAGE, noding.STAGE, finishing.STAGE)
SPLITS: Final = dict(zip(STAGES, (binning.split, noding.split, finishing.split), strict=True))


def split(step: StepPlan, context: Context, type_: type[Octree]) -> Sequence[Part]:
    """Give the parts of a pass."""
    return SPLITS[step.stage](step, context, type_)


def run(
    step: StepPlan, part: Part, context: Context, type_: type[Octree], encode: noding.Encode
) -> PartResult:
    """Do one part of a pass."""
    if step.stage == binning.STAGE:
        return binning.run(step, part, context, type_)
    if step.stage == noding.STAGE:
        return noding.run(step, part, context, type_, encode)
    return finishing.run(step, part, context, type_, encode)


def merge(
    step: StepPlan,
    results: Mapping[str, PartResult],
    context: Context,
    type_: type[Octree],
    write: finishing.Write,
) -> StepResult:
    """End a pass."""
    if step.stage == binning.STAGE:
        return binning.merge(step, results, context, type_)
    if step.stage == noding.STAGE:
        return noding.merge(step, results, context, type_)
    return finishing.merge(step, results, context, type_, write)
