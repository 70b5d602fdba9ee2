"""What a server answers, as values: jobs, processes, files, storages, releases."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import msgspec

from haulier.client.errors import JobFailedError
from haulier.client.headers import Link
from haulier.core.lifecycle import TERMINAL, State
from haulier.core.problem import ProblemBody

SUCCESSFUL: Final = frozenset({State.SUCCEEDED, State.PARTIAL})


class Process(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of work that the server knows how to do.

    Attributes:
        id: its name on this wire, such as "road-matching".
        inputs: JSON Schema and description of each input, by name; only of one process.
        outputs: the same of each output.
    """

    id: str
    title: str = ""
    description: str = ""
    version: str = ""
    keywords: tuple[str, ...] = ()
    inputs: Mapping[str, Any] = {}
    outputs: Mapping[str, Any] = {}


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a job, as it stood when the server answered."""

    id: str
    kind: str = ""
    state: State
    needs: tuple[str, ...] = ()
    skipped: bool = False
    reused: bool = False
    fraction: float = 0.0
    message: str = ""
    counters: Mapping[str, float] = {}
    parts: int = 0
    parts_done: int = 0
    attempts: int = 0
    problem: ProblemBody | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A job as it stood when the server answered.

    Attributes:
        number: its serial number.
        process: the process's name on this wire; `kind` is its name everywhere else.
        fraction: how far it is, 0 to 1, of the work and not of the time.
        result: small values that the job gave; its files are artifacts.
        version: rises with every change that can be seen.
        stopped_at: when the processes of a cancelled job had ended.
        steps: its steps, where one job was asked for; a list of jobs leaves them out.
    """

    id: UUID
    number: int
    process: str
    kind: str = ""
    title: str = ""
    state: State
    fraction: float = 0.0
    phase: str = ""
    message: str = ""
    counters: Mapping[str, float] = {}
    statistics: Mapping[str, Any] | None = None
    result: Mapping[str, Any] | None = None
    problem: ProblemBody | None = None
    labels: Mapping[str, Any] = {}
    priority: int = 5
    attempt: int = 0
    version: int = 0
    retry_of: UUID | None = None
    not_before: datetime | None = None
    timeout_s: float | None = None
    created_at: datetime
    updated_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    stopped_at: datetime | None = None
    steps: tuple[Step, ...] = ()

    @property
    def terminal(self) -> bool:
        """Whether nothing can happen to it any more."""
        return self.state in TERMINAL

    @property
    def successful(self) -> bool:
        """Whether it ended with all of its outputs, or a part of them."""
        return self.state in SUCCESSFUL


def succeeded(job: Job) -> Job:
    """Give the job back if it ended with its outputs, or a part of them.

    Raises:
        JobFailedError: it failed, was cancelled, or has not ended.
    """
    if job.successful:
        return job
    why = f": {job.problem.detail}" if job.problem else ""
    raise JobFailedError(f"job {job.number} is {job.state}{why}")


class Happening(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a job's timeline."""

    sequence: int
    at: datetime
    type: str
    data: Mapping[str, Any] = {}


class Artifact(msgspec.Struct, frozen=True, kw_only=True):
    """A file that a job gave, or a folder, which is downloaded as a tar archive."""

    name: str
    filename: str = ""
    media_type: str = ""
    size_bytes: int = -1
    sha256: str = ""
    step: str = ""
    created_at: datetime | None = None
    folder: bool = False

    @property
    def path(self) -> str:
        """Give what names it among all files of its job: two steps may use one name."""
        return f"{self.step}.{self.name}" if self.step else self.name


class StoredFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file in a named storage."""

    storage: str = ""
    filename: str
    size_bytes: int = -1
    sha256: str = ""
    etag: str = ""
    modified_at: datetime | None = None

    @property
    def ref(self) -> dict[str, str]:
        """Give the file as an input of a job."""
        return {"storage": self.storage, "filename": self.filename}


class Storage(msgspec.Struct, frozen=True, kw_only=True):
    """A named place for files; an empty `url` is the server's own storage."""

    name: str
    url: str = ""


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """A reference release that jobs name: a folder, a file or a URL the workers can read."""

    name: str
    url: str = ""


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Some jobs, newest first, and where the next ones are ("" at the end)."""

    jobs: tuple[Job, ...] = ()
    cursor: str = ""


def cursor_of(links: tuple[Link, ...]) -> str:
    """Give the cursor of the next page, or "".

    Only the cursor is taken from the link, never its address: the key goes to nobody but
    the server it was given for.
    """
    for link in links:
        if link.rel == "next":
            return parse_qs(urlsplit(link.href).query).get("cursor", [""])[0]
    return ""
