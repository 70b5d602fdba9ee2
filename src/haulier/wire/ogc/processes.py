"""Processes: list, describe, execute."""

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.openapi import ResponseSpec
from litestar.params import HeaderParameter, JSONBody, Parameter

from haulier.core.caller import Caller
from haulier.core.job import Job
from haulier.wire.auth import caller_of
from haulier.wire.dialect import AnyRequest, AnyResponse, base_url, services_of, view_of
from haulier.wire.ogc.bodies import JSON, Link, StatusInfo, status_info
from haulier.wire.ogc.describe import (
    ProcessDescription,
    ProcessList,
    description,
    summary,
)
from haulier.wire.ogc.execute import (
    Execute,
    Preference,
    patience_s,
    preference_of,
    submission_of,
    submit,
    until_ended,
)
from haulier.wire.ogc.results import answer, choice_of

Asked = Request[Caller, None, State]

ProcessId = Annotated[str, Parameter(description="The process's id, as the list gives it.")]


@get("/processes", sync_to_thread=False)
def list_processes(
    request: Asked,
    limit: Annotated[
        int, Parameter(ge=1, le=10_000, description="How many processes at most.")
    ] = 1000,
    offset: Annotated[
        int, Parameter(ge=0, le=10_000, description="How many to leave out first.")
    ] = 0,
) -> ProcessList:
    """Give the processes that can be executed."""
    kinds = services_of(request).kinds.all()
    base = base_url(request)
    url = f"{base}/processes?limit={limit}&offset="
    links = [Link(f"{url}{offset}", "self", JSON)]
    if offset + limit < len(kinds):
        links.append(Link(f"{url}{offset + limit}", "next", JSON))
    if offset:
        links.append(Link(f"{url}{max(0, offset - limit)}", "prev", JSON))
    shown = kinds[offset : offset + limit]
    return ProcessList(tuple(summary(kind, base) for kind in shown), tuple(links))


@get("/processes/{process_id:str}", sync_to_thread=False)
def describe_process(request: Asked, process_id: ProcessId) -> ProcessDescription:
    """Give a process with its inputs and outputs as JSON Schema."""
    return description(services_of(request).kinds.by_slug(process_id), base_url(request))


@post(
    "/processes/{process_id:str}/execution",
    responses={
        200: ResponseSpec(
            dict[str, Any],
            description="The results, of a synchronous run.",
            generate_examples=False,
        ),
        204: ResponseSpec(None, description="Done, and no output was asked by value."),
    },
)
async def execute(
    request: Asked,
    process_id: ProcessId,
    data: JSONBody[Execute],
    prefer: Annotated[
        str,
        HeaderParameter(
            name="prefer", description="`respond-async`, or `wait=<seconds>` for the end of it."
        ),
    ] = "",
) -> Response[StatusInfo]:
    """Execute a process: a job, or its results where the caller waits for them."""
    services, caller = services_of(request), caller_of(request)
    kind = services.kinds.by_slug(process_id)
    preference = preference_of(prefer)
    job = await submit(services, caller, submission_of(kind, data, base_url(request)))
    limit_s = patience_s(kind, preference)
    job = await until_ended(services, caller, job, limit_s)
    if job.terminal and limit_s > 0:
        return await _results(request, caller, job, preference)
    return started(request, job, preference)


async def _results(
    request: AnyRequest, caller: Caller, job: Job, preference: Preference
) -> AnyResponse:
    response = await answer(request, caller, job, choice_of(job, ()))
    monitor = f'<{base_url(request)}/jobs/{job.id}>; rel="monitor"'
    own = response.headers.get("link")
    response.headers["link"] = f"{own}, {monitor}" if own else monitor
    response.status_code = response.status_code or 200
    if preference.wait_s is not None:
        response.headers["preference-applied"] = Preference(wait_s=preference.wait_s).applied()
    return response


def started(request: AnyRequest, job: Job, preference: Preference) -> Response[Any]:
    """Answer with a job that goes on."""
    url = f"{base_url(request)}/jobs/{job.id}"
    headers = {"location": url, "link": f'<{url}>; rel="monitor"', "vary": "prefer"}
    if applied := preference.applied():
        headers["preference-applied"] = applied
    body = msgspec.json.encode(status_info(job, view_of(request)))
    return Response(body, status_code=201, headers=headers, media_type=JSON)
