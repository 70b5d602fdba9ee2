"""Whether a recipe hangs together: kinds, slots, types, references, cycles; every fault at once."""

from collections.abc import Iterator, Mapping, Sequence

from haulier.core.problem import Fault
from haulier.core.stepkind import ANY, Slot, StepKind
from haulier.engine.recipes.documents import JOB, Definition, StepDoc
from haulier.engine.recipes.reading import AT, ON_EXIT, nearest, reference, references

StepKinds = Mapping[str, StepKind]
Produced = Mapping[str, Slot]


def faults_of(definition: Definition, kinds: StepKinds) -> Iterator[Fault]:
    """Give everything that is wrong with a definition whose steps could be read."""
    placed = _placed(definition)
    yield from _duplicates(placed)
    produced = artifacts_of(definition, kinds)
    for at, step in placed:
        kind = find_kind(step.type, kinds)
        if kind is None:
            name = step.type.partition("@")[0]
            near = nearest(name, kinds)
            yield Fault(f"{at}.type", f"Unsupported step type: {step.type}", "UNKNOWN_TYPE", near)
            continue
        yield from _slots(at, step, kind)
        yield from _outputs(at, step, kind)
        yield from _params(at, step, kind)
        yield from _wiring(at, step, kind, produced, definition)
    if _has_cycle(definition):
        yield Fault(AT, "Recipe contains a cycle", "CYCLE")


def _placed(definition: Definition) -> list[tuple[str, StepDoc]]:
    main = [(f"{AT}[{index}]", step) for index, step in enumerate(definition.recipe)]
    return main + [(f"{ON_EXIT}[{index}]", step) for index, step in enumerate(definition.on_exit)]


def find_kind(type_: str, kinds: StepKinds) -> StepKind | None:
    """Give the step kind of a type such as REPROJECT_LAS or REPROJECT_LAS@1."""
    name, mark, version = type_.partition("@")
    kind = kinds.get(name)
    return kind if kind is not None and (not mark or kind.version == version) else None


def artifacts_of(definition: Definition, kinds: StepKinds) -> Produced:
    """Give what the main steps give: "step:ID.SLOT" to the slot."""
    return {
        f"step:{step.id}.{name}": slot
        for step in definition.recipe
        if (kind := find_kind(step.type, kinds)) is not None
        for name, slot in kind.produces.items()
    }


def initial_inputs(definition: Definition) -> list[str]:
    """Give the artifacts that a job must bring, as "job:NAME", in the order of their first use."""
    every = [
        text
        for step in (*definition.recipe, *definition.on_exit)
        for value in step.inputs.values()
        for text in references(value)
        if text.startswith(JOB)
    ]
    return list(dict.fromkeys(every))


def _duplicates(placed: Sequence[tuple[str, StepDoc]]) -> Iterator[Fault]:
    seen: set[str] = set()
    makers: dict[str, str] = {}
    for at, step in placed:
        if step.id in seen:
            yield Fault(f"{at}.id", f"Duplicate step ID: {step.id}", "DUPLICATE_ID")
        seen.add(step.id)
        for slot, name in (step.outputs or {}).items():
            if name in makers:
                detail = (
                    f'Duplicate output artifact "{name}": produced by both step "{makers[name]}" '
                    f'and step "{step.id}". Each artifact name must be unique.'
                )
                yield Fault(f"{at}.outputs.{slot}", detail, "DUPLICATE_OUTPUT")
            makers.setdefault(name, step.id)


def _slots(at: str, step: StepDoc, kind: StepKind) -> Iterator[Fault]:
    for name, slot in kind.accepts.items():
        if slot.required and name not in step.inputs:
            detail = f'Step "{step.id}" missing required input slot: {name}'
            yield Fault(f"{at}.inputs.{name}", detail, "MISSING_SLOT")
    for name, value in step.inputs.items():
        if name not in kind.accepts:
            accepted = ", ".join(kind.accepts)
            detail = f'Step "{step.id}" has invalid input slot: {name}. Accepted slots: {accepted}'
            yield Fault(f"{at}.inputs.{name}", detail, "UNKNOWN_SLOT", nearest(name, kind.accepts))
        elif not isinstance(value, str) and not kind.accepts[name].many:
            detail = f'Step "{step.id}" takes one artifact in slot {name}, got a list'
            yield Fault(f"{at}.inputs.{name}", detail, "NOT_MANY")


def _outputs(at: str, step: StepDoc, kind: StepKind) -> Iterator[Fault]:
    if step.outputs is None:
        return
    for name in kind.produces:
        if name not in step.outputs:
            detail = f'Step "{step.id}" missing required output: {name}'
            yield Fault(f"{at}.outputs.{name}", detail, "MISSING_OUTPUT")
    for name, text in step.outputs.items():
        if name not in kind.produces:
            given = ", ".join(kind.produces)
            detail = f'Step "{step.id}" has invalid output: {name}. Produced outputs: {given}'
            yield Fault(
                f"{at}.outputs.{name}", detail, "UNKNOWN_OUTPUT", nearest(name, kind.produces)
            )
        elif text != f"step:{step.id}.{name}":
            meant = f"step:{step.id}.{name}"
            detail = f'Step "{step.id}" output {name} must be "{meant}", got "{text}"'
            yield Fault(f"{at}.outputs.{name}", detail, "MISNAMED_OUTPUT", meant)


def _params(at: str, step: StepDoc, kind: StepKind) -> Iterator[Fault]:
    known = parameters(kind)
    for place, names in (("param_keys", step.param_keys), ("params", step.params)):
        for name in names:
            if name not in known:
                takes = ", ".join(known) or "none"
                detail = f'Step "{step.id}" has no parameter {name}. Parameters: {takes}'
                yield Fault(f"{at}.{place}", detail, "UNKNOWN_PARAM", nearest(name, known))


def parameters(kind: StepKind) -> tuple[str, ...]:
    """Give the names of a step kind's parameters, as callers write them."""
    return kind.params.__struct_encode_fields__


def _wiring(
    at: str, step: StepDoc, kind: StepKind, produced: Produced, definition: Definition
) -> Iterator[Fault]:
    for name, value in step.inputs.items():
        slot = kind.accepts.get(name)
        for text in references(value):
            found = reference(text)
            if found is None or (found[0] and text not in produced):
                known = {*produced, *initial_inputs(definition)} - {text}
                detail = f"Unresolved input artifact: {text}"
                yield Fault(f"{at}.inputs.{name}", detail, "UNRESOLVED_REF", nearest(text, known))
            elif slot is not None and found[0] and not fits(slot, produced[text].type):
                detail = (
                    f'Step "{step.id}" slot mismatch: {name} takes {_types(slot)}, '
                    f'but "{text}" is {produced[text].type}'
                )
                yield Fault(f"{at}.inputs.{name}", detail, "SLOT_MISMATCH")


def fits(slot: Slot, type_: str) -> bool:
    """Whether a slot takes artifacts of a type."""
    return slot.type == ANY or type_ in {slot.type, *slot.also}


def _types(slot: Slot) -> str:
    return " or ".join((slot.type, *slot.also))


def _has_cycle(definition: Definition) -> bool:
    waiting = {step.id: producers(step) for step in definition.recipe}
    while ready := [id_ for id_, needs in waiting.items() if not needs & waiting.keys()]:
        for id_ in ready:
            del waiting[id_]
    return bool(waiting)


def producers(step: StepDoc) -> set[str]:
    """Give the steps whose artifacts a step takes."""
    found = (reference(text) for value in step.inputs.values() for text in references(value))
    return {each[0] for each in found if each is not None and each[0]}
