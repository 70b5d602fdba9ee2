"""Read a recipe's definition, and find everything in it that is wrong at once."""

import difflib
import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from haulier.core.problem import Fault, Problem
from haulier.engine.recipes.documents import ID, JOB, STEP, Definition, StepDoc
from haulier.engine.refusal import decode, each_fault

AT: Final = "definition.recipe"
ON_EXIT: Final = "definition.on_exit"
LONGEST: Final = 1000  # steps: more are a program, not a recipe
MOST_FAULTS: Final = 50  # that are told at once
#: What a word is compared with to find what was meant: the comparison is slow.
MOST_COMPARED: Final = 200
LONGEST_COMPARED: Final = 200


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
    last = raw.get("on_exit")
    closing = last if isinstance(last, list | tuple) else [] if last is None else [last]
    if len(listed) + len(closing) > LONGEST:
        faults.append(Fault(AT, f"Recipe must contain at most {LONGEST} steps", "TOO_LONG"))
        listed = closing = []
    main = _steps(listed, AT, faults)
    return Read(Definition(recipe=main, on_exit=_steps(closing, ON_EXIT, faults)), faults)


def _steps(listed: Iterable[Any], at: str, faults: list[Fault]) -> tuple[StepDoc, ...]:
    found = []
    for index, raw in enumerate(listed):
        wrong = next(_wrong(raw, f"{at}[{index}]"), None)
        if wrong is not None:
            faults.append(wrong)
            continue
        try:
            found.append(decode(StepDoc, raw))
        except Problem as problem:
            for each in each_fault(problem):
                place = ".".join(filter(None, (f"{at}[{index}]", each.at)))
                faults.append(Fault(place, f'Step "{raw["id"]}": {each.detail}', "BAD_STEP"))
    return tuple(found)


def _wrong(raw: Any, at: str) -> Iterator[Fault]:  # noqa: ANN401 -- JSON
    """Say what keeps a step from being one, in the vendor's words where it has some."""
    step: Mapping[str, Any] = raw if isinstance(raw, Mapping) else {}
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
    else:
        inputs: Mapping[str, Any] = step["inputs"]
        for slot, value in inputs.items():
            named = value if isinstance(value, list | tuple) else [value]
            if not named or not all(isinstance(each, str) for each in named):
                detail = (
                    f'Step "{step["id"]}" slot {slot} must be "job:NAME", "step:ID.SLOT", or a '
                    f"list of one or more of these, got {str(value)[:80]!r}"
                )
                yield Fault(f"{at}.inputs.{slot}", detail, "BAD_REF")


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
    if len(word) > LONGEST_COMPARED:
        return ""
    alike = heapq.nsmallest(MOST_COMPARED, known, key=lambda one: abs(len(one) - len(word)))
    found = difflib.get_close_matches(word, alike, n=1)
    return found[0] if found else ""
