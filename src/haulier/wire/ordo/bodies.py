"""Jobs, steps and artifacts on this wire, to the key of the vendor's page."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from haulier.core.artifact import Artifact
from haulier.core.job import Job, Step
from haulier.engine.registry import Kinds
from haulier.wire.dialect import View
from haulier.wire.ordo.paths import NAME
from haulier.wire.ordo.status import COMPLETED, WORDS, StepWord, Word, step_word

MILLISECOND: Final = timedelta(milliseconds=1)


class JobBody(msgspec.Struct, frozen=True, kw_only=True):
    """A job."""

    id: int
    recipe_id: int | None
    status: Word
    created_at: str
    started_at: str | None
    finished_at: str | None
    error: str | None
    params: Mapping[str, Any]


class ProgressBody(msgspec.Struct, frozen=True):
    """How far a job is; `percentage` is a fraction from 0 to 1, as the vendor's is."""

    percentage: float  # written as 1, as the vendor does, and not as 1.0
    completed_steps: int
    total_steps: int


class LineBody(msgspec.Struct, frozen=True, kw_only=True):
    """One step in the timeline."""

    step: str
    type: str
    status: StepWord
    started_at: str | None
    finished_at: str | None
    duration_ms: int | None


class StepBody(msgspec.Struct, frozen=True, kw_only=True):
    """A step of a job."""

    job_id: int
    step_id: str
    step_type: str
    status: StepWord
    started_at: str | None
    finished_at: str | None
    error: str | None


class ArtifactBody(msgspec.Struct, frozen=True, kw_only=True):
    """An artifact that a job began with, or that one of its steps gave."""

    job_id: int
    name: str
    type: str
    uri: str
    hash: str
    producer_step: str | None
    metadata: Mapping[str, Any] | None
    created_at: str


class OutputBody(msgspec.Struct, frozen=True):
    """Where an artifact goes."""

    artifact_name: str
    path: str


class JobView(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about one job."""

    job: JobBody
    progress: ProgressBody
    duration_ms: int | None
    timeline: tuple[LineBody, ...]
    steps: tuple[StepBody, ...]
    artifacts: tuple[ArtifactBody, ...]
    outputs: tuple[OutputBody, ...]


def render(job: Job, view: View) -> JobBody:
    """Give a job as a list shows it."""
    del view  # nothing in it depends on who asks
    params = job.params.get("params", {}) if _is_recipe(job) else job.params
    return JobBody(
        id=job.number,
        recipe_id=job.labels.get(NAME, {}).get("recipe_id"),
        status=WORDS[job.state],
        created_at=moment(job.created_at),
        started_at=_moment(job.started_at),
        finished_at=_moment(job.finished_at),
        error=_error(job),
        params=params,
    )


def _is_recipe(job: Job) -> bool:
    return isinstance(job.params.get("recipe"), Mapping)


def _error(job: Job) -> str | None:
    if job.problem is not None:
        return job.problem.detail
    return "Cancelled" if job.state == "cancelled" else None


def view_of_job(
    job: Job, steps: Sequence[Step], artifacts: Sequence[Artifact], view: View
) -> JobView:
    """Give everything about one job."""
    begun = [step for step in steps if step.started_at is not None]
    words = [step_word(step) for step in steps]
    return JobView(
        job=render(job, view),
        progress=ProgressBody(
            percentage=_plain(job.progress.fraction if not job.terminal else _done(words)),
            completed_steps=sum(word in COMPLETED for word in words),
            total_steps=len(steps),
        ),
        duration_ms=_milliseconds(job.started_at, job.finished_at),
        timeline=tuple(_line(step) for step in sorted(begun, key=_start)),
        steps=tuple(_step(job, step) for step in sorted(steps, key=lambda step: step.id)),
        artifacts=tuple(_artifacts(job, artifacts, view.kinds)),
        outputs=tuple(
            OutputBody(name, wanted.get("path", ""))
            for name, wanted in _mapping(job.params.get("outputs")).items()
        ),
    )


def _done(words: Sequence[str]) -> float:
    """Give the share of the steps that succeeded, once a job has ended."""
    return sum(word == "success" for word in words) / len(words) if words else 1.0


def _plain(fraction: float) -> float:
    return int(fraction) if fraction.is_integer() else fraction


def _start(step: Step) -> tuple[datetime, str]:
    return (step.started_at or datetime.max.replace(tzinfo=UTC), step.id)


def _line(step: Step) -> LineBody:
    return LineBody(
        step=step.id,
        type=step.kind,
        status=step_word(step),
        started_at=_moment(step.started_at),
        finished_at=_moment(step.finished_at),
        duration_ms=_milliseconds(step.started_at, step.finished_at),
    )


def _step(job: Job, step: Step) -> StepBody:
    return StepBody(
        job_id=job.number,
        step_id=step.id,
        step_type=step.kind,
        status=step_word(step),
        started_at=_moment(step.started_at),
        finished_at=_moment(step.finished_at),
        error=None if step.problem is None else step.problem.detail,
    )


def _artifacts(job: Job, made: Sequence[Artifact], kinds: Kinds) -> list[ArtifactBody]:
    """Give what the job began with and what its steps gave, by name."""
    types = {
        f"step:{step['id']}.{slot}": found.type
        for step in _steps(job)
        if (kind := kinds.step_kinds.get(str(step.get("type")).partition("@")[0])) is not None
        for slot, found in kind.produces.items()
    }
    given = [
        ArtifactBody(
            job_id=job.number,
            name=name,
            type=str(one.get("type", "")),
            uri=str(one.get("uri", "")),
            hash=str(one.get("hash", "")),
            producer_step=None,
            metadata=one.get("metadata"),
            created_at=moment(job.created_at),
        )
        for name, one in _mapping(job.params.get("inputs")).items()
        if isinstance(one, Mapping)
    ]
    found = [_made(job, one, types) for one in made]
    return sorted([*given, *found], key=lambda body: body.name)


def _made(job: Job, one: Artifact, types: Mapping[str, str]) -> ArtifactBody:
    name = f"step:{one.step}.{one.name}"
    ending = "" if one.folder else one.filename
    return ArtifactBody(
        job_id=job.number,
        name=name,
        type=types.get(name, one.media_type),
        uri=f"artifacts/job_{job.number}/{one.step}/{ending}",
        hash=f"sha256:{one.sha256}",
        producer_step=one.step,
        metadata=_mapping(job.result).get(one.step),
        created_at=moment(one.created_at or job.created_at),
    )


def _steps(job: Job) -> list[Mapping[str, Any]]:
    definition = _mapping(_mapping(job.params.get("recipe")).get("definition"))
    steps = definition.get("recipe")
    return [step for step in steps if isinstance(step, Mapping)] if isinstance(steps, list) else []


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def moment(at: datetime) -> str:
    """Give a time as the vendor writes it: UTC, to the millisecond."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _moment(at: datetime | None) -> str | None:
    return None if at is None else moment(at)


def _milliseconds(start: datetime | None, end: datetime | None) -> int | None:
    """Give the time between two moments as they are written, so that the sums agree."""
    if start is None or end is None:
        return None
    return _whole(end) - _whole(start)


def _whole(at: datetime) -> int:
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // MILLISECOND
