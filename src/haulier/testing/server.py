"""A real server in child processes: for tests that speak to it as its callers do."""

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

READY_S: Final = 90.0
STOP_S: Final = 40.0
TAIL: Final = 4000  # characters of the log that a failed start shows


class NotReadyError(Exception):
    """The server ended, or was silent for too long, before it was ready."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server that is ready.

    Attributes:
        url: its address.
        key: an API key with every scope.
        folder: everything it writes lies below it.
        process: the supervisor, `haulier serve`.
        certificate: what to trust, where it answers over HTTPS.
    """

    url: str
    key: str
    folder: Path
    process: subprocess.Popen[bytes]
    certificate: Path | None = None

    @property
    def data(self) -> Path:
        """Give its data folder."""
        return self.folder / "data"

    @property
    def log(self) -> str:
        """Give what its processes said so far."""
        return (self.folder / "server.log").read_text("utf-8", "replace")

    def pids(self) -> dict[str, int]:
        """Give the process ids of its children by name: "api", "worker"."""
        facts = json.loads((self.folder / "ready.json").read_text("utf-8"))
        return {str(name): int(pid) for name, pid in facts["processes"].items()}

    def environment(self) -> dict[str, str]:
        """Give the environment in which the command line finds this server."""
        found = {"HAULIER_URL": self.url, "HAULIER_KEY": self.key, "HAULIER_CONFIG": os.devnull}
        trust = {"SSL_CERT_FILE": str(self.certificate)} if self.certificate else {}
        return found | trust


@contextmanager
def running(
    folder: Path,
    *,
    arguments: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
) -> Iterator[Server]:
    """Run `haulier serve` in a folder; it has ended when the block ends.

    A second run in the same folder finds what the first one left, and has no key of its own:
    then `key` is empty, unless it is told to use the development key.

    Args:
        folder: absolute; the server works there and nowhere else.
        arguments: more arguments of `haulier serve`.
        environment: more of its environment, such as HAULIER_FAMILIES.

    Raises:
        NotReadyError: it did not start; the message ends with its log.
    """
    with (folder / "server.log").open("ab") as log:
        process = _start(folder, log, arguments, environment or {})
        try:
            facts = _facts(process, folder)
            certificate = facts["certificate"]
            yield Server(
                facts["url"],
                facts["key"] or "",
                folder,
                process,
                Path(certificate) if certificate else None,
            )
        finally:
            stop(process)


def _start(
    folder: Path, log: IO[bytes], arguments: Sequence[str], environment: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    port = () if "--port" in arguments else ("--port", "0")
    wanted = (*port, "--data", str(folder / "data"), "--json")
    return subprocess.Popen(  # noqa: S603 -- our own command
        (
            *(sys.executable, "-m", "haulier.cli", "serve", *wanted),
            *("--ready-file", str(folder / "ready.json"), *arguments),
        ),
        cwd=folder,
        env={**os.environ, **bytecode(), **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=log,
    )


def bytecode() -> dict[str, str]:
    """Give the environment in which Python keeps what it has compiled, whatever it was told.

    Without it each process of a server compiles all of its libraries: three times the start.
    """
    if not sys.dont_write_bytecode:
        return {}
    place = Path(tempfile.gettempdir()) / f"haulier-bytecode-{os.getuid()}"
    return {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(place)}


def _facts(process: subprocess.Popen[bytes], folder: Path) -> dict[str, str]:
    """Give what the server says of itself when it is ready: one line of JSON."""
    assert process.stdout is not None  # noqa: S101 -- it was asked for
    seen, _, _ = select.select([process.stdout], [], [], READY_S)
    line = process.stdout.readline() if seen else b""
    if not line:
        said = (folder / "server.log").read_text("utf-8", "replace")[-TAIL:]
        raise NotReadyError(f"no server within {READY_S:g} s (exit code {process.poll()}):\n{said}")
    facts: dict[str, str] = json.loads(line)
    return facts


def stop(process: subprocess.Popen[bytes]) -> int:
    """End a server as an operator does, and give its exit code; by force if it does not listen."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()
    return process.returncode
