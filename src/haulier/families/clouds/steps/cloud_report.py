"""CLOUD_REPORT: one page with pictures of a cloud, its numbers, and what to know of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from haulier.core.family import Context, Part, PartResult, StepResult
from haulier.core.recipe import StepPlan
from haulier.families.clouds.io.cloud import Cloud, open_cloud
from haulier.families.clouds.io.crs import crs_of
from haulier.families.clouds.io.dimensions import dimensions_of
from haulier.families.clouds.io.layout import Records
from haulier.families.clouds.io.lazwriter import CHUNK_POINTS
from haulier.families.clouds.method.overview import LAYERS, Gatherer, Overview, base_bits
from haulier.families.clouds.params.report import CloudReport
from haulier.families.clouds.steps import rewriting, surveying
from haulier.families.clouds.steps.choice import NOISE, WITHHELD
from haulier.families.clouds.steps.dataset_info import whole_survey
from haulier.families.clouds.steps.pages.page import report_of
from haulier.families.clouds.steps.pages.seen import Before, Seen
from haulier.families.clouds.steps.surveying import SURVEY
from haulier.families.reporting import render

INPUT: Final = "input_las"
OUTPUT: Final = "report"
FILENAME: Final = "report.html"
OVERVIEW: Final = "overview.npz"
GROUND: Final = 2


def split(step: StepPlan, context: Context) -> Sequence[Part]:
    """Give ranges of points."""
    return rewriting.split(_open(step, context)) or [Part("none", {"first": 0, "last": 0})]


def run(step: StepPlan, part: Part, context: Context) -> PartResult:
    """Count a range, and gather it as it is seen from above: in one pass."""
    cloud = _open(step, context)
    first, last = part.params["first"], part.params["last"]
    dimensions = dimensions_of(cloud.layout)
    survey, gatherer = surveying.empty(cloud), Gatherer(_bits(cloud))
    done = 0
    for records in cloud.read(first, last, batch=CHUNK_POINTS):
        context.check()
        survey = survey.plus(surveying.counted(records, dimensions))
        gatherer.add(
            (records["X"], records["Y"], records["Z"]), records["intensity"], marks(records)
        )
        done += len(records)
        context.report(done / (last - first), "looking at points", {"points": done})
    surveying.save(survey, context.part_file(SURVEY))
    _save(gatherer.overview(), context.part_file(OVERVIEW))
    return PartResult(counters={"points": survey.point_count})


def merge(step: StepPlan, results: Mapping[str, PartResult], context: Context) -> StepResult:
    """Draw what all parts saw, and write the page."""
    cloud = _open(step, context)
    gatherer = Gatherer(_bits(cloud))
    for key in results:
        context.check()
        gatherer.join(_load(context.part_file(OVERVIEW, key)))
    seen = Seen(
        cloud=cloud,
        said=crs_of(cloud),
        survey=whole_survey(cloud, results, context),
        overview=gatherer.overview(),
        params=msgspec.convert(step.params, CloudReport),
        before=_before(step, context),
    )
    page = render(report_of(seen, context.check))
    context.write(OUTPUT, media_type="text/html", filename=FILENAME).write_bytes(page)
    values = {
        "point_count": seen.survey.point_count,
        "bounds": seen.bounds,
        "crs": seen.said.crs.name if seen.said.crs else "",
        "warnings": [
            msgspec.to_builtins(each.note) for each in seen.findings if each.severity != "note"
        ],
    }
    return StepResult(values, {"points": seen.survey.point_count})


def marks(records: Records) -> NDArray[np.uint8]:
    """Give how each record counts: for its place alone, for heights as well, for ground as well."""
    classes = records["classification"]
    counts = (records["classification_flags"] & WITHHELD == 0) & ~np.isin(classes, NOISE)
    return np.asarray(counts.astype(np.uint8) + (counts & (classes == GROUND)))


def _bits(cloud: Cloud) -> tuple[int, int]:
    return base_bits(cloud.scales[0], cloud.scales[1])


def _open(step: StepPlan, context: Context) -> Cloud:
    return open_cloud(context.read(step.inputs[INPUT]), f"inputs.{INPUT}")


def _before(step: StepPlan, context: Context) -> Before | None:
    """Give what the step said that made the cloud, if one of this job did."""
    source: Any = step.inputs[INPUT]
    if not isinstance(source, str):
        return None
    name = source.removeprefix("step:").partition(".")[0]
    return Before(name, context.values(name))


def _save(overview: Overview, path: Path) -> None:
    layers: dict[str, Any] = {name: getattr(overview, name) for name in LAYERS}
    np.savez(path, where=np.array([*overview.bits, *overview.low]), **layers)


def _load(path: Path) -> Overview:
    with np.load(path) as kept:
        x_bits, y_bits, left, bottom = kept["where"].tolist()
        return Overview((x_bits, y_bits), (left, bottom), **{name: kept[name] for name in LAYERS})
