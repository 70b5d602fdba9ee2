"""Jobs from their submission to their end, by a real worker, on both databases."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from haulier.core.artifact import FileRef
from haulier.core.job import Submission
from haulier.core.lifecycle import State
from haulier.core.problem import Code
from haulier.testing.installation import Installation, opened
from haulier.testing.nursery import Nursery


@pytest.fixture(scope="module")
def installation(module_database: tuple[Path, str], nursery: Nursery) -> Iterator[Installation]:
    """Give an installation with a worker, for all the tests of this file."""
    folder, url = module_database
    with opened(folder, url, nursery, part_memory_mb=400, part_silent_s=5.0) as installation:
        installation.start()
        yield installation


@pytest.fixture
def here(installation: Installation, tmp_path: Path) -> Installation:
    """Give the installation with a diary and a gate for this test alone."""
    return replace(installation, diary=tmp_path / "diary", gate=tmp_path / "gate")


def test_a_job_of_steps_and_parts_gives_its_result_statistics_and_files(here: Installation) -> None:
    job = here.run(numbers=list(range(20)), parts=7, steps=3)
    assert job.problem is None
    assert (job.state, job.progress.fraction, job.attempt) == (State.SUCCEEDED, 1.0, 1)
    assert job.result == {"sum": 570, "parts": 7}
    assert job.statistics == {"steps": 3, "parts": 7}
    assert job.progress.counters == {"numbers": 20}
    assert here.output(job) == "570\n"
    steps = here.services.jobs.steps(here.caller, job.id)
    assert {(s.state, s.parts, s.parts_done, s.fraction) for s in steps} == {
        (State.SUCCEEDED, 7, 7, 1.0)
    }
    artifacts = here.services.jobs.artifacts(here.caller, job.id)
    assert [(one.step, one.name, one.filename) for one in artifacts] == [
        (f"add-{index}", "sum", "sum.txt") for index in range(3)
    ]
    assert (
        job.created_at <= (job.started_at or job.created_at) <= (job.finished_at or job.created_at)
    )


def test_the_timeline_tells_the_course_of_a_job_in_order(here: Installation) -> None:
    job = here.run(steps=2)
    happenings = here.services.jobs.happenings(here.caller, job.id)
    assert [one.type for one in happenings] == [
        "submitted",
        "running",
        "step.started",
        "step.succeeded",
        "step.started",
        "step.succeeded",
        "succeeded",
    ]
    assert all(a.sequence < b.sequence and a.at <= b.at for a, b in pairwise(happenings))
    rest = here.services.jobs.happenings(here.caller, job.id, after=happenings[4].sequence)
    assert rest == happenings[5:]


@pytest.mark.parametrize(
    ("params", "code", "said"),
    [
        ({"act": "refuse"}, Code.INVALID, "numbers[0] must be even, got 1"),
        ({"act": "stumble"}, Code.INTERNAL, "RuntimeError"),
        ({"act": "crash", "parts": 3, "only": 1}, Code.CRASHED, "SIGSEGV"),
        ({"act": "exit"}, Code.CRASHED, "exit code 3"),
        ({"act": "hoard"}, Code.OUT_OF_MEMORY, "400"),
        ({"act": "hang"}, Code.TIMEOUT, "5 s"),
        ({"input": {"storage": "storage-001", "filename": "nope"}}, Code.NOT_FOUND, "nope"),
        ({"input": {"storage": "nope", "filename": "f"}}, Code.NOT_FOUND, "nope"),
    ],
)
def test_work_that_fails_ends_as_a_failed_job_that_says_why(
    here: Installation, params: dict[str, Any], code: Code, said: str
) -> None:
    job = here.run(**params)
    assert job.state is State.FAILED
    assert job.problem is not None
    assert (job.problem.code, job.finished_at is not None) == (code, True)
    assert said in job.problem.detail
    assert here.services.jobs.artifacts(here.caller, job.id) == []
    assert here.run().state is State.SUCCEEDED, "the worker goes on"


def test_a_step_after_a_failed_one_is_skipped(here: Installation) -> None:
    job = here.run(act="refuse", steps=3)
    steps = here.services.jobs.steps(here.caller, job.id)
    assert [(step.state, step.skipped) for step in steps] == [
        (State.FAILED, False),
        (State.FAILED, True),
        (State.FAILED, True),
    ]


def test_progress_is_what_the_parts_have_done(here: Installation) -> None:
    job = here.submit(act="wait", parts=2, only=1)
    # Split is 5 %; of the parts' 85 %, one is whole and one stands at a half.
    here.until(lambda: here.job(job).progress.fraction > 0.6, "the first part to be counted")
    seen = here.job(job)
    assert seen.progress.fraction == pytest.approx(0.05 + 0.85 * 0.75)
    assert (seen.progress.phase, seen.progress.message) == ("add-0", "waiting at the gate")
    (step,) = here.services.jobs.steps(here.caller, job.id)
    assert (step.parts, step.parts_done, step.state) == (2, 1, State.RUNNING)
    here.gate.touch()
    assert here.ended(job).state is State.SUCCEEDED


@pytest.mark.parametrize("act", ["wait", "spin", "spawn", "hang"])
def test_a_cancelled_job_leaves_no_process_and_no_artifact(here: Installation, act: str) -> None:
    job = here.submit(act=act, parts=3, steps=2, only=1)
    here.until(lambda: here.job(job).progress.fraction > 0.3, "the work to be under way")
    here.services.jobs.cancel(here.caller, job.id)
    ended = here.ended(job)
    assert (ended.state, ended.stopped_at) == (State.CANCELLED, ended.finished_at)
    assert here.services.jobs.artifacts(here.caller, job.id) == []
    local = here.services.storage.local(f"jobs/{job.id}/1/add-0/sum")
    assert local is not None
    assert not local.exists()
    states = {step.state for step in here.services.jobs.steps(here.caller, job.id)}
    assert states == {State.CANCELLED}


def test_a_finished_part_is_not_done_again_in_another_job(
    here: Installation,
) -> None:
    first, second = (here.run(parts=4, numbers=[1, 2, 3, 4]) for _ in range(2))
    assert first.result == second.result == {"sum": 10, "parts": 4}
    each = {f"add-0 p{number}": 1 for number in range(4)}
    assert here.lines("begin") == here.lines("end") == each


def test_a_changed_input_file_is_another_input(here: Installation, tmp_path: Path) -> None:
    results = []
    for content in (b"10\n20\n", b"10\n20\n30\n"):
        file = here.upload(f"{tmp_path.name}.txt", content)
        results.append((here.run(numbers=[], input=file).result or {})["sum"])
    assert results == [30, 60]


def test_a_retry_goes_on_where_the_job_failed(here: Installation, tmp_path: Path) -> None:
    file = here.upload(f"{tmp_path.name}.txt", b"1\nx\n")
    failed = here.run(input=file)
    assert failed.problem is not None
    assert failed.problem.detail == "line 2 must be a number, got 'x'"
    here.upload(file["filename"], b"1\n2\n")
    retried = here.ended(here.services.jobs.retry(here.caller, failed.id))
    assert (retried.state, retried.retry_of) == (State.SUCCEEDED, failed.id)
    assert (retried.result or {})["sum"] == 9


def test_a_job_is_ended_when_its_time_is_over(here: Installation) -> None:
    asked = Submission("TROUBLE", {"act": "spin"}, timeout_s=1.0)
    job = here.ended(here.services.jobs.submit(here.caller, asked))
    assert job.problem is not None
    assert (job.state, job.problem.code) == (State.FAILED, Code.TIMEOUT)
    assert "timeout_s of 1 s" in job.problem.detail


def test_a_job_does_not_start_before_its_time(here: Installation) -> None:
    later = datetime.now(UTC) + timedelta(seconds=1.5)
    asked = Submission("TROUBLE", {}, not_before=later)
    job = here.ended(here.services.jobs.submit(here.caller, asked))
    assert job.started_at is not None
    assert job.started_at >= later


def test_an_artifact_is_delivered_to_the_storage_that_was_named(
    here: Installation, tmp_path: Path
) -> None:
    to = FileRef("storage-001", f"{tmp_path.name}.sum")
    job = here.ended(
        here.services.jobs.submit(here.caller, Submission("TROUBLE", {}, deliver={"sum": to}))
    )
    storage, key, _ = here.services.files.place(here.caller.organisation, to)
    assert storage.load(key) == here.output(job).encode() == b"6\n"
    types = [one.type for one in here.services.jobs.happenings(here.caller, job.id)]
    assert "delivered" in types


def test_short_work_does_not_wait_behind_long_work(here: Installation) -> None:
    long = [here.submit(act="wait") for _ in range(6)]
    quick = here.run("QUICK")
    assert quick.state is State.SUCCEEDED
    assert not any(here.job(job).terminal for job in long)
    here.gate.touch()
    assert {here.ended(job).state for job in long} == {State.SUCCEEDED}


def test_an_organisation_runs_no_more_jobs_at_once_than_it_has_slots(
    here: Installation,
) -> None:
    slots = here.settings.organisation_jobs
    made = [here.submit(act="wait") for _ in range(slots + 2)]

    def running() -> int:
        return sum(here.job(job).state is State.RUNNING for job in made)

    here.until(lambda: running() == slots, "every slot to be taken")
    assert [here.job(job).state for job in made[slots:]] == [State.QUEUED, State.QUEUED]
    here.gate.touch()
    assert {here.ended(job).state for job in made} == {State.SUCCEEDED}
