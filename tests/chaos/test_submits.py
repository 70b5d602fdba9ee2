"""Processes that are killed while they submit: a job is there whole, or not at all."""

import subprocess
import sys
from collections.abc import Sequence
from uuid import UUID

import pytest

from haulier.core.job import Job
from haulier.core.lifecycle import State
from haulier.engine.durable import Enqueuer
from haulier.engine.listing import JobFilter
from haulier.testing.installation import Installation

pytestmark = pytest.mark.chaos

#: Submits a job again and again, each time in a new process; the nth dies before its nth
#: statement, and the last one lives.
AT_EACH_STATEMENT = """
import itertools, os, signal, sys
import sqlalchemy as sa
from haulier import app
from haulier.config import load
from haulier.core.job import Submission
from haulier.testing.installation import Installation

def submit(number):
    services = app.build_services(load())
    left = [number]

    def count(*ignored):
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    for moment in ("begin", "before_cursor_execute", "after_cursor_execute", "commit"):
        sa.event.listen(services.engine, moment, count)
    params = {"numbers": [number], "diary": sys.argv[1]}
    services.jobs.submit(Installation.caller, Submission("TROUBLE", params))
    count() or count()  # the submission is through; nobody has heard of it yet

for number in itertools.count(1):
    pid = os.fork()
    if not pid:
        submit(number)
        os._exit(0)
    if os.waitpid(pid, 0)[1] == 0:
        break
print(number)
"""

#: Submits jobs without a pause.
WITHOUT_PAUSE = """
import itertools, sys
from haulier import app
from haulier.config import load
from haulier.core.job import Submission
from haulier.testing.installation import Installation

services = app.build_services(load())
for number in itertools.count():
    params = {"numbers": [number], "diary": sys.argv[1]}
    services.jobs.submit(Installation.caller, Submission("TROUBLE", params))
    print(number, flush=True)
"""


def submitter(here: Installation, code: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-P", "-c", code, str(here.diary)],
        cwd=here.folder,
        env=here.environment(),
        stdout=subprocess.PIPE,
        text=True,
    )


def jobs_of(here: Installation) -> Sequence[Job]:
    return here.services.jobs.list(here.caller, JobFilter(), limit=10_000).jobs


def ids_of(jobs: Sequence[Job]) -> list[UUID]:
    return sorted(job.id for job in jobs)


def workflows_of(here: Installation) -> list[UUID]:
    client = Enqueuer(here.services.engine)._client
    found = client.list_workflows(load_input=False, load_output=False)
    return sorted(UUID(workflow.workflow_id) for workflow in found)


def assert_each_runs_once(here: Installation) -> None:
    """Make sure that jobs and workflows are the same, and that a worker does each once."""
    jobs = jobs_of(here)
    assert ids_of(jobs) == workflows_of(here)
    here.start()
    for job in jobs:
        ended = here.ended(job)
        assert (ended.state, ended.attempt) == (State.SUCCEEDED, 1)
        assert here.outputs(job) == ["sum"]
    assert here.lines("begin").total() == here.lines("end").total() == len(jobs)
    assert ids_of(jobs_of(here)) == workflows_of(here) == ids_of(jobs)


def test_a_kill_at_any_statement_of_a_submission_leaves_row_and_workflow_or_neither(
    here: Installation,
) -> None:
    with submitter(here, AT_EACH_STATEMENT) as process:
        said, _ = process.communicate()
        assert process.returncode == 0
    tries = int(said)

    # Begin, some statements twice each, commit, and twice after it.
    assert tries > 8
    assert 1 <= len(jobs_of(here)) < tries
    assert_each_runs_once(here)


def test_a_kill_between_submissions_loses_none_that_was_confirmed(here: Installation) -> None:
    confirmed = 0
    for kill in range(3):
        with submitter(here, WITHOUT_PAUSE) as process:
            assert process.stdout is not None
            for _ in range(2 + kill):
                process.stdout.readline()
            process.kill()
            process.stdout.read()
            confirmed += 2 + kill

    assert len(jobs_of(here)) >= confirmed
    assert ids_of(jobs_of(here)) == workflows_of(here)
