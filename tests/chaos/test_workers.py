"""Workers that are killed or frozen: no finished part is done again, no output comes twice."""

import random
from collections import Counter

import psutil
import pytest
import sqlalchemy as sa

from haulier.core.job import Job
from haulier.core.lifecycle import State
from haulier.engine.staging import UNFINISHED
from haulier.testing.installation import Installation

pytestmark = pytest.mark.chaos

PARTS = 6
NUMBERS = list(range(1, 21))


def each(*steps: str) -> Counter[str]:
    """Give what the diary says when each part of some steps was done once."""
    return Counter(f"{step} p{number}" for step in steps for number in range(PARTS))


def assert_whole(
    here: Installation, job: Job, *, steps: int = 1, total: float = sum(NUMBERS)
) -> None:
    """Make sure that a job has succeeded, and has each output once."""
    job = here.ended(job)
    assert (job.state, job.problem) == (State.SUCCEEDED, None)
    assert here.output(job) == f"{total * steps:g}\n"
    made = [artifact.step for artifact in here.services.jobs.artifacts(here.caller, job.id)]
    assert made == [f"add-{number}" for number in range(steps)]
    # What a killed process was writing is no file yet: nobody sees it, and it goes after a day.
    files = [name for name in here.outputs(job) if not UNFINISHED.fullmatch(name)]
    assert files == ["sum"] * steps


def begun_waiting(here: Installation) -> Job:
    """Submit a job whose last part waits, and wait until only that part is left."""
    job = here.submit(act="wait", only=PARTS - 1, parts=PARTS, numbers=NUMBERS)
    here.until(lambda: here.finished() == PARTS - 1, "all parts but one are done")
    here.until(lambda: here.lines("begin") == each("add-0"), "the last part waits")
    return job


def open_gate(here: Installation) -> None:
    here.gate.touch()


def test_a_restarted_worker_does_only_what_the_killed_one_had_not_finished(
    here: Installation,
) -> None:
    here.start()
    job = begun_waiting(here)

    here.kill()
    here.start()
    here.until(lambda: here.lines("begin")[f"add-0 p{PARTS - 1}"] == 2, "it begins again")
    open_gate(here)

    assert_whole(here, job)
    assert here.job(job).attempt == 2
    assert here.lines("begin") == each("add-0") + Counter({f"add-0 p{PARTS - 1}": 1})
    assert here.lines("end") == each("add-0")


def test_a_kill_at_any_line_of_the_diary_costs_no_finished_part(
    here: Installation, count: int
) -> None:
    chance = random.Random(20)  # noqa: S311 -- which line is no secret
    here.start()
    for number in range(count):
        here.diary.unlink(missing_ok=True)
        numbers = [*NUMBERS, number]
        job = here.submit(parts=PARTS, numbers=numbers, steps=3)

        line = chance.randint(1, 2 * 3 * PARTS - 1)
        here.until(lambda: here.lines().total() >= line, f"there are {line} lines")  # noqa: B023 -- called at once
        here.kill()
        here.start()

        assert_whole(here, job, steps=3, total=sum(numbers))
        # What was killed between its last line and its mark is done again, and nothing else is.
        everything = each("add-0", "add-1", "add-2")
        assert here.lines("end") >= everything
        assert (here.lines("end") - everything).total() <= here.settings.processes


def test_four_kills_in_a_row_do_not_end_a_job(here: Installation) -> None:
    job = here.submit(act="wait", parts=1, numbers=NUMBERS)

    for kill in range(4):
        here.start()
        here.until(lambda: here.lines("begin").total() == kill + 1, "the part begins")  # noqa: B023 -- called at once
        here.kill()
    here.start()
    open_gate(here)

    assert_whole(here, job)
    assert here.job(job).attempt == 5


def test_another_worker_takes_over_from_a_dead_one(here: Installation) -> None:
    here.start("one")
    job = begun_waiting(here)
    here.start("two")
    here.until(lambda: len(here.services.health.workers()) == 2, "both workers beat")

    here.kill("one")
    here.until(lambda: here.lines("begin")[f"add-0 p{PARTS - 1}"] == 2, "the other one begins")
    open_gate(here)

    assert_whole(here, job)
    assert here.lines("end") == each("add-0")
    assert here.lines("begin") == each("add-0") + Counter({f"add-0 p{PARTS - 1}": 1})


def test_a_frozen_worker_that_wakes_up_changes_nothing(here: Installation) -> None:
    here.start("one")
    job = begun_waiting(here)
    frozen = here.workers["one"]
    here.start("two")
    here.until(lambda: len(here.services.health.workers()) == 2, "both workers beat")

    frozen.suspend()
    here.until(lambda: here.lines("begin")[f"add-0 p{PARTS - 1}"] == 2, "the other one begins")
    open_gate(here)
    assert_whole(here, job)
    ended = here.job(job)
    frozen.resume()
    here.until(lambda: not frozen.is_running(), "the one that lost its name ends")

    assert here.job(job) == ended
    assert_whole(here, job)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_lock_that_a_frozen_worker_holds_keeps_nobody_from_its_jobs(here: Installation) -> None:
    here.start("one")
    job = begun_waiting(here)
    here.start("two")
    here.until(lambda: len(here.services.health.workers()) == 2, "both workers beat")

    with here.services.engine.connect() as frozen:  # in the middle of its beat
        frozen.execute(sa.text("UPDATE workers SET host = host WHERE name = 'one'"))
        here.kill("one")
        here.until(lambda: here.lines("begin")[f"add-0 p{PARTS - 1}"] == 2, "the other one begins")
        frozen.invalidate()
    open_gate(here)

    assert_whole(here, job)


def test_a_worker_that_is_told_to_stop_gives_its_jobs_back(here: Installation) -> None:
    here.start("one")
    job = begun_waiting(here)

    here.stop()
    assert here.job(job).state is State.QUEUED
    assert here.children() == set()
    open_gate(here)
    here.start("two")

    assert_whole(here, job)
    assert here.lines("end") == each("add-0")


@pytest.mark.parametrize("act", ["spin", "spawn", "hang"])
def test_a_cancel_leaves_no_process_and_no_file(here: Installation, act: str) -> None:
    here.start()
    job = here.submit(act=act, steps=2, parts=PARTS, numbers=NUMBERS, only=PARTS - 1)
    here.until(lambda: here.finished() == PARTS - 1, "all parts but one are done")
    here.until(lambda: here.lines("begin") == each("add-0"), "the last part begins")
    if act == "spawn":
        here.until(lambda: any(map(is_stuck, here.children())), "it has started another process")
    here.services.jobs.cancel(here.caller, job.id)
    job = here.ended(job)
    # Looked at before anything else may end them: "cancelled" says that they are gone.
    stuck = [process for process in here.children() if is_stuck(process)]

    assert job.state is State.CANCELLED
    assert job.stopped_at is not None
    assert stuck == []
    assert here.services.jobs.artifacts(here.caller, job.id) == []
    assert here.outputs(job) == []


def is_stuck(process: psutil.Process) -> bool:
    """Whether a process is one that "spawn" starts, or uses time, or began the stuck part."""
    try:
        if "while True" in " ".join(process.cmdline()):
            return True
        before = process.cpu_times().user
        return bool(process.cpu_times().user > before)
    except psutil.Error:
        return False


@pytest.mark.parametrize("act", ["spin", "spawn"])
def test_a_killed_worker_leaves_nothing_that_its_successor_does_not_end(
    here: Installation, act: str
) -> None:
    here.start()
    job = here.submit(act=act, numbers=NUMBERS)
    here.until(lambda: here.job(job).progress.message.startswith("about to"), "it is stuck")
    old = here.children()

    here.kill()
    here.start()
    here.until(lambda: here.lines("begin").total() == 2, "the part begins again")

    assert old & here.children() == set()
    here.services.jobs.cancel(here.caller, job.id)
    assert here.ended(job).state is State.CANCELLED


def test_a_job_that_was_being_cancelled_when_its_worker_died_is_cancelled(
    here: Installation,
) -> None:
    here.start()
    job = here.submit(act="hang", numbers=NUMBERS)
    here.until(lambda: here.job(job).progress.message.startswith("about to"), "it is stuck")
    here.workers["one"].suspend()

    here.services.jobs.cancel(here.caller, job.id)
    assert here.job(job).state is State.CANCELLING
    here.kill()
    here.start()

    assert here.ended(job).state is State.CANCELLED
    assert here.lines("begin").total() == 1
