"""Recipes: kept by name and version, or only checked."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.params import JSONBody

from haulier.core.caller import Caller
from haulier.core.problem import Code, Problem
from haulier.engine.recipes.compiling import check_definition
from haulier.wire.auth import caller_of
from haulier.wire.dialect import services_of
from haulier.wire.ordo.errors import JSON, Detail, details_of
from haulier.wire.ordo.jobs import Created
from haulier.wire.ordo.paths import BASE, RECIPES

MEMBERS: Final = ("name", "version", "definition")

Asked = Request[Caller, None, State]


class Health(msgspec.Struct, frozen=True):
    """That the server answers."""

    status: str


class Verdict(msgspec.Struct, frozen=True, omit_defaults=True):
    """Whether a definition is one; `errors` are ours, the vendor tells the first alone."""

    valid: bool
    error: str = ""
    errors: tuple[Detail, ...] = ()


@get(f"{BASE}/health", opt={"public": True}, sync_to_thread=False)
def health() -> Health:
    """Say that the server answers."""
    return Health("ok")


@post(RECIPES, status_code=201)
async def create_recipe(request: Asked, data: JSONBody[dict[str, Any]]) -> Created:
    """Keep a recipe; where there is one of that name and version, its number is the answer."""
    if any(data.get(name) in (None, "") for name in MEMBERS):
        detail = "Missing required fields: name, version, definition"
        raise Problem(Code.INVALID, detail, at="recipe")
    services, caller = services_of(request), caller_of(request)
    kept = await services.write(
        services.recipes.ensure, caller.organisation, data, by=caller.subject
    )
    return Created(kept.number)


@post(f"{RECIPES}/validate", status_code=200, sync_to_thread=True)
def validate_recipe(request: Asked, data: JSONBody[dict[str, Any]]) -> Response[Verdict]:
    """Say whether a definition is one, and everything that is wrong with it."""
    if data.get("definition") is None:
        detail = "Missing required field: definition"
        raise Problem(Code.INVALID, detail, at="definition")
    verdict = _verdict(data, services_of(request).kinds.step_kinds)
    return Response(verdict, media_type=JSON)


def _verdict(data: Mapping[str, Any], kinds: Mapping[str, Any]) -> Verdict:
    try:
        check_definition(data["definition"], kinds)
    except Problem as problem:
        return Verdict(valid=False, error=problem.detail, errors=details_of(problem))
    return Verdict(valid=True)
