"""Results: which outputs a job has, and each by value or by reference, raw or in a document."""

import base64
import uuid
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

import msgspec
from litestar import Response
from litestar.response import Stream

from haulier.core.artifact import Artifact
from haulier.core.caller import Caller
from haulier.core.job import Job
from haulier.core.lifecycle import State
from haulier.core.problem import Code, Problem
from haulier.engine.services import Services
from haulier.wire.dialect import AnyRequest, AnyResponse, View, services_of, view_of
from haulier.wire.ogc.bodies import JSON
from haulier.wire.ogc.execute import LABEL, Wanted
from haulier.wire.ranges import send_file

INLINE_BYTES: Final = 64 * 1024  # text up to this goes by value when nobody says how
VALUE_BYTES: Final = 16 * 1024 * 1024  # more than this cannot be asked by value


@dataclass(frozen=True, slots=True)
class Result:
    """One output of an ended job: a value, or a file."""

    name: str
    value: object = None
    file: Artifact | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """Which outputs are wanted, and how; None of a member: nothing was said."""

    outputs: Mapping[str, Wanted] | None
    response: str | None


def choice_of(job: Job, only: tuple[str, ...]) -> Choice:
    """Give what the execute request said, narrowed to `only` where that names outputs."""
    said = job.labels.get(LABEL, {})
    outputs = said.get("outputs")
    wanted = None if outputs is None else msgspec.convert(outputs, dict[str, Wanted])
    if only:
        wanted = {name: (wanted or {}).get(name, Wanted()) for name in only}
    return Choice(wanted, said.get("response"))


async def results_of(services: Services, caller: Caller, job: Job) -> dict[str, Result]:
    """Give the outputs of an ended job, by name.

    Raises:
        Problem: NOT_READY while it runs, NO_RESULT after a cancel, its own after a failure.
    """
    _refuse_without(job)
    found = {name: Result(name, value) for name, value in (job.result or {}).items()}
    declared = _declared(services, job.kind)
    for artifact in await services.read(services.jobs.artifacts, caller, job.id):
        if not declared or artifact.name in declared:
            found[artifact.name] = Result(artifact.name, file=artifact)
    return found


def _declared(services: Services, kind: str) -> frozenset[str]:
    try:
        return frozenset(output.name for output in services.kinds.get(kind).results)
    except Problem:  # a kind that is not installed any more: show all that there is
        return frozenset()


def _refuse_without(job: Job) -> None:
    if not job.terminal:
        raise Problem(Code.NOT_READY, f"job {job.id} has not ended yet, it is {job.state}")
    if job.state is State.CANCELLED:
        raise Problem(Code.NO_RESULT, f"job {job.id} was dismissed, so it has no results")
    if job.state is State.FAILED:
        if job.problem is None:
            raise Problem(Code.INTERNAL, f"job {job.id} failed without a word")
        raise Problem.of(job.problem)


async def answer(request: AnyRequest, caller: Caller, job: Job, choice: Choice) -> AnyResponse:
    """Answer with the chosen outputs in the chosen shape.

    One output that was asked for alone comes raw, and everything else as a document, unless
    the request said otherwise.
    """
    services = services_of(request)
    if choice.outputs is not None and not choice.outputs:
        _refuse_without(job)
        return Response(b"", status_code=204)
    found = await results_of(services, caller, job)
    chosen = _chosen(found, choice)
    shape = choice.response or ("raw" if len(chosen) == 1 and choice.outputs else "document")
    if shape == "document":
        view = view_of(request)
        document = {
            result.name: await _member(services, job, result, wanted, view)
            for result, wanted in chosen
        }
        return Response(msgspec.json.encode(document), media_type=JSON)
    if len(chosen) == 1:
        return await _raw(request, job, *chosen[0])
    return _multipart(services, job, chosen, view_of(request))


def _chosen(found: Mapping[str, Result], choice: Choice) -> list[tuple[Result, Wanted]]:
    if choice.outputs is None:
        return [(result, Wanted()) for result in found.values()]
    missing = [name for name in choice.outputs if name not in found]
    if missing:
        known = ", ".join(found) or "none"
        detail = f"the job has no output '{missing[0]}'; it has: {known}"
        raise Problem(Code.INVALID, detail, at=f"outputs.{missing[0]}")
    return [(found[name], wanted) for name, wanted in choice.outputs.items()]


def result_url(job: Job, name: str, view: View) -> str:
    """Give where one output is served alone."""
    return f"{view.base_url}/jobs/{job.id}/results/{quote(name, safe='')}"


def _by_reference(file: Artifact, wanted: Wanted) -> bool:
    if wanted.transmission is None:
        return not _is_text(file.media_type) or file.size_bytes > INLINE_BYTES
    return wanted.transmission == "reference"


def _is_json(media_type: str) -> bool:
    return media_type.partition(";")[0].endswith(("/json", "+json"))


def _is_text(media_type: str) -> bool:
    return media_type.startswith("text/") or _is_json(media_type)


async def _member(
    services: Services, job: Job, result: Result, wanted: Wanted, view: View
) -> object:
    """Give one output as a member of a results document."""
    file = result.file
    if file is None:
        if wanted.transmission == "reference":
            return {"href": result_url(job, result.name, view), "type": JSON}
        # the standard wants an object wrapped, so that it is not taken for a link
        return {"value": result.value} if isinstance(result.value, dict) else result.value
    if _by_reference(file, wanted):
        return _reference(job, file, view)
    content = await _content(services, file)
    if _is_json(file.media_type):
        return {"value": msgspec.json.decode(content), "mediaType": file.media_type}
    if _is_text(file.media_type):
        return {"value": content.decode("utf-8", "replace"), "mediaType": file.media_type}
    encoded = base64.b64encode(content).decode()
    return {"value": encoded, "encoding": "base64", "mediaType": file.media_type}


def _reference(job: Job, file: Artifact, view: View) -> dict[str, Any]:
    return {
        "href": result_url(job, file.name, view),
        "type": file.media_type,
        "title": file.filename,
        "length": file.size_bytes,
    }


async def _content(services: Services, file: Artifact) -> bytes:
    if file.size_bytes > VALUE_BYTES:
        raise Problem(
            Code.TOO_LARGE,
            f"output '{file.name}' has {file.size_bytes} bytes, by value at most {VALUE_BYTES} "
            'go; ask for it with "transmissionMode": "reference"',
            at=f"outputs.{file.name}",
        )
    return b"".join([chunk async for chunk in await services.files.open_artifact(file)])


async def _raw(request: AnyRequest, job: Job, result: Result, wanted: Wanted) -> AnyResponse:
    """Answer with one output as it is, or with a link to it and no body."""
    if wanted.transmission == "reference":
        link = f'<{result_url(job, result.name, view_of(request))}>; rel="{quote(result.name)}"'
        return Response(b"", status_code=204, headers={"link": link})
    return await alone(request, result)


async def alone(request: AnyRequest, result: Result) -> AnyResponse:
    """Answer with one output as it is; a file in parts, where a range is asked."""
    if result.file is not None:
        return await send_file(request, result.file)
    text = isinstance(result.value, str)
    body = str(result.value).encode() if text else msgspec.json.encode(result.value)
    content_type = "text/plain; charset=utf-8" if text else JSON
    headers = {"content-type": content_type, "content-length": str(len(body))}
    return Response(b"" if request.method == "HEAD" else body, headers=headers)


def _multipart(
    services: Services, job: Job, chosen: list[tuple[Result, Wanted]], view: View
) -> AnyResponse:
    """Answer with several raw outputs in one body (RFC 2387), streamed one after another."""
    boundary = uuid.uuid4().hex

    async def parts() -> AsyncIterator[bytes]:
        for result, wanted in chosen:
            yield f"--{boundary}\r\nContent-ID: <{quote(result.name)}>\r\n".encode()
            async for chunk in _part(services, job, result, wanted, view):
                yield chunk
            yield b"\r\n"
        yield f"--{boundary}--\r\n".encode()

    return Stream(parts(), headers={"content-type": f"multipart/related; boundary={boundary}"})


async def _part(
    services: Services, job: Job, result: Result, wanted: Wanted, view: View
) -> AsyncIterator[bytes]:
    if wanted.transmission == "reference":
        yield f"Content-Location: {result_url(job, result.name, view)}\r\n\r\n".encode()
    elif result.file is not None:
        yield f"Content-Type: {result.file.media_type}\r\n\r\n".encode()
        async for chunk in await services.files.open_artifact(result.file):
            yield chunk
    else:
        text = isinstance(result.value, str)
        yield f"Content-Type: {'text/plain; charset=utf-8' if text else JSON}\r\n\r\n".encode()
        yield str(result.value).encode() if text else msgspec.json.encode(result.value)
