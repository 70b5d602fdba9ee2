"""Every call of the client as a flow: which requests, in which order, and what they mean."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import msgspec

from haulier.client import bodies
from haulier.client.answers import (
    Artifact,
    Happening,
    Job,
    Page,
    Process,
    Release,
    Step,
    Storage,
)
from haulier.client.errors import ProtocolError, WaitTimeoutError, conflict
from haulier.client.options import JobId, JobQuery, JobRequest
from haulier.client.protocol import (
    Answer,
    Flow,
    Pause,
    Request,
    RetryPolicy,
    decode,
    exchange,
    failure,
    path_of,
    query_of,
)

T = TypeVar("T")
JSON_TYPE: Final = "application/json"
RELEASE: Final = "overture_release"
DEFAULT_POLL_S: Final = 1.0
SHORTEST_POLL_S: Final = 0.05  # a server that says "at once" is not asked in a busy loop
OK: Final = 200
UNCHANGED: Final = 304
UNREADY: Final = 503
TIMELINE_PAGE: Final = 1000


@dataclass(frozen=True, slots=True)
class Look:
    """A job as it stood, and what the next look needs to know.

    Attributes:
        etag: names this standing; the server says 304 while it lasts.
        pause_s: how long to wait before the next look.
    """

    job: Job
    etag: str
    pause_s: float


@dataclass(frozen=True, slots=True)
class Flows:
    """The calls of one client.

    Attributes:
        policy: how a single request is tried again.
        patient: the same while waiting for a job, which outlives a restart of the server.
        clock: seconds that only grow, for the limit of a wait.
    """

    policy: RetryPolicy = field(default_factory=RetryPolicy)
    patient: RetryPolicy = field(default_factory=lambda: RetryPolicy(attempts=40))
    clock: Callable[[], float] = time.monotonic

    def get(self, type_: type[T], *segments: object, **query: object) -> Flow[T]:
        """Read one document."""
        request = Request("GET", path_of(*segments), query_of(**query))
        answer = yield from exchange(request, self.policy)
        return decode(answer, type_)

    def send(self, method: str, *segments: object, body: object = None) -> Flow[Answer]:
        """Write one document."""
        headers = {} if body is None else {"Content-Type": JSON_TYPE}
        encoded = b"" if body is None else msgspec.json.encode(body)
        request = Request(method, path_of(*segments), headers=headers, body=encoded)
        return (yield from exchange(request, self.policy))

    def processes(self) -> Flow[list[Process]]:
        """Give what the server can do."""
        found = yield from self.get(bodies.ProcessList, "processes", limit=10_000)
        return list(found.processes)

    def process(self, name: str) -> Flow[Process]:
        """Give one process with its inputs and outputs."""
        return (yield from self.get(Process, "processes", bodies.slug(name)))

    def submit(self, name: str, wanted: JobRequest) -> Flow[Job]:
        """Start a job; sent again only where the server surely has not seen it."""
        request = Request(
            "POST",
            path_of("processes", bodies.slug(name), "execution"),
            headers={"Content-Type": JSON_TYPE, "Prefer": "respond-async"},
            body=msgspec.json.encode(bodies.execution(wanted)),
        )
        answer = yield from exchange(request, self.policy)
        return bodies.read_job(answer)

    def job(self, job: JobId) -> Flow[Job]:
        """Give a job as it stands."""
        answer = yield from exchange(Request("GET", _path(job)), self.policy)
        return bodies.read_job(answer)

    def page(self, query: JobQuery, cursor: str = "") -> Flow[Page]:
        """Give one page of jobs."""
        request = Request("GET", "/jobs", bodies.job_query(query, cursor))
        answer = yield from exchange(request, self.policy)
        return bodies.read_page(answer, query)

    def wait(
        self,
        job: JobId,
        on_progress: Callable[[Job], None] | None,
        *,
        timeout_s: float | None = None,
        poll_s: float | None = None,
    ) -> Flow[Job]:
        """Give the job when it has ended; each change on the way goes to `on_progress`.

        Asks as often as the server suggests, or every `poll_s` where that is more often, and
        carries on through a restart of the server.

        Raises:
            WaitTimeoutError: the time is over; the job still runs.
        """
        ends_at = None if timeout_s is None else self.clock() + timeout_s
        look: Look | None = None
        while look is None or not look.job.terminal:
            look = yield from self.look(job, look, poll_s=poll_s, ends_at=ends_at)
            if on_progress is not None:
                on_progress(look.job)
        return look.job

    def look(
        self,
        job: JobId,
        before: Look | None,
        *,
        poll_s: float | None = None,
        ends_at: float | None = None,
    ) -> Flow[Look]:
        """Give the job as it stands; after an earlier look, when it has changed.

        Raises:
            WaitTimeoutError: the clock is past `ends_at`.
        """
        pause_s = before.pause_s if before is not None else 0.0
        headers = {"If-None-Match": before.etag} if before is not None and before.etag else {}
        while True:
            if before is not None:
                left_s = None if ends_at is None else ends_at - self.clock()
                yield Pause(_within(pause_s, left_s, before.job))
            request = Request("GET", _path(job), headers=headers)
            answer = yield from exchange(request, self.patient)
            pause_s = _pause_s(answer, poll_s)
            if answer.status != UNCHANGED:
                return Look(bodies.read_job(answer), answer.header("etag"), pause_s)
            if before is None:
                raise ProtocolError(f"{answer.url} said 304 to a request without a condition")

    def cancel(self, job: JobId) -> Flow[Job]:
        """Ask a job to stop; give it as it then stands."""
        answer = yield from self.send("POST", "jobs", id_of(job), "cancel")
        return bodies.read_job(answer)

    def remove(self, job: JobId) -> Flow[None]:
        """Remove an ended job with its files.

        Raises:
            ConflictError: it has not ended; nothing is cancelled.
        """
        standing = yield from self.job(job)
        if not standing.terminal:
            raise conflict(f"job {standing.number} is {standing.state}: cancel it first")
        yield from self.send("DELETE", "jobs", standing.id)

    def retry(self, job: JobId) -> Flow[Job]:
        """Start a new job that takes over the finished steps of this one."""
        answer = yield from self.send("POST", "jobs", id_of(job), "retry")
        return bodies.read_job(answer)

    def results(self, job: JobId) -> Flow[dict[str, Any]]:
        """Give the results document: each output by name."""
        return (yield from self.get(dict[str, Any], "jobs", id_of(job), "results"))

    def steps(self, job: JobId) -> Flow[list[Step]]:
        """Give the steps of a job."""
        found = yield from self.get(bodies.StepList, "jobs", id_of(job), "steps")
        return list(found.steps)

    def timeline(self, job: JobId) -> Flow[list[Happening]]:
        """Give everything that happened to a job, oldest first."""
        lines: list[Happening] = []
        while True:
            after = lines[-1].sequence if lines else 0
            found = yield from self.get(
                bodies.Timeline, "jobs", id_of(job), "timeline", after=after, limit=TIMELINE_PAGE
            )
            lines.extend(found.timeline)
            if len(found.timeline) < TIMELINE_PAGE:
                return lines

    def artifacts(self, job: JobId) -> Flow[list[Artifact]]:
        """Give the files that a job gave so far."""
        found = yield from self.get(bodies.ArtifactList, "jobs", id_of(job), "artifacts")
        return list(found.artifacts)

    def storages(self) -> Flow[list[Storage]]:
        """Give the storages of the organisation."""
        found = yield from self.get(bodies.StorageList, "storages")
        return list(found.storages)

    def put_storage(self, name: str, url: str) -> Flow[Storage]:
        """Name a place for files, or move the name to another place."""
        yield from self.send("PUT", "catalog", "storage", name, body={"url": url})
        return Storage(name=name, url=url)

    def releases(self) -> Flow[list[Release]]:
        """Give the registered releases."""
        found = yield from self.get(bodies.EntryList, "catalog", RELEASE)
        return [Release(name=one.name, url=str(one.body.get("url", ""))) for one in found.entries]

    def put_release(self, name: str, url: str) -> Flow[Release]:
        """Register a release, or point its name at another place."""
        yield from self.send("PUT", "catalog", RELEASE, name, body={"url": url})
        return Release(name=name, url=url)

    def remove_release(self, name: str) -> Flow[None]:
        """Forget a release; its files are left alone."""
        yield from self.send("DELETE", "catalog", RELEASE, name)

    def health(self) -> Flow[Mapping[str, Any]]:
        """Give what the server says of its own health, whether good or bad."""
        outcome = yield Request("GET", "/readyz")
        if isinstance(outcome, Answer) and outcome.status in {OK, UNREADY}:
            return decode(outcome, dict[str, Any])
        raise failure(outcome)


def id_of(job: JobId) -> str:
    """Give a job's UUID as text."""
    return str(job.id) if isinstance(job, Job) else str(job)


def _path(job: JobId) -> str:
    return path_of("jobs", id_of(job))


def _pause_s(answer: Answer, poll_s: float | None) -> float:
    asked_s = answer.retry_after_s
    pause_s = DEFAULT_POLL_S if asked_s is None else asked_s
    return max(pause_s if poll_s is None else min(pause_s, poll_s), SHORTEST_POLL_S)


def _within(pause_s: float, left_s: float | None, job: Job) -> float:
    """Give the pause, cut where the wait ends before it."""
    if left_s is None:
        return pause_s
    if left_s <= 0:
        raise WaitTimeoutError(
            f"job {job.number} is still {job.state} at {job.fraction:.0%}; it goes on"
        )
    return min(pause_s, left_s)
