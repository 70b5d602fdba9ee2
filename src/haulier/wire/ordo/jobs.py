"""Jobs: take one on, list them, look at one."""

from typing import Annotated, Any, Final
from urllib.parse import urlencode

import msgspec
from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.params import JSONBody, Parameter

from haulier.core.caller import Caller, Scope
from haulier.core.job import Job
from haulier.core.problem import Code, Problem
from haulier.engine.listing import JobFilter
from haulier.engine.recipes.family import RECIPE
from haulier.engine.services import Services
from haulier.wire import dialect
from haulier.wire.auth import caller_of
from haulier.wire.dialect import View, base_url, services_of, view_of
from haulier.wire.ordo.bodies import JobBody, JobView, render, view_of_job
from haulier.wire.ordo.create import submit
from haulier.wire.ordo.errors import JSON
from haulier.wire.ordo.paths import JOBS
from haulier.wire.serial import find_number

LIMIT: Final = 1000  # the vendor documents no pages; beyond this there must be some

Asked = Request[Caller, None, State]


class Created(msgspec.Struct, frozen=True):
    """The number of what was made."""

    id: int


@post(JOBS, status_code=201)
async def create_job(request: Asked, data: JSONBody[dict[str, Any]]) -> Created:
    """Take a job of a recipe on; its files are looked at when it runs."""
    services, caller = services_of(request), caller_of(request)
    job = await services.write(submit, services, caller, data)
    return Created(job.number)


@get(JOBS)
async def list_jobs(
    request: Asked,
    limit: Annotated[int, Parameter(ge=1, le=10_000, description="Jobs at most.")] = LIMIT,
    cursor: Annotated[str, Parameter(description="As the Link header of a page gave it.")] = "",
) -> Response[list[JobBody]]:
    """Give the jobs of recipes, newest first; where there are more, the Link header leads on."""
    wanted = JobFilter(kinds=(RECIPE.name,))
    page = await dialect.list_jobs(request, caller_of(request), wanted, limit=limit, cursor=cursor)
    headers: dict[str, str] = {}
    if page.next:
        query = urlencode({"limit": limit, "cursor": page.next})
        headers["link"] = f'<{base_url(request)}{JOBS}?{query}>; rel="next"'
    view = view_of(request)
    return _encoded([render(job, view) for job in page.jobs], headers)


@get(f"{JOBS}/{{job_id:str}}")
async def get_job(
    request: Asked, job_id: Annotated[str, Parameter(description="The job's number.")]
) -> Response[JobView]:
    """Give how a job stands, with its steps, artifacts and outputs."""
    number = find_number(job_id)
    if number is None:
        raise Problem(Code.INVALID, "Invalid job ID", at="path.job_id")
    services, caller = services_of(request), caller_of(request)
    try:
        shown = await services.read(_look, services, caller, number, view_of(request))
    except Problem as problem:
        if problem.code is Code.NOT_FOUND:
            raise Problem(Code.NOT_FOUND, "Job not found", at="job") from None
        raise
    return _encoded(shown)


def _look(services: Services, caller: Caller, number: int, view: View) -> JobView:
    job, steps = services.jobs.look(caller, number)
    return view_of_job(job, steps, services.jobs.artifacts(caller, job.id), view)


def notice(services: Services, job: Job) -> JobView:
    """Give what a webhook tells of a job: what a GET of it gives."""
    caller = Caller(job.organisation, job.subject, frozenset({Scope.READ}))
    _, steps = services.jobs.look(caller, job.id)
    view = View(services.public_url, services.kinds)
    return view_of_job(job, steps, services.jobs.artifacts(caller, job.id), view)


def _encoded(body: object, headers: dict[str, str] | None = None) -> Response[Any]:
    return Response(msgspec.json.encode(body), headers=headers, media_type=JSON)
