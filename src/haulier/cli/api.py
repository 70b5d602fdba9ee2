"""The API process that `haulier serve` starts: granian around `haulier.app`."""

import os
import sys
from collections.abc import Callable
from typing import Any

from haulier.cli.orphan import follow, follow_supervisor


def load_app() -> Callable[..., Any]:
    """Give the ASGI application; runs in each of granian's worker processes."""
    follow(os.getppid())  # granian leaves its workers behind when it is killed
    from haulier import app  # noqa: PLC0415 -- in the worker process alone: the engine is heavy

    loaded: Callable[..., Any] = app.asgi_factory()
    return loaded


def main() -> int:
    """Serve until SIGTERM; settings come from the environment."""
    from granian import Granian  # noqa: PLC0415 -- nothing before it needs it
    from granian.constants import Interfaces, SSLProtocols  # noqa: PLC0415 -- as above
    from granian.log import LogLevels  # noqa: PLC0415 -- as above

    from haulier.cli.address import require_loopback  # noqa: PLC0415 -- as above
    from haulier.config import load  # noqa: PLC0415 -- as above

    follow_supervisor()
    settings = load()
    if settings.dev:
        require_loopback(settings.host)
    certificate, private_key = settings.certificate or (None, None)
    server = Granian(
        "haulier.app:asgi_factory",
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGI,
        workers=settings.api_processes,
        websockets=False,
        log_access=False,
        log_level=LogLevels.warning,
        backlog=1024,
        ssl_cert=certificate,
        ssl_key=private_key,
        ssl_protocol_min=SSLProtocols.tls12,
        # a worker that dies ends the process, and the supervisor starts it again: one way
        respawn_failed_workers=False,
        workers_kill_timeout=10,
    )
    server.serve(target_loader=load_app, wrap_loader=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
