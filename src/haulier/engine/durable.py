"""The one door to DBOS: durable queues, workflows and steps; another engine could stand here."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Protocol
from uuid import UUID

import sqlalchemy as sa
from dbos import (
    DBOS,
    DBOSClient,
    DBOSConfig,
    DBOSPortableJSONSerializer,
    EnqueueOptions,
)

SCHEMA: Final = "dbos"
APPLICATION: Final = "haulier"
#: Pinned: DBOS would otherwise strand queued work at every edit of the code.
APPLICATION_VERSION: Final = "1"
WORKFLOW: Final = "haulier.job"
JOBS_QUEUE: Final = "jobs"
INTERACTIVE_QUEUE: Final = "interactive"
#: We count the attempts of a job ourselves, and end it with a problem that says so.
DBOS_ATTEMPTS: Final = 1_000_000
#: States of a workflow that will still lead to an attempt, or is in one.
LIVING: Final = frozenset({"PENDING", "ENQUEUED", "DELAYED"})


def prepare(engine: sa.Engine) -> None:
    """Make or update the tables of DBOS."""
    if engine.dialect.name == "sqlite":
        client = _client(engine)
        client._sys_db.run_migrations()  # noqa: SLF001 -- a client has no public way on SQLite
    else:
        url = engine.url.render_as_string(hide_password=False)
        DBOS.migrate(url, schema=SCHEMA)


def _client(engine: sa.Engine) -> DBOSClient:
    return DBOSClient(
        system_database_engine=engine,
        dbos_system_schema=SCHEMA,
        serializer=DBOSPortableJSONSerializer(),
        application_name=APPLICATION,
        lazy=True,
    )


class Enqueuer:
    """Puts jobs on the queues; runs nothing itself."""

    def __init__(self, engine: sa.Engine) -> None:
        self._client = _client(engine)

    def enqueue(
        self,
        connection: sa.Connection,
        job_id: UUID,
        *,
        interactive: bool,
        slot: str,
        priority: int,
        delay_s: float = 0.0,
    ) -> None:
        """Put a job on its queue within the caller's transaction: both happen or neither.

        Jobs of one slot run one after the other, but not on the interactive queue.
        """
        options: EnqueueOptions = {
            "workflow_name": WORKFLOW,
            "queue_name": INTERACTIVE_QUEUE if interactive else JOBS_QUEUE,
            "workflow_id": str(job_id),
            "priority": priority,
            "app_version": APPLICATION_VERSION,
        }
        if not interactive:
            options["queue_partition_key"] = slot
        if delay_s > 0:
            options["delay_seconds"] = delay_s
        self._client.enqueue_in_transaction(connection, options, str(job_id))

    def forget(self, job_id: UUID) -> None:
        """Take a job off its queue; one that a worker has taken already finds out itself."""
        self._client.cancel_workflow(str(job_id))

    def delete(self, job_ids: Iterable[UUID]) -> None:
        """Drop all that DBOS remembers of jobs that have ended."""
        self._client.delete_workflows([str(job_id) for job_id in job_ids])

    def statuses(self, job_ids: Sequence[UUID]) -> Mapping[UUID, str]:
        """Give the state of the workflows of jobs, by job; those without one are left out."""
        if not job_ids:
            return {}
        found = self._client.list_workflows(
            workflow_ids=[str(job_id) for job_id in job_ids], load_input=False, load_output=False
        )
        return {UUID(workflow.workflow_id): workflow.status for workflow in found}


class Steps:
    """The journal of one job's steps, in the order of the recipe whatever order they run in."""

    def __init__(self, ids: Sequence[str]) -> None:
        self._places = {step: DBOS.reserve_step() for step in ids}

    async def run(self, step: str, work: Callable[[], Coroutine[Any, Any, str]]) -> str:
        """Do a step, or give what it gave when it was done before."""
        given: str = await self._places[step].run_async({"name": step}, work)
        return given


class JobRunner(Protocol):
    """Whoever does a job once it was taken from a queue."""

    async def run(self, job_id: UUID) -> None:
        """Do it up to its end.

        Raises:
            asyncio.CancelledError: the attempt was lost or given back; another will follow.
        """
        ...


class Runtime:
    """What takes jobs from the queues in a worker."""

    def __init__(self, engine: sa.Engine, runner: JobRunner, *, executor: str) -> None:
        self._executor = executor
        config: DBOSConfig = {
            "name": APPLICATION,
            "system_database_url": engine.url.render_as_string(hide_password=False),
            "system_database_engine": engine,
            "dbos_system_schema": SCHEMA,
            "executor_id": executor,
            "application_version": APPLICATION_VERSION,
            "serializer": DBOSPortableJSONSerializer(),
            "log_level": "ERROR",
            "run_migrations": False,
        }
        self._dbos = DBOS(config=config)

        @DBOS.workflow(name=WORKFLOW, max_recovery_attempts=DBOS_ATTEMPTS)
        async def job(job_id: str) -> None:
            await runner.run(UUID(job_id))

    async def launch(self, *, jobs: int, interactive: int, poll_s: float) -> None:
        """Begin to take jobs; those that this worker's name left behind come first.

        Args:
            jobs: how many long jobs at once.
            interactive: how many short ones at once.
            poll_s: how often to look.
        """
        DBOS.launch()
        await DBOS.register_queue_async(
            JOBS_QUEUE,
            worker_concurrency=jobs,
            partition_concurrency=1,
            polling_interval_sec=poll_s,
            on_conflict="always_update",
        )
        await DBOS.register_queue_async(
            INTERACTIVE_QUEUE,
            worker_concurrency=interactive,
            polling_interval_sec=poll_s,
            on_conflict="always_update",
        )

    async def recover(self, executors: Sequence[str]) -> None:
        """Put what dead workers left behind on the queues again."""
        await asyncio.to_thread(DBOS._recover_pending_workflows, list(executors))  # noqa: SLF001 -- the open-source DBOS has no public way; it is idempotent

    async def owners(self) -> set[str]:
        """Give the executors that have jobs under way, alive or not."""
        found = await DBOS.list_workflows_async(
            status="PENDING", load_input=False, load_output=False
        )
        return {workflow.executor_id for workflow in found if workflow.executor_id}


def seconds_until(moment: datetime | None, now: datetime) -> float:
    """Give the time left until a moment, 0 if there is none or it has passed."""
    return max((moment - now).total_seconds(), 0.0) if moment is not None else 0.0
