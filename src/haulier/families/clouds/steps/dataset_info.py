"""DATASET_INFO: what there is to know of a cloud, as a JSON document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from haulier.core.family import Context, Part, PartResult, StepResult
from haulier.core.recipe import StepPlan
from haulier.families.clouds.io.cloud import Cloud, open_cloud
from haulier.families.clouds.io.crs import FileCrs, crs_of
from haulier.families.clouds.params.surveys import DatasetInfo
from haulier.families.clouds.steps import describing as say
from haulier.families.clouds.steps import rewriting, spreading, surveying
from haulier.families.clouds.steps.crsfindings import crs_findings
from haulier.families.clouds.steps.finding import Finding, found, ordered
from haulier.families.clouds.steps.headerfindings import header_findings
from haulier.families.clouds.steps.pointfindings import point_findings
from haulier.families.clouds.steps.surveying import SURVEY, Survey

INPUT: Final = "input_las"
OUTPUT: Final = "metadata"
FILENAME: Final = "info.json"
VERSION: Final = "1"


def split(step: StepPlan, context: Context) -> Sequence[Part]:
    """Give ranges of points."""
    return rewriting.split(_open(step, context))


def run(step: StepPlan, part: Part, context: Context) -> PartResult:
    """Count a range."""
    survey = surveying.survey_of(_open(step, context), part, context)
    surveying.save(survey, context.part_file(SURVEY))
    return PartResult(counters={"points": survey.point_count})


def merge(step: StepPlan, results: Mapping[str, PartResult], context: Context) -> StepResult:
    """Write the document."""
    params = msgspec.convert(step.params, DatasetInfo)
    cloud = _open(step, context)
    survey = whole_survey(cloud, results, context)
    said = crs_of(cloud)
    document = describe(cloud, survey, said, params)
    path = context.write(OUTPUT, media_type="application/json", filename=FILENAME)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(document), indent=2))
    values = {
        "point_count": survey.point_count,
        "bounds": document["bounds"],
        "crs": document["crs"]["name"],
        "crs_wkt": said.wkt,
        "point_format": cloud.header.point_format,
        "density_per_m2": document["density"].get("per_square_metre"),
        "classes": {str(each["code"]): each["count"] for each in document["classes"]},
        "warnings": [
            msgspec.to_builtins(each.note)
            for each in findings_of(cloud, survey, said)
            if each.severity != "note"
        ],
    }
    return StepResult(values, {"points": survey.point_count})


def whole_survey(cloud: Cloud, results: Mapping[str, PartResult], context: Context) -> Survey:
    """Give what all parts counted."""
    whole = surveying.empty(cloud)
    for key in results:
        whole = whole.plus(surveying.load(context.part_file(SURVEY, key)))
    return whole


def findings_of(cloud: Cloud, survey: Survey, said: FileCrs) -> list[Finding]:
    """Give everything that is wrong or odd, the worst first."""
    bounds = say.bounds_of(say.statistics_of(cloud, survey))
    box = (bounds[0], bounds[1], bounds[3], bounds[4]) if bounds else ()
    return ordered(
        [
            *(found(note) for note in cloud.notes),
            *header_findings(cloud),
            *point_findings(cloud, survey),
            *(crs_findings(cloud, said, box) if box else ()),
        ]
    )


def describe(cloud: Cloud, survey: Survey, said: FileCrs, params: DatasetInfo) -> dict[str, Any]:
    """Give the document."""
    statistics = say.statistics_of(cloud, survey)
    bounds = say.bounds_of(statistics)
    outline = spreading.outline_document(cloud, said, survey, params.outline_cells)
    box = dict(zip(("minx", "miny", "minz", "maxx", "maxy", "maxz"), bounds, strict=False))
    boxes: dict[str, Any] = {"native": {"bbox": box, "boundary": outline.get("native")}}
    if "EPSG:4326" in outline:
        boxes["EPSG:4326"] = {"boundary": outline["EPSG:4326"]}
    return {
        "version": VERSION,
        "filename": cloud.path.name,
        "points": survey.point_count,
        "bounds": bounds,
        "crs": say.crs_document(said),
        "metadata": say.metadata_of(cloud),
        "schema": {"dimensions": say.schema_of(cloud)},
        "stats": {"statistic": statistics, "bbox": boxes},
        "histograms": say.histograms_of(cloud, survey, params.histogram_bins),
        "classes": say.classes_of(survey),
        "returns": say.returns_of(survey),
        "flags": say.flags_of(survey),
        "point_sources": say.sources_of(survey),
        "density": spreading.density_document(cloud, said, survey),
        "outline": {name: outline[name] for name in ("cell", "area") if name in outline},
        "warnings": [msgspec.to_builtins(each) for each in findings_of(cloud, survey, said)],
    }


def _open(step: StepPlan, context: Context) -> Cloud:
    return open_cloud(context.read(step.inputs[INPUT]), f"inputs.{INPUT}")
