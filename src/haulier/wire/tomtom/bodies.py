"""A job on this wire, to the key of the vendor's page."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from haulier.core.artifact import FileRef
from haulier.core.job import Job
from haulier.core.lifecycle import State
from haulier.core.problem import Code, ProblemBody
from haulier.wire.dialect import View
from haulier.wire.tomtom.status import STATES, WORDS, Word

RESULTS: Final = "results"  # the output whose file is the job's result on this wire
INPUT: Final = "input"  # the parameter that is the customer's file
SECONDS: Final = "execution_time_sec"
SECOND_DIGITS: Final = 3
MOMENT: Final = "%Y-%m-%dT%H:%M:%S.%fZ"
SHOWS_RESULT: Final = frozenset({State.SUCCEEDED, State.PARTIAL})

Otherwise = TypeVar("Otherwise")

#: What the vendor's page shows of a job type; of others, everything that was counted.
STATISTICS: Final[Mapping[str, tuple[str, ...]]] = {
    "ROAD_MATCHING": (
        "confidence_threshold",
        SECONDS,
        "kms_processed",
        "num_roads_processed",
        "roads_fully_matched_ratio",
        "roads_matched_ratio",
        "roads_partially_matched_ratio",
        "roads_unmatched_ratio",
    )
}


class JobBody(msgspec.Struct, frozen=True, kw_only=True):
    """A matching job. `message` is ours, and only there when the job has failed."""

    job_type: str
    overture_release: str | UnsetType = UNSET
    orbis_version: str | UnsetType = UNSET
    input_filename: str | None
    job_id: int
    requested_at: str
    result_filename: str | None
    status: Word
    storage_id: str | None
    statistics: dict[str, Any] | None
    message: str | UnsetType = UNSET


def render(job: Job, view: View) -> JobBody:
    """Give the body of a job."""
    del view  # nothing in it depends on who asks, or on what is installed
    source = job.params.get(INPUT)
    file = source if isinstance(source, Mapping) else {}
    return JobBody(
        job_type=job.kind,
        overture_release=_text(job.params, "overture_release", UNSET),
        orbis_version=_text(job.params, "orbis_version", UNSET),
        input_filename=_text(file, "filename", None),
        job_id=job.number,
        requested_at=job.created_at.astimezone(UTC).strftime(MOMENT),
        result_filename=_result_filename(job),
        status=WORDS[job.state],
        storage_id=_text(file, "storage", None),
        statistics=_statistics(job),
        message=_message(job),
    )


def _text(values: Mapping[str, Any], name: str, otherwise: Otherwise) -> str | Otherwise:
    value = values.get(name)
    return value if isinstance(value, str) else otherwise


def _result_filename(job: Job) -> str | None:
    delivered = job.deliver.get(RESULTS)
    return delivered.filename if delivered and job.state in SHOWS_RESULT else None


def _message(job: Job) -> str | UnsetType:
    if WORDS[job.state] != "FAILED":
        return UNSET
    return "the job was cancelled" if job.problem is None else job.problem.detail


def _statistics(job: Job) -> dict[str, Any] | None:
    if job.state not in SHOWS_RESULT:
        return None
    counted = {**(job.statistics or {}), SECONDS: _seconds(job)}
    shown = STATISTICS.get(job.kind, tuple(sorted(counted)))
    return {name: counted[name] for name in shown if name in counted}


def _seconds(job: Job) -> float:
    """Give the run's seconds as the vendor prints them: whole ones without a decimal point."""
    seconds = round(job.ran_s(job.finished_at or job.updated_at), SECOND_DIGITS)
    return int(seconds) if seconds.is_integer() else seconds


def parse(body: Mapping[str, Any]) -> Job:
    """Read a body of ours back, as far as it says what the job is.

    Raises:
        msgspec.ValidationError: it is no body of a job.
    """
    said = msgspec.convert(body, JobBody)
    state = STATES[said.status]
    requested_at = datetime.strptime(said.requested_at, MOMENT).replace(tzinfo=UTC)
    statistics = dict(said.statistics or {})
    ran = timedelta(seconds=statistics.pop(SECONDS, 0.0))
    storage = said.storage_id or ""
    return Job(
        id=UUID(int=said.job_id),
        number=said.job_id,
        organisation="",
        subject="",
        family="",
        kind=said.job_type,
        params=_params(said),
        deliver={RESULTS: FileRef(storage, said.result_filename)} if said.result_filename else {},
        state=state,
        statistics=statistics,
        problem=None if said.message is UNSET else ProblemBody(Code.INVALID, said.message),
        created_at=requested_at,
        updated_at=requested_at + ran,
        started_at=requested_at,
        finished_at=requested_at + ran,
    )


def _params(said: JobBody) -> dict[str, Any]:
    file = {"storage": said.storage_id, "filename": said.input_filename}
    params: dict[str, Any] = {INPUT: {name: value for name, value in file.items() if value}}
    for name in ("overture_release", "orbis_version"):
        if (value := getattr(said, name)) is not UNSET:
            params[name] = value
    return params
