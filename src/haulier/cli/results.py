"""`haulier results` and `report`: a job's files on this machine."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import Parameter

from haulier.cli import output
from haulier.cli.codes import Exit
from haulier.cli.connection import HERE, Server
from haulier.cli.naming import find_job

if TYPE_CHECKING:
    from haulier.client import Artifact, Client, Job
    from haulier.client.errors import RefusedError

REPORT: Final = "report"
PAGE: Final = "text/html"


def results(
    job: str,
    artifact: Annotated[tuple[str, ...], Parameter(negative=())] = (),
    /,
    *,
    out: Annotated[Path | None, Parameter(name=("--out", "-o"))] = None,
    every: Annotated[bool, Parameter(name="--all", negative=())] = False,
    server: Server = HERE,
) -> Exit:
    """Download a job's files, each checked by SHA-256.

    A download that broke goes on where it stopped when the command is given again. Without
    --out the files are listed, and nothing is downloaded.

    Args:
        job: Number, UUID, or the beginning of the UUID.
        artifact: Only these artifacts, by NAME or STEP.NAME; else those of the last steps.
        out: The folder to write to; it is made.
        every: Also what steps gave to each other.
        server: The server.
    """
    with server.connect() as client:
        found = find_job(client, job)
        wanted = _chosen(client, found, artifact, every=every)
        if out is None:
            return _listed(found, wanted, json=server.json)
        if not wanted:
            raise _nothing(found)
        out.mkdir(parents=True, exist_ok=True)
        paths: dict[str, str] = {}
        for one, target in targets(wanted, out):
            paths[one.path] = str(client.download(found, one, target))
            if not server.json:
                output.write(f"{target}  {output.size(target.stat().st_size)}")
    if server.json:
        output.write_json(paths)
    return Exit.OK


def _chosen(
    client: "Client", job: "Job", names: tuple[str, ...], *, every: bool = False
) -> list["Artifact"]:
    """Give the artifacts of these names; without names those of the last steps, or all.

    Raises:
        NotFoundError: the job has none of a name; the message says which it has.
    """
    from haulier.client.errors import NotFoundError, Refusal  # noqa: PLC0415 -- as in `connect`

    there = client.artifacts(job)
    if not names:
        last = last_steps(job)
        return [one for one in there if every or not one.step or one.step in last]
    for name in names:
        if not any(name in {one.name, one.path} for one in there):
            known = sorted(one.path for one in there)
            shown = ", ".join(known) or f"none, it is {job.state}"
            detail = f"job {job.number} has no artifact {name!r}; it has: {shown}"
            raise NotFoundError(Refusal(status=404, code="not_found", detail=detail))
    return [one for one in there if one.name in names or one.path in names]


def _nothing(job: "Job") -> "RefusedError":
    """Give the error of a job that has no file to download, now or ever."""
    from haulier.client.errors import NoResultError, NotReadyError, Refusal  # noqa: PLC0415 -- as in `connect`

    kind, code = (NoResultError, "no_result") if job.terminal else (NotReadyError, "not_ready")
    detail = f"job {job.number} is {job.state} and has no files of its last steps"
    return kind(Refusal(status=404, code=code, detail=detail))


def last_steps(job: "Job") -> set[str]:
    """Give the steps that no other step needs: what they give is for people."""
    needed = {need for step in job.steps for need in step.needs}
    return {step.id for step in job.steps if step.id not in needed}


def _listed(job: "Job", artifacts: list["Artifact"], *, json: bool) -> Exit:
    if json:
        output.write_json({"job": job.id, "state": job.state, "artifacts": artifacts})
        return Exit.OK
    if not artifacts:
        output.say(f"job {job.number} is {job.state} and has no files of its last steps")
        output.say(f"what other steps gave: haulier results {job.number} --all")
        return Exit.OK
    rows = [(one.path, one.filename, output.size(one.size_bytes), one.sha256) for one in artifacts]
    output.table("", ("NAME", "FILE", "SIZE", "SHA-256"), rows)
    output.say(f"download them with: haulier results {job.number} -o FOLDER")
    return Exit.OK


def targets(artifacts: list["Artifact"], folder: Path) -> list[tuple["Artifact", Path]]:
    """Give where each artifact goes: two of one file name are told apart by their steps."""
    from haulier.client.transfer import safe_name  # noqa: PLC0415 -- as in `connect`

    names = [safe_name(one.filename, one.name) for one in artifacts]
    return [
        (one, folder / (name if names.count(name) == 1 else f"{one.path}.{name}"))
        for one, name in zip(artifacts, names, strict=True)
    ]


def report(
    job: str,
    /,
    *,
    out: Annotated[Path | None, Parameter(name=("--out", "-o"))] = None,
    server: Server = HERE,
) -> Exit:
    """Download a job's report: one HTML page with map and statistics, readable offline.

    Where several steps gave one, it is the last one's; `haulier results` gives any of them.

    Args:
        job: Number, UUID, or the beginning of the UUID.
        out: The file to write, or a folder; else job-NUMBER.html here.
        server: The server.
    """
    with server.connect() as client:
        found = find_job(client, job)
        artifact = page(_chosen(client, found, (REPORT,)))
        path = client.download(found, artifact, out or Path(f"job-{found.number}.html"))
    output.told(str(path), {"path": str(path)}, json=server.json)
    return Exit.OK


def page(reports: list["Artifact"]) -> "Artifact":
    """Give the page among a job's reports: the last one that a browser shows.

    Steps of a recipe may call other things a report too, such as the findings of a validation.
    """
    pages = [one for one in reports if one.media_type.startswith(PAGE)]
    return (pages or reports)[-1]
