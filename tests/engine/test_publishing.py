"""Entries of the catalog that steps give: with the step's end or not at all, each exactly once."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from haulier.core.artifact import FileRef
from haulier.core.entry import Entry
from haulier.core.lifecycle import State
from haulier.core.problem import Code, Problem
from haulier.testing.faults import LEDGER
from haulier.testing.installation import Installation, opened
from haulier.testing.nursery import Nursery

JOBS = 6


@pytest.fixture(scope="module")
def installation(module_database: tuple[Path, str], nursery: Nursery) -> Iterator[Installation]:
    """Give an installation with two workers, for all the tests of this file."""
    folder, url = module_database
    with opened(folder, url, nursery, dead_after_s=2.0) as installation:
        installation.start("one")
        installation.start("two")
        yield installation


@pytest.fixture
def here(installation: Installation, tmp_path: Path) -> Installation:
    """Give the installation with a diary and a gate for this test alone."""
    return replace(installation, diary=tmp_path / "diary", gate=tmp_path / "gate")


def ledger(here: Installation, name: str, version: int = 0) -> Entry:
    """Give a version of a ledger."""
    catalog = here.services.catalog
    return catalog.version(here.caller.organisation, LEDGER, name=name, version=version)


def test_an_entry_appears_with_its_file_when_the_step_succeeds(here: Installation) -> None:
    job = here.run(numbers=[1, 2, 4], ledger="first")

    assert job.problem is None
    entry = ledger(here, "first")
    assert (entry.version, entry.by) == (1, here.caller.subject)
    assert entry.body == {"total": 7, "file": "7.txt"}
    store, key, _ = here.services.files.place("main", FileRef(LEDGER, "7.txt"))
    assert store.load(key) == b"7\n"


def test_jobs_that_change_one_entry_at_once_lose_nothing(here: Installation) -> None:
    jobs = [here.submit(numbers=[2**n], act="wait", ledger="many") for n in range(JOBS)]
    here.gate.touch()
    ended = [here.ended(job) for job in jobs]

    assert {job.state for job in ended} == {State.SUCCEEDED}
    versions = here.services.catalog.versions(ledger(here, "many"))
    assert [entry.version for entry in versions] == list(range(JOBS, 0, -1))
    totals = [entry.body["total"] for entry in versions]
    assert totals[0] == 2**JOBS - 1
    assert totals == sorted(totals, reverse=True), "each builds on the one before"


def test_each_step_of_a_job_gives_its_version(here: Installation) -> None:
    here.run(numbers=[1], steps=3, ledger="steps")

    assert [ledger(here, "steps", v).body["total"] for v in (1, 2, 3)] == [1, 3, 6]


def test_a_step_that_fails_gives_no_entry(here: Installation) -> None:
    job = here.run(act="refuse", ledger="never")

    assert job.state is State.FAILED
    with pytest.raises(Problem) as caught:
        ledger(here, "never")
    assert caught.value.code is Code.NOT_FOUND


def test_a_cancelled_step_gives_no_entry(here: Installation) -> None:
    job = here.submit(act="wait", ledger="stopped")
    here.until(lambda: here.job(job).state is State.RUNNING, "the job runs")
    here.services.jobs.cancel(here.caller, job.id)

    assert here.ended(job).state is State.CANCELLED
    with pytest.raises(Problem, match="no ledger 'stopped'"):
        ledger(here, "stopped")


def test_an_entry_that_may_not_be_fails_the_step_with_the_reason(here: Installation) -> None:
    place = f"at:{here.settings.data.absolute()}"

    job = here.run(ledger=place)

    assert job.state is State.FAILED
    assert job.problem is not None
    assert (job.problem.code, job.problem.at) == (Code.FORBIDDEN, "url")
    assert here.services.catalog.find("main", LEDGER, place) is None
    assert here.services.jobs.artifacts(here.caller, job.id) == []


@pytest.mark.chaos
def test_a_killed_worker_leaves_one_version_and_no_second(here: Installation) -> None:
    job = here.submit(act="wait", numbers=[5], ledger="killed")
    here.until(
        lambda: "begin" in (here.diary.read_text() if here.diary.exists() else ""), "it runs"
    )
    for name in ("one", "two"):
        here.kill(name)
        here.start(name)
    here.gate.touch()

    assert here.ended(job).state is State.SUCCEEDED
    assert (ledger(here, "killed").version, ledger(here, "killed").body["total"]) == (1, 5)
