"""Every setting in one place: read once from arguments and environment, never again."""

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

from haulier.core.artifact import check_filename
from haulier.core.problem import Code, Fault, Problem

PREFIX: Final = "HAULIER_"
_WORDS: Final = {int: "whole number", float: "number"}
_YES_OR_NO: Final = {
    **dict.fromkeys(("1", "true", "yes", "on"), True),
    **dict.fromkeys(("0", "false", "no", "off", ""), False),
}
LOG_LEVELS: Final = ("debug", "info", "warning", "error")
#: The least and the most that a setting may be.
BOUNDS: Final[Mapping[str, tuple[float, float]]] = {
    "port": (0, 65_535),
    "api_processes": (1, 1_000),
    "processes": (0, 10_000),
    "interactive_processes": (1, 10_000),
    "jobs_at_once": (1, 10_000),
    "organisation_jobs": (1, 1_000_000),
    "poll_s": (0.01, 3_600),
    "dead_after_s": (2, 86_400),  # a worker says every second that it lives
    "part_memory_mb": (0, 1 << 30),
    "part_silent_s": (1, 31_536_000),
    "part_attempts": (1, 1_000),
    "keep_work_h": (0, 876_000),
}
DEV_KEY: Final = "hlr_dev_key_for_loopback_only"
DEV_ORGANISATION: Final = "dev"  # whose key that is
FIRST_ORGANISATION: Final = "main"  # whose key the first start makes


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What one process of Haulier needs to know.

    Attributes:
        data: folder of the database, the files and the scratch space of this machine.
        database_url: SQLAlchemy URL; empty means a SQLite file in `data`.
        storage_url: where files live: `file:///…`, `s3://…`, `gs://…`, `az://…`; empty
            means a folder in `data`. Every machine must reach it.
        host: the address to listen on; 0.0.0.0 for every one of the machine.
        port: the port to listen on; 0 for any that is free.
        storage_roots: where organisations may have storages and releases of their own:
            beginnings of URLs or paths, with commas between; empty means nowhere.
        operators: the organisations whose storages and releases may lie anywhere but in the
            server's own data, with commas between; under `dev` that of its key is one more.
        webhook_hosts: hosts that webhooks may call although they are in the server's own network,
            with commas between; "*" for every host.
        path_aliases: paths under which wires are found besides their own, such as
            "/processing=/ordo", with commas between.
        public_url: how callers reach the API; empty means what they asked for.
        tls: answer over HTTPS, with a certificate that is made where none is named.
        tls_cert: file of a certificate and its chain, in PEM; means HTTPS. Empty: one in `data`.
        tls_key: file of the private key of that certificate, in PEM, without a password.
        dev: accept a key that everybody knows, on loopback only.
        api_processes: processes that answer requests.
        worker_name: stable and unique; a worker that comes back under its name takes up
            the jobs it left.
        processes: child processes for parts of jobs, at once, on this worker; 0 means one a core.
        interactive_processes: child processes kept for interactive kinds.
        jobs_at_once: jobs that one worker runs at once.
        organisation_jobs: running jobs that one organisation may have at once.
        poll_s: how often a worker looks for queued jobs.
        dead_after_s: a worker that is silent for so long has its jobs given to others.
        part_memory_mb: resident memory at which a child process is ended; 0 means no limit.
        part_silent_s: a child process that reports nothing for so long is ended.
        part_attempts: how often a part is tried when its process dies under it.
        keep_work_h: how long finished parts are kept for jobs that need the same.
        log_level: debug, info, warning or error.
        families: families that no installed package announces, as "module:attribute" with
            commas between; for writing one.
    """

    data: Path = Path("haulier-data")
    database_url: str = ""
    storage_url: str = ""
    storage_roots: str = ""
    operators: str = FIRST_ORGANISATION
    webhook_hosts: str = ""
    path_aliases: str = ""
    host: str = "127.0.0.1"
    port: int = 8080
    public_url: str = ""
    tls: bool = False
    tls_cert: str = ""
    tls_key: str = ""
    dev: bool = False
    api_processes: int = 1
    worker_name: str = ""
    processes: int = 0
    interactive_processes: int = 1
    jobs_at_once: int = 8
    organisation_jobs: int = 4
    poll_s: float = 0.2
    dead_after_s: float = 8.0
    part_memory_mb: int = 0
    part_silent_s: float = 1800.0
    part_attempts: int = 3
    keep_work_h: float = 24.0
    log_level: str = "info"
    families: str = ""

    @property
    def database(self) -> str:
        """Give the database's URL, the default resolved."""
        if self.database_url:
            return self.database_url
        return f"sqlite:///{self.data.absolute() / 'haulier.db'}"

    @property
    def storage(self) -> str:
        """Give the URL of the files, the default resolved."""
        return self.storage_url or (self.data.absolute() / "files").as_uri()

    @property
    def roots(self) -> tuple[str, ...]:
        """Give the beginnings of the places that every organisation may name."""
        return _listed(self.storage_roots)

    @property
    def hosts_to_call(self) -> tuple[str, ...]:
        """Give the hosts that webhooks may call wherever they are."""
        return tuple(host.lower() for host in _listed(self.webhook_hosts))

    @property
    def aliases(self) -> tuple[tuple[str, str], ...]:
        """Give the paths that stand for others, each with the one it stands for."""
        pairs = (each.partition("=") for each in _listed(self.path_aliases))
        return tuple((alias.rstrip("/"), path.rstrip("/")) for alias, _, path in pairs)

    @property
    def operator_organisations(self) -> tuple[str, ...]:
        """Give the organisations that may name every place but the server's own data."""
        return _listed(self.operators) + ((DEV_ORGANISATION,) if self.dev else ())

    @property
    def certificate(self) -> tuple[Path, Path] | None:
        """Give the files of certificate and private key, the default resolved; None: no TLS."""
        if self.tls_cert:
            return Path(self.tls_cert), Path(self.tls_key)
        folder = self.data.absolute() / "tls"
        return (folder / "certificate.pem", folder / "key.pem") if self.tls else None

    @property
    def scratch(self) -> Path:
        """Give this machine's folder for work that is not finished."""
        return self.data.absolute() / "scratch"

    @property
    def worker(self) -> str:
        """Give the worker's name, the default resolved: the host's name."""
        return self.worker_name or socket.gethostname()

    @property
    def pool(self) -> int:
        """Give the number of child processes, the default resolved: one a core."""
        return self.processes or os.cpu_count() or 1


def load(arguments: Mapping[str, Any] | None = None) -> Settings:
    """Read the settings: arguments win over the environment, and that over the defaults.

    Raises:
        Problem: INVALID; a value is not of its setting's type, or out of its range.
    """
    given: dict[str, Any] = {}
    for field in fields(Settings):
        raw = os.environ.get(PREFIX + field.name.upper())
        if raw is not None:
            given[field.name] = _convert(field.name, raw, type(field.default))
    given.update({k: v for k, v in (arguments or {}).items() if v is not None})
    settings = Settings(**given)
    check(settings)
    return settings


def check(settings: Settings) -> None:
    """Make sure that every value can be worked with.

    Raises:
        Problem: INVALID, with every setting that is out of its range.
    """
    faults = [
        Fault(name, f"{PREFIX}{name.upper()} must be {least:,} to {most:,}, got {value}")
        for name, (least, most) in BOUNDS.items()
        if not least <= (value := getattr(settings, name)) <= most  # which no nan is
    ]
    for alias, path in settings.aliases:
        if not (alias.startswith("/") and path.startswith("/")):
            detail = (
                f"{PREFIX}PATH_ALIASES must be such as /alias=/path, with commas between, "
                f"got {settings.path_aliases!r}"
            )
            faults.append(Fault("path_aliases", detail))
    if settings.log_level.lower() not in LOG_LEVELS:
        wanted = ", ".join(LOG_LEVELS)
        detail = f"{PREFIX}LOG_LEVEL must be one of {wanted}, got {settings.log_level!r}"
        faults.append(Fault("log_level", detail))
    if bool(settings.tls_cert) != bool(settings.tls_key):
        name = "tls_key" if settings.tls_cert else "tls_cert"
        faults.append(Fault(name, f"{PREFIX}{name.upper()} must be named beside its other half"))
    if faults:
        first = faults[0]
        raise Problem(Code.INVALID, first.detail, at=first.at, faults=faults)
    if settings.worker_name:
        check_filename(settings.worker_name, at="worker_name")  # it names a folder


def environment(settings: Settings) -> dict[str, str]:
    """Give the settings as environment variables, for a child process of ours."""
    return {
        PREFIX + field.name.upper(): str(getattr(settings, field.name))
        for field in fields(Settings)
    }


def _listed(text: str) -> tuple[str, ...]:
    return tuple(each.strip() for each in text.split(",") if each.strip())


def _convert(name: str, raw: str, kind: type[Any]) -> Any:  # noqa: ANN401 -- the setting's type
    try:
        return _YES_OR_NO[raw.strip().lower()] if kind is bool else kind(raw)
    except (KeyError, ValueError):
        wanted = "true or false" if kind is bool else f"a {_WORDS.get(kind, kind.__name__)}"
        detail = f"{PREFIX}{name.upper()} must be {wanted}, got {raw!r}"
        raise Problem(Code.INVALID, detail, at=name) from None
