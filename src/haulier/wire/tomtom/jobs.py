"""Matching jobs: create one, list them, look at one."""

from typing import Annotated, Any, Final
from urllib.parse import urlencode

import msgspec
from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.params import HeaderParameter, JSONBody, Parameter

from haulier.core.caller import Caller
from haulier.core.problem import Code, Problem
from haulier.engine.listing import JobFilter
from haulier.wire import dialect
from haulier.wire.auth import caller_of
from haulier.wire.dialect import base_url, services_of, view_of
from haulier.wire.serial import find_number
from haulier.wire.tomtom.bodies import JobBody, render
from haulier.wire.tomtom.create import RELEASES, CreateBody, job_types, submit
from haulier.wire.tomtom.errors import JSON
from haulier.wire.tomtom.paths import JOBS

LIMIT: Final = 1000  # the vendor documents no pages; beyond this there must be some

Asked = Request[Caller, None, State]

ApiVersion = Annotated[
    str,
    HeaderParameter(name="x-version", description="Of the vendor's older clients; not looked at."),
]


class JobsBody(msgspec.Struct, frozen=True):
    """Matching jobs, newest first."""

    jobs: tuple[JobBody, ...]


@post(JOBS, status_code=201)
async def create_job(
    request: Asked, data: JSONBody[CreateBody], x_version: ApiVersion = ""
) -> Response[JobBody]:
    """Take a matching job on; its input is looked at when it runs."""
    del x_version
    job = await submit(services_of(request), caller_of(request), data)
    headers = {"location": f"{base_url(request)}{JOBS}/{job.number}"}
    return _encoded(render(job, view_of(request)), 201, headers)


@get(JOBS)
async def list_jobs(
    request: Asked,
    job_type: Annotated[str, Parameter(description="ROAD_MATCHING, for instance.")],
    limit: Annotated[int, Parameter(ge=1, le=10_000, description="Jobs at most.")] = LIMIT,
    cursor: Annotated[str, Parameter(description="As the Link header of a page gave it.")] = "",
    x_version: ApiVersion = "",
) -> Response[JobsBody]:
    """Give the jobs of a type, newest first; where there are more, the Link header leads on."""
    del x_version
    services, caller = services_of(request), caller_of(request)
    known = job_types(services.kinds)
    if job_type not in {*known, *RELEASES}:
        names = ", ".join(sorted({*known, *RELEASES}))
        detail = f"job_type must be one of {names}, got {job_type!r}"
        raise Problem(Code.INVALID, detail, at="query.job_type")
    wanted = JobFilter(kinds=(job_type,))
    page = await dialect.list_jobs(request, caller, wanted, limit=limit, cursor=cursor)
    headers: dict[str, str] = {}
    if page.next:
        query = urlencode({"job_type": job_type, "limit": limit, "cursor": page.next})
        headers["link"] = f'<{base_url(request)}{JOBS}?{query}>; rel="next"'
    view = view_of(request)
    return _encoded(JobsBody(tuple(render(job, view) for job in page.jobs)), 200, headers)


@get(f"{JOBS}/{{job_id:str}}")
async def get_job(
    request: Asked,
    job_id: Annotated[str, Parameter(description="The job's serial number.")],
) -> Response[JobBody]:
    """Give how a job stands, and its statistics when it is done."""
    number = find_number(job_id)
    if number is None:
        raise Problem(Code.NOT_FOUND, f"Job not found: {job_id}", at="job")
    services = services_of(request)
    job = await services.read(services.jobs.get_by_number, caller_of(request), number)
    return _encoded(render(job, view_of(request)))


def _encoded(
    body: object, status: int = 200, headers: dict[str, str] | None = None
) -> Response[Any]:
    return Response(msgspec.json.encode(body), status_code=status, headers=headers, media_type=JSON)
