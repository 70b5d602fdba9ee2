# ruff: noqa: INP001 -- a script of the repository, in no package
"""The reference of what comes with the package: processes, and the step kinds of recipes."""

from collections.abc import Iterator, Mapping
from importlib.metadata import entry_points
from typing import Any, Final, cast

from markdown import page, table

from haulier.core.family import Family, Kind
from haulier.core.stepkind import Slot, StepKind
from haulier.engine.recipes.webhook import CALL_WEBHOOK
from haulier.engine.registry import step_kinds_of
from haulier.wire.ogc.describe import inlined_schema, inputs_of

#: How a JSON Schema bounds a number, and how a reader says it.
BOUNDS: Final = {
    "minimum": "at least",
    "exclusiveMinimum": "above",
    "maximum": "at most",
    "exclusiveMaximum": "below",
}


def _families() -> list[Family]:
    points = sorted(entry_points(group="haulier.families"), key=lambda point: point.name)
    return [cast("Family", point.load()) for point in points if point.value.startswith("haulier.")]


def processes() -> str:
    """Give the inputs and outputs of every kind that comes with the package."""
    kinds = [kind for family in _families() for _, kind in sorted(family.kinds.items())]
    introduction = (
        "What a server can do without plug-ins. `haulier processes` and `haulier describe KIND` "
        "show the same of a running server, plug-ins included."
    )
    return page("Processes", introduction, *(_process(kind) for kind in kinds))


def _process(kind: Kind) -> str:
    described = inputs_of(kind)
    rows = [
        row
        for name, one in described.items()
        for row in _inputs(name, one.schema, needed=one.min_occurs > 0)
    ]
    outputs = [(f"`{one.name}`", one.title, f"`{one.media_type}`") for one in kind.outputs]
    return "\n\n".join(
        [
            f"## {kind.name}",
            f"Process `{kind.slug}`, version {kind.version}. {kind.description}",
            table(("input", "type", "default", "meaning"), rows),
            table(("output", "what it is", "media type"), outputs),
        ]
    )


def _inputs(name: str, schema: Mapping[str, Any], *, needed: bool) -> Iterator[tuple[str, ...]]:
    inner = schema.get("properties", {})
    if inner and "default" in schema:
        for member, one in inner.items():
            yield from _inputs(f"{name}.{member}", one, needed=False)
        return
    set_to = f"`{schema['default']!r}`" if "default" in schema else ""
    default = "needed" if needed else set_to
    yield f"`{name}`", _type(schema), default, str(schema.get("description", ""))


def _type(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return " or ".join(f"`{one}`" for one in schema["enum"])
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_type(one) for one in schema["anyOf"]))
    bounds = [f"{word} {schema[key]}" for key, word in BOUNDS.items() if key in schema]
    return ", ".join([schema.get("type", "file"), *bounds])


def steps() -> str:
    """Give what the steps of a recipe can be: slots and parameters of every step kind."""
    found = {CALL_WEBHOOK.name: CALL_WEBHOOK}
    for family in _families():
        found |= step_kinds_of(family)
    introduction = (
        "What the steps of a [recipe](../how-to/recipes.md) can be without plug-ins. `GET "
        "/executors` gives the same of a running server, plug-ins included, with the JSON Schema "
        "of the parameters."
    )
    return page("Step kinds", introduction, *(_step(found[name]) for name in sorted(found)))


def _step(kind: StepKind) -> str:
    schema = inlined_schema(kind.params)
    needed = schema.get("required", ())
    slots = [
        (f"`{name}`", way, _slot_types(slot), slot.description)
        for way, side in (("in", kind.accepts), ("out", kind.produces))
        for name, slot in side.items()
    ]
    rows = [
        row
        for name, one in schema.get("properties", {}).items()
        for row in _inputs(name, one, needed=name in needed)
    ]
    parts = [
        f"## {kind.name}",
        f"{kind.title} (version {kind.version}). {kind.description}",
        table(("slot", "way", "type", "what it is"), slots),
    ]
    if rows:
        parts.append(table(("parameter", "type", "default", "meaning"), rows))
    return "\n\n".join(parts)


def _slot_types(slot: Slot) -> str:
    types = " or ".join(f"`{one}`" for one in (slot.type, *slot.also))
    notes = ["several"] * slot.many + ["may be left out"] * (not slot.required)
    return ", ".join([types, *notes])
