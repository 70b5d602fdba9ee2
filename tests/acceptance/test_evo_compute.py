"""Compute tasks by the vendor's own client, unmodified: to the end, cancelled, failed, refused."""

import asyncio
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

import pytest
from evo.common.exceptions import NotFoundException, UnauthorizedException
from evo.compute import JobClient
from evo.compute.data import JobStatusEnum
from evo.compute.exceptions import JobError, JobPendingError

from haulier.testing.dialect_world import World, open_world

Desk = Any
TOPIC: Final = "faults"
POLL_S: Final = 0.05
#: What the vendor's client sent in typed runs; beside the checkout if HAULIER_TEST_WIRE is silent.
BESIDE: Final = Path(__file__).parents[3] / "shared" / "wire"
CAPTURED: Final = "evo_captured_requests.jsonl"
TASKS: Final = (
    "break-ties",
    "conditional-turning-bands",
    "consim",
    "continuous-distribution",
    "declustering",
    "idw",
    "knn",
    "kriging",
    "location-wise",
    "loss-calculation",
    "normal-score",
    "profit-calculation",
    "simulation-report",
)


async def submitted(context: Any, task: str = "trouble", **params: Any) -> Any:
    return await JobClient.submit(
        context.get_connector(), context.get_org_id(), TOPIC, task, params, preview=True
    )


async def until(job: Any, wanted: Callable[[Any], bool]) -> Any:
    """Look at a job until it stands as wanted."""
    status = await job.get_status()
    while not wanted(status):
        await asyncio.sleep(POLL_S)
        status = await job.get_status()
    return status


def test_a_job_runs_to_its_end_and_gives_its_results(desk: Desk) -> None:
    async def work(context: Any) -> Any:
        job = await submitted(context, numbers=[1, 2, 4], parts=3)
        results = await job.wait_for_results(polling_interval_seconds=POLL_S)
        again = JobClient.from_url(context.get_connector(), job.url)
        return job, results, await again.get_status(), await again.get_results()

    job, results, status, again = desk.do(work)

    assert results == again == {"sum": 7.0, "parts": 3}
    assert (status.status, status.progress, status.error) == (JobStatusEnum.succeeded, 100, None)
    assert job.url.startswith(f"{desk.server.url}/compute/orgs/{desk.org_id}/{TOPIC}/trouble/")


def test_a_job_that_runs_says_how_far_it_is_and_stops_when_it_is_cancelled(
    desk: Desk, tmp_path: Path
) -> None:
    async def work(context: Any) -> Any:
        job = await submitted(context, act="wait", gate=str(tmp_path / "gate"))
        status = await until(job, lambda at: at.message == "waiting at the gate")
        with pytest.raises(JobPendingError):
            await job.get_results()
        await job.cancel()
        ended = await until(job, lambda at: at.status is JobStatusEnum.cancelled)
        await job.cancel()
        with pytest.raises(JobError) as refused:
            await job.get_results()
        return status, ended, refused.value

    status, ended, error = desk.do(work)

    assert status.status is JobStatusEnum.in_progress
    assert 0 < status.progress < 100
    assert ended.error is None
    assert (error.status, error.title) == (499, "Job cancelled")


def test_a_job_that_fails_says_why(desk: Desk) -> None:
    async def work(context: Any) -> Any:
        job = await submitted(context, act="refuse")
        with pytest.raises(JobError) as failed:
            await job.wait_for_results(polling_interval_seconds=POLL_S)
        return failed.value, await job.get_status()

    error, status = desk.do(work)

    assert (error.status, error.detail) == (422, "numbers[0] must be even, got 1")
    assert status.status is JobStatusEnum.failed
    assert status.error.detail == error.detail


@pytest.mark.parametrize(
    ("topic", "task", "said"),
    [("astrology", "quick", "no topic 'astrology'"), (TOPIC, "divining", "no task 'divining'")],
)
def test_a_task_that_is_not_there_is_not_found(
    desk: Desk, topic: str, task: str, said: str
) -> None:
    async def work(context: Any) -> Any:
        connector = context.get_connector()
        with pytest.raises(NotFoundException) as refused:
            await JobClient.submit(connector, context.get_org_id(), topic, task, {})
        return refused.value

    assert said in str(desk.do(work))


def test_parameters_that_cannot_be_are_refused_by_name(desk: Desk) -> None:
    async def work(context: Any) -> Any:
        with pytest.raises(Exception, match="parts must be") as refused:
            await submitted(context, parts=0)
        return refused.value

    error = desk.do(work)

    assert error.status == 422
    assert error.content["invalid-params"][0]["name"] == "parameters.parts"


def test_a_job_elsewhere_and_a_wrong_token_get_nothing(desk: Desk) -> None:
    async def work(context: Any) -> UUID:
        job: UUID = (await submitted(context, "quick")).id
        return job

    job_id = desk.do(work)

    def look(org_id: UUID, task: str) -> Any:
        async def within(context: Any) -> Any:
            job = JobClient(context.get_connector(), org_id, TOPIC, task, job_id)
            return await job.get_status()

        return within

    assert desk.do(look(desk.org_id, "quick")).status in JobStatusEnum
    for elsewhere in (look(uuid4(), "quick"), look(desk.org_id, "trouble")):
        with pytest.raises(NotFoundException):
            desk.do(elsewhere)
    with pytest.raises(UnauthorizedException):
        desk.do(look(desk.org_id, "quick"), token="hlr_nobody")  # noqa: S106 -- nobody's


@pytest.fixture(scope="module")
def captured() -> dict[str, Any]:
    """Give the request of each task that a typed runner of the vendor's sent."""
    path = Path(os.environ.get("HAULIER_TEST_WIRE", BESIDE)) / CAPTURED
    if not path.exists():
        pytest.skip(f"no {CAPTURED} here; HAULIER_TEST_WIRE may name its folder")
    found: dict[str, Any] = {}
    for line in path.read_text("utf-8").splitlines():
        request = json.loads(line)
        typed = request["m"] == "POST" and request["h"].get("Api-Preview")
        if typed and request["p"].startswith("/compute/"):
            found[request["p"].rpartition("/")[2]] = request
    return found


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Give a server without a worker: what it accepts stays queued."""
    with open_world(tmp_path_factory.mktemp("captured")) as world:
        yield world


@pytest.mark.parametrize("task", TASKS)
def test_a_captured_request_of_every_task_is_accepted(
    world: World, captured: dict[str, Any], task: str
) -> None:
    request = captured[task]
    headers = {
        name: value
        for name, value in request["h"].items()
        if name not in {"Host", "Authorization", "Content-Length"}
    }

    answer = world.ask("POST", request["p"], json=request["b"], headers=headers)

    assert (answer.status_code, answer.content) == (303, b""), answer.text
    status = world.ask("GET", answer.headers["location"])
    assert (status.status_code, status.json()["status"]) == (202, "requested")
