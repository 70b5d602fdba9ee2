"""`haulier submit`: parameters from the command line, local files uploaded first."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from haulier.cli import output, parameters
from haulier.cli.codes import Exit
from haulier.cli.connection import HERE, Server
from haulier.cli.watch import follow

if TYPE_CHECKING:
    from haulier.client import Client, Process


def submit(  # noqa: PLR0913 -- each is an option of the command
    kind: str,
    /,
    *,
    file: Annotated[tuple[str, ...], Parameter(name=("--input", "-i"), negative=())] = (),
    param: Annotated[tuple[str, ...], Parameter(name=("--param", "-p"), negative=())] = (),
    params: str = "",
    storage: str = "",
    title: str = "",
    priority: int = 5,
    timeout: float | None = None,
    watch: Annotated[bool, Parameter(negative=())] = False,
    server: Server = HERE,
) -> Exit:
    """Start a job.

    Args:
        kind: What to do: a kind such as ROAD_MATCHING, or its process id.
        file: PATH or NAME=PATH of a local file, uploaded first. May come several times.
        param: NAME=VALUE; a dot goes into an object: columns.id=road_id. May come several times.
        params: All parameters as one JSON object: text, @FILE, or - for standard input.
        storage: The storage to upload to; else the server's own.
        title: A name for people.
        priority: 1 (first) to 9 (last).
        timeout: End the job as failed when it has run for so many seconds.
        watch: Stay, and show how far it is, until it has ended.
        server: The server.
    """
    from haulier.client import JobRequest  # noqa: PLC0415 -- httpx costs 0.4 s; --help does not pay

    with server.connect() as client:
        process = client.process(kind)
        inputs = parameters.merge(parameters.read_document(params), param, process.inputs)
        for name, path in parameters.assign(file, process.inputs, inputs):
            ref = _sent(client, path, storage, quiet=server.json)
            parameters.place_file(inputs, name, ref, process.inputs)
        request = JobRequest(inputs=inputs, title=title, priority=priority, timeout_s=timeout)
        job = client.submit(process.id, request)
        if watch:
            return follow(client, job, json=server.json)
    if server.json:
        output.write_json(job)
    else:
        output.write(f"job {job.number} {job.state}  {job.id}")
        output.say(f"watch it with: haulier watch {job.number}")
    return Exit.OK


def _sent(client: "Client", path: Path, storage: str, *, quiet: bool) -> Mapping[str, str]:
    if not quiet:
        output.say(f"uploading {path} ({output.size(path.stat().st_size)})")
    stored = client.upload(path, storage)
    if not quiet:
        output.say(f"stored as {stored.filename} in {stored.storage}")
    return stored.ref


def processes(*, server: Server = HERE) -> Exit:
    """List what the server can do.

    Args:
        server: The server.
    """
    with server.connect() as client:
        found = client.processes()
    if server.json:
        output.write_json(found)
    else:
        rows = [(one.id, one.version, one.title) for one in found]
        output.table("", ("PROCESS", "VERSION", "TITLE"), rows)
    return Exit.OK


def describe(kind: str, /, *, server: Server = HERE) -> Exit:
    """Show the inputs and outputs of a process.

    Args:
        kind: A kind such as ROAD_MATCHING, or its process id.
        server: The server.
    """
    with server.connect() as client:
        process = client.process(kind)
    if server.json:
        output.write_json(process)
        return Exit.OK
    output.write(f"{process.id} {process.version}: {process.title}\n{process.description}\n")
    output.table("Inputs", ("NAME", "TYPE", "DEFAULT", "WHAT IT IS"), _inputs(process))
    outputs = [(name, str(one.get("title", ""))) for name, one in process.outputs.items()]
    output.table("\nOutputs", ("NAME", "WHAT IT IS"), outputs)
    return Exit.OK


def _inputs(process: "Process") -> list[tuple[str, str, str, str]]:
    return [
        (
            name,
            parameters.type_word(one.get("schema", {})),
            "(needed)" if parameters.required(one) else _default(one.get("schema", {})),
            str(one.get("description") or one.get("title") or ""),
        )
        for name, one in process.inputs.items()
    ]


def _default(schema: Mapping[str, Any]) -> str:
    return output.encode(schema["default"]).decode() if "default" in schema else ""
