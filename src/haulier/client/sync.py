"""`Client`: the calls of `flows` and `transfers`, done with blocking I/O."""

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from haulier.client import network
from haulier.client.answers import (
    Artifact,
    Happening,
    Job,
    Process,
    Release,
    Step,
    Storage,
    StoredFile,
)
from haulier.client.flows import Flows, Look
from haulier.client.options import JobId, JobQuery, JobRequest
from haulier.client.protocol import Done, Flow, Outcome, Pause, Request, Work
from haulier.client.transfers import Transfers

T = TypeVar("T")


class Client:
    """A server's jobs, from blocking code.

    >>> with Client("http://127.0.0.1:8080", key="hlr_...") as client:  # doctest: +SKIP
    ...     roads = client.upload("roads.parquet")
    ...     inputs = {"input": roads.ref, "overture_release": "2026-01-21.0"}
    ...     job = client.wait(client.submit("ROAD_MATCHING", inputs))
    ...     client.download(job, "results", "matches.parquet")
    """

    def __init__(
        self,
        base_url: str,
        *,
        key: str = "",
        timeout_s: float = 30.0,
        flows: Flows | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """Make a client; nothing is sent yet.

        Args:
            base_url: the server's address, such as "http://127.0.0.1:8080".
            key: the API key.
            timeout_s: how long one read or write on the network may take.
            flows: another policy of retries.
            transport: another way to send requests, such as a test's.
        """
        self._flows = flows or Flows()
        self._transfers = Transfers(self._flows)
        settings = network.settings(base_url, key, timeout_s)
        self._http = httpx.Client(**settings, transport=transport)

    def __enter__(self) -> Self:
        """Give the client itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connections."""
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def processes(self) -> list[Process]:
        """Give what the server can do."""
        return self._run(self._flows.processes())

    def process(self, name: str) -> Process:
        """Give one process with its inputs and outputs, by id or kind."""
        return self._run(self._flows.process(name))

    def submit(self, name: str, inputs: Mapping[str, Any] | JobRequest, *, title: str = "") -> Job:
        """Start a job, by the id or kind of its process."""
        return self._run(self._flows.submit(name, network.job_request(inputs, title)))

    def job(self, job: JobId) -> Job:
        """Give a job as it stands."""
        return self._run(self._flows.job(job))

    def jobs(self, query: JobQuery | None = None) -> Iterator[Job]:
        """Give jobs, newest first, asking for a page when one is used up."""
        wanted, cursor = query or JobQuery(), None
        while cursor != "":
            page = self._run(self._flows.page(wanted, cursor or ""))
            yield from page.jobs
            cursor = page.cursor

    def watch(self, job: JobId, *, poll_s: float | None = None) -> Iterator[Job]:
        """Give the job as it stands, after each change, until it has ended.

        Args:
            job: the job.
            poll_s: ask at least so often; else as often as the server suggests.
        """
        look: Look | None = None
        while look is None or not look.job.terminal:
            look = self._run(self._flows.look(job, look, poll_s=poll_s))
            yield look.job

    def wait(
        self,
        job: JobId,
        *,
        on_progress: Callable[[Job], None] | None = None,
        timeout_s: float | None = None,
        poll_s: float | None = None,
    ) -> Job:
        """Give the job when it has ended; each change on the way goes to `on_progress`.

        Args:
            job: the job.
            on_progress: called with the job as it stands, after each change.
            timeout_s: stop waiting then; the job goes on.
            poll_s: ask at least so often; else as often as the server suggests.

        Raises:
            WaitTimeoutError: the time is over.
        """
        return self._run(self._flows.wait(job, on_progress, timeout_s=timeout_s, poll_s=poll_s))

    def cancel(self, job: JobId) -> Job:
        """Ask a job to stop; give it as it then stands."""
        return self._run(self._flows.cancel(job))

    def remove(self, job: JobId) -> None:
        """Remove an ended job with its files."""
        self._run(self._flows.remove(job))

    def retry(self, job: JobId) -> Job:
        """Start a new job that takes over the finished steps of this one."""
        return self._run(self._flows.retry(job))

    def results(self, job: JobId) -> dict[str, Any]:
        """Give the results document: each output by name."""
        return self._run(self._flows.results(job))

    def steps(self, job: JobId) -> list[Step]:
        """Give the steps of a job."""
        return self._run(self._flows.steps(job))

    def timeline(self, job: JobId) -> list[Happening]:
        """Give everything that happened to a job, oldest first."""
        return self._run(self._flows.timeline(job))

    def artifacts(self, job: JobId) -> list[Artifact]:
        """Give the files that a job gave so far."""
        return self._run(self._flows.artifacts(job))

    def download(
        self, job: JobId, artifact: Artifact | str, path: Path | str | None = None
    ) -> Path:
        """Fetch an artifact to a file or into a folder; whole and checked, or not at all."""
        return self._run(self._transfers.download(job, artifact, path))

    def storages(self) -> list[Storage]:
        """Give the storages of the organisation."""
        return self._run(self._flows.storages())

    def put_storage(self, name: str, url: str) -> Storage:
        """Name a place for files, or move the name to another place."""
        return self._run(self._flows.put_storage(name, url))

    def upload(
        self, path: Path | str, storage: str = "", *, filename: str = "", replace: bool = False
    ) -> StoredFile:
        """Send a file to a storage, else to the server's own.

        The same content is not sent again. Another file of the name is left alone unless
        `replace`: then the new one gets a mark in its name, or is refused where `filename`
        asked for this one.
        """
        return self._run(
            self._transfers.upload(Path(path), storage, filename=filename, replace=replace)
        )

    def files(self, storage: str = "") -> list[StoredFile]:
        """Give the files of a storage; else of the server's own."""
        return self._run(self._transfers.files(storage))

    def fetch(self, storage: str, filename: str, path: Path | str | None = None) -> Path:
        """Fetch a file of a storage, as `download` does an artifact."""
        return self._run(self._transfers.fetch(storage, filename, path))

    def remove_file(self, storage: str, filename: str) -> None:
        """Remove a file of a storage."""
        self._run(self._transfers.remove(storage, filename))

    def releases(self) -> list[Release]:
        """Give the registered releases."""
        return self._run(self._flows.releases())

    def put_release(self, name: str, url: str) -> Release:
        """Register a release, or point its name at another place."""
        return self._run(self._flows.put_release(name, url))

    def remove_release(self, name: str) -> None:
        """Forget a release; its files are left alone."""
        self._run(self._flows.remove_release(name))

    def health(self) -> Mapping[str, Any]:
        """Give what the server says of its own health, whether good or bad."""
        return self._run(self._flows.health())

    def _run(self, flow: Flow[T]) -> T:
        outcome: Outcome = None
        try:
            while True:
                effect = flow.send(outcome)
                if isinstance(effect, Pause):
                    time.sleep(effect.seconds)
                    outcome = None
                elif isinstance(effect, Work):
                    outcome = Done(effect.call())
                else:
                    outcome = self._send(effect)
        except StopIteration as ended:
            value: T = ended.value
            return value
        finally:
            flow.close()

    def _send(self, request: Request) -> Outcome:
        asked = network.arguments(request)
        with network.body(request) as content:
            try:
                with self._http.stream(**asked, content=content) as response:
                    answer = network.head(response)
                    if request.sink is None or response.is_error:
                        return network.whole(answer, response.read())
                    request.sink.begin(answer)
                    for chunk in response.iter_raw(network.CHUNK_BYTES):
                        request.sink.write(chunk)
                    return answer
            except httpx.TransportError as error:
                return network.broken(error, self._http.base_url)
