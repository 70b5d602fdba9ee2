"""`haulier list`, `show`, `cancel`, `retry` and `remove`: what there is to do with jobs."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import Parameter

from haulier.cli import output
from haulier.cli.codes import Exit, UsageError
from haulier.cli.connection import HERE, Server
from haulier.cli.naming import find_job
from haulier.cli.watch import follow, sentence, warn
from haulier.core.lifecycle import State

if TYPE_CHECKING:
    from haulier.client import Artifact, Happening, Job, Step

MAX_PAGE: Final = 1000


def list_jobs(
    *,
    kind: Annotated[tuple[str, ...], Parameter(negative=())] = (),
    state: Annotated[tuple[State, ...], Parameter(negative=())] = (),
    hours: float | None = None,
    limit: Annotated[int, Parameter(name=("--limit", "-n"))] = 20,
    server: Server = HERE,
) -> Exit:
    """List jobs, newest first.

    Args:
        kind: Only jobs of this kind or process. May come several times.
        state: Only jobs in this state. May come several times.
        hours: Only jobs made within so many hours.
        limit: At most so many; 0 for all.
        server: The server.
    """
    from haulier.client import JobQuery  # noqa: PLC0415 -- httpx costs 0.4 s; --help does not pay

    if limit < 0:
        raise UsageError(f"--limit must be 0 or more, got {limit}")
    since = datetime.now(UTC) - timedelta(hours=hours) if hours is not None else None
    query = JobQuery(
        processes=kind,
        states=state,
        created_from=since,
        page_size=min(limit, MAX_PAGE) if limit > 0 else MAX_PAGE,
    )
    with server.connect() as client:
        jobs = list(islice(client.jobs(query), limit if limit > 0 else None))
    if server.json:
        output.write_json(jobs)
    else:
        columns = ("JOB", "STATE", "DONE", "PROCESS", "CREATED", "TITLE", "UUID")
        output.table("", columns, map(_row, jobs))
    return Exit.OK


def _row(job: "Job") -> tuple[str, ...]:
    made = output.moment(job.created_at)
    done = f"{job.fraction:.0%}"
    return str(job.number), str(job.state), done, job.process, made, job.title, str(job.id)


def show(job: str, /, *, server: Server = HERE) -> Exit:
    """Show all there is to know of a job: steps, timeline, statistics, artifacts.

    Args:
        job: Number, UUID, or the beginning of the UUID.
        server: The server.
    """
    with server.connect() as client:
        found = find_job(client, job)
        steps, timeline = client.steps(found), client.timeline(found)
        artifacts = client.artifacts(found)
    if server.json:
        document = {"job": found, "steps": steps, "timeline": timeline, "artifacts": artifacts}
        output.write_json(document)
        return Exit.OK
    output.pairs("", _facts(found))
    if steps:
        columns = ("STEP", "STATE", "DONE", "PARTS", "TRIES", "MESSAGE")
        output.table("\nSteps", columns, map(_step, steps))
    _timeline([line for line in timeline if line.type != "step.warning"])
    warn(timeline)
    output.pairs("\nStatistics", output.flat(found.statistics or {}))
    if artifacts:
        output.table("\nArtifacts", ("NAME", "FILE", "SIZE", "TYPE"), map(_artifact, artifacts))
    return Exit.OK


def _facts(job: "Job") -> dict[str, str]:
    facts = {
        "job": f"{job.number}  {job.id}",
        "title": job.title,
        "process": f"{job.process} ({job.kind})",
        "state": f"{job.state} {job.fraction:.0%}",
        "progress": sentence(job),
        "problem": f"{job.problem.code}: {job.problem.detail}" if job.problem else "",
        "retry of": str(job.retry_of or ""),
        "created": output.moment(job.created_at),
        "started": output.moment(job.started_at),
        "finished": output.moment(job.finished_at),
    }
    if job.problem is not None:
        faults = (f"{fault.at}: {fault.detail}" for fault in job.problem.faults)
        facts |= {f"fault {index}": text for index, text in enumerate(faults, 1)}
    return {name: text for name, text in facts.items() if text}


def _step(step: "Step") -> tuple[str, ...]:
    parts = f"{step.parts_done}/{step.parts}" if step.parts else ""
    word = "skipped" if step.skipped else "reused" if step.reused else str(step.state)
    why = step.problem.detail if step.problem else step.message
    return step.id, word, f"{step.fraction:.0%}", parts, str(step.attempts), why


def _timeline(lines: Sequence["Happening"]) -> None:
    if lines:
        rows = [(output.moment(one.at), one.type, _said(one)) for one in lines]
        output.table("\nTimeline", ("TIME", "WHAT", ""), rows)


def _said(line: "Happening") -> str:
    return ", ".join(f"{name} {text}" for name, text in output.flat(line.data).items())


def _artifact(artifact: "Artifact") -> tuple[str, ...]:
    return artifact.path, artifact.filename, output.size(artifact.size_bytes), artifact.media_type


def cancel(job: str, /, *, server: Server = HERE) -> Exit:
    """Stop a job; what it has finished stays, and `retry` takes it up.

    Args:
        job: Number, UUID, or the beginning of the UUID.
        server: The server.
    """
    with server.connect() as client:
        return _told(client.cancel(find_job(client, job)), json=server.json)


def retry(
    job: str,
    /,
    *,
    watch: Annotated[bool, Parameter(negative=())] = False,
    server: Server = HERE,
) -> Exit:
    """Start a new job that does only what a failed or cancelled one has not finished.

    Args:
        job: Number, UUID, or the beginning of the UUID.
        watch: Stay until the new job has ended.
        server: The server.
    """
    with server.connect() as client:
        started = client.retry(find_job(client, job))
        if watch:
            return follow(client, started, json=server.json)
    return _told(started, json=server.json)


def remove(job: str, /, *, server: Server = HERE) -> Exit:
    """Remove an ended job with its files.

    Args:
        job: Number, UUID, or the beginning of the UUID.
        server: The server.
    """
    with server.connect() as client:
        found = find_job(client, job)
        client.remove(found)
    output.told(f"job {found.number} removed", {"removed": found.id}, json=server.json)
    return Exit.OK


def _told(job: "Job", *, json: bool) -> Exit:
    output.told(f"job {job.number} {job.state}  {job.id}", job, json=json)
    return Exit.OK
