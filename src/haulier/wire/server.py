"""The server: every dialect behind one port, made from the services of the engine."""

from collections.abc import Sequence
from typing import Final

from litestar import Litestar, Router
from litestar.datastructures import State
from litestar.exceptions import HTTPException, MethodNotAllowedException
from litestar.utils import normalize_path

from haulier.engine.services import Services
from haulier.wire import openapi, probes, problems
from haulier.wire.auth import guard
from haulier.wire.dialect import Dialect, installed
from haulier.wire.edge import Edge, Traffic

JSON_LIMIT_BYTES: Final = 8 * 1024 * 1024


def build_app(services: Services, dialects: Sequence[Dialect] | None = None) -> Litestar:
    """Give the ASGI application.

    Args:
        services: the engine.
        dialects: the wires to speak; None: all that are installed.
    """
    spoken = tuple(installed() if dialects is None else dialects)
    metrics = probes.Metrics()
    app = Litestar(
        route_handlers=[*probes.routes(), *(_router(dialect, services) for dialect in spoken)],
        exception_handlers={Exception: problems.handler(spoken, JSON_LIMIT_BYTES)},
        request_max_body_size=JSON_LIMIT_BYTES,
        state=State({"services": services, "metrics": metrics}),
        openapi_config=None,
        logging_config=None,
    )
    app.asgi_handler = Edge(
        app.asgi_handler, spoken, Traffic(metrics.registry), lambda path: _has_head(app, path)
    )
    return app


def _has_head(app: Litestar, path: str) -> bool:
    """Whether a handler answers HEAD of a path itself; the others answer it as GET."""
    try:
        app.asgi_router.handle_routing(path=normalize_path(path), method="HEAD")
    except MethodNotAllowedException:
        return False
    except HTTPException:
        return True  # there is nothing at the path, whatever the method
    return True


def _router(dialect: Dialect, services: Services) -> Router:
    """Give a dialect's handlers behind the check of the key: open is what says so."""
    return Router(
        "/",
        route_handlers=[*dialect.routes(services), *openapi.routes(dialect, services)],
        guards=[guard(services, dialect)],
    )
