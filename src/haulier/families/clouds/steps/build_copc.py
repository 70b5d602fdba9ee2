"""BUILD_COPC: a cloud as one LAZ file whose chunks are the nodes of an octree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from haulier.core.family import Context, Part, PartResult, StepResult
from haulier.core.recipe import StepPlan
from haulier.families.clouds.io.copc import Octree, write_copc
from haulier.families.clouds.io.crs import crs_of
from haulier.families.clouds.io.frame import frame_of
from haulier.families.clouds.io.lazwriter import encode_chunk
from haulier.families.clouds.params.octree import BuildCopc
from haulier.families.clouds.steps import building, passes
from haulier.families.clouds.steps.finishing import Built

OUTPUT: Final = "output_copc"
MEDIA_TYPE: Final = "application/vnd.laszip+copc"
FILENAME: Final = "cloud.copc.laz"


def split(step: StepPlan, context: Context) -> Sequence[Part]:
    """Give the parts of a pass."""
    return passes.split(step, context, BuildCopc)


def run(step: StepPlan, part: Part, context: Context) -> PartResult:
    """Do one part of a pass."""
    return passes.run(step, part, context, BuildCopc, encode_chunk)


def merge(step: StepPlan, results: Mapping[str, PartResult], context: Context) -> StepResult:
    """End a pass; the last one writes the file."""
    return passes.merge(step, results, context, BuildCopc, _write)


def _write(step: StepPlan, built: Built, context: Context) -> Mapping[str, Any]:
    params = building.params_of(step, BuildCopc)
    cloud = built.job.clouds[0]
    found = crs_of(cloud)
    octree = Octree(
        cube=built.cube,
        span=params.span,
        times=built.times,
        keys=built.keys,
        points=built.rows["points"].tolist(),
        sizes=built.rows["size"].tolist(),
    )
    write_copc(
        context.write(OUTPUT, media_type=MEDIA_TYPE, filename=FILENAME),
        replace(frame_of(cloud, found.wkt), layout=built.job.layout),
        built.facts,
        octree,
        built.each_payload(context),
        params.page_nodes,
    )
    return {"crs_wkt": found.wkt}
