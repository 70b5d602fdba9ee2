"""Step publish: new versions of objects, which appear when the step succeeds."""

from collections.abc import Mapping, Sequence
from typing import Any

from haulier.core.family import Context, Part, PartResult, StepResult
from haulier.core.recipe import StepPlan
from haulier.families.geostat.io.objects import ENTRY as OBJECT
from haulier.families.geostat.kinds import PARQUET
from haulier.families.geostat.steps.job import Job
from haulier.families.geostat.steps.outputs import give
from haulier.families.geostat.steps.registry import tasks

WORK = "work"


def split(step: StepPlan, context: Context) -> Sequence[Part]:
    """Make one part: all is done where the parts are put together."""
    del step, context
    return [Part("publish")]


def run(step: StepPlan, part: Part, context: Context) -> PartResult:
    """Do nothing: what is published depends on what is there at the end."""
    del step, part
    context.report(1.0, "publishing")
    return PartResult()


def merge(step: StepPlan, results: Mapping[str, PartResult], context: Context) -> StepResult:
    """Give the publications, and the tables that they name as files of this step.

    It is called again where an object was changed in between.
    """
    del results
    job: Job[Any] = Job(step, context)
    published = tasks()[job.kind].publish(job, context.values(WORK))
    for each in published.publications:
        if each.type == OBJECT:  # a block model's columns are written by whoever publishes them
            for name in each.files:
                path = context.write(name, media_type=PARQUET, filename=f"{name}.parquet")
                give(context.read(f"step:{WORK}.{name}"), path)
    values = {"result": dict(published.result), "statistics": dict(published.statistics)}
    return StepResult(values, publish=published.publications)
