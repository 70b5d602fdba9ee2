"""The facade of jobs, on both databases, without a worker."""

from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import cast
from uuid import uuid4

import msgspec
import pytest
import sqlalchemy as sa

from haulier.core.artifact import Artifact, FileRef
from haulier.core.caller import Caller, Scope
from haulier.core.family import StepResult
from haulier.core.job import Job, Submission
from haulier.core.lifecycle import Event, State
from haulier.core.problem import Code, Problem, ProblemBody
from haulier.engine import details, store
from haulier.engine.details import StepEnd
from haulier.engine.listing import JobFilter
from haulier.testing.installation import Installation

STRANGER = Caller("other", "s", frozenset(Scope))
READER = Caller(Installation.caller.organisation, "s", frozenset({Scope.READ}))


def claimed(here: Installation, job: Job) -> Job:
    """Begin an attempt at a job, as a worker does."""
    with here.services.engine.begin() as connection:
        found = store.claim_job(connection, job.id, "w", datetime.now(UTC))
    assert found is not None
    return found


def settled(here: Installation, job: Job, event: Event, **values: object) -> Job:
    """Begin and end an attempt at a job."""
    attempt = claimed(here, job).attempt
    now = datetime.now(UTC)
    with here.services.engine.begin() as connection:
        assert store.settle_job(connection, job.id, attempt, event, now, **values)
    return here.job(job)


def workflows(here: Installation) -> int:
    table = "dbos.workflow_status" if here.services.engine.name == "postgresql" else ""
    with here.services.engine.connect() as connection:
        query = f"SELECT count(*) FROM {table or 'workflow_status'}"  # noqa: S608 -- a name of ours
        return int(connection.execute(sa.text(query)).scalar_one())


def test_a_submitted_job_reads_back_as_it_was_asked_for(here: Installation) -> None:
    later = datetime.now(UTC) + timedelta(hours=1)
    asked = Submission(
        kind="TROUBLE",
        params={"numbers": [1.5, 2]},
        title="sums",
        priority=2,
        labels={"ogc": {"ä": [1]}},
        deliver={"sum": FileRef("storage-001", "out.txt")},
        not_before=later,
        timeout_s=60,
    )
    job = here.services.jobs.submit(here.caller, asked)
    assert here.job(job) == job
    assert (job.state, job.attempt, job.version) == (State.QUEUED, 0, 1)
    for name in ("kind", "params", "title", "priority", "labels", "deliver", "timeout_s"):
        assert getattr(job, name) == getattr(asked, name), name
    assert job.not_before == later
    assert here.services.jobs.get_by_number(here.caller, job.number) == job
    assert [step.id for step in here.services.jobs.steps(here.caller, job.id)] == ["add-0"]
    assert [h.type for h in here.services.jobs.happenings(here.caller, job.id)] == ["submitted"]


def test_row_and_workflow_commit_together_or_not_at_all(
    here: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.submit()
    monkeypatch.setattr("haulier.engine.jobs.seconds_until", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        here.submit()
    assert workflows(here) == 1
    assert len(here.services.jobs.list(here.caller, JobFilter()).jobs) == 1


@pytest.mark.parametrize(
    ("change", "at", "said"),
    [
        ({"kind": "NOPE"}, "kind", "NOPE"),
        ({"params": {"parts": 0}}, "parts", ">= 1"),
        ({"params": {"nope": 1}}, "nope", "nope"),
        ({"params": {"numbers": [1, "x"]}}, "numbers[1]", "float"),
        ({"priority": 0}, "priority", "1 to 9, got 0"),
        ({"timeout_s": -1.0}, "timeout_s", "more than 0, got -1"),
        ({"not_before": datetime(2026, 1, 1)}, "not_before", "time zone"),  # noqa: DTZ001 -- the fault
        ({"deliver": {"map": FileRef("storage-001", "f")}}, "deliver.map", "it gives: sum"),
        ({"deliver": {"sum": FileRef("nope", "f")}}, "deliver.sum", "nope"),
        ({"deliver": {"sum": FileRef("storage-001", "../f")}}, "deliver.sum", "../f"),
    ],
)
def test_a_wrong_submission_is_refused_at_its_field_and_leaves_nothing(
    here: Installation, change: dict[str, object], at: str, said: str
) -> None:
    asked = msgspec.structs.replace(Submission("TROUBLE", {}), **change)
    with pytest.raises(Problem) as caught:
        here.services.jobs.submit(here.caller, asked)
    assert caught.value.code in {Code.INVALID, Code.NOT_FOUND}
    assert caught.value.at == at
    assert said in caught.value.detail
    assert here.services.jobs.list(here.caller, JobFilter()).jobs == ()
    assert workflows(here) == 0


def test_a_stranger_sees_nothing_of_a_job(here: Installation) -> None:
    job, jobs = here.submit(), here.services.jobs
    calls: tuple[Callable[[], object], ...] = (
        lambda: jobs.get(STRANGER, job.id),
        lambda: jobs.get_by_number(STRANGER, job.number),
        lambda: jobs.cancel(STRANGER, job.id),
        lambda: jobs.retry(STRANGER, job.id),
        lambda: jobs.remove(STRANGER, job.id),
        lambda: jobs.steps(STRANGER, job.id),
        lambda: jobs.artifacts(STRANGER, job.id),
        lambda: jobs.artifact(STRANGER, job.id, "sum"),
        lambda: jobs.happenings(STRANGER, job.id),
        lambda: jobs.get(here.caller, uuid4()),
    )
    for call in calls:
        with pytest.raises(Problem) as caught:
            call()
        assert caught.value.code is Code.NOT_FOUND
    assert jobs.list(STRANGER, JobFilter()).jobs == ()
    assert here.job(job) == job


def test_a_reader_changes_nothing(here: Installation) -> None:
    job, jobs = here.submit(), here.services.jobs
    assert jobs.get(READER, job.id) == job
    calls: tuple[Callable[[], object], ...] = (
        lambda: jobs.submit(READER, Submission("TROUBLE", {})),
        lambda: jobs.cancel(READER, job.id),
        lambda: jobs.retry(READER, job.id),
        lambda: jobs.remove(READER, job.id),
    )
    for call in calls:
        with pytest.raises(Problem) as caught:
            call()
        assert caught.value.code is Code.FORBIDDEN


def test_pages_give_every_job_once_newest_first_and_lead_back(here: Installation) -> None:
    made = [here.submit() for _ in range(7)]
    jobs, cursor, seen = here.services.jobs, "", []
    while True:
        page = jobs.list(here.caller, JobFilter(), limit=3, cursor=cursor)
        seen.append([job.id for job in page.jobs])
        if not page.next:
            break
        cursor = page.next
    assert [one for ids in seen for one in ids] == [job.id for job in reversed(made)]
    assert [len(ids) for ids in seen] == [3, 3, 1]
    back = jobs.list(here.caller, JobFilter(), limit=3, cursor=page.previous)
    assert [job.id for job in back.jobs] == seen[1]
    first = jobs.list(here.caller, JobFilter(), limit=3, cursor=back.previous)
    assert [job.id for job in first.jobs] == seen[0]
    assert first.previous == ""


@pytest.mark.parametrize(
    ("limit", "cursor"), [(0, ""), (10_001, ""), (5, "x"), (5, "b"), (5, "c1")]
)
def test_a_wrong_page_is_refused(here: Installation, limit: int, cursor: str) -> None:
    with pytest.raises(Problem) as caught:
        here.services.jobs.list(here.caller, JobFilter(), limit=limit, cursor=cursor)
    assert caught.value.code is Code.INVALID
    assert caught.value.at == ("cursor" if cursor else "limit")


def test_filters_leave_only_what_they_name(here: Installation) -> None:
    trouble, quick = here.submit(), here.submit("QUICK")
    done = settled(here, here.submit(), Event.SUCCEED)
    claimed(here, quick)

    def ids(wanted: JobFilter) -> list[object]:
        return [job.id for job in here.services.jobs.list(here.caller, wanted).jobs]

    everyone = [done.id, quick.id, trouble.id]
    assert ids(JobFilter()) == everyone
    assert ids(JobFilter(kinds=("QUICK",))) == [quick.id]
    assert ids(JobFilter(states=(State.SUCCEEDED, State.RUNNING))) == [done.id, quick.id]
    assert ids(JobFilter(created_from=quick.created_at)) == [done.id, quick.id]
    assert ids(JobFilter(created_to=quick.created_at)) == [quick.id, trouble.id]
    assert ids(JobFilter(min_duration_s=3600)) == []
    assert ids(JobFilter(max_duration_s=3600)) == everyone


def test_a_waiting_job_is_cancelled_at_once_and_twice_is_once(here: Installation) -> None:
    job = here.submit()
    cancelled = here.services.jobs.cancel(here.caller, job.id)
    assert cancelled.state is State.CANCELLED
    assert cancelled.stopped_at == cancelled.finished_at is not None
    assert here.services.jobs.cancel(here.caller, job.id) == cancelled
    (step,) = here.services.jobs.steps(here.caller, job.id)
    assert (step.state, step.skipped) == (State.CANCELLED, True)


def test_a_running_job_waits_for_its_processes_to_end(here: Installation) -> None:
    job = claimed(here, here.submit())
    cancelled = here.services.jobs.cancel(here.caller, job.id)
    assert cancelled.state is State.CANCELLING
    assert cancelled.finished_at is None


@pytest.mark.parametrize("event", [Event.SUCCEED, Event.FAIL, Event.FALL_SHORT])
def test_an_ended_job_cannot_be_cancelled(here: Installation, event: Event) -> None:
    job = settled(here, here.submit(), event)
    with pytest.raises(Problem, match="already") as caught:
        here.services.jobs.cancel(here.caller, job.id)
    assert caught.value.code is Code.CONFLICT
    assert here.job(job) == job


def test_only_the_attempt_that_owns_a_job_may_end_it(here: Installation) -> None:
    job = here.submit()
    first, second = claimed(here, job), claimed(here, job)
    now = datetime.now(UTC)
    assert (first.attempt, second.attempt) == (1, 2)
    for attempt in (0, first.attempt, 3):
        with here.services.engine.begin() as connection, pytest.raises(store.AttemptLostError):
            store.settle_job(connection, job.id, attempt, Event.SUCCEED, now)
    assert here.job(job).state is State.RUNNING
    with here.services.engine.begin() as connection:
        assert store.settle_job(connection, job.id, second.attempt, Event.SUCCEED, now)
    with here.services.engine.begin() as connection, pytest.raises(store.AttemptLostError):
        store.settle_job(connection, job.id, second.attempt, Event.FAIL, now)
    assert here.job(job).state is State.SUCCEEDED


def test_a_cancel_that_comes_first_wins_over_success(here: Installation) -> None:
    job = claimed(here, here.submit())
    here.services.jobs.cancel(here.caller, job.id)
    now = datetime.now(UTC)
    with here.services.engine.begin() as connection:
        assert not store.settle_job(connection, job.id, job.attempt, Event.SUCCEED, now)
        assert store.settle_job(connection, job.id, job.attempt, Event.STOP, now)
    assert here.job(job).state is State.CANCELLED


def _finish_first_step(here: Installation, job: Job) -> Artifact:
    running = claimed(here, job)
    blob = here.services.storage
    blob.save(f"jobs/{job.id}/1/add-0/sum", b"6\n")
    made = Artifact("sum", "sum.txt", "text/plain", 2, "0" * 64, f"jobs/{job.id}/1/add-0/sum")
    end = StepEnd(state=State.SUCCEEDED, result=StepResult({"sum": 6}), artifacts=[made])
    now = datetime.now(UTC)
    with here.services.engine.begin() as connection:
        details.settle_step(connection, job.id, running.attempt, "add-0", end, now=now)
        problem = ProblemBody(Code.CRASHED, "killed")
        store.settle_job(connection, job.id, running.attempt, Event.FAIL, now, problem=problem)
    return made


def test_a_retry_takes_finished_steps_over_and_shares_their_files(here: Installation) -> None:
    old = here.submit(steps=2)
    made = _finish_first_step(here, old)
    new = here.services.jobs.retry(here.caller, old.id)
    assert (new.state, new.retry_of, new.params) == (State.QUEUED, old.id, old.params)
    assert [
        (step.state, step.reused) for step in here.services.jobs.steps(here.caller, new.id)
    ] == [(State.SUCCEEDED, True), (State.QUEUED, False)]
    assert here.services.jobs.artifact(here.caller, new.id, "sum").key == made.key

    here.services.jobs.remove(here.caller, old.id)
    assert here.services.storage.exists(made.key), "the new job still uses the file"
    settled(here, new, Event.FAIL)
    here.services.jobs.remove(here.caller, new.id)
    assert not here.services.storage.exists(made.key)


def test_a_retry_needs_no_more_than_one_connection_at_a_time(here: Installation) -> None:
    engine, jobs = here.services.engine, here.services.jobs
    old = here.submit()
    file = {"storage": "storage-001", "filename": "in", "tag": "as it was"}
    attempt = claimed(here, old).attempt
    with engine.begin() as connection:
        start, now = details.start_step, datetime.now(UTC)
        start(connection, old.id, attempt, "add-0", work="", now=now, read=[file])
        assert store.settle_job(connection, old.id, attempt, Event.FAIL, now)
    limits = cast("sa.QueuePool", engine.pool)
    with ExitStack() as others:
        for _ in range(limits.size() + limits._max_overflow - 1):
            others.enter_context(engine.connect())

        assert jobs.retry(here.caller, old.id).retry_of == old.id


@pytest.mark.parametrize(
    ("asked", "at"),
    [
        (Submission("TROUBLE", {}, deliver={"sum": FileRef("mine", "out")}), "deliver.sum"),
        (
            Submission(
                "RECIPE",
                {
                    "recipe": {
                        "name": "r",
                        "version": "1",
                        "definition": {
                            "recipe": [
                                {
                                    "id": "info",
                                    "type": "DATASET_INFO",
                                    "inputs": {"input_las": "job:in"},
                                }
                            ]
                        },
                    },
                    "inputs": {"job:in": {"type": "las", "uri": "storage://mine/a.las"}},
                },
            ),
            "inputs.job:in.uri",
        ),
    ],
)
def test_a_retry_is_refused_as_a_submission_is_where_a_storage_is_gone(
    here: Installation, asked: Submission, at: str
) -> None:
    catalog = here.services.catalog
    catalog.put("main", "storage", "mine", {"url": ""})
    old = settled(here, here.services.jobs.submit(here.caller, asked), Event.FAIL)
    assert here.services.jobs.retry(here.caller, old.id).retry_of == old.id
    catalog.delete("main", "storage", "mine")

    with pytest.raises(Problem, match="mine") as caught:
        here.services.jobs.retry(here.caller, old.id)

    assert (caught.value.code, caught.value.at) == (Code.INVALID, at)


def test_only_what_did_not_succeed_is_retried(here: Installation) -> None:
    for job in (here.submit(), settled(here, here.submit(), Event.SUCCEED)):
        with pytest.raises(Problem) as caught:
            here.services.jobs.retry(here.caller, job.id)
        assert caught.value.code is Code.CONFLICT


def test_only_an_ended_job_is_removed_and_then_all_of_it(here: Installation) -> None:
    job = here.submit()
    with pytest.raises(Problem) as caught:
        here.services.jobs.remove(here.caller, job.id)
    assert caught.value.code is Code.CONFLICT
    settled(here, job, Event.FAIL)
    here.services.jobs.remove(here.caller, job.id)
    with pytest.raises(Problem, match="no job"):
        here.job(job)
    with here.services.engine.connect() as connection:
        for table in ("steps", "events", "artifacts"):
            count = connection.execute(sa.text(f"SELECT count(*) FROM {table}"))  # noqa: S608 -- ours
            assert count.scalar_one() == 0, table
    assert workflows(here) == 0
