"""The core without I/O: what is sent again, when, and what a wait makes of the answers."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from haulier.client.answers import Job
from haulier.client.errors import (
    ConflictError,
    ProtocolError,
    TooManyError,
    UnavailableError,
    UnreachableError,
    WaitTimeoutError,
)
from haulier.client.flows import Flows
from haulier.client.options import JobQuery, JobRequest
from haulier.client.protocol import (
    Answer,
    Broken,
    Done,
    Flow,
    Outcome,
    Pause,
    Request,
    RetryPolicy,
    Work,
    exchange,
    path_of,
)
from haulier.core.lifecycle import State

T = TypeVar("T")
ID = UUID("0195d3a0-0000-7000-8000-000000000001")
STEADY = RetryPolicy(noise=lambda: 1.0)
REFUSED = Broken("connection refused", sent=False)
LOST = Broken("connection reset", sent=True)


class Script:
    """Plays a network: gives the outcomes in their order, and notes what was asked of it."""

    def __init__(self, *outcomes: Outcome) -> None:
        self.outcomes = list(outcomes)
        self.requests: list[Request] = []
        self.pauses: list[float] = []

    def play(self, flow: Flow[T]) -> T:
        outcome: Outcome = None
        while True:
            try:
                effect = flow.send(outcome)
            except StopIteration as ended:
                value: T = ended.value
                return value
            if isinstance(effect, Pause):
                self.pauses.append(effect.seconds)
                outcome = None
            elif isinstance(effect, Work):
                outcome = Done(effect.call())
            else:
                self.requests.append(effect)
                outcome = self.outcomes.pop(0)


def answer(status: int = 200, body: object = None, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, named, b"" if body is None else msgspec.json.encode(body), "http://s/x")


def info(state: State = State.RUNNING, fraction: float = 0.5, **more: Any) -> dict[str, Any]:
    return {
        "jobID": str(ID),
        "processID": "road-matching",
        "type": "process",
        "status": "running",
        "created": "2026-01-21T12:00:00Z",
        "haulier": {"number": 7, "state": state, "fraction": fraction, "version": 3},
        **more,
    }


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT"])
@pytest.mark.parametrize("fault", [REFUSED, LOST, answer(503), answer(502), answer(429)])
def test_a_request_that_may_be_repeated_is_repeated(method: str, fault: Outcome) -> None:
    network = Script(fault, fault, answer())

    assert network.play(exchange(Request(method, "/x"), STEADY)).status == 200
    assert len(network.requests) == 3


@pytest.mark.parametrize("method", ["POST", "DELETE"])
@pytest.mark.parametrize("fault", [LOST, answer(503), answer(502)])
def test_a_request_that_may_have_been_done_is_not_sent_twice(method: str, fault: Outcome) -> None:
    network = Script(fault)

    with pytest.raises((UnreachableError, UnavailableError)):
        network.play(exchange(Request(method, "/x"), STEADY))

    assert len(network.requests) == 1


@pytest.mark.parametrize("method", ["POST", "DELETE"])
@pytest.mark.parametrize("fault", [REFUSED, answer(429)])
def test_a_request_that_was_surely_not_done_is_sent_again(method: str, fault: Outcome) -> None:
    network = Script(fault, answer(201))

    assert network.play(exchange(Request(method, "/x"), STEADY)).status == 201


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 500])
def test_an_answer_that_will_not_change_is_believed_at_once(status: int) -> None:
    network = Script(answer(status))

    with pytest.raises(Exception, match=f"HTTP {status}"):
        network.play(exchange(Request("GET", "/x"), STEADY))

    assert network.pauses == []


def test_a_job_that_timed_out_is_no_gateway_that_timed_out() -> None:
    network = Script(answer(504, {"code": "timeout", "detail": "it ran 10 s"}))

    with pytest.raises(Exception, match="it ran 10 s"):
        network.play(exchange(Request("GET", "/jobs/1/results"), STEADY))


def test_pauses_grow_and_the_last_fault_is_raised() -> None:
    network = Script(*[REFUSED] * 5)

    with pytest.raises(UnreachableError, match="connection refused"):
        network.play(exchange(Request("GET", "/x"), STEADY))

    assert network.pauses == [0.25, 0.5, 1.0, 2.0]


def test_the_server_says_how_long_to_wait() -> None:
    network = Script(answer(429, retry_after="7"), answer())

    network.play(exchange(Request("GET", "/x"), STEADY))

    assert network.pauses == [7.0]


def test_a_server_that_asks_for_an_hour_is_left() -> None:
    network = Script(answer(429, retry_after="3600"))

    with pytest.raises(TooManyError) as caught:
        network.play(exchange(Request("GET", "/x"), STEADY))

    assert caught.value.retry_after_s == 3600


@given(st.integers(1, 10_000), st.floats(0, 1), st.none() | st.floats(0, 120))
def test_no_pause_is_shorter_than_asked_or_longer_than_needed(
    attempt: int, noise: float, asked_s: float | None
) -> None:
    policy = RetryPolicy(attempts=20_000, noise=lambda: noise)

    pause_s = policy.pause(attempt, asked_s)

    assert pause_s is not None
    assert (asked_s or 0.0) <= pause_s <= max(policy.longest_s, asked_s or 0.0)


def test_a_wait_tells_each_change_once_and_asks_as_often_as_the_server_says() -> None:
    network = Script(
        answer(200, info(fraction=0.2), etag='"1"', retry_after="2"),
        answer(304, etag='"1"', retry_after="3"),
        answer(200, info(fraction=0.9), etag='"2"'),
        answer(200, info(State.SUCCEEDED, 1.0), etag='"3"'),
    )
    told: list[float] = []

    ended = network.play(Flows(STEADY, STEADY).wait(ID, lambda job: told.append(job.fraction)))

    assert ended.state is State.SUCCEEDED
    assert told == [0.2, 0.9, 1.0]
    assert network.pauses == [2.0, 3.0, 1.0]
    tags = [request.headers.get("If-None-Match") for request in network.requests]
    assert tags == [None, '"1"', '"1"', '"2"']


def test_a_wait_asks_more_often_than_the_server_says_where_that_is_asked_for() -> None:
    network = Script(
        *[answer(200, info(), retry_after=after) for after in ("30", "1")],
        answer(200, info(State.SUCCEEDED)),
    )

    network.play(Flows(STEADY, STEADY).wait(ID, None, poll_s=2.0))

    assert network.pauses == [2.0, 1.0]


def test_a_wait_survives_a_server_that_is_away_for_a_while() -> None:
    away: list[Outcome] = [REFUSED] * 12
    network = Script(answer(200, info()), *away, answer(200, info(State.FAILED)))

    ended = network.play(Flows().wait(ID, None))

    assert ended.state is State.FAILED


def ticking(step_s: float) -> Callable[[], float]:
    times = iter(range(1000))
    return lambda: next(times) * step_s


def test_a_wait_ends_when_its_time_is_over_and_says_that_the_job_goes_on() -> None:
    network = Script(*[answer(200, info(), retry_after="10")] * 3)

    with pytest.raises(WaitTimeoutError, match="job 7 is still running at 50%; it goes on"):
        network.play(Flows(STEADY, STEADY, ticking(10.0)).wait(ID, None, timeout_s=15.0))

    assert network.pauses == [5.0]  # not past the end of the wait


def test_a_server_that_says_unchanged_first_is_no_server_of_ours() -> None:
    with pytest.raises(ProtocolError, match="304"):
        Script(answer(304)).play(Flows().wait(ID, None))


def test_an_answer_of_something_else_is_shown() -> None:
    with pytest.raises(ProtocolError, match="it begins '<html>'"):
        Script(Answer(200, {}, b"<html>", "http://s/x")).play(Flows().job(ID))


def test_removing_a_running_job_cancels_nothing() -> None:
    network = Script(answer(200, info(State.RUNNING)))

    with pytest.raises(ConflictError, match="cancel it first"):
        network.play(Flows().remove(ID))

    assert [request.method for request in network.requests] == ["GET"]


def test_a_page_leaves_out_states_that_share_a_word_of_the_standard() -> None:
    listed = {"jobs": [info(State.RUNNING), info(State.CANCELLING)], "links": []}
    network = Script(answer(200, listed))

    page = network.play(Flows().page(JobQuery(states=(State.CANCELLING,))))

    assert [job.state for job in page.jobs] == [State.CANCELLING]
    assert ("status", "running") in network.requests[0].query


def test_the_next_page_is_asked_of_the_same_server_whatever_the_link_says() -> None:
    link = {"rel": "next", "href": "http://evil.example/jobs?limit=10&cursor=a%2Bb"}
    network = Script(answer(200, {"jobs": [], "links": [link]}))

    page = network.play(Flows().page(JobQuery()))

    assert page.cursor == "a+b"


def test_a_query_says_times_in_the_standard_s_interval() -> None:
    start = datetime(2026, 1, 21, tzinfo=UTC)
    network = Script(answer(200, {"jobs": []}))

    network.play(Flows().page(JobQuery(created_from=start, processes=("ROAD_MATCHING",)), "c"))

    query = dict(network.requests[0].query)
    assert query["datetime"] == "2026-01-21T00:00:00Z/.."
    assert query["processID"] == "road-matching"
    assert query["cursor"] == "c"


def test_a_submission_says_only_what_was_chosen() -> None:
    network = Script(answer(201, info(State.QUEUED)), answer(201, info(State.QUEUED)))

    network.play(Flows().submit("ROAD_MATCHING", JobRequest(inputs={"a": 1})))
    network.play(Flows().submit("ROAD_MATCHING", JobRequest(inputs={}, title="t", timeout_s=5)))

    bodies = [msgspec.json.decode(request.body) for request in network.requests]  # type: ignore[arg-type]
    assert bodies == [
        {"inputs": {"a": 1}},
        {"inputs": {}, "haulier": {"title": "t", "timeout_s": 5.0}},
    ]
    assert network.requests[0].path == "/processes/road-matching/execution"
    assert network.requests[0].headers["Prefer"] == "respond-async"


@given(st.text(min_size=1).filter(lambda text: text not in {".", ".."}))
def test_a_name_with_any_letter_stays_one_segment(name: str) -> None:
    try:
        name.encode()
    except UnicodeEncodeError:
        return

    assert path_of("storages", name).count("/") == 2


@pytest.mark.parametrize("name", ["", ".", ".."])
def test_a_name_that_would_change_the_path_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="must not be empty"):
        path_of("jobs", name)


def test_a_job_knows_how_it_ended() -> None:
    made = datetime(2026, 1, 21, tzinfo=UTC)
    ends = {
        state: Job(id=ID, number=1, process="p", state=state, created_at=made) for state in State
    }

    assert {state for state, job in ends.items() if job.terminal} == {
        State.SUCCEEDED,
        State.PARTIAL,
        State.FAILED,
        State.CANCELLED,
    }
    assert {state for state, job in ends.items() if job.successful} == {
        State.SUCCEEDED,
        State.PARTIAL,
    }
