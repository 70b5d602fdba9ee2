"""Tasks of this wire: which kind of work one is, and the submission that a request means."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from haulier.core.caller import Caller
from haulier.core.family import Kind
from haulier.core.job import Job, Submission
from haulier.core.problem import Code, Problem
from haulier.engine.registry import Kinds
from haulier.engine.services import Services
from haulier.wire.evo.errors import renamed

LABEL: Final = "evo"
PARAMETERS: Final = "parameters"

Place = tuple[str, str, str]  # organisation, topic, task


def topic_of(kinds: Kinds, kind: Kind) -> str:
    """Give the topic of a kind: its own, or its family's name."""
    return kind.topic or kinds.family_of(kind.name).name


def task_of(kinds: Kinds, kind: str) -> tuple[str, str]:
    """Give the topic and the task that a kind is on this wire.

    Raises:
        Problem: NOT_FOUND; it is not installed.
    """
    found = kinds.get(kind)
    return topic_of(kinds, found), found.slug


def kind_of(kinds: Kinds, topic: str, task: str) -> Kind:
    """Give the kind that a task is.

    Raises:
        Problem: NOT_FOUND, with the topics or the tasks that there are.
    """
    by_topic: dict[str, dict[str, Kind]] = {}
    for kind in kinds.all():
        by_topic.setdefault(topic_of(kinds, kind), {})[kind.slug] = kind
    if topic not in by_topic:
        raise _missing("topic", topic, by_topic)
    if task not in by_topic[topic]:
        raise _missing("task", task, by_topic[topic])
    return by_topic[topic][task]


def _missing(what: str, name: str, known: Mapping[str, object]) -> Problem:
    detail = f"no {what} '{name}'; there are: {', '.join(sorted(known)) or 'none'}"
    return Problem(Code.NOT_FOUND, detail, at=f"path.{what}")


def submit(services: Services, caller: Caller, place: Place, params: Mapping[str, Any]) -> Job:
    """Take a job on.

    Raises:
        Problem: NOT_FOUND; INVALID at the parameter that is wrong.
    """
    org_id, topic, task = place
    kind = kind_of(services.kinds, topic, task)
    said = {"org": org_id, "topic": topic, "task": task}
    submission = Submission(kind=kind.name, params=params, labels={LABEL: said})
    try:
        return services.jobs.submit(caller, submission)
    except Problem as problem:
        body = renamed(problem.body(), below_parameters)
        raise Problem.of(msgspec.structs.replace(body, at=body.at or PARAMETERS)) from None


def below_parameters(at: str) -> str:
    """Give what a request calls a parameter."""
    return f"{PARAMETERS}.{at}"


def submitted_as(job: Job) -> Place | None:
    """Give where a job was submitted; None: by another wire."""
    said = job.labels.get(LABEL)
    return (said["org"], said["topic"], said["task"]) if isinstance(said, Mapping) else None


def check_place(job: Job, place: Place, kinds: Kinds) -> None:
    """Refuse a job that stands elsewhere; one that came by another wire, to every organisation.

    Raises:
        Problem: NOT_FOUND at "job".
    """
    known = submitted_as(job)
    here = place == known if known else place[1:] == task_of(kinds, job.kind)
    if not here:
        raise no_job(str(job.id))


def no_job(job_id: str) -> Problem:
    """Give what is said of a job that is not there."""
    return Problem(Code.NOT_FOUND, f"no job {job_id[:100]}", at="path.job_id")
