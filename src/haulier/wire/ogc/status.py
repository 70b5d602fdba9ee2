"""The standard's words for the states of a job, and the states a word stands for."""

from collections.abc import Mapping
from typing import Final, Literal

from haulier.core.lifecycle import State

Word = Literal["accepted", "running", "successful", "failed", "dismissed"]

# fmt: off
WORDS: Final[Mapping[State, Word]] = {
    State.QUEUED:     "accepted",
    State.RUNNING:    "running",
    State.CANCELLING: "running",
    State.SUCCEEDED:  "successful",
    State.PARTIAL:    "successful",
    State.FAILED:     "failed",
    State.CANCELLED:  "dismissed",
}
# fmt: on


def states_of(words: tuple[Word, ...]) -> tuple[State, ...]:
    """Give the states that any of the words stands for."""
    return tuple(state for state, word in WORDS.items() if word in words)
