"""The native wire's documents as the client reads and writes them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec

from haulier.client.answers import (
    Artifact,
    Happening,
    Job,
    Page,
    Process,
    Step,
    Storage,
    StoredFile,
    cursor_of,
)
from haulier.client.headers import Link
from haulier.client.options import JobQuery, JobRequest
from haulier.client.protocol import Answer, decode, query_of
from haulier.core.lifecycle import State
from haulier.core.problem import ProblemBody

#: The standard's word for each state that a list can be filtered by.
WORDS: Final[Mapping[State, str]] = {
    State.QUEUED: "accepted",
    State.RUNNING: "running",
    State.CANCELLING: "running",
    State.SUCCEEDED: "successful",
    State.PARTIAL: "successful",
    State.FAILED: "failed",
    State.CANCELLED: "dismissed",
}


class Details(msgspec.Struct, frozen=True, kw_only=True):
    """The extension member of a statusInfo: what the standard has no word for."""

    number: int
    state: State
    kind: str = ""
    fraction: float = 0.0
    version: int = 0
    phase: str = ""
    message: str = ""
    counters: Mapping[str, float] = {}
    statistics: Mapping[str, Any] | None = None
    result: Mapping[str, Any] | None = None
    problem: ProblemBody | None = None
    labels: Mapping[str, Any] = {}
    priority: int = 5
    attempt: int = 0
    retry_of: UUID | None = None
    not_before: datetime | None = None
    timeout_s: float | None = None
    stopped_at: datetime | None = None
    steps: tuple[Step, ...] = ()


class StatusInfo(msgspec.Struct, frozen=True, kw_only=True):
    """How a job stands, in the standard's words and ours."""

    id: UUID = msgspec.field(name="jobID")
    process: str = msgspec.field(name="processID", default="")
    title: str = ""
    created: datetime
    updated: datetime | None = None
    started: datetime | None = None
    finished: datetime | None = None
    haulier: Details


class ProcessList(msgspec.Struct, frozen=True):
    """The answer of GET /processes."""

    processes: tuple[Process, ...]


class JobList(msgspec.Struct, frozen=True):
    """The answer of GET /jobs."""

    jobs: tuple[StatusInfo, ...]
    links: tuple[Link, ...] = ()


class StepList(msgspec.Struct, frozen=True):
    """The answer of GET /jobs/{id}/steps."""

    steps: tuple[Step, ...]


class Timeline(msgspec.Struct, frozen=True):
    """The answer of GET /jobs/{id}/timeline."""

    timeline: tuple[Happening, ...]


class ArtifactList(msgspec.Struct, frozen=True):
    """The answer of GET /jobs/{id}/artifacts."""

    artifacts: tuple[Artifact, ...]


class StorageList(msgspec.Struct, frozen=True):
    """The answer of GET /storages."""

    storages: tuple[Storage, ...]


class FileList(msgspec.Struct, frozen=True):
    """The answer of GET /storages/{name}/files."""

    files: tuple[StoredFile, ...]


class Entry(msgspec.Struct, frozen=True):
    """One named thing of the catalog."""

    name: str
    body: Mapping[str, Any] = {}


class EntryList(msgspec.Struct, frozen=True):
    """The answer of GET /catalog/{type}."""

    entries: tuple[Entry, ...]


def slug(name: str) -> str:
    """Give a process's name on this wire: ROAD_MATCHING is road-matching."""
    return name.lower().replace("_", "-")


def execution(wanted: JobRequest) -> dict[str, Any]:
    """Give the body that starts a job: the standard's member, then ours."""
    ours = msgspec.to_builtins(wanted)
    ours.pop("inputs")
    inputs = {name: _input(value) for name, value in wanted.inputs.items()}
    defaults = msgspec.to_builtins(JobRequest())
    chosen = {name: value for name, value in ours.items() if value != defaults[name]}
    return {"inputs": inputs, "haulier": chosen} if chosen else {"inputs": inputs}


def _input(value: object) -> object:
    """Give an input in JSON terms; an uploaded file stands for its `ref`."""
    if isinstance(value, StoredFile):
        return value.ref
    if isinstance(value, (list, tuple)):
        return [_input(one) for one in value]
    return msgspec.to_builtins(value)


def job_query(wanted: JobQuery, cursor: str) -> tuple[tuple[str, str], ...]:
    """Give the query of a page of jobs.

    The standard's words are fewer than our states, so `read_page` filters once more.
    """
    words = sorted({WORDS[state] for state in wanted.states})
    start, end = wanted.created_from, wanted.created_to
    interval = f"{_instant(start)}/{_instant(end)}" if start or end else ""
    return query_of(
        processID=tuple(map(slug, wanted.processes)),
        status=tuple(words),
        datetime=interval,
        minDuration=wanted.min_duration_s,
        maxDuration=wanted.max_duration_s,
        limit=wanted.page_size,
        cursor=cursor,
    )


def read_job(answer: Answer) -> Job:
    """Read a statusInfo.

    Raises:
        ProtocolError: it is none.
    """
    return _job(decode(answer, StatusInfo))


def read_page(answer: Answer, wanted: JobQuery) -> Page:
    """Read a page of jobs, and leave out those whose state was not asked for.

    Raises:
        ProtocolError: it is none.
    """
    found = decode(answer, JobList)
    jobs = tuple(map(_job, found.jobs))
    if wanted.states:
        jobs = tuple(job for job in jobs if job.state in wanted.states)
    return Page(jobs=jobs, cursor=cursor_of(found.links))


def _job(info: StatusInfo) -> Job:
    details = {name: getattr(info.haulier, name) for name in Details.__struct_fields__}
    return Job(
        id=info.id,
        process=info.process,
        title=info.title,
        created_at=info.created,
        updated_at=info.updated,
        started_at=info.started,
        finished_at=info.finished,
        **details,
    )


def _instant(at: datetime | None) -> str:
    return str(msgspec.to_builtins(at)) if at is not None else ".."
