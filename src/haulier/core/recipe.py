"""A recipe: steps, what each needs, and the order that follows from it."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

import msgspec

from haulier.core.artifact import FileRef
from haulier.core.problem import Code, Fault, Problem


class Reuse(StrEnum):
    """What of earlier jobs' work a step may take over, where all that decides it is the same."""

    PARTS = "parts"  # finished parts
    USE = "use"  # finished parts, and the whole result after its files were checked
    REFRESH = "refresh"  # nothing, but its own result serves the next
    OFF = "off"  # nothing


class Retries(msgspec.Struct, frozen=True, omit_defaults=True):
    """How often a step is tried again, and after which problems."""

    most: int = 0
    backoff_s: float = 1.0
    codes: tuple[Code, ...] = ()


class InputCheck(msgspec.Struct, frozen=True):
    """What a file of the caller's must be: the job that finds another one fails."""

    at: str
    file: FileRef
    sha256: str


class StepPlan(msgspec.Struct, frozen=True, omit_defaults=True):
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
        after: ids of steps that must have ended before, however they did.
        stages: passes that are split, run and merged one after the other; empty: one.
        stage: which of them this is, where a family is called for one.
        reuse: what it takes over from earlier jobs.
        optional: the job may succeed without it.
        closing: it runs when all others have ended and the end of the job is known, which it
            does not change.
        fatal: where it fails, the other steps are stopped.
        retries: how often it is tried again.
        timeout_s: how long one try may take.
        checks: files that must be what the caller said they are.
    """

    id: str
    family: str
    kind: str
    params: Mapping[str, Any] = {}
    needs: tuple[str, ...] = ()
    weight: float = 1.0
    inputs: Mapping[str, Any] = {}
    after: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    stage: str = ""
    reuse: Reuse = Reuse.PARTS
    optional: bool = False
    closing: bool = False
    fatal: bool = False
    retries: Retries = Retries()
    timeout_s: float | None = None
    checks: tuple[InputCheck, ...] = ()


class Overwrite(StrEnum):
    """What happens where something is at the place of a delivery already."""

    ERROR = "error"
    REPLACE = "replace"
    VERSION = "version"  # the new one goes beside it, with a number


class Delivery(msgspec.Struct, frozen=True):
    """Where an artifact of a step goes when the job ends."""

    step: str
    name: str
    to: FileRef
    overwrite: Overwrite = Overwrite.REPLACE


class Recipe(msgspec.Struct, frozen=True, omit_defaults=True):
    """The steps of a job, a directed graph without cycles.

    Attributes:
        steps: in any order that a reader likes.
        deliveries: which artifacts the job is for: it succeeds where all of them are delivered,
            and falls short where some are. Without any, the steps that no other needs decide.
    """

    steps: tuple[StepPlan, ...]
    deliveries: tuple[Delivery, ...] = ()

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
            layer = tuple(step for step in waiting if done.issuperset((*step.needs, *step.after)))
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
            for need in (*step.needs, *step.after)
            if need not in ids
        )
    return faults
