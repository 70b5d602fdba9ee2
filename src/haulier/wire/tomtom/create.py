"""A request for a matching job: what it must say, and the submission that it means."""

from typing import Any, Final

import msgspec

from haulier.core.artifact import FileRef, check_filename
from haulier.core.caller import Caller
from haulier.core.family import Kind
from haulier.core.job import Job, Submission
from haulier.core.problem import Code, Fault, Problem
from haulier.engine.registry import Kinds
from haulier.engine.services import Services
from haulier.wire.tomtom.bodies import INPUT, RESULTS

RESULTS_SUFFIX: Final = ".results.parquet"
#: The member that names the map to match against, for each job type the vendor documents.
RELEASES: Final = {"ROAD_MATCHING": "overture_release", "LANE_LEVEL_MATCHING": "orbis_version"}


class CreateBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A request for a job. `options` is ours: further parameters of the job type."""

    storage_id: str
    filename: str
    job_type: str
    overture_release: str | None = None
    orbis_version: str | None = None
    options: dict[str, Any] = {}


def job_types(kinds: Kinds) -> dict[str, Kind]:
    """Give the kinds of work that this wire can ask for, by name: those on one input file."""
    return {kind.name: kind for kind in kinds.all() if _takes_a_file(kind)}


def _takes_a_file(kind: Kind) -> bool:
    fields = {field.encode_name: field.type for field in msgspec.structs.fields(kind.params)}
    annotation = fields.get(INPUT)
    return annotation is FileRef or FileRef in getattr(annotation, "__args__", ())


async def submit(services: Services, caller: Caller, body: CreateBody) -> Job:
    """Take a job on.

    Raises:
        Problem: INVALID at the member that is wrong.
    """
    kind = _kind(services.kinds, body.job_type)
    _check_releases(body)
    return await services.write(_submit, services, caller, body, submission_of(kind, body))


def _submit(services: Services, caller: Caller, body: CreateBody, submission: Submission) -> Job:
    try:
        services.files.storage(caller, body.storage_id)
    except Problem as problem:
        detail = f"storage_id must name a storage: {problem.detail}"
        raise Problem(Code.INVALID, detail, at="storage_id") from None
    try:
        return services.jobs.submit(caller, submission)
    except Problem as problem:
        raise _as_asked(problem, body) from None


def _kind(kinds: Kinds, job_type: str) -> Kind:
    known = job_types(kinds)
    if job_type not in known:
        detail = f"job_type must be one of {', '.join(sorted(known))}, got {job_type!r}"
        raise Problem(Code.INVALID, detail, at="job_type")
    return known[job_type]


def _check_releases(body: CreateBody) -> None:
    """Refuse a job type without its map, and a map that is another job type's."""
    for job_type, member in RELEASES.items():
        value = getattr(body, member)
        if body.job_type == job_type and not value:
            came = "" if value is None else f", got {value!r}"
            detail = f"{member} is required for {job_type}{came}"
            raise Problem(Code.INVALID, detail, at=member)
        if body.job_type in RELEASES and body.job_type != job_type and value is not None:
            detail = f"{member} is for {job_type} only, got {value!r} with {body.job_type}"
            raise Problem(Code.INVALID, detail, at=member)


def submission_of(kind: Kind, body: CreateBody) -> Submission:
    """Give what the engine takes, of a request.

    Raises:
        Problem: INVALID; the file's name cannot be one, or an option is a member besides.
    """
    check_filename(body.filename)
    members = {
        INPUT: {"storage": body.storage_id, "filename": body.filename},
        "overture_release": body.overture_release,
        "orbis_version": body.orbis_version,
    }
    for name in members.keys() & body.options.keys():
        detail = f"options.{name} is said by a member of the request, got it in both places"
        raise Problem(Code.INVALID, detail, at=f"options.{name}")
    params = body.options | {name: value for name, value in members.items() if value is not None}
    results = check_filename(results_filename(body.filename))
    delivers = any(output.name == RESULTS for output in kind.results)
    deliver = {RESULTS: FileRef(body.storage_id, results)} if delivers else {}
    return Submission(kind=kind.name, params=params, deliver=deliver)


def results_filename(filename: str) -> str:
    """Give the results' name as the vendor does: test_data.parquet, test_data.results.parquet."""
    head, dot, _ = filename.rpartition(".")
    return (head if dot and head else filename) + RESULTS_SUFFIX


def _as_asked(problem: Problem, body: CreateBody) -> Problem:
    """Give a problem of the parameters at the member of the request that it comes from."""
    faults = [Fault(_member(fault.at, body), fault.detail) for fault in problem.faults]
    return Problem(problem.code, problem.detail, at=_member(problem.at, body), faults=faults)


def _member(at: str, body: CreateBody) -> str:
    if at == INPUT or at.startswith(f"{INPUT}."):
        return {"storage": "storage_id"}.get(at.removeprefix(f"{INPUT}."), "filename")
    return f"options.{at}" if at.partition(".")[0] in body.options else at
