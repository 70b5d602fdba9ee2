"""Processes that are killed while they submit: a job is there whole, or not at all."""

import subprocess
import sys
from collections.abc import Sequence
from uuid import UUID

import pytest

from haulier.core.lifecycle import State
from haulier.engine.durable import Enqueuer
from haulier.engine.listing import JobFilter
from haulier.testing.site import CALLER, Site

pytestmark = pytest.mark.chaos

#: Submits a job again and again, each time in a new process; the nth dies before its nth
#: statement, and the last one lives.
AT_EACH_STATEMENT = """
import itertools, os, signal, sys
import sqlalchemy as sa
from haulier import app
from haulier.config import load
from haulier.core.job import Submission
from haulier.testing.site import CALLER

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
    services.jobs.submit(CALLER, Submission("TROUBLE", params))
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
from haulier.testing.site import CALLER

services = app.build_services(load())
for number in itertools.count():
    params = {"numbers": [number], "diary": sys.argv[1]}
    services.jobs.submit(CALLER, Submission("TROUBLE", params))
    print(number, flush=True)
"""


def submitter(site: Site, code: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-P", "-c", code, str(site.diary)],
        cwd=site.folder,
        env=site.environment(),
        stdout=subprocess.PIPE,
        text=True,
    )


def jobs_of(site: Site) -> Sequence[UUID]:
    page = site.services.jobs.list(CALLER, JobFilter(), limit=10_000)
    return [job.id for job in page.jobs]


def workflows_of(site: Site) -> Sequence[UUID]:
    client = Enqueuer(site.services.engine)._client
    found = client.list_workflows(load_input=False, load_output=False)
    return [UUID(workflow.workflow_id) for workflow in found]


def assert_each_runs_once(site: Site) -> None:
    """Make sure that jobs and workflows are the same, and that a worker does each once."""
    jobs = jobs_of(site)
    assert sorted(jobs) == sorted(workflows_of(site))
    site.start()
    for job_id in jobs:
        job = site.wait(job_id, State.SUCCEEDED, State.FAILED)
        assert (job.state, job.attempt) == (State.SUCCEEDED, 1)
        assert site.outputs(job_id) == ["sum"]
    assert site.lines("begin").total() == site.lines("end").total() == len(jobs)
    assert sorted(jobs_of(site)) == sorted(workflows_of(site)) == sorted(jobs)


def test_a_kill_at_any_statement_of_a_submission_leaves_row_and_workflow_or_neither(
    site: Site,
) -> None:
    with submitter(site, AT_EACH_STATEMENT) as process:
        said, _ = process.communicate()
        assert process.returncode == 0
    tries = int(said)

    # Begin, some statements twice each, commit, and twice after it.
    assert tries > 8
    assert 1 <= len(jobs_of(site)) < tries
    assert_each_runs_once(site)


def test_a_kill_between_submissions_loses_none_that_was_confirmed(site: Site) -> None:
    confirmed = 0
    for kill in range(3):
        with submitter(site, WITHOUT_PAUSE) as process:
            assert process.stdout is not None
            for _ in range(2 + kill):
                process.stdout.readline()
            process.kill()
            process.stdout.read()
            confirmed += 2 + kill

    assert len(jobs_of(site)) >= confirmed
    assert sorted(jobs_of(site)) == sorted(workflows_of(site))
