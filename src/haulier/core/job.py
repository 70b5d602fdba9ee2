"""A job as callers see it: one recipe run for one organisation."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from haulier.core.artifact import FileRef
from haulier.core.lifecycle import TERMINAL, State
from haulier.core.problem import ProblemBody
from haulier.core.progress import Progress


class Submission(msgspec.Struct, frozen=True):
    """What a caller asks for, after a dialect has understood it.

    Attributes:
        kind: which kind of work.
        params: the kind's parameters, in JSON terms.
        title: a name for people.
        priority: 1 (first) to 9 (last).
        labels: the dialect's own words, given back as they came.
        deliver: where the job's artifacts go when it succeeds: artifact name to file.
        not_before: do not start earlier.
        timeout_s: end the job as failed when it has run this long.
    """

    kind: str
    params: Mapping[str, Any]
    title: str = ""
    priority: int = 5
    labels: Mapping[str, Any] = {}
    deliver: Mapping[str, FileRef] = {}
    not_before: datetime | None = None
    timeout_s: float | None = None


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One recipe run for one organisation, as it stands now.

    `version` rises with every change a caller can see; `attempt` names who may end it.
    """

    id: UUID
    number: int
    organisation: str
    subject: str
    family: str
    kind: str
    title: str = ""
    params: Mapping[str, Any] = {}
    labels: Mapping[str, Any] = {}
    deliver: Mapping[str, FileRef] = {}
    state: State
    progress: Progress = Progress()
    statistics: Mapping[str, Any] | None = None
    result: Mapping[str, Any] | None = None
    problem: ProblemBody | None = None
    priority: int = 5
    attempt: int = 0
    version: int = 1
    retry_of: UUID | None = None
    not_before: datetime | None = None
    timeout_s: float | None = None
    created_at: datetime
    updated_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    stopped_at: datetime | None = None

    @property
    def terminal(self) -> bool:
        """Whether nothing can happen to it any more."""
        return self.state in TERMINAL

    def ran_s(self, now: datetime) -> float:
        """Give the seconds since its first attempt began, up to its end or now."""
        if self.started_at is None:
            return 0.0
        return ((self.finished_at or now) - self.started_at).total_seconds()


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a job, as it stands now."""

    id: str
    family: str
    kind: str
    state: State
    needs: tuple[str, ...] = ()
    skipped: bool = False  # never run, because a step it needs did not succeed
    reused: bool = False  # taken over from the job this one retries
    fraction: float = 0.0
    message: str = ""
    counters: Mapping[str, float] = {}
    parts: int = 0
    parts_done: int = 0
    attempts: int = 0
    problem: ProblemBody | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None


class Happening(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a job's timeline; `sequence` rises over all jobs and never repeats."""

    sequence: int
    job_id: UUID
    at: datetime
    type: str
    data: Mapping[str, Any] = {}
