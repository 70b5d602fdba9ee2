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

REPORT: Final = "report"


def results(
    job: str,
    artifact: Annotated[tuple[str, ...], Parameter(negative=())] = (),
    /,
    *,
    out: Annotated[Path | None, Parameter(name=("--out", "-o"))] = None,
    server: Server = HERE,
) -> Exit:
    """Download a job's files, all or those named, each checked by SHA-256.

    A download that broke goes on where it stopped when the command is given again. Without
    --out the files are listed, and nothing is downloaded.

    Args:
        job: Number, UUID, or the beginning of the UUID.
        artifact: Only these artifacts.
        out: The folder to write to; it is made.
        server: The server.
    """
    with server.connect() as client:
        found = find_job(client, job)
        wanted = _chosen(client, found, artifact)
        if out is None:
            return _listed(found, wanted, json=server.json)
        out.mkdir(parents=True, exist_ok=True)
        paths = {one.name: _landed(client, found, one, out, server) for one in wanted}
    if server.json:
        output.write_json({name: str(path) for name, path in paths.items()})
    return Exit.OK


def _chosen(client: "Client", job: "Job", names: tuple[str, ...]) -> list["Artifact"]:
    """Give the artifacts of these names, or all.

    Raises:
        NotFoundError: the job has none of a name; the message says which it has.
    """
    from haulier.client.errors import NotFoundError, Refusal  # noqa: PLC0415 -- as in `connect`

    there = client.artifacts(job)
    known = {one.name for one in there}
    for name in names:
        if name not in known:
            shown = ", ".join(sorted(known)) or f"none, it is {job.state}"
            detail = f"job {job.number} has no artifact {name!r}; it has: {shown}"
            raise NotFoundError(Refusal(status=404, code="not_found", detail=detail))
    return [one for one in there if not names or one.name in names]


def _listed(job: "Job", artifacts: list["Artifact"], *, json: bool) -> Exit:
    if json:
        output.write_json({"job": job.id, "state": job.state, "artifacts": artifacts})
        return Exit.OK
    rows = [(one.name, one.filename, output.size(one.size_bytes), one.sha256) for one in artifacts]
    output.table("", ("NAME", "FILE", "SIZE", "SHA-256"), rows)
    output.say(f"download them with: haulier results {job.number} -o FOLDER")
    return Exit.OK


def _landed(client: "Client", job: "Job", artifact: "Artifact", out: Path, server: Server) -> Path:
    path = client.download(job, artifact, out)
    if not server.json:
        output.write(f"{path}  {output.size(path.stat().st_size)}")
    return path


def report(
    job: str,
    /,
    *,
    out: Annotated[Path | None, Parameter(name=("--out", "-o"))] = None,
    server: Server = HERE,
) -> Exit:
    """Download a job's report: one HTML page with map and statistics, readable offline.

    Args:
        job: Number, UUID, or the beginning of the UUID.
        out: The file to write, or a folder; else job-NUMBER.html here.
        server: The server.
    """
    with server.connect() as client:
        found = find_job(client, job)
        (artifact,) = _chosen(client, found, (REPORT,))
        path = client.download(found, artifact, out or Path(f"job-{found.number}.html"))
    output.told(str(path), {"path": str(path)}, json=server.json)
    return Exit.OK
