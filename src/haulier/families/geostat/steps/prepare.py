"""Step prepare: pin the objects, check all that can be wrong, and keep what the work needs."""

from collections.abc import Mapping, Sequence
from typing import Any

from haulier.core.family import Context, Part, PartResult, StepResult
from haulier.core.recipe import StepPlan
from haulier.families.geostat.io.objects import load_object
from haulier.families.geostat.kinds import ARROW
from haulier.families.geostat.params.checks import references
from haulier.families.geostat.steps.job import NEWEST, Job
from haulier.families.geostat.steps.outputs import give
from haulier.families.geostat.steps.registry import tasks


def split(step: StepPlan, context: Context) -> Sequence[Part]:
    """Find every object that is named, and pin its version: the part's key is what it reads."""
    job: Job[Any] = Job(step, context, {})
    pins = {}
    for at, text in references(job.params).items():
        found = load_object(context, text, at=at, allowed=AnyType())
        newest = load_object(context, text, at=at, allowed=AnyType(), version=NEWEST)
        pins[at] = [found.id, found.version, newest.version]
    return [Part("prepare", {"pins": pins})]


class AnyType(frozenset[str]):
    """Every type of object: a task says later which will do."""

    def __contains__(self, type_: object) -> bool:
        """Take each."""
        return True


def run(step: StepPlan, part: Part, context: Context) -> PartResult:
    """Prepare the work."""
    job: Job[Any] = Job(step, context, part.params["pins"])
    folder = context.scratch()
    prepared = tasks()[job.kind].prepare(job, folder)
    for name, path in prepared.files.items():
        give(path, context.part_file(name))
    context.report(1.0, "prepared")
    values = {
        **prepared.values,
        "rows": prepared.rows,
        "pins": part.params["pins"],
        "files": list(prepared.files),
    }
    return PartResult(values)


def merge(step: StepPlan, results: Mapping[str, PartResult], context: Context) -> StepResult:
    """Give the files of the part as outputs."""
    del step
    (done,) = results.values()
    for name in done.values["files"]:
        give(context.part_file(name, "prepare"), context.write(name, media_type=ARROW))
    return StepResult(done.values)
