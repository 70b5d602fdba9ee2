"""Both faces against a real server: jobs from submission to removal, files both ways."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from haulier.client import (
    AsyncClient,
    Client,
    ConflictError,
    IntegrityError,
    InvalidError,
    Job,
    JobFailedError,
    JobQuery,
    JobRequest,
    NoResultError,
    NotFoundError,
    NotReadyError,
    UnauthenticatedError,
    WaitTimeoutError,
    succeeded,
)
from haulier.core.lifecycle import State
from haulier.testing.server import Server, running

FAULTS = {"HAULIER_FAMILIES": "haulier.testing.faults:FAMILY"}
CONTENT = bytes(range(256)) * 20_000  # 5 MB, many chunks
LIMIT_S = 120.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests of the file."""
    with running(tmp_path_factory.mktemp("server"), environment=FAULTS) as started:
        yield started


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    with Client(server.url, key=server.key) as made:
        yield made


def run(client: Client, **inputs: Any) -> Job:
    """Run a job to its end."""
    return client.wait(client.submit("TROUBLE", inputs), timeout_s=LIMIT_S, poll_s=0.1)


def test_a_job_is_told_from_submission_to_its_end(client: Client) -> None:
    told: list[Job] = []
    request = JobRequest(inputs={"numbers": [40, 2]}, title="sum", labels={"mine": 1}, priority=2)

    submitted = client.submit("TROUBLE", request)
    ended = client.wait(submitted, on_progress=told.append, timeout_s=LIMIT_S, poll_s=0.1)

    assert succeeded(ended) is ended
    assert ended.id == submitted.id
    assert (ended.title, ended.priority, ended.process) == ("sum", 2, "trouble")
    assert ended.labels["mine"] == 1
    assert ended.result is not None
    assert ended.result["sum"] == 42
    assert told[-1] == ended
    versions = [job.version for job in told]
    assert versions == sorted(set(versions))
    assert [step.state for step in ended.steps] == [State.SUCCEEDED]
    assert ended.started_at is not None
    assert ended.finished_at is not None
    assert ended.created_at <= ended.started_at <= ended.finished_at


def test_a_watcher_sees_each_standing_of_a_job_once_and_its_end_last(client: Client) -> None:
    seen = list(client.watch(client.submit("TROUBLE", {"steps": 3}), poll_s=0.1))

    assert len({job.version for job in seen}) == len(seen)
    assert [job.terminal for job in seen] == [False] * (len(seen) - 1) + [True]
    assert [job.fraction for job in seen] == sorted(job.fraction for job in seen)


def test_steps_timeline_results_and_artifacts_agree(client: Client) -> None:
    job = run(client, steps=2, numbers=[3])

    steps, lines = client.steps(job), client.timeline(job)
    artifacts, results = client.artifacts(job), client.results(job)

    assert [(step.id, step.needs) for step in steps] == [("add-0", ()), ("add-1", ("add-0",))]
    assert lines[0].type == "submitted"
    assert [line.sequence for line in lines] == sorted({line.sequence for line in lines})
    assert [one.path for one in artifacts] == ["add-0.sum", "add-1.sum"]
    assert results["sum"] is not None


def test_pages_of_jobs_give_each_job_once_and_the_newest_first(client: Client) -> None:
    started = [client.submit("TROUBLE", {}, title="paged") for _ in range(5)]

    found = [job for job in client.jobs(JobQuery(page_size=2)) if job.title == "paged"]

    assert [job.id for job in found] == [job.id for job in reversed(started)]
    for job in started:
        client.wait(job, timeout_s=LIMIT_S)


def test_a_list_keeps_to_its_states(client: Client) -> None:
    run(client, act="refuse")

    failed = list(client.jobs(JobQuery(states=(State.FAILED,))))
    succeeded_ones = list(client.jobs(JobQuery(states=(State.SUCCEEDED,))))

    assert {job.state for job in failed} == {State.FAILED}
    assert {job.state for job in succeeded_ones} <= {State.SUCCEEDED}


def test_a_job_that_failed_says_why_and_where(client: Client) -> None:
    job = run(client, act="refuse")

    assert job.state is State.FAILED
    assert job.problem is not None
    assert job.problem.detail == "numbers[0] must be even, got 1"
    assert "numbers[0]" in job.problem.at
    with pytest.raises(JobFailedError, match="must be even, got 1"):
        succeeded(job)
    with pytest.raises(InvalidError, match="must be even"):
        client.results(job)


def test_a_job_is_cancelled_retried_and_removed(client: Client, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    job = client.submit("TROUBLE", {"act": "wait", "gate": str(gate)})

    with pytest.raises(NotReadyError):
        client.results(job)
    with pytest.raises(ConflictError, match="cancel it first"):
        client.remove(job)
    with pytest.raises(WaitTimeoutError, match="it goes on"):
        client.wait(job, timeout_s=0.05)
    client.cancel(job)
    cancelled = client.wait(job, timeout_s=LIMIT_S, poll_s=0.1)
    gate.touch()
    again = client.wait(client.retry(job), timeout_s=LIMIT_S, poll_s=0.1)

    assert cancelled.state is State.CANCELLED
    with pytest.raises(NoResultError):
        client.results(job)
    assert again.state is State.SUCCEEDED
    assert again.retry_of == job.id
    client.remove(job)
    with pytest.raises(NotFoundError):
        client.job(job)


def test_an_input_that_is_wrong_is_refused_with_its_place(client: Client) -> None:
    with pytest.raises(InvalidError) as caught:
        client.submit("TROUBLE", {"parts": 0})

    assert caught.value.status == 400
    assert caught.value.request_id
    assert "#/inputs/parts" in [field.pointer for field in caught.value.fields]
    assert "0" in caught.value.detail


def test_a_process_or_a_key_that_nobody_knows_is_refused(client: Client, server: Server) -> None:
    with pytest.raises(NotFoundError):
        client.submit("NOTHING", {})
    with Client(server.url, key="hlr_wrong") as stranger, pytest.raises(UnauthenticatedError):
        stranger.storages()


def test_a_file_goes_up_once_and_comes_back_the_same(client: Client, tmp_path: Path) -> None:
    path = tmp_path / "large.bin"
    path.write_bytes(CONTENT)

    first, second = client.upload(path), client.upload(path)
    back = client.fetch(first.storage, first.filename, tmp_path / "back.bin")

    assert first.sha256 == second.sha256 == hashlib.sha256(CONTENT).hexdigest()
    assert first.filename == second.filename
    assert back.read_bytes() == CONTENT
    assert [one.size_bytes for one in client.files(first.storage)] == [len(CONTENT)]
    client.remove_file(first.storage, first.filename)
    assert client.files(first.storage) == []


def test_a_download_that_broke_asks_for_the_rest_only(client: Client, tmp_path: Path) -> None:
    path = tmp_path / "large.bin"
    path.write_bytes(CONTENT)
    stored = client.upload(path)
    held = tmp_path / f".back.bin.{stored.sha256[:16]}.part"
    held.write_bytes(CONTENT[:1_000_000])

    back = client.fetch(stored.storage, stored.filename, tmp_path / "back.bin")

    assert back.read_bytes() == CONTENT
    assert not held.exists()
    client.remove_file(stored.storage, stored.filename)


def test_a_download_that_was_damaged_on_the_way_is_refused(client: Client, tmp_path: Path) -> None:
    job = run(client, numbers=[7])
    (artifact,) = client.artifacts(job)
    (tmp_path / f".sum.txt.{artifact.sha256[:16]}.part").write_bytes(b"8")

    with pytest.raises(IntegrityError, match="expected SHA-256"):
        client.download(job, artifact, tmp_path / "sum.txt")

    assert client.download(job, artifact, tmp_path / "sum.txt").read_text() == "7\n"


def test_a_file_that_was_uploaded_is_an_input(client: Client, tmp_path: Path) -> None:
    (tmp_path / "numbers.txt").write_text("20\n22\n")

    stored = client.upload(tmp_path / "numbers.txt")
    job, again = (run(client, numbers=[], input=one) for one in (stored.ref, stored))

    assert job.result is not None
    assert job.result["sum"] == 42
    assert again.result == job.result


def test_releases_are_named_and_forgotten(client: Client) -> None:
    client.put_release("2026-01-21.0", "s3://bucket/release")

    assert [one.url for one in client.releases()] == ["s3://bucket/release"]
    client.remove_release("2026-01-21.0")
    assert client.releases() == []


def test_a_process_is_described_by_either_of_its_names(client: Client) -> None:
    assert client.process("ROAD_MATCHING") == client.process("road-matching")
    assert {"road-matching", "trouble"} <= {one.id for one in client.processes()}


def test_the_health_is_told(client: Client) -> None:
    assert client.health()["ready"] is True


def test_many_jobs_at_once_from_async_code(server: Server, tmp_path: Path) -> None:
    async def one(client: AsyncClient, number: int, sums: dict[int, str]) -> None:
        job = await client.submit("TROUBLE", {"numbers": [number, 1]})
        async for standing in client.watch(job, poll_s=0.1):
            job = standing
        path = await client.download(job, "sum", tmp_path / f"{number}.txt")
        sums[number] = path.read_text()

    async def story() -> dict[int, str]:
        sums: dict[int, str] = {}
        async with (
            AsyncClient(server.url, key=server.key) as client,
            anyio.create_task_group() as group,
        ):
            for number in range(4):
                group.start_soon(one, client, number, sums)
        return sums

    expected = {number: f"{number + 1}\n" for number in range(4)}
    assert anyio.run(story) == expected
