"""Health of the services, in the words of the vendor's client."""

import asyncio
from typing import Annotated, Any, Final, Literal

import msgspec
from litestar import MediaType, Request, Response, get
from litestar.datastructures import State
from litestar.params import Parameter

import haulier
from haulier.core.caller import Caller
from haulier.wire.dialect import AnyRequest, services_of
from haulier.wire.evo.paths import OBJECTS, WORKSPACES

Asked = Request[Caller, None, State]
Word = Literal["pass", "fail"]


class Health(msgspec.Struct, frozen=True):
    """How a service is, and what it stands on."""

    status: Word
    version: str
    dependencies: dict[str, Word]


Full = Annotated[bool, Parameter(description="A document, and not one word.")]
#: For programs that watch, as our own probes are; so in no document.
PROBE: Final[dict[str, Any]] = {"opt": {"public": True}, "include_in_schema": False}


@get(f"{OBJECTS}/health_check", **PROBE)
async def check_objects(request: Asked, *, full: Full = False) -> Response[Any]:
    """Give whether what objects stand on is well."""
    return await _answer(request, full=full)


@get(f"{WORKSPACES}/health_check", **PROBE)
async def check_workspaces(request: Asked, *, full: Full = False) -> Response[Any]:
    """Give whether what workspaces stand on is well."""
    return await _answer(request, full=full)


async def _answer(request: AnyRequest, *, full: bool) -> Response[Any]:
    services = services_of(request)
    names = ("database", "storage")
    calls = (services.health.database, services.health.storage)
    wrong = await asyncio.gather(*(services.write(call) for call in calls))
    known: dict[str, Word] = {
        name: "fail" if detail else "pass" for name, detail in zip(names, wrong, strict=True)
    }
    status: Word = "fail" if any(wrong) else "pass"
    body = msgspec.json.encode(Health(status, haulier.__version__, known))
    return Response(
        body if full else status,
        status_code=503 if any(wrong) else 200,
        media_type=MediaType.JSON if full else MediaType.TEXT,
    )
