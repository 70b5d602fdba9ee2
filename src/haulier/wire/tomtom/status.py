"""The vendor's words for the states of a job; it knows no cancel, so a cancelled job has failed."""

from collections.abc import Mapping
from typing import Final, Literal

from haulier.core.lifecycle import State

Word = Literal["REQUESTED", "IN_PROGRESS", "SUCCESS", "FAILED"]

# fmt: off
WORDS: Final[Mapping[State, Word]] = {
    State.QUEUED:     "REQUESTED",
    State.RUNNING:    "IN_PROGRESS",
    State.CANCELLING: "IN_PROGRESS",
    State.SUCCEEDED:  "SUCCESS",
    State.PARTIAL:    "SUCCESS",
    State.FAILED:     "FAILED",
    State.CANCELLED:  "FAILED",
}
# fmt: on

#: The state that stands for a word when a body of ours is read back.
STATES: Final[Mapping[str, State]] = {
    "REQUESTED": State.QUEUED,
    "IN_PROGRESS": State.RUNNING,
    "SUCCESS": State.SUCCEEDED,
    "FAILED": State.FAILED,
}
