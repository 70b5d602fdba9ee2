"""The three passes of every build: bin the points, build the bins, write the container."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from haulier.core.family import Context, Part, PartResult, StepResult
from haulier.core.recipe import StepPlan
from haulier.families.clouds.io.layout import Layout
from haulier.families.clouds.method.dense import Path
from haulier.families.clouds.method.measure import measure
from haulier.families.clouds.method.morton import codes_of, cube_around
from haulier.families.clouds.method.octree import Rule, share_out
from haulier.families.clouds.method.sorting import in_order_of, sorted_by_cell
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


def warm() -> None:
    """Load or compile the kernels of every pass."""
    layout = Layout(6)
    records = np.zeros((4, layout.record_size), dtype=np.uint8)
    cube = cube_around(np.zeros(3), np.ones(3), np.full(3, 0.5), np.zeros(3))
    codes, _ = codes_of(records, cube)
    rule = Rule(span_bits=5, leaf_max=1)
    in_order_of(sorted_by_cell(codes, 0, rule.span_bits))
    share_out(codes, 0, 0, rule)
    Path(0, 0, rule).take(codes)
    measure(records)
