"""The vendor's words for the states of jobs and steps; it knows no cancel."""

from collections.abc import Mapping
from typing import Final, Literal

from haulier.core.job import Step
from haulier.core.lifecycle import State

Word = Literal["pending", "running", "success", "partial", "failed"]
StepWord = Literal["pending", "running", "success", "failed", "skipped"]

# fmt: off
WORDS: Final[Mapping[State, Word]] = {
    State.QUEUED:     "pending",
    State.RUNNING:    "running",
    State.CANCELLING: "running",
    State.SUCCEEDED:  "success",
    State.PARTIAL:    "partial",
    State.FAILED:     "failed",
    State.CANCELLED:  "failed",
}

STEP_WORDS: Final[Mapping[State, StepWord]] = {
    State.QUEUED:     "pending",
    State.RUNNING:    "running",
    State.CANCELLING: "running",
    State.SUCCEEDED:  "success",
    State.PARTIAL:    "success",
    State.FAILED:     "failed",
    State.CANCELLED:  "failed",
}
# fmt: on
#: Words of steps to which nothing can happen any more.
COMPLETED: Final = frozenset({"success", "failed", "skipped"})


def step_word(step: Step) -> StepWord:
    """Give the vendor's word for how a step stands."""
    return "skipped" if step.skipped else STEP_WORDS[step.state]
