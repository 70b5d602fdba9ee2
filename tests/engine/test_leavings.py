"""What jobs leave behind: nothing, whichever way they end."""

from datetime import UTC, datetime

from haulier.core.artifact import Artifact
from haulier.core.family import StepResult
from haulier.core.job import Job
from haulier.core.lifecycle import Event, State
from haulier.engine import details, store
from haulier.engine.details import StepEnd
from haulier.testing.installation import Installation


def half_done(here: Installation) -> tuple[Job, str]:
    """Give a running job of two steps with the first one's output, and its key."""
    job = here.submit(steps=2)
    key = f"jobs/{job.id}/1/add-0/sum"
    here.services.storage.save(key, b"6\n")
    made = Artifact("sum", "sum.txt", "text/plain", 2, "0" * 64, key)
    end = StepEnd(state=State.SUCCEEDED, result=StepResult({"sum": 6}), artifacts=[made])
    now = datetime.now(UTC)
    with here.services.engine.begin() as connection:
        store.claim_job(connection, job.id, "w", now)
        details.settle_step(connection, job.id, 1, "add-0", end, now=now)
    return job, key


def test_a_job_that_was_given_back_and_then_cancelled_leaves_no_output(here: Installation) -> None:
    job, key = half_done(here)
    with here.services.engine.begin() as connection:
        assert store.release_jobs(connection, "w", datetime.now(UTC), forgive=True) == [job.id]
    cancelled = here.services.jobs.cancel(here.caller, job.id)
    assert cancelled.state is State.CANCELLED
    assert list(here.services.jobs.artifacts(here.caller, job.id)) == []
    assert not here.services.storage.exists(key)


def test_a_removed_job_takes_the_leavings_of_its_dead_attempts_along(here: Installation) -> None:
    job, key = half_done(here)
    leavings = f"jobs/{job.id}/1/add-1/sum"
    here.services.storage.save(leavings, b"half")
    with here.services.engine.begin() as connection:
        store.settle_job(connection, job.id, 1, Event.FAIL, datetime.now(UTC))
    retried = here.services.jobs.retry(here.caller, job.id)
    here.services.jobs.remove(here.caller, job.id)
    assert here.services.storage.exists(key), "the retry took it over"
    assert not here.services.storage.exists(leavings)
    assert here.services.jobs.artifact(here.caller, retried.id, "sum").key == key


def test_a_cancel_is_heard_while_the_summary_is_made(here: Installation) -> None:
    here.start()
    job = here.submit(act="linger")
    here.until(lambda: _whole_steps(here, job) == 1, "the step ends")
    here.services.jobs.cancel(here.caller, job.id)
    assert here.ended(job).state is State.CANCELLED
    here.until_clean(job)


def test_a_job_that_was_taken_up_again_is_whole_at_its_end(here: Installation) -> None:
    here.start()
    job = here.submit(act="linger", steps=2)
    here.until(lambda: _whole_steps(here, job) == 2, "both steps end")
    here.kill()
    here.start()
    here.until(lambda: here.job(job).attempt == 2, "the next attempt")
    here.gate.touch()
    ended = here.ended(job)
    assert (ended.state, ended.progress.fraction) == (State.SUCCEEDED, 1.0)
    assert ended.progress.counters == {"numbers": 3}


def _whole_steps(here: Installation, job: Job) -> int:
    steps = here.services.jobs.steps(here.caller, job.id)
    return sum(step.state is State.SUCCEEDED for step in steps)
