"""`haulier worker`: a process that runs jobs until it is told to stop."""

from typing import Annotated

from cyclopts import Parameter

from haulier.cli.codes import Exit
from haulier.cli.local import Local
from haulier.cli.orphan import follow_supervisor

LOCAL = Local()


def worker(
    *,
    name: str = "",
    workers: Annotated[int | None, Parameter(name="--workers")] = None,
    jobs: int | None = None,
    local: Local = LOCAL,
) -> Exit:
    """Run jobs from the shared database until SIGTERM.

    It needs the database and the storage of the servers it works for, and nothing else of
    them. One that comes back under its name takes up the jobs it left.

    Args:
        name: Stable and unique among all workers [HAULIER_WORKER_NAME]; else the host's name.
        workers: How many parts of jobs it runs at once; else one a core.
        jobs: How many jobs it runs at once.
        local: The installation.
    """
    from haulier import app  # noqa: PLC0415 -- DBOS and the engine; --help does not pay

    follow_supervisor()
    settings = local.settings(worker_name=name or None, processes=workers, jobs_at_once=jobs)
    app.prepare(settings)
    app.run_worker(settings)
    return Exit.OK
