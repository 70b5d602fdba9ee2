"""A job on the TomTom wire is the vendor's page, to the byte."""

from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from haulier.core.job import Job
from haulier.core.lifecycle import State
from haulier.engine.registry import Kinds
from haulier.testing.dialect_world import a_job
from haulier.wire.dialect import View
from haulier.wire.tomtom.bodies import render

GOLDEN: Final = Path(__file__).parent / "golden"
VIEW: Final = View("http://here", Kinds(()))
COUNTED: Final = {
    "kms_processed": 80208.39,
    "roads_matched_ratio": 0.8468,
    "confidence_threshold": 60,
    "roads_fully_matched_ratio": 0.675,
    "num_roads_processed": 397613,
    "roads_unmatched_ratio": 0.1531,
    "roads_partially_matched_ratio": 0.1718,
    "roads_single_gers_ratio": 0.5,
}


def shown(job: Job) -> bytes:
    return msgspec.json.encode(render(job, VIEW))


def golden(name: str) -> bytes:
    """Give a body of the vendor's page without its white space, members in its order."""
    return msgspec.json.encode(msgspec.json.decode((GOLDEN / name).read_bytes()))


def test_a_job_that_succeeded_is_the_first_example_of_the_page() -> None:
    assert shown(a_job(State.SUCCEEDED, statistics=COUNTED)) == golden("tomtom_success.json")


@pytest.mark.parametrize("state", [State.RUNNING, State.CANCELLING])
def test_a_job_that_runs_is_the_second_example_of_the_page(state: State) -> None:
    assert shown(a_job(state)) == golden("tomtom_running.json")


def test_a_failed_job_says_why_and_shows_no_result() -> None:
    body = msgspec.json.decode(shown(a_job(State.FAILED)))

    assert body["status"] == "FAILED"
    assert body["message"] == "row 7: id is used twice, got 12"
    assert body["result_filename"] is None
    assert body["statistics"] is None


def test_a_cancelled_job_has_failed_for_there_is_no_other_word() -> None:
    body = msgspec.json.decode(shown(a_job(State.CANCELLED)))

    assert (body["status"], body["message"]) == ("FAILED", "the job was cancelled")


@pytest.mark.parametrize(
    ("params", "there", "absent"),
    [
        ({"overture_release": "2026-01-21.0"}, "overture_release", "orbis_version"),
        ({"orbis_version": "123456.1"}, "orbis_version", "overture_release"),
    ],
)
def test_only_the_map_that_was_asked_for_appears(
    params: dict[str, Any], there: str, absent: str
) -> None:
    body = msgspec.json.decode(shown(a_job(State.RUNNING, params=params)))

    assert body[there] == params[there]
    assert absent not in body


def test_a_whole_second_has_six_digits_all_the_same() -> None:
    job = a_job(State.QUEUED)
    whole = msgspec.structs.replace(job, created_at=job.created_at.replace(microsecond=0))

    assert msgspec.json.decode(shown(whole))["requested_at"] == "2026-02-18T10:38:59.000000Z"
