"""`haulier doctor`: looks at everything a server stands on, and says what to do."""

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from haulier.cli import output
from haulier.cli.codes import Exit, UsageError
from haulier.cli.local import Local, require_database

if TYPE_CHECKING:
    from haulier.config import Settings
    from haulier.engine.services import Services

LOCAL: Final = Local()
OLDEST_PYTHON: Final = (3, 11)
LITTLE_BYTES: Final = 5 << 30
TOO_LITTLE_BYTES: Final = 1 << 29
SLOW_S: Final = 0.5
SKEW_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found.

    Attributes:
        status: PASS, WARN or FAIL.
        advice: what to do about it; empty where nothing is to be done.
    """

    check: str
    status: str
    detail: str
    advice: str = ""


def passed(check: str, detail: str) -> Finding:
    """Give a finding of something that is well."""
    return Finding(check, "PASS", detail)


def doctor(*, local: Local = LOCAL) -> Exit:
    """Check what a server stands on; the exit code is 1 if anything fails.

    Nothing is made or changed, but for a small file that is written to the storage.

    Args:
        local: The installation.
    """
    findings = list(examine(local.settings()))
    if local.json:
        output.write_json(findings)
    else:
        rows = [(one.status, one.check, one.detail, one.advice) for one in findings]
        output.table("", ("", "CHECK", "FOUND", "WHAT TO DO"), rows)
    failed = any(one.status == "FAIL" for one in findings)
    return Exit.FAILED if failed else Exit.OK


def examine(settings: "Settings") -> Iterator[Finding]:
    """Give what every check finds; one that breaks is a finding, too."""
    local: tuple[tuple[str, Callable[[], Finding]], ...] = (
        ("python", python),
        ("packages", packages),
        ("disk", lambda: disk(settings.data)),
        ("numba cache", numba_cache),
    )
    for name, check in local:
        yield _safely(name, check)
    try:
        services = _services(settings)
    except Exception as error:  # noqa: BLE001 -- whatever stands in the way is the finding
        yield Finding("database", "FAIL", _sentence(error), _advice(error))
        return
    engine: tuple[tuple[str, Callable[[], Finding]], ...] = (
        ("database", lambda: database(services)),
        ("storage", lambda: storage(services)),
        ("worker", lambda: worker(services)),
        ("clock", lambda: clock(services)),
    )
    for name, check in engine:
        yield _safely(name, check)


def _safely(name: str, check: Callable[[], Finding]) -> Finding:
    try:
        return check()
    except Exception as error:  # noqa: BLE001 -- a broken check is a finding, not a crash
        return Finding(name, "FAIL", _sentence(error), _advice(error))


def _services(settings: "Settings") -> "Services":
    from haulier import app  # noqa: PLC0415 -- the engine is heavy, and may be what is broken

    require_database(settings)
    return app.build_services(settings)


def python() -> Finding:
    """Check the interpreter."""
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] < OLDEST_PYTHON:
        return Finding("python", "FAIL", version, "use Python 3.11 or newer")
    return passed("python", f"{version} at {sys.executable}")


def packages() -> Finding:
    """Check that what Haulier needs is installed, in versions it works with."""
    from packaging.requirements import Requirement  # noqa: PLC0415 -- used here alone

    faults: list[str] = []
    wanted = [Requirement(line) for line in metadata.requires("haulier") or ()]
    needed = [one for one in wanted if one.marker is None or one.marker.evaluate({"extra": ""})]
    for one in needed:
        try:
            found = metadata.version(one.name)
        except metadata.PackageNotFoundError:
            faults.append(f"{one.name} is missing")
            continue
        if not one.specifier.contains(found, prereleases=True):
            faults.append(f"{one.name} is {found}, needs {one.specifier}")
    if faults:
        return Finding("packages", "FAIL", "; ".join(faults), "install Haulier again")
    return passed("packages", f"haulier {metadata.version('haulier')}, {len(needed)} packages")


def disk(data: Path) -> Finding:
    """Check the room that is left where the data folder is or will be."""
    place = data.absolute()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    detail = f"{output.size(free)} free at {place}"
    if not os.access(place, os.W_OK):
        return Finding("disk", "FAIL", f"{place} cannot be written", "choose another --data")
    if free < TOO_LITTLE_BYTES:
        return Finding("disk", "FAIL", detail, "make room, or choose another --data")
    if free < LITTLE_BYTES:
        return Finding("disk", "WARN", detail, "make room: a job needs several times its input")
    return passed("disk", detail)


def numba_cache() -> Finding:
    """Check that compiled code can be kept, so that a second start need not compile."""
    import haulier  # noqa: PLC0415 -- the package's own folder

    named = os.environ.get("NUMBA_CACHE_DIR", "")
    place = Path(named) if named else Path(haulier.__file__).parent
    if not (os.access(place, os.W_OK) if place.exists() else os.access(place.parent, os.W_OK)):
        return Finding(
            "numba cache",
            "WARN",
            f"{place} cannot be written",
            "set NUMBA_CACHE_DIR to a folder that can: every start compiles for a minute",
        )
    kept = sum(1 for _ in place.rglob("*.nbi")) if place.exists() else 0
    return passed("numba cache", f"{kept} compiled functions in {place}")


def database(services: "Services") -> Finding:
    """Check that the database answers, and how fast."""
    began_s = time.monotonic()
    fault = services.health.database()
    took_s = time.monotonic() - began_s
    if fault:
        return Finding("database", "FAIL", fault, "look at --database, and at the database itself")
    jobs = sum(services.health.jobs_by_state().values())
    detail = f"answers in {took_s * 1000:.0f} ms, {jobs} jobs have not ended"
    if took_s > SLOW_S:
        return Finding("database", "WARN", detail, "look at the load or the network between")
    return passed("database", detail)


def storage(services: "Services") -> Finding:
    """Check that the storage can be written and read."""
    began_s = time.monotonic()
    fault = services.health.storage()
    took_ms = (time.monotonic() - began_s) * 1000
    if fault:
        return Finding("storage", "FAIL", fault, "look at --storage, its rights, and its keys")
    return passed("storage", f"writes and reads in {took_ms:.0f} ms")


def worker(services: "Services") -> Finding:
    """Check that somebody runs jobs."""
    workers = services.health.workers()
    alive = [one.name for one in workers if one.alive]
    silent = [one.name for one in workers if not one.alive]
    if not alive:
        return Finding(
            "worker", "WARN", "none was seen lately", "start one: haulier serve, or haulier worker"
        )
    detail = f"{', '.join(alive)} alive"
    return passed("worker", f"{detail}; silent: {', '.join(silent)}" if silent else detail)


def clock(services: "Services") -> Finding:
    """Check this machine's clock against the database's."""
    ahead_s = services.health.ahead_s()
    if abs(ahead_s) > SKEW_S:
        return Finding(
            "clock",
            "FAIL",
            f"{abs(ahead_s):.0f} s {'ahead of' if ahead_s > 0 else 'behind'} the database's",
            "set the clocks of all machines by NTP",
        )
    return passed("clock", f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}Z, agrees with the database's")


def _sentence(error: BaseException) -> str:
    first: str = (str(error).strip() or type(error).__name__).splitlines()[0]
    return first


def _advice(error: BaseException) -> str:
    known: dict[type[Any], str] = {
        UsageError: "start the server once, or name the right --data or --database",
        ImportError: "install Haulier again",
        PermissionError: "give this user the right to read and write there",
    }
    return next((text for kind, text in known.items() if isinstance(error, kind)), "see the detail")
