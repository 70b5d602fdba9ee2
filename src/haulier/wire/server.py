"""The server: every dialect behind one port, made from the services of the engine."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from litestar import Litestar, Router
from litestar.datastructures import State
from litestar.exceptions import HTTPException, MethodNotAllowedException
from litestar.utils import normalize_path

from haulier.engine.services import Services
from haulier.wire import openapi, probes, problems
from haulier.wire.auth import guard
from haulier.wire.dialect import AnyRequest, Dialect, installed
from haulier.wire.edge import Aliases, Edge, Traffic
from haulier.wire.query import refuse_unknown

JSON_LIMIT_BYTES: Final = 8 * 1024 * 1024
NO_METHOD: Final = "TRACE"  # no handler has it, so that the router says which there are


def build_app(
    services: Services,
    dialects: Sequence[Dialect] | None = None,
    *,
    aliases: Sequence[tuple[str, str]] = (),
) -> Litestar:
    """Give the ASGI application.

    Args:
        services: the engine.
        dialects: the wires to speak; None: all that are installed.
        aliases: paths that stand for others, each with the one it stands for.
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
    traffic = Traffic(metrics.registry)
    edge = Edge(app.asgi_handler, spoken, traffic, lambda path: _methods(app, path))
    app.asgi_handler = Aliases(edge, aliases) if aliases else edge
    return app


def _methods(app: Litestar, path: str) -> frozenset[str]:
    """Give the methods that the handlers of a path have; none where there is nothing."""
    try:
        app.asgi_router.handle_routing(path=normalize_path(path), method=NO_METHOD)
    except MethodNotAllowedException as refused:
        allowed = (refused.headers or {}).get("allow", "")
        return frozenset(word.strip().upper() for word in allowed.split(","))
    except HTTPException:
        return frozenset()
    return frozenset()


def _router(dialect: Dialect, services: Services) -> Router:
    """Give a dialect's handlers behind the check of the key: open is what says so."""
    return Router(
        "/",
        route_handlers=[*dialect.routes(services), *openapi.routes(dialect, services)],
        # not as litestar's guard, which would copy the handler for every request
        before_request=_before(dialect, services),
    )


def _before(dialect: Dialect, services: Services) -> Callable[[AnyRequest], Awaitable[None]]:
    """Give what looks at a request before its handler: who asks first, then what is asked."""
    authorise = guard(services, dialect)

    async def check(request: AnyRequest) -> None:
        await authorise(request)
        if dialect.strict_query:
            refuse_unknown(request)

    return check
