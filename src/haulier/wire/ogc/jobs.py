"""Jobs: list, status, dismiss, cancel, retry, and what a job tells of itself."""

from typing import Annotated, Any, Final
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

import msgspec
from litestar import Request, Response, delete, get, post
from litestar.datastructures import State
from litestar.params import Parameter, QueryParameter

from haulier.core.caller import Caller
from haulier.core.job import Happening, Job, Step
from haulier.core.problem import Code, Problem
from haulier.engine.listing import Page
from haulier.engine.services import Services
from haulier.wire import dialect
from haulier.wire.auth import caller_of
from haulier.wire.dialect import AnyRequest, base_url, services_of, view_of
from haulier.wire.ogc.bodies import JSON, Link, StatusInfo, status_info
from haulier.wire.ogc.execute import Preference
from haulier.wire.ogc.processes import started
from haulier.wire.ogc.query import JobQuery, filter_of
from haulier.wire.ranges import matches
from haulier.wire.serial import LAST, find_number

LONGEST_POLL_S: Final = 30

Asked = Request[Caller, None, State]

JobId = Annotated[str, Parameter(description="The job's UUID, or its serial number.")]


class JobList(msgspec.Struct, frozen=True):
    """A page of jobs, newest first."""

    jobs: tuple[StatusInfo, ...]
    links: tuple[Link, ...]


class StepList(msgspec.Struct, frozen=True):
    """The steps of a job, in the recipe's order."""

    steps: tuple[Step, ...]


class Timeline(msgspec.Struct, frozen=True):
    """What happened to a job, in order."""

    timeline: tuple[Happening, ...]
    links: tuple[Link, ...]


def name_of(text: str) -> UUID | int:
    """Give what a part of a path names a job by.

    Raises:
        Problem: NOT_FOUND; it cannot be the name of a job.
    """
    if (number := find_number(text)) is not None:
        return number
    try:
        return UUID(text)
    except ValueError:
        raise Problem(Code.NOT_FOUND, f"no job {text}", at="job") from None


async def find_job(services: Services, caller: Caller, text: str) -> Job:
    """Give a job by its UUID or its serial number.

    Raises:
        Problem: NOT_FOUND, also for a job of another organisation.
    """
    name = name_of(text)
    if isinstance(name, int):
        return await services.read(services.jobs.get_by_number, caller, name)
    return await services.read(services.jobs.get, caller, name)


@get("/jobs")
async def list_jobs(  # noqa: PLR0913 -- one argument a parameter of the standard
    request: Asked,
    *,
    type_: Annotated[
        list[str] | None, QueryParameter(name="type", description="Only `process` exists.")
    ] = None,
    process_id: Annotated[
        list[str] | None, QueryParameter(name="processID", description="Jobs of these processes.")
    ] = None,
    status: Annotated[
        list[str] | None,
        Parameter(description="Of accepted, running, successful, failed, dismissed."),
    ] = None,
    interval: Annotated[
        str | None,
        QueryParameter(name="datetime", description="Created at this time, or in begin/end."),
    ] = None,
    min_duration: Annotated[
        float | None,
        QueryParameter(name="minDuration", ge=0, le=1e9, description="Seconds, at least."),
    ] = None,
    max_duration: Annotated[
        float | None,
        QueryParameter(name="maxDuration", ge=0, le=1e9, description="Seconds, at most."),
    ] = None,
    limit: Annotated[int, Parameter(ge=1, le=10_000, description="Jobs in a page.")] = 10,
    cursor: Annotated[str, Parameter(description="As a link of a page gave it.")] = "",
) -> Response[JobList]:
    """Give the organisation's jobs, newest first, a page at a time."""
    services, caller = services_of(request), caller_of(request)
    query = JobQuery(
        types=type_,
        processes=process_id,
        statuses=status,
        interval=interval,
        min_duration_s=min_duration,
        max_duration_s=max_duration,
    )
    wanted = filter_of(query, services.kinds)
    page = Page(())
    if wanted is not None:
        page = await dialect.list_jobs(request, caller, wanted, limit=limit, cursor=cursor)
    view = view_of(request)
    shown = tuple(status_info(job, view) for job in page.jobs)
    return _encoded(JobList(shown, _pages(request, page)))


def _pages(request: AnyRequest, page: Page) -> tuple[Link, ...]:
    url = f"{base_url(request)}/jobs"
    pairs = parse_qsl(request.scope["query_string"].decode("latin-1"))
    rest = [(name, value) for name, value in pairs if name != "cursor"]

    def link(rel: str, cursor: str) -> Link:
        query = urlencode([*rest, ("cursor", cursor)] if cursor else rest)
        return Link(f"{url}?{query}" if query else url, rel, JSON)

    links = [link("self", dict(pairs).get("cursor", ""))]
    if page.next:
        links.append(link("next", page.next))
    if page.previous:
        links.append(link("prev", page.previous))
    return tuple(links)


@get("/jobs/{job_id:str}")
async def get_job(request: Asked, job_id: JobId) -> Response[StatusInfo]:
    """Give how a job stands; unchanged since the ETag of If-None-Match, it is 304."""
    services, caller = services_of(request), caller_of(request)
    job, steps = await services.read(services.jobs.look, caller, name_of(job_id))
    headers = {"etag": f'"{job.version}"', "cache-control": "private, no-cache"}
    if not job.terminal:
        headers["retry-after"] = str(poll_after_s(job, services))
    if matches(request.headers.get("if-none-match", ""), str(job.version)):
        return _unchanged(headers)
    return _encoded(status_info(job, view_of(request), steps=tuple(steps)), headers)


def poll_after_s(job: Job, services: Services) -> int:
    """Give when it is worth looking again: soon after the start, then ever less often."""
    age_s = (services.clock.now() - job.created_at).total_seconds()
    return max(1, min(LONGEST_POLL_S, int(age_s / 20)))


@delete("/jobs/{job_id:str}", status_code=200)
async def dismiss(request: Asked, job_id: JobId) -> Response[StatusInfo]:
    """Dismiss a job: one that has not ended is cancelled, one that has is removed."""
    services, caller = services_of(request), caller_of(request)
    job = await find_job(services, caller, job_id)
    act = services.jobs.remove if job.terminal else services.jobs.cancel
    job = await services.write(act, caller, job.id)
    return _encoded(status_info(job, view_of(request), status="dismissed"))


@post("/jobs/{job_id:str}/cancel", status_code=200)
async def cancel(request: Asked, job_id: JobId) -> Response[StatusInfo]:
    """Ask a job to stop; nothing of it is removed."""
    services, caller = services_of(request), caller_of(request)
    job = await find_job(services, caller, job_id)
    job = await services.write(services.jobs.cancel, caller, job.id)
    return _encoded(status_info(job, view_of(request)))


@post("/jobs/{job_id:str}/retry")
async def retry(
    request: Asked,
    job_id: JobId,
    from_step: Annotated[
        str,
        QueryParameter(name="from", description="A step that is done again, though it succeeded."),
    ] = "",
) -> Response[StatusInfo]:
    """Run an ended job again as a new one, from its first unfinished step."""
    services, caller = services_of(request), caller_of(request)
    old = await find_job(services, caller, job_id)
    job = await services.write(services.jobs.retry, caller, old.id, from_step=from_step)
    return started(request, job, Preference())


@get("/jobs/{job_id:str}/steps")
async def list_steps(request: Asked, job_id: JobId) -> Response[StepList]:
    """Give the steps of a job."""
    services, caller = services_of(request), caller_of(request)
    job = await find_job(services, caller, job_id)
    steps = await services.read(services.jobs.steps, caller, job.id)
    return _encoded(StepList(tuple(steps)))


@get("/jobs/{job_id:str}/timeline")
async def get_timeline(
    request: Asked,
    job_id: JobId,
    after: Annotated[
        int, Parameter(ge=0, le=LAST, description="Only what came after this number.")
    ] = 0,
    limit: Annotated[int, Parameter(ge=1, le=10_000, description="Lines at most.")] = 1000,
) -> Response[Timeline]:
    """Give what happened to a job, in order."""
    services, caller = services_of(request), caller_of(request)
    job = await find_job(services, caller, job_id)
    lines = await services.read(services.jobs.happenings, caller, job.id, after=after, limit=limit)
    url = f"{base_url(request)}/jobs/{job.id}/timeline"
    links = [Link(f"{url}?after={after}&limit={limit}", "self", JSON)]
    if len(lines) == limit:
        links.append(Link(f"{url}?after={lines[-1].sequence}&limit={limit}", "next", JSON))
    return _encoded(Timeline(tuple(lines), tuple(links)))


def _unchanged(headers: dict[str, str]) -> Response[Any]:
    return Response(b"", status_code=304, headers=headers)


def _encoded(body: object, headers: dict[str, str] | None = None) -> Response[Any]:
    # encoded here, by msgspec alone: litestar's way asks a Python hook for every odd type
    return Response(msgspec.json.encode(body), headers=headers, media_type=JSON)
