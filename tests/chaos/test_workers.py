"""Workers that are killed or frozen: no finished part is done again, no output comes twice."""

import random
import signal
from collections import Counter
from uuid import UUID

import psutil
import pytest

from haulier.core.lifecycle import State
from haulier.testing.site import CALLER, Site

pytestmark = pytest.mark.chaos

PARTS = 6
NUMBERS = list(range(1, 21))
ENDED = (State.SUCCEEDED, State.PARTIAL, State.FAILED, State.CANCELLED)


def each(*steps: str) -> Counter[str]:
    """Give what the diary says when each part of some steps was done once."""
    return Counter(f"{step} p{number}" for step in steps for number in range(PARTS))


def assert_whole(site: Site, job_id: UUID, *, steps: int = 1, total: float = sum(NUMBERS)) -> None:
    """Make sure that a job has succeeded, and has each output once."""
    job = site.wait(job_id, *ENDED)
    assert (job.state, job.problem) == (State.SUCCEEDED, None)
    assert site.output(job_id) == f"{total * steps:g}\n"
    made = [artifact.step for artifact in site.services.jobs.artifacts(CALLER, job_id)]
    assert made == [f"add-{number}" for number in range(steps)]
    assert site.outputs(job_id) == ["sum"] * steps


def begun_waiting(site: Site, **params: object) -> UUID:
    """Submit a job whose last part waits, and wait until only that part is left."""
    job_id = site.submit(act="wait", only=PARTS - 1, parts=PARTS, numbers=NUMBERS, **params)
    site.until(lambda: site.finished() == PARTS - 1, "all parts but one are done")
    site.until(lambda: site.lines("begin") == each("add-0"), "the last part waits")
    return job_id


def open_gate(site: Site) -> None:
    site.gate.touch()


def test_a_restarted_worker_does_only_what_the_killed_one_had_not_finished(site: Site) -> None:
    site.start()
    job_id = begun_waiting(site)

    site.kill()
    site.start()
    site.until(lambda: site.lines("begin")[f"add-0 p{PARTS - 1}"] == 2, "it begins again")
    open_gate(site)

    assert_whole(site, job_id)
    assert site.job(job_id).attempt == 2
    assert site.lines("begin") == each("add-0") + Counter({f"add-0 p{PARTS - 1}": 1})
    assert site.lines("end") == each("add-0")


def test_a_kill_at_any_line_of_the_diary_costs_no_finished_part(site: Site, count: int) -> None:
    chance = random.Random(20)  # noqa: S311 -- which line is no secret
    site.start()
    for number in range(count):
        site.diary.unlink(missing_ok=True)
        numbers = [*NUMBERS, number]
        job_id = site.submit(parts=PARTS, numbers=numbers, steps=3)

        line = chance.randint(1, 2 * 3 * PARTS - 1)
        site.until(lambda: site.lines().total() >= line, f"there are {line} lines")  # noqa: B023 -- called at once
        site.kill()
        site.start()

        assert_whole(site, job_id, steps=3, total=sum(numbers))
        # What was killed between its last line and its mark is done again, and nothing else is.
        everything = each("add-0", "add-1", "add-2")
        assert site.lines("end") >= everything
        assert (site.lines("end") - everything).total() <= site.settings.processes


def test_four_kills_in_a_row_do_not_end_a_job(site: Site) -> None:
    job_id = site.submit(act="wait", parts=1, numbers=NUMBERS)

    for kill in range(4):
        site.start()
        site.until(lambda: site.lines("begin").total() == kill + 1, "the part begins")  # noqa: B023 -- called at once
        site.kill()
    site.start()
    open_gate(site)

    assert_whole(site, job_id)
    assert site.job(job_id).attempt == 5


def test_another_worker_takes_over_from_a_dead_one(site: Site) -> None:
    site.start("one")
    job_id = begun_waiting(site)
    site.start("two")
    site.until(lambda: len(site.services.health.workers()) == 2, "both workers beat")

    site.kill("one")
    site.until(lambda: site.lines("begin")[f"add-0 p{PARTS - 1}"] == 2, "the other one begins")
    open_gate(site)

    assert_whole(site, job_id)
    assert site.lines("end") == each("add-0")
    assert site.lines("begin") == each("add-0") + Counter({f"add-0 p{PARTS - 1}": 1})


def test_a_frozen_worker_that_wakes_up_changes_nothing(site: Site) -> None:
    site.start("one")
    job_id = begun_waiting(site)
    frozen = psutil.Process(site.workers["one"].pid)
    site.start("two")
    site.until(lambda: len(site.services.health.workers()) == 2, "both workers beat")

    frozen.send_signal(signal.SIGSTOP)
    site.until(lambda: site.lines("begin")[f"add-0 p{PARTS - 1}"] == 2, "the other one begins")
    open_gate(site)
    assert_whole(site, job_id)
    ended = site.job(job_id)
    frozen.send_signal(signal.SIGCONT)
    site.until(lambda: site.workers["one"].poll() is not None, "the one that lost its name ends")

    assert site.job(job_id) == ended
    assert_whole(site, job_id)


def test_a_worker_that_is_told_to_stop_gives_its_jobs_back(site: Site) -> None:
    site.start("one")
    job_id = begun_waiting(site)

    site.stop()
    assert site.job(job_id).state is State.QUEUED
    assert site.children() == set()
    open_gate(site)
    site.start("two")

    assert_whole(site, job_id)
    assert site.lines("end") == each("add-0")


@pytest.mark.parametrize("act", ["spin", "spawn", "hang"])
def test_a_cancel_leaves_no_process_and_no_file(site: Site, act: str) -> None:
    site.start()
    job_id = site.submit(act=act, steps=2, parts=PARTS, numbers=NUMBERS, only=PARTS - 1)
    site.until(lambda: site.finished() == PARTS - 1, "all parts but one are done")
    site.until(lambda: site.lines("begin") == each("add-0"), "the last part begins")
    if act == "spawn":
        site.until(lambda: any(map(is_stuck, site.children())), "it has started another process")
    site.services.jobs.cancel(CALLER, job_id)
    job = site.wait(job_id, *ENDED)
    # Looked at before anything else may end them: "cancelled" says that they are gone.
    stuck = [process for process in site.children() if is_stuck(process)]

    assert job.state is State.CANCELLED
    assert job.stopped_at is not None
    assert stuck == []
    assert site.services.jobs.artifacts(CALLER, job_id) == []
    assert site.outputs(job_id) == []


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
    site: Site, act: str
) -> None:
    site.start()
    job_id = site.submit(act=act, numbers=NUMBERS)
    site.until(lambda: site.job(job_id).progress.message.startswith("about to"), "it is stuck")
    old = site.children()

    site.kill()
    site.start()
    site.until(lambda: site.lines("begin").total() == 2, "the part begins again")

    assert old & site.children() == set()
    site.services.jobs.cancel(CALLER, job_id)
    assert site.wait(job_id, *ENDED).state is State.CANCELLED


def test_a_job_that_was_being_cancelled_when_its_worker_died_is_cancelled(site: Site) -> None:
    site.start()
    job_id = site.submit(act="hang", numbers=NUMBERS)
    site.until(lambda: site.job(job_id).progress.message.startswith("about to"), "it is stuck")
    psutil.Process(site.workers["one"].pid).send_signal(signal.SIGSTOP)

    site.services.jobs.cancel(CALLER, job_id)
    assert site.job(job_id).state is State.CANCELLING
    site.kill()
    site.start()

    assert site.wait(job_id, *ENDED).state is State.CANCELLED
    assert site.lines("begin").total() == 1
