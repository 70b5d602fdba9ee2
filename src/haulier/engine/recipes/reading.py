"""Read a recipe's definition, and find everything in it that is wrong at once."""

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from haulier.core.problem import Fault
from haulier.engine.recipes.documents import ID, JOB, STEP, Definition, StepDoc

AT: Final = "definition.recipe"
ON_EXIT: Final = "definition.on_exit"
LONGEST: Final = 1000  # steps: more are a program, not a recipe


@dataclass(frozen=True, slots=True)
class Read:
    """A definition as far as it could be read, and what was wrong with it."""

    definition: Definition
    faults: Sequence[Fault]


def read(raw: object) -> Read:
    """Read a definition; steps that cannot be read are left out, each with a fault."""
    if not isinstance(raw, Mapping) or not isinstance(raw.get("recipe"), list | tuple):
        fault = Fault(AT, 'Recipe definition must contain a "recipe" array', "NO_RECIPE")
        return Read(Definition(recipe=()), [fault])
    faults = [
        Fault(f"definition.{name}", f'Recipe definition has no member "{name}"', "UNKNOWN_MEMBER")
        for name in raw
        if name not in {"recipe", "on_exit"}
    ]
    listed = raw["recipe"]
    if not listed:
        faults.append(Fault(AT, "Recipe must contain at least one step", "EMPTY"))
    if len(listed) > LONGEST:
        faults.append(Fault(AT, f"Recipe must contain at most {LONGEST} steps", "TOO_LONG"))
        listed = []
    main = _steps(listed, AT, faults)
    last = raw.get("on_exit")
    closing = last if isinstance(last, list | tuple) else [] if last is None else [last]
    return Read(Definition(recipe=main, on_exit=_steps(closing, ON_EXIT, faults)), faults)


def _steps(listed: Iterable[object], at: str, faults: list[Fault]) -> tuple[StepDoc, ...]:
    found = []
    for index, raw in enumerate(listed):
        wrong = next(_wrong(raw, f"{at}[{index}]"), None)
        if wrong is not None:
            faults.append(wrong)
            continue
        try:
            found.append(msgspec.convert(raw, StepDoc))
        except msgspec.ValidationError as error:
            faults.append(_refused(str(error), raw, f"{at}[{index}]"))
    return tuple(found)


def _wrong(raw: Any, at: str) -> Iterator[Fault]:  # noqa: ANN401 -- JSON
    """Say what keeps a step from being one, in the vendor's words where it has some."""
    step = raw if isinstance(raw, Mapping) else {}
    if not isinstance(step.get("id"), str):
        yield Fault(f"{at}.id", 'Step must have a string "id"', "NO_ID")
    elif ID.fullmatch(step["id"]) is None:
        detail = f"Step id must be lower case letters, digits and '_', got {step['id']!r}"
        yield Fault(f"{at}.id", detail, "BAD_ID")
    elif not isinstance(step.get("type"), str):
        yield Fault(f"{at}.type", 'Step must have a string "type"', "NO_TYPE")
    elif not isinstance(step.get("inputs"), Mapping):
        detail = 'Step must have an "inputs" object (slot -> artifact mapping)'
        yield Fault(f"{at}.inputs", detail, "NO_INPUTS")


def _refused(said: str, raw: Any, at: str) -> Fault:  # noqa: ANN401 -- JSON
    where = said.rpartition("`$")[2].rstrip("`") if "`$" in said else ""
    reason = said.partition(" - at")[0]
    return Fault(f"{at}{where}", f'Step "{raw["id"]}": {reason}', "BAD_STEP")


def reference(text: str) -> tuple[str, str] | None:
    """Give the step and slot of "step:ID.SLOT", or "" and the name of "job:NAME"."""
    if text.startswith(JOB):
        name = text.removeprefix(JOB)
        return ("", name) if name else None
    if text.startswith(STEP):
        step, dot, slot = text.removeprefix(STEP).partition(".")
        return (step, slot) if dot and step and slot else None
    return None


def references(value: str | Sequence[str]) -> Sequence[str]:
    """Give the references of a slot, one or a list."""
    return [value] if isinstance(value, str) else list(value)


def nearest(word: str, known: Iterable[str]) -> str:
    """Give what may have been meant; empty where nothing is like it."""
    found = difflib.get_close_matches(word, list(known), n=1)
    return found[0] if found else ""
