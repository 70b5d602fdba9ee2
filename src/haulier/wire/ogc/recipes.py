"""Recipes: kept by name and version, checked before they run, and planned without running."""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from litestar import Request, get, post
from litestar.datastructures import State
from litestar.params import JSONBody, Parameter

from haulier.core.caller import Caller
from haulier.core.job import Submission
from haulier.core.problem import Code, Fault, Problem
from haulier.core.recipe import Recipe
from haulier.engine.recipes.compiling import check_definition
from haulier.engine.recipes.documents import recipe_schema
from haulier.engine.recipes.family import RECIPE
from haulier.engine.recipes.shelf import KeptRecipe
from haulier.wire.auth import caller_of
from haulier.wire.dialect import services_of
from haulier.wire.serial import find_number

Asked = Request[Caller, None, State]


class RecipeList(msgspec.Struct, frozen=True):
    """The recipes that an organisation sees."""

    recipes: tuple[KeptRecipe, ...]


class RecipeBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A recipe, as it is written."""

    name: str
    version: str
    definition: dict[str, Any]
    description: str = ""


class DefinitionBody(msgspec.Struct, frozen=True):
    """A definition to be checked."""

    definition: dict[str, Any]


class FaultBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that is wrong with a definition, and what may have been meant."""

    path: str
    code: str
    message: str
    suggestion: str = ""


class Verdict(msgspec.Struct, frozen=True):
    """Whether a definition hangs together, and everything that is wrong with it."""

    valid: bool
    errors: tuple[FaultBody, ...] = ()


class PlannedStep(msgspec.Struct, frozen=True):
    """A step as it would run; `cost_s` are seconds of one core for what nobody measured yet."""

    id: str
    kind: str
    family: str
    params: Mapping[str, Any]
    needs: tuple[str, ...]
    after: tuple[str, ...]
    cost_s: float


class Plan(msgspec.Struct, frozen=True):
    """What a job would do, and what it would take of one core."""

    steps: tuple[PlannedStep, ...]
    cost_s: float


@get("/recipes")
async def list_recipes(request: Asked) -> RecipeList:
    """Give the recipes that the organisation sees, by name."""
    services = services_of(request)
    organisation = caller_of(request).organisation
    return RecipeList(tuple(await services.write(services.recipes.list, organisation)))


@get("/recipes/schema", opt={"public": True}, sync_to_thread=False)
def get_schema() -> dict[str, Any]:
    """Give the JSON Schema of a recipe, for editors."""
    return recipe_schema()


@get("/recipes/{recipe_id:str}")
async def get_recipe(
    request: Asked,
    recipe_id: Annotated[str, Parameter(description="The number of a recipe.")],
) -> KeptRecipe:
    """Give a recipe, which a job may take as it is."""
    number = find_number(recipe_id)
    if number is None:
        raise Problem(Code.NOT_FOUND, f"no recipe {recipe_id}", at="recipe_id")
    services = services_of(request)
    organisation = caller_of(request).organisation
    return await services.write(services.recipes.get, organisation, number)


@post("/recipes")
async def create_recipe(request: Asked, data: JSONBody[RecipeBody]) -> KeptRecipe:
    """Keep a recipe; where there is one of that name and version, it is the answer."""
    services, caller = services_of(request), caller_of(request)
    recipe = msgspec.to_builtins(data)
    return await services.write(
        services.recipes.ensure, caller.organisation, recipe, by=caller.subject
    )


@post("/recipes/validate", status_code=200, sync_to_thread=True)
def validate_recipe(request: Asked, data: JSONBody[DefinitionBody]) -> Verdict:
    """Say everything that is wrong with a definition, with what was meant where that is clear."""
    try:
        check_definition(data.definition, services_of(request).kinds.step_kinds)
    except Problem as problem:
        return Verdict(valid=False, errors=tuple(map(_fault_body, problem.faults)))
    return Verdict(valid=True)


def _fault_body(fault: Fault) -> FaultBody:
    return FaultBody(fault.at, fault.word, fault.detail, fault.suggestion)


@post("/recipes/plan", status_code=200)
async def plan_recipe(request: Asked, data: JSONBody[dict[str, Any]]) -> Plan:
    """Check a job of a recipe, and give what it would do, without doing it."""
    services = services_of(request)
    recipe = await services.write(
        services.jobs.plan, caller_of(request), Submission(RECIPE.name, data)
    )
    return plan_of(recipe)


def plan_of(recipe: Recipe) -> Plan:
    """Give the plan of a recipe that was compiled."""
    steps = tuple(
        PlannedStep(
            step.id, step.kind, step.family, step.params, step.needs, step.after, step.weight
        )
        for layer in recipe.levels()
        for step in layer
    )
    return Plan(steps, sum(step.cost_s for step in steps))
