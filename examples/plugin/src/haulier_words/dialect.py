"""The dialect "words": a wire of three routes, with words of its own for everything."""

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post
from litestar.datastructures import State as AppState
from litestar.params import JSONBody, Parameter
from litestar.types import ControllerRouterHandler

from haulier.core.caller import Caller
from haulier.core.job import Job, Submission
from haulier.core.lifecycle import State
from haulier.core.problem import Code, Problem
from haulier.engine.services import Services
from haulier.wire.auth import caller_of
from haulier.wire.dialect import (
    AnyRequest,
    AnyResponse,
    Dialect,
    Reply,
    View,
    services_of,
    view_of,
)
from haulier_words.family import WORD_COUNT

LONGEST_NUMBER = 10  # digits; more is no number of a job

Asked = Request[Caller, None, AppState]
Number = Annotated[str, Parameter(description="The number of a count.")]

WORDS = {
    State.QUEUED: "waiting",
    State.RUNNING: "counting",
    State.CANCELLING: "stopping",
    State.SUCCEEDED: "counted",
    State.PARTIAL: "partly counted",
    State.FAILED: "failed",
    State.CANCELLED: "stopped",
}

# fmt: off
REPLIES = {
    Code.INVALID:            Reply(400, "wrong"),
    Code.UNAUTHENTICATED:    Reply(401, "who are you"),
    Code.FORBIDDEN:          Reply(403, "not yours to do"),
    Code.NOT_FOUND:          Reply(404, "not here"),
    Code.METHOD_NOT_ALLOWED: Reply(405, "not that way"),
    Code.NOT_ACCEPTABLE:     Reply(406, "not in that form"),
    Code.CONFLICT:           Reply(409, "not now"),
    Code.NOT_READY:          Reply(409, "not counted yet"),
    Code.NO_RESULT:          Reply(410, "never counted"),
    Code.PRECONDITION:       Reply(412, "not as you think"),
    Code.TOO_LARGE:          Reply(413, "too long"),
    Code.UNSUPPORTED:        Reply(415, "not that kind"),
    Code.RANGE:              Reply(416, "beyond the end"),
    Code.TOO_MANY:           Reply(429, "too often"),
    Code.CANCELLED:          Reply(410, "stopped"),
    Code.TIMEOUT:            Reply(504, "too slow"),
    Code.OUT_OF_MEMORY:      Reply(507, "too big"),
    Code.CRASHED:            Reply(500, "broke down"),
    Code.UNAVAILABLE:        Reply(503, "come back later"),
    Code.INTERNAL:           Reply(500, "our fault"),
}
# fmt: on


class Ask(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A text to count: a file of a storage, and how many of its words to name."""

    storage: str
    filename: str
    top: int = 10


class Count(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A count, as it stands."""

    number: int
    state: str
    done: float
    words: int | None = None
    top: list[Any] | None = None
    error: str = ""


class Refusal(msgspec.Struct, frozen=True):
    """What went wrong, in a word and in a sentence, and where."""

    word: str
    sentence: str
    field: str


def render(job: Job, view: View) -> Count:
    """Give a job as this wire shows it."""
    del view  # there are no links
    return Count(
        number=job.number,
        state=WORDS[job.state],
        done=job.progress.fraction,
        words=(job.statistics or {}).get("num_words"),
        top=(job.result or {}).get("top"),
        error=job.problem.detail if job.problem else "",
    )


def render_problem(problem: Problem, request: AnyRequest) -> AnyResponse:
    """Give a problem as this wire shows it."""
    del request
    reply = REPLIES[problem.code]
    sentences = [fault.detail for fault in problem.faults] or [problem.detail]
    body = Refusal(reply.word, "; ".join(sentences), problem.at)
    return Response(body, status_code=reply.status, media_type="application/json")


@post("/words/counts")
async def begin_count(request: Asked, data: JSONBody[Ask]) -> Response[Count]:
    """Begin to count the words of a text."""
    services = services_of(request)
    params = {"input": {"storage": data.storage, "filename": data.filename}, "top": data.top}
    wanted = Submission(kind=WORD_COUNT.name, params=params)
    job = await services.write(services.jobs.submit, caller_of(request), wanted)
    location = {"location": f"/words/counts/{job.number}"}
    return Response(render(job, view_of(request)), status_code=201, headers=location)


@get("/words/counts/{number:str}")
async def get_count(request: Asked, number: Number) -> Count:
    """Say how far a count is, and what it found."""
    return render(await _find(request, number), view_of(request))


@post("/words/counts/{number:str}/stop", status_code=200)
async def stop_count(request: Asked, number: Number) -> Count:
    """Stop a count."""
    services, job = services_of(request), await _find(request, number)
    stopped = await services.write(services.jobs.cancel, caller_of(request), job.id)
    return render(stopped, view_of(request))


async def _find(request: Asked, number: str) -> Job:
    services = services_of(request)
    if not (number.isascii() and number.isdigit()) or len(number) > LONGEST_NUMBER:
        raise Problem(Code.NOT_FOUND, f"there is no count {number}", at="number")
    return await services.read(services.jobs.get_by_number, caller_of(request), int(number))


def routes(services: Services) -> Sequence[ControllerRouterHandler]:
    """Give the handlers of this wire."""
    del services  # each request finds them
    return [begin_count, get_count, stop_count]


DIALECT = Dialect(
    name="words",
    title="Words: counting texts",
    prefixes=("/words",),
    key_headers=("x-words-key",),
    words=WORDS,
    replies=REPLIES,
    document_path="/words/openapi.json",
    problem_type=Refusal,
    render=render,
    render_problem=render_problem,
    routes=routes,
)
