"""What a job brings to a recipe: artifacts, parameters, destinations; every fault at once."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any, Final, NamedTuple

from haulier.core.artifact import FileRef, check_path
from haulier.core.problem import Fault, Problem
from haulier.core.recipe import Delivery
from haulier.core.stepkind import Slot
from haulier.engine.recipes.checks import (
    StepKinds,
    artifacts_of,
    find_kind,
    fits,
    initial_inputs,
    parameters,
)
from haulier.engine.recipes.documents import Definition, InputDoc, OutputDoc, RecipeJob, StepDoc
from haulier.engine.recipes.reading import MOST_FAULTS, nearest, reference, references
from haulier.engine.refusal import decode, each_fault

SCHEME: Final = "storage://"
NAMED: Final = 20  # how many storages a fault lists
_HASH: Final = re.compile(r"(?:sha256:)?([0-9a-fA-F]{64})")


class Bound(NamedTuple):
    """What a job brings, once it is right."""

    files: Mapping[str, FileRef]  # "job:NAME" to the file
    hashes: Mapping[str, str]  # "job:NAME" to the SHA-256 that it must have
    params: Mapping[str, Mapping[str, Any]]  # step to its parameters, whole
    deliveries: tuple[Delivery, ...]


def bind(job: RecipeJob, definition: Definition, kinds: StepKinds) -> tuple[Bound, list[Fault]]:
    """Give what a job brings to a definition that is right, and what is wrong with it."""
    first = chain(_missing(job, definition), _types(job, definition, kinds))
    faults = list(islice(first, MOST_FAULTS))
    files = {
        name: ref
        for name, given in job.inputs.items()
        if (ref := _file(job, given.uri, f"inputs.{name}.uri", faults)) is not None
    }
    hashes = {name: known for name, given in job.inputs.items() if (known := hash_of(given))}
    params = {
        step.id: found
        for step in (*definition.recipe, *definition.on_exit)
        if (found := _resolved(step, job, kinds, faults)) is not None
    }
    faults += islice(_strangers(job, definition), MOST_FAULTS)
    deliveries = tuple(_deliveries(job, definition, kinds, faults))
    faults += _nested(deliveries, files, artifacts_of(definition, kinds))
    return Bound(files, hashes, params, deliveries), faults[:MOST_FAULTS]


def hash_of(given: InputDoc) -> str:
    """Give the SHA-256 that an input must have; empty where its hash is but a label."""
    found = _HASH.fullmatch(given.hash)
    return found[1].lower() if found else ""


def _missing(job: RecipeJob, definition: Definition) -> Iterator[Fault]:
    required = initial_inputs(definition)
    for name in required:
        if name not in job.inputs:
            detail = f"Missing required initial input artifact: {name}"
            yield Fault(f"inputs.{name}", detail, "MISSING_INPUT", nearest(name, job.inputs))
    for name in job.inputs:
        if name not in required:
            detail = (
                f'Unexpected input artifact "{name}": not required by recipe. '
                f"Required inputs: {', '.join(required)}"
            )
            yield Fault(f"inputs.{name}", detail, "UNEXPECTED_INPUT", nearest(name, required))


def _types(job: RecipeJob, definition: Definition, kinds: StepKinds) -> Iterator[Fault]:
    """Say which artifacts of the job's are not what a slot takes."""
    for step in (*definition.recipe, *definition.on_exit):
        kind = find_kind(step.type, kinds)
        for slot, value in step.inputs.items():
            for name in references(value):
                given = job.inputs.get(name)
                if given and kind and not fits(kind.accepts[slot], given.type):
                    takes = " or ".join((kind.accepts[slot].type, *kind.accepts[slot].also))
                    detail = (
                        f'Step "{step.id}" slot mismatch: {slot} takes {takes}, '
                        f'but "{name}" is {given.type}'
                    )
                    yield Fault(f"inputs.{name}.type", detail, "SLOT_MISMATCH")


def _file(job: RecipeJob, uri: str, at: str, faults: list[Fault]) -> FileRef | None:
    """Give the file of a path in the job's storage, or of storage://NAME/path."""
    storage, path = job.storage, uri
    if uri.startswith(SCHEME):
        storage, _, path = uri.removeprefix(SCHEME).partition("/")
    elif "://" in uri:
        detail = f'{at} must be a path in the storage or "storage://NAME/path", got "{uri}"'
        faults.append(Fault(at, detail, "BAD_URI"))
        return None
    try:
        return FileRef(storage, check_path(path.rstrip("/"), at=at))
    except Problem as problem:
        faults.append(Fault(at, problem.detail, "BAD_URI"))
        return None


def storages_of(job: RecipeJob) -> Mapping[str, str]:
    """Give the storages that a job reads and writes: the field that names each to its name."""
    texts = {f"inputs.{name}.uri": given.uri for name, given in job.inputs.items()}
    texts |= {f"outputs.{name}.path": wanted.path for name, wanted in job.outputs.items()}
    unread: list[Fault] = []  # what cannot be read is told by `bind`
    return {
        at if text.startswith(SCHEME) else "storage": ref.storage
        for at, text in texts.items()
        if (ref := _file(job, text, at, unread)) is not None
    }


def unknown_storages(named: Mapping[str, str], known: Collection[str]) -> Iterator[Fault]:
    """Say which fields of `storages_of` name a storage that there is not."""
    there = ", ".join(islice(known, NAMED)) + (", …" if len(known) > NAMED else "")
    for at, name in named.items():
        if name not in known:
            detail = f"{at} names no storage that there is, got '{name}'; there are: {there}"
            yield Fault(at, detail, "UNKNOWN_STORAGE", nearest(name, known))


def _resolved(
    step: StepDoc, job: RecipeJob, kinds: StepKinds, faults: list[Fault]
) -> Mapping[str, Any] | None:
    """Give a step's parameters: the recipe's, and the job's where the recipe lets it."""
    kind = find_kind(step.type, kinds)
    if kind is None:
        return None
    said, at = job.params.get(step.id, {}), f"params.{step.id}"
    for name in said:
        if name not in step.param_keys:
            allowed = ", ".join(step.param_keys) or "none"
            detail = f'Step "{step.id}" lets a job set no {name}. Parameters: {allowed}'
            near = nearest(name, step.param_keys)
            faults.append(Fault(f"{at}.{name}", detail, "UNEXPECTED_PARAM", near))
    chosen = {name: value for name, value in said.items() if name in parameters(kind)}
    whole = {**step.params, **chosen}
    try:
        decode(kind.params, whole)
    except Problem as problem:
        faults += (_bad_param(step, each) for each in each_fault(problem))
        return None
    return whole


def _bad_param(step: StepDoc, fault: Fault) -> Fault:
    missing = " is required and missing" in fault.detail
    detail = (
        f'Step "{step.id}" missing required parameter: {fault.at}'
        if missing
        else f'Step "{step.id}": {fault.detail}'
    )
    word = "MISSING_PARAM" if missing else "BAD_PARAM"
    return Fault(f"params.{step.id}.{fault.at}", detail, word)


def _strangers(job: RecipeJob, definition: Definition) -> Iterator[Fault]:
    ids = [step.id for step in (*definition.recipe, *definition.on_exit)]
    for name in job.params:
        if name not in ids:
            detail = f'Parameters of "{name}", which is no step. Steps: {", ".join(ids)}'
            yield Fault(f"params.{name}", detail, "UNKNOWN_STEP", nearest(name, ids))


def _deliveries(
    job: RecipeJob, definition: Definition, kinds: StepKinds, faults: list[Fault]
) -> Iterator[Delivery]:
    produced = artifacts_of(definition, kinds)
    places: dict[FileRef, str] = {}
    for name, wanted in job.outputs.items():
        at = f"outputs.{name}"
        found = reference(name)
        if found is None or name not in produced:
            detail = (
                f'Invalid job output "{name}": artifact is not producible by recipe. '
                f"Producible artifacts: {', '.join(produced)}"
            )
            faults.append(Fault(at, detail, "UNKNOWN_OUTPUT", nearest(name, produced)))
            continue
        to = _file(job, wanted.path, f"{at}.path", faults)
        if to is None:
            continue
        if to in places:
            detail = f'"{name}" and "{places[to]}" go to one place, {wanted.path}'
            faults.append(Fault(f"{at}.path", detail, "SAME_PLACE"))
        places[to] = name
        yield _delivery(found, to, wanted)


def _nested(
    deliveries: Sequence[Delivery], files: Mapping[str, FileRef], produced: Mapping[str, Slot]
) -> Iterator[Fault]:
    """Say which folders would take the place of another output, or of what the job reads."""
    others = [(f"step:{each.step}.{each.name}", each.to) for each in deliveries]
    for each in deliveries:
        name = f"step:{each.step}.{each.name}"
        for other, place in (*others, *files.items()) if produced[name].folder else ():
            if place.storage == each.to.storage and place.filename.startswith(
                f"{each.to.filename}/"
            ):
                detail = (
                    f'"{other}" lies below {each.to.filename}, of which the folder "{name}" takes '
                    "the whole place: give it a folder of its own"
                )
                yield Fault(f"outputs.{name}.path", detail, "NESTED_PLACE")


def _delivery(found: Sequence[str], to: FileRef, wanted: OutputDoc) -> Delivery:
    return Delivery(found[0], found[1], to, wanted.overwrite)
