"""VALIDATE_LAS: every deviation of a cloud that can be checked, with what to do, as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from haulier.core.family import Context, Part, PartResult, StepResult
from haulier.core.problem import Code, Problem
from haulier.core.recipe import StepPlan
from haulier.families.clouds.io.cloud import Cloud, open_cloud
from haulier.families.clouds.io.crs import crs_of
from haulier.families.clouds.params.surveys import ValidateLas
from haulier.families.clouds.steps import rewriting, surveying
from haulier.families.clouds.steps.crsfindings import crs_findings
from haulier.families.clouds.steps.dataset_info import findings_of, whole_survey
from haulier.families.clouds.steps.finding import SEVERITIES, Finding, ordered, unreadable
from haulier.families.clouds.steps.headerfindings import header_findings
from haulier.families.clouds.steps.surveying import SURVEY

INPUT: Final = "input_las"
OUTPUT: Final = "report"
FILENAME: Final = "validation.json"
VERSION: Final = "1"
#: What a problem is about that the file itself causes: it is what is reported, and no failure.
OF_THE_FILE: Final = frozenset({Code.INVALID, Code.UNSUPPORTED})
NOTHING: Final = Part("none", {"first": 0, "last": 0})


def split(step: StepPlan, context: Context) -> Sequence[Part]:
    """Give ranges of points, or one empty part where there is nothing to read."""
    opened = _opened(step, context)
    if isinstance(opened, Problem) or not msgspec.convert(step.params, ValidateLas).read_points:
        return [NOTHING]
    return rewriting.split(opened)


def run(step: StepPlan, part: Part, context: Context) -> PartResult:
    """Count a range; points that cannot be read are said, and no failure."""
    opened = _opened(step, context)
    if isinstance(opened, Problem) or not part.params["last"]:
        return PartResult()
    damage = ""
    survey = surveying.empty(opened)
    try:
        survey = surveying.survey_of(opened, part, context)
    except Problem as problem:
        if problem.code not in OF_THE_FILE:
            raise
        damage = problem.detail
    surveying.save(survey, context.part_file(SURVEY))
    return PartResult({"damage": damage}, {"points": survey.point_count})


def merge(step: StepPlan, results: Mapping[str, PartResult], context: Context) -> StepResult:
    """Write the report."""
    opened = _opened(step, context)
    if isinstance(opened, Problem):
        findings, points = [unreadable(opened.detail)], 0
        name = Path(context.read(step.inputs[INPUT])).name
    else:
        findings, points = _findings(opened, results, context)
        name = opened.path.name
    document = _report(name, findings, points)
    path = context.write(OUTPUT, media_type="application/json", filename=FILENAME)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(document), indent=2))
    values = {
        "valid": document["valid"],
        "counts": document["counts"],
        "point_count": points,
        "warnings": [
            msgspec.to_builtins(each.note) for each in findings if each.severity != "note"
        ],
    }
    return StepResult(values, {"points": points})


def _findings(
    cloud: Cloud, results: Mapping[str, PartResult], context: Context
) -> tuple[list[Finding], int]:
    damages = [text for each in results.values() if (text := each.values.get("damage", ""))]
    if any(not each.values for each in results.values()):  # no point was read
        low, high = cloud.bounds
        box = (low[0], low[1], high[0], high[1])
        said = crs_of(cloud)
        credible = cloud.bounds_are_credible
        named = [*header_findings(cloud), *(crs_findings(cloud, said, box) if credible else ())]
        return ordered(named), 0
    survey = whole_survey(cloud, results, context)
    findings = findings_of(cloud, survey, crs_of(cloud))
    if damages:  # of some points nothing is known: what all of them say is not known either
        findings = [each for each in findings if each.code not in _OF_ALL_POINTS]
    return ordered([*map(unreadable, damages), *findings]), survey.point_count


_OF_ALL_POINTS: Final = frozenset({"RETURN_COUNTS_WRONG", "HEADER_BOUNDS_LOOSE"})


def _report(name: str, findings: Sequence[Finding], points: int) -> dict[str, Any]:
    counts = {word: sum(each.severity == word for each in findings) for word in SEVERITIES}
    return {
        "version": VERSION,
        "filename": name,
        "valid": not counts["error"],
        "points_read": points,
        "counts": counts,
        "findings": [msgspec.to_builtins(each) for each in findings],
    }


def _opened(step: StepPlan, context: Context) -> Cloud | Problem:
    """Open the cloud, or say why it cannot be."""
    path = context.read(step.inputs[INPUT])
    try:
        return open_cloud(path, f"inputs.{INPUT}")
    except Problem as problem:
        if problem.code not in OF_THE_FILE:
            raise
        return problem
