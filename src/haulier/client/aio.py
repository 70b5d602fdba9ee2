"""`AsyncClient`: the calls of `flows` and `transfers`, done on asyncio or trio."""

from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import anyio
import anyio.to_thread
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


class AsyncClient:
    """A server's jobs, from asyncio or trio.

    >>> async with AsyncClient("http://127.0.0.1:8080", key="hlr_...") as client:  # doctest: +SKIP
    ...     roads = await client.upload("roads.parquet")
    ...     inputs = {"input": roads.ref, "overture_release": "2026-01-21.0"}
    ...     job = await client.wait(await client.submit("ROAD_MATCHING", inputs))
    ...     await client.download(job, "results", "matches.parquet")
    """

    def __init__(
        self,
        base_url: str,
        *,
        key: str = "",
        timeout_s: float = 30.0,
        flows: Flows | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
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
        self._http = httpx.AsyncClient(**settings, transport=transport)

    async def __aenter__(self) -> Self:
        """Give the client itself."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connections."""
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def processes(self) -> list[Process]:
        """Give what the server can do."""
        return await self._run(self._flows.processes())

    async def process(self, name: str) -> Process:
        """Give one process with its inputs and outputs, by id or kind."""
        return await self._run(self._flows.process(name))

    async def submit(
        self, name: str, inputs: Mapping[str, Any] | JobRequest, *, title: str = ""
    ) -> Job:
        """Start a job, by the id or kind of its process."""
        return await self._run(self._flows.submit(name, network.job_request(inputs, title)))

    async def job(self, job: JobId) -> Job:
        """Give a job as it stands."""
        return await self._run(self._flows.job(job))

    async def jobs(self, query: JobQuery | None = None) -> AsyncIterator[Job]:
        """Give jobs, newest first, asking for a page when one is used up."""
        wanted, cursor = query or JobQuery(), None
        while cursor != "":
            page = await self._run(self._flows.page(wanted, cursor or ""))
            for job in page.jobs:
                yield job
            cursor = page.cursor

    async def watch(self, job: JobId, *, poll_s: float | None = None) -> AsyncIterator[Job]:
        """Give the job as it stands, after each change, until it has ended.

        Args:
            job: the job.
            poll_s: ask at least so often; else as often as the server suggests.
        """
        look: Look | None = None
        while look is None or not look.job.terminal:
            look = await self._run(self._flows.look(job, look, poll_s=poll_s))
            yield look.job

    async def wait(
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
        return await self._run(
            self._flows.wait(job, on_progress, timeout_s=timeout_s, poll_s=poll_s)
        )

    async def cancel(self, job: JobId) -> Job:
        """Ask a job to stop; give it as it then stands."""
        return await self._run(self._flows.cancel(job))

    async def remove(self, job: JobId) -> None:
        """Remove an ended job with its files."""
        await self._run(self._flows.remove(job))

    async def retry(self, job: JobId) -> Job:
        """Start a new job that takes over the finished steps of this one."""
        return await self._run(self._flows.retry(job))

    async def results(self, job: JobId) -> dict[str, Any]:
        """Give the results document: each output by name."""
        return await self._run(self._flows.results(job))

    async def steps(self, job: JobId) -> list[Step]:
        """Give the steps of a job."""
        return await self._run(self._flows.steps(job))

    async def timeline(self, job: JobId) -> list[Happening]:
        """Give everything that happened to a job, oldest first."""
        return await self._run(self._flows.timeline(job))

    async def artifacts(self, job: JobId) -> list[Artifact]:
        """Give the files that a job gave so far."""
        return await self._run(self._flows.artifacts(job))

    async def download(
        self, job: JobId, artifact: Artifact | str, path: Path | str | None = None
    ) -> Path:
        """Fetch an artifact to a file or into a folder; whole and checked, or not at all."""
        return await self._run(self._transfers.download(job, artifact, path))

    async def storages(self) -> list[Storage]:
        """Give the storages of the organisation."""
        return await self._run(self._flows.storages())

    async def put_storage(self, name: str, url: str) -> Storage:
        """Name a place for files, or move the name to another place."""
        return await self._run(self._flows.put_storage(name, url))

    async def upload(
        self, path: Path | str, storage: str = "", *, filename: str = "", replace: bool = False
    ) -> StoredFile:
        """Send a file to a storage, else to the server's own.

        The same content is not sent again. Another file of the name is left alone unless
        `replace`: then the new one gets a mark in its name, or is refused where `filename`
        asked for this one.
        """
        return await self._run(
            self._transfers.upload(Path(path), storage, filename=filename, replace=replace)
        )

    async def files(self, storage: str = "") -> list[StoredFile]:
        """Give the files of a storage; else of the server's own."""
        return await self._run(self._transfers.files(storage))

    async def fetch(self, storage: str, filename: str, path: Path | str | None = None) -> Path:
        """Fetch a file of a storage, as `download` does an artifact."""
        return await self._run(self._transfers.fetch(storage, filename, path))

    async def remove_file(self, storage: str, filename: str) -> None:
        """Remove a file of a storage."""
        await self._run(self._transfers.remove(storage, filename))

    async def releases(self) -> list[Release]:
        """Give the registered releases."""
        return await self._run(self._flows.releases())

    async def put_release(self, name: str, url: str) -> Release:
        """Register a release, or point its name at another place."""
        return await self._run(self._flows.put_release(name, url))

    async def remove_release(self, name: str) -> None:
        """Forget a release; its files are left alone."""
        await self._run(self._flows.remove_release(name))

    async def health(self) -> Mapping[str, Any]:
        """Give what the server says of its own health, whether good or bad."""
        return await self._run(self._flows.health())

    async def _run(self, flow: Flow[T]) -> T:
        outcome: Outcome = None
        try:
            while True:
                effect = flow.send(outcome)
                if isinstance(effect, Pause):
                    await anyio.sleep(effect.seconds)
                    outcome = None
                elif isinstance(effect, Work):
                    outcome = Done(await anyio.to_thread.run_sync(effect.call))
                else:
                    outcome = await self._send(effect)
        except StopIteration as ended:
            value: T = ended.value
            return value
        finally:
            flow.close()

    async def _send(self, request: Request) -> Outcome:
        asked = network.arguments(request)
        async with network.async_body(request) as content:
            try:
                async with self._http.stream(**asked, content=content) as response:
                    answer = network.head(response)
                    if request.sink is None or response.is_error:
                        return network.whole(answer, await response.aread())
                    request.sink.begin(answer)
                    async for chunk in response.aiter_raw(network.CHUNK_BYTES):
                        await anyio.to_thread.run_sync(request.sink.write, chunk)
                    return answer
            except httpx.TransportError as error:
                return network.broken(error, self._http.base_url)
