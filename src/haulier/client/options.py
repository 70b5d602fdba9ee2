"""What a caller may ask for: a new job, or some of the jobs there are."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from haulier.client.answers import Job
from haulier.core.lifecycle import State

#: A job by itself, its UUID, or its UUID's text.
JobId = Job | UUID | str


class JobRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A job to be started.

    Attributes:
        inputs: the process's inputs, in JSON terms; a file is a `StoredFile` or its `ref`.
        title: a name for people.
        priority: 1 (first) to 9 (last).
        labels: words of your own, given back as they came.
        deliver: where an artifact goes besides the server: name to `StoredFile.ref`.
        not_before: do not start earlier.
        timeout_s: end it as failed when it has run this long.
    """

    inputs: Mapping[str, Any] = {}
    title: str = ""
    priority: int = 5
    labels: Mapping[str, Any] = {}
    deliver: Mapping[str, Mapping[str, str]] = {}
    not_before: datetime | None = None
    timeout_s: float | None = None


class JobQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which jobs to list; empty means all, newest first.

    Attributes:
        processes: names of processes, in either spelling.
        states: only jobs in one of these.
        created_from: only jobs made at or after this time.
        created_to: only jobs made at or before this time.
        page_size: how many jobs the server gives at once.
    """

    processes: tuple[str, ...] = ()
    states: tuple[State, ...] = ()
    created_from: datetime | None = None
    created_to: datetime | None = None
    min_duration_s: float | None = None
    max_duration_s: float | None = None
    page_size: int = 100
