"""What jobs gave: their results in the standard's shapes, and every artifact as a file."""

from datetime import datetime
from pathlib import PurePosixPath
from typing import Annotated
from urllib.parse import quote

import msgspec
from litestar import Request, Response, get, route
from litestar.datastructures import State
from litestar.openapi import ResponseSpec
from litestar.params import Parameter
from litestar.response import Stream

from haulier.core.artifact import Artifact
from haulier.core.caller import Caller
from haulier.core.problem import Code, Problem
from haulier.wire.auth import caller_of
from haulier.wire.dialect import base_url, services_of
from haulier.wire.ogc.files import GET_OR_HEAD
from haulier.wire.ogc.folders import send_folder, send_member
from haulier.wire.ogc.jobs import JobId, find_job
from haulier.wire.ogc.results import alone, answer, choice_of, results_of
from haulier.wire.ranges import send_file

Asked = Request[Caller, None, State]

OutputName = Annotated[str, Parameter(description="The output's name.")]


class ArtifactBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """A file that a job gave, and where to get it."""

    name: str
    filename: str
    media_type: str
    size_bytes: int
    sha256: str
    step: str
    href: str
    created_at: datetime | None = None
    folder: bool = False


class ArtifactList(msgspec.Struct, frozen=True):
    """The files that a job gave, in the order they were made."""

    artifacts: tuple[ArtifactBody, ...]


@get("/jobs/{job_id:str}/artifacts")
async def list_artifacts(request: Asked, job_id: JobId) -> ArtifactList:
    """Give the files that a job gave so far, those of finished steps included."""
    services, caller = services_of(request), caller_of(request)
    job = await find_job(services, caller, job_id)
    found = await services.read(services.jobs.artifacts, caller, job.id)
    url = f"{base_url(request)}/jobs/{job.id}/artifacts"
    return ArtifactList(tuple(_artifact(artifact, url) for artifact in found))


def _artifact(artifact: Artifact, url: str) -> ArtifactBody:
    return ArtifactBody(
        name=artifact.name,
        filename=artifact.filename,
        media_type=artifact.media_type,
        size_bytes=artifact.size_bytes,
        sha256=artifact.sha256,
        step=artifact.step,
        href=f"{url}/{quote(unique_name(artifact), safe='')}",
        created_at=artifact.created_at,
        folder=artifact.folder,
    )


def unique_name(artifact: Artifact) -> str:
    """Give what names an artifact among all of its job: two steps may use one name."""
    return f"{artifact.step}.{artifact.name}" if artifact.step else artifact.name


@route("/jobs/{job_id:str}/artifacts/{name:str}", http_method=GET_OR_HEAD)
async def get_artifact(request: Asked, job_id: JobId, name: OutputName) -> Stream:
    """Download an artifact, by its name or as "step.name", or a range of it; a folder as a tar."""
    artifact = await _artifact_of(request, job_id, name)
    if artifact.folder:
        return await send_folder(request, artifact)
    return await send_file(request, artifact)  # type: ignore[return-value]  # 304 has no stream


async def _artifact_of(request: Asked, job_id: str, name: str) -> Artifact:
    services, caller = services_of(request), caller_of(request)
    job = await find_job(services, caller, job_id)
    found = await services.read(services.jobs.artifacts, caller, job.id)
    artifact = next((one for one in found if unique_name(one) == name), None)
    if artifact is None:
        artifact = await services.read(services.jobs.artifact, caller, job.id, name)
    return artifact


@route("/jobs/{job_id:str}/artifacts/{name:str}/{path:path}", http_method=GET_OR_HEAD)
async def get_artifact_file(
    request: Asked,
    job_id: JobId,
    name: OutputName,
    path: Annotated[PurePosixPath, Parameter(description="A file's path in the folder.")],
) -> Stream:
    """Download a file of an artifact that is a folder, or a range of it: as a viewer reads it."""
    artifact = await _artifact_of(request, job_id, name)
    return await send_member(request, artifact, str(path).lstrip("/"))  # type: ignore[return-value]  # 304 has no stream


@get(
    "/jobs/{job_id:str}/results",
    responses={204: ResponseSpec(None, description="No output was asked by value.")},
)
async def get_results(
    request: Asked,
    job_id: JobId,
    outputs: Annotated[
        list[str] | None, Parameter(description="Only these outputs; all without it.")
    ] = None,
) -> Response[dict[str, object]]:
    """Give the results of a job, in the shape that its execute request asked for."""
    services, caller = services_of(request), caller_of(request)
    job = await find_job(services, caller, job_id)
    only = tuple(name for value in outputs or () for name in value.split(",") if name)
    return await answer(request, caller, job, choice_of(job, only))


@route("/jobs/{job_id:str}/results/{output:str}", http_method=GET_OR_HEAD)
async def get_result(request: Asked, job_id: JobId, output: OutputName) -> Stream:
    """Give one output as it is, or a range of it."""
    services, caller = services_of(request), caller_of(request)
    job = await find_job(services, caller, job_id)
    found = await results_of(services, caller, job)
    if output not in found:
        detail = f"the job has no output '{output}'; it has: {', '.join(found) or 'none'}"
        raise Problem(Code.NOT_FOUND, detail, at="artifact")
    return await alone(request, found[output])  # type: ignore[return-value]  # a value is no stream
