"""Step report: one page with plots and numbers, and each plot as a picture of its own."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from haulier.core.family import Context, Part, PartResult, StepResult
from haulier.core.recipe import StepPlan
from haulier.families.geostat.io.report import render
from haulier.families.geostat.kinds import REPORT
from haulier.families.geostat.plots import PNG, output_name
from haulier.families.geostat.steps.job import Job
from haulier.families.geostat.steps.outputs import give
from haulier.families.geostat.steps.pages.registry import pages

PAGE: Final = "page"


def split(step: StepPlan, context: Context) -> Sequence[Part]:
    """Make one part: what was made is read once, for all plots."""
    del step, context
    return [Part(PAGE)]


def run(step: StepPlan, part: Part, context: Context) -> PartResult:
    """Read what was made, draw it, and put the page together."""
    del part
    job: Job[Any] = Job(step, context)
    report = pages()[job.kind](job)
    names = []
    for figure in report.figures():
        context.part_file(f"{figure.name}.png").write_bytes(figure.png)
        names.append(figure.name)
    context.part_file(REPORT.filename).write_bytes(render(report))
    context.report(1.0, f"drew {len(names)} plots")
    return PartResult({"plots": names})


def merge(step: StepPlan, results: Mapping[str, PartResult], context: Context) -> StepResult:
    """Give page and pictures as outputs."""
    del step
    page = context.write(REPORT.name, media_type=REPORT.media_type, filename=REPORT.filename)
    give(context.part_file(REPORT.filename, PAGE), page)
    for name in results[PAGE].values["plots"]:
        path = context.write(output_name(name), media_type=PNG, filename=f"{name}.png")
        give(context.part_file(f"{name}.png", PAGE), path)
    return StepResult()
