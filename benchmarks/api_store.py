"""The stores of the API benchmark: databases with few and with many jobs, made by SQL."""

import random
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from haulier.app import build_services, prepare
from haulier.config import Settings
from haulier.core.artifact import FileRef
from haulier.core.caller import Caller, Scope
from haulier.core.job import Job, Submission
from haulier.core.lifecycle import State
from haulier.engine import tables
from haulier.engine.services import Services

SEED = 20260121
OWNER = Caller("main", "benchmark", frozenset(Scope))
STATISTICS = {
    "confidence_threshold": 60,
    "kms_processed": 80208.39,
    "num_roads_processed": 397613,
    "roads_fully_matched_ratio": 0.675,
    "roads_matched_ratio": 0.8468,
    "roads_partially_matched_ratio": 0.1718,
    "roads_unmatched_ratio": 0.1531,
}
INPUTS = {
    "input": {"storage": "storage-001", "filename": "roads.parquet"},
    "overture_release": "2026-01-21.0",
}


@dataclass
class Store:
    """A data folder with jobs in it.

    Attributes:
        paths: of GETs of single jobs, by wire.
    """

    settings: Settings
    services: Services
    key: str
    paths: Mapping[str, list[str]]


def make_store(folder: Path, count: int) -> Store:
    """Make a database with so many ended jobs, all but one of them by SQL."""
    settings = Settings(data=folder, port=free_port(), log_level="warning")
    prepare(settings)
    services = build_services(settings)
    _, key = services.keys.create(OWNER.organisation, subject="benchmark", scopes=tuple(Scope))
    started = time.process_time()
    first = end_job(services, submit_one(services))
    with services.engine.begin() as connection:
        multiply(connection, first, count - 1)
    with services.engine.begin() as connection:
        connection.exec_driver_sql("ANALYZE")
    print(f"{count} jobs stored in {time.process_time() - started:.1f} CPU-seconds", flush=True)
    chance = random.Random(SEED)  # noqa: S311 -- which jobs are asked for is no secret
    numbers = [first.number + chance.randrange(count) for _ in range(2000)]
    names = [str(first.id) if n == first.number else job_id(n - first.number) for n in numbers]
    paths = {
        "tomtom": [f"/maps/orbis/platform/gem/jobs/{number}" for number in numbers],
        "native": [f"/jobs/{name}" for name in names],
    }
    return Store(settings, services, key, paths)


def submit_one(services: Services) -> Job:
    """Give a new job as a caller submits it."""
    deliver = {"results": FileRef("storage-001", "roads.results.parquet")}
    services.files.storages(OWNER)
    submission = Submission(kind="ROAD_MATCHING", params=INPUTS, deliver=deliver)
    return services.jobs.submit(OWNER, submission)


def end_job(services: Services, job: Job) -> Job:
    """Let a job have succeeded."""
    ended = {
        "state": State.SUCCEEDED,
        "fraction": 1.0,
        "attempt": 1,
        "statistics": STATISTICS,
        "started_at": job.created_at,
        "finished_at": services.clock.now(),
    }
    steps = {name: ended[name] for name in ("state", "fraction", "started_at", "finished_at")}
    with services.engine.begin() as connection:
        rows = tables.jobs.c.id == str(job.id)
        connection.execute(sa.update(tables.jobs).where(rows).values(ended))
        rows = tables.steps.c.job == str(job.id)
        connection.execute(sa.update(tables.steps).where(rows).values(steps))
    return services.jobs.get(OWNER, job.id)


def multiply(connection: sa.Connection, first: Job, copies: int) -> None:
    """Copy a job with its steps and its timeline, each copy under an id of its own."""
    id_ = "printf('%08x-0000-7000-8000-%012x', k.n, k.n)"
    for table, name, skipped in (
        (tables.jobs, "id", {"number"}),
        (tables.steps, "job", set[str]()),
        (tables.events, "job", {"sequence"}),
    ):
        columns = [column.name for column in table.c if column.name not in skipped]
        values = [id_ if column == name else f"t.{column}" for column in columns]
        connection.execute(
            sa.text(
                f"WITH RECURSIVE k(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM k WHERE n < :n) "  # noqa: S608 -- names of our own tables
                f"INSERT INTO {table.name} ({', '.join(columns)}) "
                f"SELECT {', '.join(values)} FROM k, {table.name} t WHERE t.{name} = :first"
            ),
            {"n": copies, "first": str(first.id)},
        )


def job_id(number: int) -> str:
    """Give the id of a copy, as `multiply` writes it."""
    return f"{number:08x}-0000-7000-8000-{number:012x}"


def jobs_in(store: Store) -> int:
    """Give the number of the newest job: numbers rise by one."""
    with store.services.engine.connect() as connection:
        return int(connection.execute(sa.select(sa.func.max(tables.jobs.c.number))).scalar_one())


def free_port() -> int:
    """Give a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
