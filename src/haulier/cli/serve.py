"""`haulier serve`: a whole server on one machine, supervised."""

import asyncio
import json as json_module
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final
from urllib.parse import urlsplit

from cyclopts import Parameter

from haulier.cli import output
from haulier.cli.address import require_loopback, reserve, url_of
from haulier.cli.codes import Exit, UsageError
from haulier.cli.local import Local
from haulier.cli.occupied import occupy, refuse_occupied

if TYPE_CHECKING:
    from ssl import SSLContext

    from haulier.cli.supervisor import Supervisor
    from haulier.config import Settings

LOCAL: Final = Local()
LOOK_EVERY_S: Final = 0.1
SLOW_START_S: Final = 30.0
ANSWER_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What a server is to be, once its port is known.

    Attributes:
        key: the first admin key, where one was made just now.
        api_only: no worker is started here.
    """

    settings: "Settings"
    url: str
    key: str | None
    api_only: bool
    ready_file: Path | None
    json: bool

    @property
    def certificate(self) -> Path | None:
        """Give the file of its certificate; None: it answers over plain HTTP."""
        files = self.settings.certificate
        return None if files is None else files[0]


def serve(  # noqa: PLR0913 -- each is an option of the command
    *,
    host: str | None = None,
    port: int | None = None,
    public_url: str | None = None,
    worker: Annotated[bool, Parameter(negative="--no-worker")] = True,
    workers: int | None = None,
    api_processes: int | None = None,
    tls: Annotated[bool, Parameter(negative=())] = False,
    tls_cert: Path | None = None,
    tls_key: Path | None = None,
    dev: Annotated[bool, Parameter(negative=())] = False,
    ready_file: Path | None = None,
    local: Local = LOCAL,
) -> Exit:
    """Run a whole server: the API and a worker, each restarted when it dies.

    The first start makes database and folders, and shows the one admin key once. SIGTERM and
    Ctrl-C end everything cleanly; jobs that run are taken up at the next start. A data folder
    that another server has is left alone, with exit code 9.

    Args:
        host: Address to listen on, 0.0.0.0 for all [HAULIER_HOST]; else 127.0.0.1.
        port: Port to listen on, 0 for any that is free [HAULIER_PORT]; else 8080.
        public_url: How callers reach the server, where a proxy stands before it.
        worker: Also run a worker. Without one, start `haulier worker` somewhere.
        workers: How many parts of jobs run at once; else one a core.
        api_processes: How many processes answer requests.
        tls: Answer over HTTPS. Without a certificate of yours, one for this machine's names is
            made and kept in the data folder.
        tls_cert: Certificate and chain, a PEM file; means HTTPS [HAULIER_TLS_CERT].
        tls_key: The certificate's private key, a PEM file without a password [HAULIER_TLS_KEY].
        dev: Accept a known key, on loopback only.
        ready_file: Write address and process ids there as JSON while the server is ready.
        local: The installation.
    """
    settings = local.settings(
        host=host,
        port=port,
        public_url=public_url,
        processes=workers,
        api_processes=api_processes,
        tls=tls or None,
        tls_cert=_absolute(tls_cert),
        tls_key=_absolute(tls_key),
        dev=dev or None,
    )
    if settings.dev:
        require_loopback(settings.host)
    settings = replace(settings, data=settings.data.absolute())
    refuse_occupied(settings.data)  # before the port, which is likely the other's as well
    with reserve(settings.host, settings.port) as held:
        settings = replace(settings, port=held.getsockname()[1])
        url = url_of(settings.host, settings.port, tls=settings.certificate is not None)
        with occupy(settings.data, url):
            plan = Plan(
                settings=settings,
                url=url,
                key=prepare(settings),
                api_only=not worker,
                ready_file=ready_file,
                json=local.json,
            )
            try:
                return asyncio.run(_supervise(plan))
            finally:
                if ready_file is not None:
                    ready_file.unlink(missing_ok=True)


def _absolute(path: Path | None) -> str | None:
    return None if path is None else str(path.absolute())


def prepare(settings: "Settings") -> str | None:
    """Make what a server stands on in a short process; give the first key if it was made now.

    Raises:
        UsageError: the database or the folder cannot be used; the process said why.
    """
    done = subprocess.run(
        [sys.executable, "-m", "haulier.cli.prepare"],
        env={**os.environ, **_environment(settings)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        check=False,
    )
    if done.returncode != 0:
        raise UsageError(f"cannot prepare {settings.data}; see above")
    key: str | None = json_module.loads(done.stdout)["key"]
    return key


async def _supervise(plan: Plan) -> Exit:
    from haulier.cli.supervisor import Child, Supervisor  # noqa: PLC0415 -- --help does not pay

    python = (sys.executable, "-m")
    children = [Child("api", (*python, "haulier.cli.api"))]
    if not plan.api_only:
        children.append(Child("worker", (*python, "haulier.cli", "worker")))
    supervisor = Supervisor(tuple(children), _environment(plan.settings))

    def changed(pids: Mapping[str, int]) -> None:
        if supervisor.ready:
            _write_ready_file(plan, pids)

    supervisor.on_change = changed
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, supervisor.stop)
    announcer = asyncio.create_task(_announce(plan, supervisor))
    code = await supervisor.run()
    announcer.cancel()
    await asyncio.gather(announcer, return_exceptions=True)
    return code


async def _announce(plan: Plan, supervisor: "Supervisor") -> None:
    """Say where the server is, when it is."""
    loop = asyncio.get_running_loop()
    slow_at_s = loop.time() + SLOW_START_S
    while not await _ready(plan):
        await asyncio.sleep(LOOK_EVERY_S)
        if loop.time() > slow_at_s:
            slow_at_s = float("inf")
            output.say(f"haulier: not ready after {SLOW_START_S:g} s; still trying")
    supervisor.ready = True
    _write_ready_file(plan, {child.name: child.pid for child in supervisor.children})
    _introduce(plan)


async def _ready(plan: Plan) -> bool:
    """Ask the API how it is: alive is enough where the workers are elsewhere."""
    path = "/healthz" if plan.api_only else "/readyz"
    place = urlsplit(plan.url)
    request = f"GET {path} HTTP/1.1\r\nHost: {place.netloc}\r\nConnection: close\r\n\r\n"
    try:
        async with asyncio.timeout(ANSWER_S):
            reader, writer = await asyncio.open_connection(
                place.hostname, plan.settings.port, ssl=_trusting() if plan.certificate else None
            )
            writer.write(request.encode())
            status = (await reader.readline()).split(b" ")
            writer.close()
    except (OSError, TimeoutError):
        return False
    return status[1:2] == [b"200"]


def _trusting() -> "SSLContext":
    """Give TLS that takes any certificate: we ask the process that we have just started."""
    import ssl  # noqa: PLC0415 -- most servers have no TLS of their own

    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _introduce(plan: Plan) -> None:
    from haulier.config import DEV_KEY  # noqa: PLC0415 -- --help does not pay

    key = DEV_KEY if plan.settings.dev else plan.key
    if plan.json:
        facts = {
            "url": plan.url,
            "key": key,
            "certificate": plan.certificate,
            "data": plan.settings.data,
            "pid": os.getpid(),
        }
        output.write(output.encode(facts).decode())
        return
    output.write(f"Haulier is ready at {plan.url}")
    output.write(f"  data  {plan.settings.data}")
    if plan.certificate:
        output.write(f"  tls   {plan.certificate}")
        if not plan.settings.tls_cert:
            output.write("  Its own certificate. Clients that are to trust it need this file:")
            output.write(f"  SSL_CERT_FILE={plan.certificate}")
    if plan.settings.dev:
        output.write(f"  key   {key}  (development only: everybody knows it)")
    elif key:
        output.write(f"  key   {key}")
        output.write("  This admin key is shown once. Keep it, or make others: haulier keys create")


def _write_ready_file(plan: Plan, pids: Mapping[str, int]) -> None:
    if plan.ready_file is None:
        return
    facts: dict[str, Any] = {"url": plan.url, "pid": os.getpid(), "processes": dict(pids)}
    beside = plan.ready_file.with_name(f".{plan.ready_file.name}.{os.getpid()}")
    beside.write_text(json_module.dumps(facts), "utf-8")
    beside.replace(plan.ready_file)


def _environment(settings: "Settings") -> dict[str, str]:
    from haulier.config import environment  # noqa: PLC0415 -- --help does not pay

    return environment(settings)
