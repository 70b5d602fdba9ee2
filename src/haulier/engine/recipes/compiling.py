"""Make of a recipe and what a job brings the steps that run."""

from collections.abc import Mapping
from itertools import chain, islice
from typing import Any, Final

import msgspec

from haulier.core.problem import Code, Fault, Problem
from haulier.core.recipe import InputCheck, Recipe, Retries, Reuse, StepPlan
from haulier.core.stepkind import ANY, StepKind
from haulier.engine.recipes.binding import Bound, bind
from haulier.engine.recipes.checks import StepKinds, faults_of, find_kind, producers
from haulier.engine.recipes.documents import Definition, RecipeJob, RetriesDoc, StepDoc
from haulier.engine.recipes.reading import MOST_FAULTS, read, reference, references
from haulier.engine.recipes.webhook import ENGINE

#: The codes of problems that a recipe's words for them mean.
TRIED_AGAIN: Final[Mapping[str, tuple[Code, ...]]] = {
    "transient": (Code.CRASHED, Code.UNAVAILABLE),
    "timeout": (Code.TIMEOUT,),
    "oom": (Code.OUT_OF_MEMORY,),
    "any": tuple(Code),
}
#: What an input is taken to hold where nobody says how much it is: for the shares of progress.
UNITS: Final = 10_000_000


def check_definition(raw: object, kinds: StepKinds) -> Definition:
    """Give a definition whose steps hang together.

    Raises:
        Problem: INVALID, with every fault.
    """
    found = read(raw)
    _refuse(list(islice(chain(found.faults, faults_of(found.definition, kinds)), MOST_FAULTS)))
    return found.definition


def compile_job(job: RecipeJob, kinds: StepKinds, owners: Mapping[str, str]) -> Recipe:
    """Give the steps of a job of a recipe.

    Args:
        job: as the caller wrote it, with the whole recipe.
        kinds: what there is to be done.
        owners: step kind to the family that does it.

    Raises:
        Problem: INVALID, with every fault of the recipe, or else of what the job brings.
    """
    _refuse(
        [
            Fault(f"recipe.{name}", f"recipe.{name} is required", "MISSING")
            for name in ("name", "version", "definition")
            if name not in job.recipe
        ]
    )
    try:
        definition = check_definition(job.recipe["definition"], kinds)
    except Problem as problem:
        raise _below(problem, "recipe") from None
    bound, faults = bind(job, definition, kinds)
    _refuse(faults)
    main = [step.id for step in definition.recipe]
    plans = [_plan(step, kinds, owners, bound) for step in definition.recipe]
    closing = [
        msgspec.structs.replace(
            _plan(step, kinds, owners, bound),
            after=tuple(main),
            closing=True,
            optional=True,
            fatal=False,
        )
        for step in definition.on_exit
    ]
    return Recipe((*plans, *closing), bound.deliveries)


def _plan(step: StepDoc, kinds: StepKinds, owners: Mapping[str, str], bound: Bound) -> StepPlan:
    kind = find_kind(step.type, kinds)
    assert kind is not None  # noqa: S101 -- the definition was checked
    waited = {name for name in step.inputs if kind.accepts[name].type == ANY}
    inputs = {
        name: _bound(value, bound) for name, value in step.inputs.items() if name not in waited
    }
    made_by = {name: producers(_only(step, name)) for name in step.inputs}
    needs = set[str]().union(*(made_by[name] for name in inputs))
    after = set[str]().union(*(made_by[name] for name in waited)) - needs
    return StepPlan(
        id=step.id,
        family=owners[kind.name],
        kind=kind.name,
        params=bound.params[step.id],
        needs=tuple(sorted(needs)),
        after=tuple(sorted(after)),
        weight=kind.cost.fixed_s + kind.cost.us_per_unit * UNITS / 1e6,
        inputs=inputs,
        stages=kind.stages,
        reuse=Reuse(step.cache) if kind.deterministic else Reuse.OFF,
        optional=step.optional or owners[kind.name] == ENGINE,  # a webhook never changes the job
        fatal=step.on_failure == "fail_job" and owners[kind.name] != ENGINE,
        retries=_retries(step.retries),
        timeout_s=step.timeout_s,
        checks=_checks(step, bound),
    )


def _only(step: StepDoc, slot: str) -> StepDoc:
    return msgspec.structs.replace(step, inputs={slot: step.inputs[slot]})


def _bound(value: str | tuple[str, ...], bound: Bound) -> Any:  # noqa: ANN401 -- JSON
    """Give what a slot refers to as a step reads it: an artifact's name, or a file."""
    if not isinstance(value, str):
        return [_bound(each, bound) for each in value]
    found = reference(value)
    return value if found and found[0] else msgspec.to_builtins(bound.files[value])


def _retries(said: RetriesDoc) -> Retries:
    codes = {code for word in said.on for code in TRIED_AGAIN[word]}
    return Retries(said.max, said.backoff_s, tuple(sorted(codes))) if said.max else Retries()


def _checks(step: StepDoc, bound: Bound) -> tuple[InputCheck, ...]:
    names = {text for value in step.inputs.values() for text in references(value)}
    return tuple(
        InputCheck(f"inputs.{name}.hash", bound.files[name], bound.hashes[name])
        for name in sorted(names & bound.hashes.keys())
    )


def _refuse(faults: list[Fault]) -> None:
    if faults:
        raise Problem(Code.INVALID, faults[0].detail, at=faults[0].at, faults=faults)


def _below(problem: Problem, at: str) -> Problem:
    faults = [msgspec.structs.replace(fault, at=f"{at}.{fault.at}") for fault in problem.faults]
    return Problem(problem.code, problem.detail, at=f"{at}.{problem.at}", faults=faults)


def cost_s(kind: StepKind, units: float) -> float:
    """Give the seconds of one core that a step kind takes for so many units of input."""
    return kind.cost.fixed_s + kind.cost.us_per_unit * units / 1e6
