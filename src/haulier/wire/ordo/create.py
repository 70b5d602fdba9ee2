"""A request for a job: what it must say, in the vendor's words, and the submission it means."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from haulier.core.caller import Caller
from haulier.core.job import Job, Submission
from haulier.core.problem import Code, Problem
from haulier.engine.recipes.family import RECIPE
from haulier.engine.recipes.shelf import KeptRecipe
from haulier.engine.services import Services
from haulier.wire.notices import LABEL
from haulier.wire.ordo.paths import NAME
from haulier.wire.serial import LAST

#: What the vendor's own steps do where a recipe does not say it: its recipes give such
#: parameters no word, and keep the heights of points as they are.
VENDORS: Final[Mapping[str, Mapping[str, Any]]] = {"REPROJECT_LAS": {"vertical": "keep"}}


def submit(services: Services, caller: Caller, body: Mapping[str, Any]) -> Job:
    """Take a job on.

    Raises:
        Problem: INVALID, in the vendor's words where it has some; NOT_FOUND at "recipe_id".
    """
    for problem in _faults(body):
        raise problem
    kept = _recipe(services, caller, body)
    for problem in _missing_params(kept, body.get("params") or {}):
        raise problem
    params = {
        "recipe": as_the_vendor_does(kept.document, services),
        "inputs": body["inputs"],
        "params": body.get("params") or {},
        "outputs": body.get("outputs") or {},
    }
    labels = {LABEL: NAME, NAME: {"recipe_id": kept.number}}
    try:
        return services.jobs.submit(caller, Submission(RECIPE.name, params, labels=labels))
    except Problem as problem:
        raise _as_asked(problem) from None


def _faults(body: Mapping[str, Any]) -> Iterator[Problem]:
    """Say what is wrong with the members of a request, the first first."""
    if body.get("recipe_id") is not None:
        if isinstance(body["recipe_id"], bool) or not isinstance(body["recipe_id"], int | float):
            yield _wrong("recipe_id must be a number", "recipe_id")
    elif body.get("recipe") is None:
        detail = "Either recipe_id or recipe (name, version, definition) must be provided"
        yield _wrong(detail, "recipe")
    elif not isinstance(body["recipe"], Mapping) or not {"name", "version", "definition"} <= {
        name for name, value in body["recipe"].items() if value not in (None, "")
    }:
        yield _wrong("recipe must have name, version, and definition", "recipe")
    yield from _inputs(body.get("inputs"))
    yield from _outputs(body.get("outputs"))
    if body.get("params") is not None and not isinstance(body["params"], Mapping):
        yield _wrong("params must be an object", "params")


def _inputs(inputs: object) -> Iterator[Problem]:
    if not isinstance(inputs, Mapping):
        yield _wrong("inputs must be an object", "inputs")
        return
    for name, given in inputs.items():
        found = given if isinstance(given, Mapping) else {}
        if not all(isinstance(found.get(each), str) for each in ("type", "uri", "hash")):
            detail = f'Invalid artifact "{name}": must have type, uri, and hash as strings'
            yield _wrong(detail, f"inputs.{name}")


def _outputs(outputs: object) -> Iterator[Problem]:
    if outputs is None:
        return
    if not isinstance(outputs, Mapping):
        yield _wrong("outputs must be an object", "outputs")
        return
    for name, wanted in outputs.items():
        if not isinstance(wanted, Mapping) or not isinstance(wanted.get("path"), str):
            yield _wrong(f'Invalid output "{name}": must have path as a string', f"outputs.{name}")


def _missing_params(kept: KeptRecipe, params: Mapping[str, Any]) -> Iterator[Problem]:
    """Say which parameters a recipe asks of its jobs and this one does not give.

    The vendor wants every one of them, also where a step would do without it.
    """
    closing = kept.definition.get("on_exit") or []
    every = [*kept.definition["recipe"], *(closing if isinstance(closing, list) else [closing])]
    for step in every:
        said = params.get(step["id"])
        given = {*step.get("params", {}), *(said if isinstance(said, Mapping) else {})}
        for name in step.get("param_keys", ()):
            if name not in given:
                detail = f'Step "{step["id"]}" missing required parameter: {name}'
                yield _wrong(detail, f"params.{step['id']}.{name}")


def _wrong(detail: str, at: str) -> Problem:
    return Problem(Code.INVALID, detail, at=at)


def _recipe(services: Services, caller: Caller, body: Mapping[str, Any]) -> KeptRecipe:
    """Give the recipe of a number, or of a name and version, which is kept where it is new."""
    number = body.get("recipe_id")
    if number is not None:
        if not 0 < number <= LAST or number != int(number):
            detail = f"Recipe with id {number} not found"
            raise Problem(Code.NOT_FOUND, detail, at="recipe_id")
        return services.recipes.get(caller.organisation, int(number))
    return services.recipes.ensure(caller.organisation, body["recipe"], by=caller.subject)


def as_the_vendor_does(recipe: Mapping[str, Any], services: Services) -> dict[str, Any]:
    """Give a recipe whose steps do what the vendor's do where the recipe is silent."""
    definition = dict(recipe["definition"])
    definition["recipe"] = [_spoken(step, services) for step in definition["recipe"]]
    return {**recipe, "definition": definition}


def _spoken(step: Mapping[str, Any], services: Services) -> Mapping[str, Any]:
    name = str(step.get("type", "")).partition("@")[0]
    kind = services.kinds.step_kinds.get(name)
    known = kind.params.__struct_encode_fields__ if kind else ()
    silent = {
        key: value
        for key, value in VENDORS.get(name, {}).items()
        if key in known and key not in step.get("param_keys", ())
    }
    return {**step, "params": {**silent, **step.get("params", {})}} if silent else step


def _as_asked(problem: Problem) -> Problem:
    """Give a problem of the job at the member of the request that it comes from."""
    faults = [
        msgspec.structs.replace(fault, at=fault.at.removeprefix("recipe."))
        for fault in problem.faults
    ]
    return Problem(problem.code, problem.detail, at=problem.at, faults=faults)
