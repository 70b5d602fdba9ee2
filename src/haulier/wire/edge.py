"""The edge of the server: a request id and a trace for every request, and its metrics."""

import os
import re
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import structlog
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from opentelemetry import trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from prometheus_client import CollectorRegistry, Counter, Histogram

from haulier.wire.dialect import Dialect, owner

REQUEST_ID: Final = re.compile(rb"[A-Za-z0-9._~:/+=@-]{1,128}")
BUCKETS_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

_propagator: Final = TraceContextTextMapPropagator()
_tracer: Final = trace.get_tracer("haulier.wire")


class Traffic:
    """What is counted of the requests, by wire and route, never by path: ids are in paths."""

    def __init__(self, registry: CollectorRegistry) -> None:
        names = ("wire", "route", "method", "status")
        self._requests = Counter(
            "haulier_http_requests", "Answered HTTP requests.", names, registry=registry
        )
        self._seconds = Histogram(
            "haulier_http_request_seconds",
            "Time to the end of the answer.",
            names[:2],
            registry=registry,
            buckets=BUCKETS_S,
        )
        # `labels` of the library takes a lock and builds strings; routes are few, so keep both
        self._known: dict[tuple[str, str, str, int], tuple[Any, Any]] = {}

    def count(self, wire: str, route: str, method: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        key = (wire, route, method, status)
        if key not in self._known:
            self._known[key] = (
                self._requests.labels(wire, route, method, str(status)),
                self._seconds.labels(wire, route),
            )
        requests, duration = self._known[key]
        requests.inc()
        duration.observe(seconds)


class Edge:
    """The outermost layer; everything that all requests have in common, and nothing else."""

    def __init__(
        self,
        app: ASGIApp,
        dialects: Sequence[Dialect],
        traffic: Traffic,
        methods: Callable[[str], frozenset[str]],
    ) -> None:
        self._app = app
        self._dialects = dialects
        self._traffic = traffic
        self._methods = methods

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        started, path, method, status = time.perf_counter(), scope["path"], scope["method"], 500
        if method == "HEAD" and "HEAD" not in self._methods(path):
            scope["method"] = "GET"  # the handlers of GET answer; the body is left out below
        request_id, traceparent = _told(scope["headers"])
        scope["state"]["request_id"] = request_id.decode()

        async def stamped(message: Message) -> None:
            nonlocal status
            if method == "HEAD" and message["type"] == "http.response.body":
                message["body"] = b""
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message["headers"],
                    (b"x-request-id", request_id),
                    (b"x-content-type-options", b"nosniff"),
                ]
            await send(message)

        try:
            if method == "OPTIONS" and (allowed := self._methods(path)):
                await _tell_methods(allowed, stamped)
            elif traceparent:
                await self._traced(traceparent, scope, receive, stamped)
            else:
                await self._app(scope, receive, stamped)
        finally:
            wire = owner(self._dialects, path).name
            route = str(scope.get("path_template", "none"))
            seconds = time.perf_counter() - started
            self._traffic.count(wire, route, method, status, seconds)

    async def _traced(self, traceparent: bytes, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request as a part of the caller's trace."""
        carrier = {"traceparent": traceparent.decode("latin-1")}
        context = _propagator.extract(carrier)
        with (
            _tracer.start_as_current_span("request", context=context) as span,
            structlog.contextvars.bound_contextvars(
                trace_id=format(span.get_span_context().trace_id, "032x")
            ),
        ):
            await self._app(scope, receive, send)


class Aliases:
    """Before everything else: paths that the operator lets stand for others."""

    def __init__(self, app: ASGIApp, aliases: Sequence[tuple[str, str]]) -> None:
        self._app = app
        self._aliases = aliases

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request under the path that its own stands for."""
        if scope["type"] == ScopeType.HTTP:
            for alias, path in self._aliases:
                asked = scope["path"]
                if asked == alias or asked.startswith(f"{alias}/"):
                    scope["path"] = path + asked.removeprefix(alias)
                    scope["raw_path"] = path.encode() + scope["raw_path"].removeprefix(
                        alias.encode()
                    )
                    break
        await self._app(scope, receive, send)


async def _tell_methods(allowed: frozenset[str], send: Send) -> None:
    """Answer OPTIONS of a path, for which a key is not needed."""
    every = {"OPTIONS", *allowed, *({"HEAD"} if "GET" in allowed else ())}
    headers = [(b"allow", ", ".join(sorted(every)).encode()), (b"content-length", b"0")]
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def _told(headers: Any) -> tuple[bytes, bytes]:  # noqa: ANN401 -- ASGI says: any iterable of pairs
    """Give the request's id, a new one where it has none that is fit to log, and its trace."""
    request_id = traceparent = b""
    for name, value in headers:
        if name == b"x-request-id":
            request_id = value
        elif name == b"traceparent":
            traceparent = value
    if REQUEST_ID.fullmatch(request_id) is None:
        request_id = os.urandom(12).hex().encode()
    return request_id, traceparent
