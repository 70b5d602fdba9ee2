"""What may happen to a job: one table of (state, event) to state."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class State(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"  # also while waiting for a time: see `not_before`
    RUNNING = "running"
    CANCELLING = "cancelling"  # asked to stop; its processes are still alive
    SUCCEEDED = "succeeded"
    PARTIAL = "partial"  # some steps gave their output, some did not
    FAILED = "failed"
    CANCELLED = "cancelled"


class Event(StrEnum):
    """What can happen to a job."""

    CLAIM = "claim"  # a worker begins an attempt
    RETRY = "retry"  # the attempt is given back: its worker died or shut down
    CANCEL = "cancel"  # a caller asks to stop
    STOP = "stop"  # its processes have ended after a cancel
    SUCCEED = "succeed"
    FALL_SHORT = "fall_short"  # ended with a part of the outputs
    FAIL = "fail"


# fmt: off
TRANSITIONS: Final[Mapping[tuple[State, Event], State]] = {
    (State.QUEUED,     Event.CLAIM):      State.RUNNING,
    (State.QUEUED,     Event.CANCEL):     State.CANCELLED,
    (State.QUEUED,     Event.FAIL):       State.FAILED,      # found impossible before an attempt
    (State.RUNNING,    Event.CLAIM):      State.RUNNING,     # takes over from a dead attempt
    (State.RUNNING,    Event.RETRY):      State.QUEUED,
    (State.RUNNING,    Event.CANCEL):     State.CANCELLING,
    (State.RUNNING,    Event.SUCCEED):    State.SUCCEEDED,
    (State.RUNNING,    Event.FALL_SHORT): State.PARTIAL,
    (State.RUNNING,    Event.FAIL):       State.FAILED,
    (State.CANCELLING, Event.CANCEL):     State.CANCELLING,  # asking twice is asking once
    (State.CANCELLING, Event.STOP):       State.CANCELLED,
}
# fmt: on

TERMINAL: Final = frozenset(State) - {state for state, _ in TRANSITIONS}
ACTIVE: Final = frozenset(State) - TERMINAL


class IllegalMoveError(Exception):
    """An event that cannot happen in this state: a developer's mistake or a lost race."""

    def __init__(self, state: State, event: Event) -> None:
        super().__init__(f"a {state} job cannot {event}")
        self.state = state
        self.event = event


def advance(state: State, event: Event) -> State:
    """Give the state after the event.

    Raises:
        IllegalMoveError: the table has no such move.
    """
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise IllegalMoveError(state, event) from None


def sources(event: Event) -> frozenset[State]:
    """Give the states in which the event can happen."""
    return frozenset(state for state, moved in TRANSITIONS if moved is event)
