"""A recipe: steps, what each needs, and the order that follows from it."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from haulier.core.problem import Code, Fault, Problem


class StepPlan(msgspec.Struct, frozen=True):
    """One step as it was planned.

    Attributes:
        id: unique within the recipe.
        family: which family does it.
        kind: what the family calls it.
        params: the step's own parameters, in JSON terms.
        needs: ids of the steps that must have succeeded before.
        weight: its share of the work, in any unit; for the progress of the whole.
        inputs: of a step that a recipe of a caller's asks for: slot to "step:ID.SLOT", to a file
            in a storage, or to a list of these.
    """

    id: str
    family: str
    kind: str
    params: Mapping[str, Any] = {}
    needs: tuple[str, ...] = ()
    weight: float = 1.0
    inputs: Mapping[str, Any] = {}


class Recipe(msgspec.Struct, frozen=True):
    """The steps of a job, a directed graph without cycles."""

    steps: tuple[StepPlan, ...]

    def levels(self) -> list[tuple[StepPlan, ...]]:
        """Give the steps in layers: each needs only steps of layers before it.

        Raises:
            Problem: INVALID with every fault at once: no steps, a name used twice,
                a need that is no step, a cycle.
        """
        faults = _faults(self.steps)
        if faults:
            raise Problem(Code.INVALID, faults[0].detail, at=faults[0].at, faults=faults)
        layers: list[tuple[StepPlan, ...]] = []
        done: set[str] = set()
        waiting = list(self.steps)
        while waiting:
            layer = tuple(step for step in waiting if done.issuperset(step.needs))
            if not layer:
                names = ", ".join(step.id for step in waiting)
                raise Problem(Code.INVALID, f"steps wait for each other: {names}", at="steps")
            layers.append(layer)
            done.update(step.id for step in layer)
            waiting = [step for step in waiting if step.id not in done]
        return layers


def _faults(steps: Sequence[StepPlan]) -> list[Fault]:
    if not steps:
        return [Fault("steps", "a recipe needs at least one step, got none")]
    faults: list[Fault] = []
    ids = [step.id for step in steps]
    for index, step in enumerate(steps):
        if step.id in ids[:index]:
            faults.append(Fault(f"steps[{index}].id", f"step id '{step.id}' is used twice"))
        faults.extend(
            Fault(f"steps[{index}].needs", f"step '{step.id}' needs '{need}', which is no step")
            for need in step.needs
            if need not in ids
        )
    return faults
