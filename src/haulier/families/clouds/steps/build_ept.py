"""BUILD_EPT: a cloud as a folder of tiles, for viewers that fetch what they show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from haulier.core.family import Context, Part, PartResult, StepResult
from haulier.core.recipe import StepPlan
from haulier.families.clouds.io.cloud import Cloud
from haulier.families.clouds.io.crs import crs_of
from haulier.families.clouds.io.dimensions import schema_of
from haulier.families.clouds.io.ept import Head, Srs, tile_name
from haulier.families.clouds.io.eptwriter import (
    VERSION,
    encode_binary,
    encode_zstandard,
    laz_tile,
    srs_of,
    write_head,
    write_hierarchy,
    write_sources,
)
from haulier.families.clouds.io.frame import Facts, Frame, real_bounds
from haulier.families.clouds.io.lazwriter import encode_chunk
from haulier.families.clouds.params.octree import BuildEpt
from haulier.families.clouds.steps import building, passes
from haulier.families.clouds.steps.finishing import Built

OUTPUT: Final = "output_ept"
ENCODERS: Final = {
    "laszip": encode_chunk,
    "binary": encode_binary,
    "zstandard": encode_zstandard,
}


def split(step: StepPlan, context: Context) -> Sequence[Part]:
    """Give the parts of a pass."""
    return passes.split(step, context, BuildEpt)


def run(step: StepPlan, part: Part, context: Context) -> PartResult:
    """Do one part of a pass."""
    encode = ENCODERS[building.params_of(step, BuildEpt).data_type]
    return passes.run(step, part, context, BuildEpt, encode)


def merge(step: StepPlan, results: Mapping[str, PartResult], context: Context) -> StepResult:
    """End a pass; the last one writes the folder."""
    return passes.merge(step, results, context, BuildEpt, _write)


def _write(step: StepPlan, built: Built, context: Context) -> Mapping[str, Any]:
    params = building.params_of(step, BuildEpt)
    folder = context.write_folder(OUTPUT)
    for name in ("ept-data", "ept-hierarchy", "ept-sources"):
        (folder / name).mkdir()
    cloud = built.job.clouds[0]
    found = crs_of(cloud)
    frame = Frame(
        layout=built.job.layout,
        scales=cloud.scales,
        offsets=cloud.offsets,
        wkt=found.wkt,
        global_encoding=cloud.header.global_encoding,
        created=cloud.header.created,
    )
    keys = built.keys
    for index, key in enumerate(keys):
        context.check()
        payload = built.payload(index)
        if params.data_type == "laszip":
            payload = laz_tile(frame, facts_of(built, index), payload)
        (folder / tile_name(key, params.data_type)).write_bytes(payload)
        context.report((index + 1) / len(keys), "writing tiles")
    write_hierarchy(folder, keys, built.rows["points"].tolist(), params.page_nodes)
    srs = srs_of(found.crs, found.wkt)
    write_sources(folder, [_source(each, srs) for each in built.job.clouds])
    write_head(folder, _head(built, frame, params, srs))
    return {"crs_wkt": found.wkt, "data_type": params.data_type}


def facts_of(built: Built, index: int) -> Facts:
    """Give what a header says of the points of one node."""
    row = built.rows[index]
    mins, maxs = row["mins"].tolist(), row["maxs"].tolist()
    return Facts(
        point_count=int(row["points"]),
        mins=(mins[0], mins[1], mins[2]),
        maxs=(maxs[0], maxs[1], maxs[2]),
        returns=tuple(row["returns"].tolist()),
    )


def _head(built: Built, frame: Frame, params: BuildEpt, srs: Srs) -> Head:
    lowest, size = built.cube.lowest, built.cube.size
    low, high = real_bounds(frame, built.facts)
    return Head(
        bounds=(*lowest, *(each + size for each in lowest)),
        bounds_conforming=(*low, *high),
        data_type=params.data_type,
        hierarchy_type="json",
        points=built.facts.point_count,
        schema=schema_of(frame.layout, frame.scales, frame.offsets),
        span=params.span,
        version=VERSION,
        srs=srs,
    )


def _source(cloud: Cloud, srs: Srs) -> dict[str, Any]:
    header = cloud.header
    return {
        "path": cloud.path.name,
        "points": cloud.point_count,
        "bounds": [*header.mins, *header.maxs],
        "srs": srs,
        "metadata": {
            "container": cloud.container,
            "point_format": header.point_format,
            "scale": list(cloud.scales),
            "offset": list(cloud.offsets),
            "system_identifier": header.system_identifier,
            "generating_software": header.generating_software,
        },
    }
