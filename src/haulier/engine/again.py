"""A new job like one that has ended: the same request, and what is finished of it taken over."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from msgspec import structs

from haulier.core.artifact import FileRef
from haulier.core.identity import fingerprint
from haulier.core.job import Job, Submission
from haulier.core.lifecycle import State
from haulier.core.problem import Code, Problem
from haulier.core.recipe import Recipe, Reuse
from haulier.engine import details, store
from haulier.engine.details import StepEnd
from haulier.engine.files import Files


def submission_like(old: Job) -> Submission:
    """Give the request that a job came from."""
    return Submission(
        kind=old.kind,
        params=old.params,
        title=old.title,
        priority=old.priority,
        labels=old.labels,
        deliver=old.deliver,
        timeout_s=old.timeout_s,
    )


def redoing(recipe: Recipe, step: str) -> Recipe:
    """Give a recipe whose step takes nothing over from earlier jobs; empty: every one may.

    Raises:
        Problem: INVALID at "from"; there is no such step.
    """
    ids = [each.id for each in recipe.steps]
    if step and step not in ids:
        detail = f"from must be a step of the job, {', '.join(ids)}, got {step!r}"
        raise Problem(Code.INVALID, detail, at="from")
    changed = tuple(
        structs.replace(each, reuse=Reuse.REFRESH) if each.id == step else each
        for each in recipe.steps
    )
    return structs.replace(recipe, steps=changed)


def take_over(
    connection: sa.Connection,
    old: Job,
    job: Job,
    recipe: Recipe,
    *,
    changed: Collection[str],
    now: datetime,
) -> None:
    """Give the new job the finished steps of the old one that are the same still.

    Those of `changed` are not: a job of two contents of one file would be the result.
    """
    planned = {step.id: step for step in store.read_recipe(connection, old.id).steps}
    results = details.read_results(connection, old.id)
    found = details.read_artifacts(connection, old.id)
    taken: set[str] = set()
    for step in (step for layer in recipe.levels() for step in layer):
        same = fingerprint(planned.get(step.id)) == fingerprint(step) and not step.closing
        if same and step.id not in changed and step.id in results and taken.issuperset(step.needs):
            taken.add(step.id)
            end = StepEnd(
                state=State.SUCCEEDED,
                result=results[step.id],
                artifacts=[one for one in found if one.step == step.id],
                reused=True,
            )
            details.write_end(connection, job.id, step.id, end, now=now)
    for line in details.read_noted(connection, old.id, details.READ):
        if line["step"] in taken:
            store.add_event(connection, job.id, details.READ, line, now)


def files_read(connection: sa.Connection, old: Job) -> dict[str, Sequence[Mapping[str, str]]]:
    """Give which files each step of a job read, and by which tags."""
    return {
        line["step"]: line["files"] for line in details.read_noted(connection, old.id, details.READ)
    }


def changed_since(
    read: Mapping[str, Sequence[Mapping[str, str]]], old: Job, files: Files
) -> set[str]:
    """Give the steps of a job that read files which are something else now."""
    return {
        step
        for step, named in read.items()
        if any(
            files.tag(old.organisation, FileRef(one["storage"], one["filename"])) != one["tag"]
            for one in named
        )
    }
