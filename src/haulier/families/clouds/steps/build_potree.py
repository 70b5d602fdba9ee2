"""BUILD_POTREE: a cloud as the octree that Potree's viewer loads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from haulier.core.family import Context, Part, PartResult, StepResult
from haulier.core.recipe import StepPlan
from haulier.families.clouds.io.crs import crs_of
from haulier.families.clouds.io.potree import (
    Octree,
    encode_brotli,
    encode_potree,
    write_potree,
)
from haulier.families.clouds.params.octree import BuildPotree
from haulier.families.clouds.steps import building, passes
from haulier.families.clouds.steps.finishing import Built

OUTPUT: Final = "output_potree"
ENCODERS: Final = {"DEFAULT": encode_potree, "BROTLI": encode_brotli}


def split(step: StepPlan, context: Context) -> Sequence[Part]:
    """Give the parts of a pass."""
    return passes.split(step, context, BuildPotree)


def run(step: StepPlan, part: Part, context: Context) -> PartResult:
    """Do one part of a pass."""
    encode = ENCODERS[building.params_of(step, BuildPotree).encoding]
    return passes.run(step, part, context, BuildPotree, encode)


def merge(step: StepPlan, results: Mapping[str, PartResult], context: Context) -> StepResult:
    """End a pass; the last one writes the files."""
    return passes.merge(step, results, context, BuildPotree, _write)


def _write(step: StepPlan, built: Built, context: Context) -> Mapping[str, Any]:
    params = building.params_of(step, BuildPotree)
    cloud = built.job.clouds[0]
    found = crs_of(cloud)
    octree = Octree(
        name=cloud.path.name.partition(".")[0],
        wkt=found.wkt,
        scales=cloud.scales,
        offsets=cloud.offsets,
        cube=built.cube,
        span=params.span,
        encoding=params.encoding,
        keys=built.keys,
        points=built.rows["points"].tolist(),
        sizes=built.rows["size"].tolist(),
    )
    payloads = built.each_payload(context)
    write_potree(context.write_folder(OUTPUT), built.job.layout, octree, payloads)
    return {"crs_wkt": found.wkt, "encoding": params.encoding}
