"""The compute tasks: submit a job, look at it, take its results, cancel it."""

from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import MediaType, Request, Response, delete, get, post
from litestar.datastructures import State
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import HeaderParameter, JSONBody, Parameter

from haulier.core.caller import Caller
from haulier.core.job import Job
from haulier.core.problem import Code, Problem
from haulier.wire.auth import caller_of
from haulier.wire.dialect import AnyRequest, base_url, services_of, view_of
from haulier.wire.evo.bodies import ResultsBody, StatusBody, render, render_results
from haulier.wire.evo.paths import JOB, TASK, OrgId, job_url, uuid_of
from haulier.wire.evo.tasks import Place, check_place, no_job, submit

Asked = Request[Caller, None, State]

Topic = Annotated[str, Parameter(description="A subject, such as `geostatistics`.")]
Task = Annotated[str, Parameter(description="A task of the topic, such as `kriging`.")]
JobId = Annotated[str, Parameter(description="The job's UUID.")]
Preview = Annotated[
    str,
    HeaderParameter(name="api-preview", description="`opt-in`, or not sent; all tasks are open."),
]
ONGOING = "The job has not ended."


class ExecuteBody(msgspec.Struct, frozen=True):
    """A request for a job: the parameters of its task."""

    parameters: dict[str, Any]


@post(TASK, status_code=HTTPStatus.SEE_OTHER, media_type=MediaType.TEXT)
async def execute_task(
    request: Asked,
    org_id: OrgId,
    topic: Topic,
    task: Task,
    data: JSONBody[ExecuteBody],
    api_preview: Preview = "",
) -> Response[None]:
    """Take a job on; `Location` is where it tells how it stands."""
    del api_preview
    services, place = services_of(request), (uuid_of(org_id, "org_id"), topic, task)
    job = await services.write(submit, services, caller_of(request), place, data.parameters)
    location = f"{job_url(base_url(request), place, job.id)}/status"
    # the vendor's client takes this answer with an empty body, and with no other
    return Response(
        None,
        status_code=HTTPStatus.SEE_OTHER,
        media_type=MediaType.TEXT,
        headers={"location": location},
    )


@get(f"{JOB}/status", responses={202: ResponseSpec(StatusBody, description=ONGOING)})
async def get_job_status(
    request: Asked,
    org_id: OrgId,
    topic: Topic,
    task: Task,
    job_id: JobId,
    api_preview: Preview = "",
) -> Response[StatusBody]:
    """Give how a job stands: 202 until it has ended, then 200."""
    del api_preview
    job = await _job(request, (org_id, topic, task), job_id)
    return _encoded(render(job, view_of(request)), job)


@get(JOB, responses={202: ResponseSpec(ResultsBody, description=ONGOING)})
async def get_job_results(
    request: Asked,
    org_id: OrgId,
    topic: Topic,
    task: Task,
    job_id: JobId,
    api_preview: Preview = "",
) -> Response[ResultsBody]:
    """Give what a job gave, or its error: 202 until it has ended, then 200."""
    del api_preview
    job = await _job(request, (org_id, topic, task), job_id)
    return _encoded(render_results(job, view_of(request)), job)


@delete(JOB, status_code=HTTPStatus.NO_CONTENT)
async def cancel_job(
    request: Asked,
    org_id: OrgId,
    topic: Topic,
    task: Task,
    job_id: JobId,
    api_preview: Preview = "",
) -> None:
    """Ask a job to stop. One that has ended stays as it is, and that is no fault.

    The vendor does not say which it is; a client that cancels what ended a moment ago has
    done nothing wrong, and its own method gives nothing back.
    """
    del api_preview
    services, caller = services_of(request), caller_of(request)
    job = await _job(request, (org_id, topic, task), job_id)
    if job.terminal:
        return
    try:
        await services.write(services.jobs.cancel, caller, job.id)
    except Problem as problem:
        if problem.code is not Code.CONFLICT:  # it ended after we looked
            raise


async def _job(request: AnyRequest, place: Place, job_id: str) -> Job:
    """Give a job that was submitted there.

    Raises:
        Problem: NOT_FOUND, also for a job of another organisation, topic or task.
    """
    services = services_of(request)
    here = (uuid_of(place[0], "org_id"), *place[1:])
    try:
        name = UUID(job_id)
    except ValueError:
        raise no_job(job_id) from None
    job = await services.read(services.jobs.get, caller_of(request), name)
    check_place(job, here, services.kinds)
    return job


def _encoded(body: object, job: Job) -> Response[Any]:
    status = HTTPStatus.OK if job.terminal else HTTPStatus.ACCEPTED
    return Response(msgspec.json.encode(body), status_code=status, media_type=MediaType.JSON)
