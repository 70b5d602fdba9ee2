"""Every pair of (state, event), against the table as an issue would write it."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haulier.core.lifecycle import (
    ACTIVE,
    TERMINAL,
    Event,
    IllegalMoveError,
    State,
    advance,
    sources,
)

#: What a row allows, in words of its own: "state: event>state ...".
ALLOWED = """
queued:     claim>running cancel>cancelled fail>failed
running:    claim>running retry>queued cancel>cancelling
            succeed>succeeded fall_short>partial fail>failed
cancelling: cancel>cancelling stop>cancelled
"""


def _allowed() -> dict[tuple[State, Event], State]:
    found = {}
    state = None
    for word in ALLOWED.split():
        if word.endswith(":"):
            state = State(word[:-1])
            continue
        event, moved = word.split(">")
        assert state is not None
        found[state, Event(event)] = State(moved)
    return found


@pytest.mark.parametrize(("state", "event"), list(product(State, Event)))
def test_an_event_moves_a_job_as_the_table_says_or_is_refused(state: State, event: Event) -> None:
    expected = _allowed().get((state, event))
    if expected is None:
        with pytest.raises(IllegalMoveError, match=f"a {state} job cannot {event}"):
            advance(state, event)
    else:
        assert advance(state, event) is expected


@pytest.mark.parametrize("state", sorted(TERMINAL))
def test_nothing_moves_an_ended_job(state: State) -> None:
    for event in Event:
        with pytest.raises(IllegalMoveError):
            advance(state, event)


def test_the_ended_states_are_the_four_that_callers_wait_for() -> None:
    assert {State.SUCCEEDED, State.PARTIAL, State.FAILED, State.CANCELLED} == TERMINAL
    assert ACTIVE.isdisjoint(TERMINAL)
    assert set(State) == ACTIVE | TERMINAL


@pytest.mark.parametrize("event", list(Event))
def test_the_sources_of_an_event_are_the_states_that_allow_it(event: Event) -> None:
    assert sources(event) == {state for state, moved in _allowed() if moved is event}


@given(st.lists(st.sampled_from(list(Event)), max_size=30))
def test_a_job_that_was_asked_to_stop_never_succeeds(events: list[Event]) -> None:
    state, asked = State.QUEUED, False
    for event in events:
        try:
            state = advance(state, event)
        except IllegalMoveError:
            continue
        asked = asked or event is Event.CANCEL
        assert not (asked and state in {State.SUCCEEDED, State.PARTIAL, State.FAILED})
