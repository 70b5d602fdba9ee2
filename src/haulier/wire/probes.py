"""What operators ask: is it alive, is it ready, what does it count."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import msgspec
from litestar import Request, Response, Router, get
from litestar.datastructures import State
from litestar.types import ControllerRouterHandler
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest

from haulier.core.caller import Caller
from haulier.engine.services import Services
from haulier.wire.dialect import services_of

CHECK_S: Final = 5.0

Asked = Request[Caller, None, State]


class Check(msgspec.Struct, frozen=True):
    """One thing that the server stands on."""

    ok: bool
    detail: str = ""


class Readiness(msgspec.Struct, frozen=True):
    """Whether the server can do its work, and why not."""

    ready: bool
    checks: dict[str, Check]


@get("/healthz", opt={"public": True})
async def healthz() -> dict[str, str]:
    """Say that the process answers."""
    return {"status": "alive"}


@get("/readyz", opt={"public": True})
async def readyz(request: Asked) -> Response[Readiness]:
    """Say whether database and storage answer, and whether a worker was seen lately."""
    services = services_of(request)
    names = ("database", "storage", "worker")
    calls = (services.health.database, services.health.storage, lambda: _worker(services))
    found = await asyncio.gather(*(_check(services, call) for call in calls))
    ready = all(check.ok for check in found)
    body = Readiness(ready, dict(zip(names, found, strict=True)))
    return Response(body, status_code=200 if ready else 503)


async def _check(services: Services, call: Callable[[], str | None]) -> Check:
    try:
        detail = await asyncio.wait_for(services.write(call), CHECK_S)
    except TimeoutError:
        return Check(ok=False, detail=f"no answer within {CHECK_S:g} s")
    except Exception as error:  # noqa: BLE001 -- whatever the driver raises is the answer
        return Check(ok=False, detail=type(error).__name__)
    return Check(ok=not detail, detail=detail or "")


def _worker(services: Services) -> str | None:
    """Give what is wrong with the workers, or nothing."""
    workers = services.health.workers()
    if any(worker.alive for worker in workers):
        return None
    return f"none of {len(workers)} known workers was seen lately"


class Metrics:
    """The numbers of this process, and those of the jobs in the database."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._jobs = Gauge(
            "haulier_jobs", "Jobs that have not ended.", ("state",), registry=self.registry
        )
        self._workers = Gauge(
            "haulier_workers_alive", "Workers that were seen lately.", registry=self.registry
        )

    async def page(self, services: Services) -> bytes:
        """Give everything that is counted, as Prometheus reads it."""
        for state, count in (await services.write(services.health.jobs_by_state)).items():
            self._jobs.labels(state).set(count)
        workers = await services.write(services.health.workers)
        self._workers.set(sum(worker.alive for worker in workers))
        return generate_latest(self.registry)


@get("/metrics", opt={"public": True})
async def metrics(request: Asked) -> Response[bytes]:
    """Give the metrics in Prometheus' text format."""
    page: Callable[[Services], Awaitable[bytes]] = request.app.state["metrics"].page
    body = await page(services_of(request))
    return Response(body, headers={"content-type": CONTENT_TYPE_LATEST})


def routes() -> Sequence[ControllerRouterHandler]:
    """Give the handlers, which no dialect owns."""
    return [Router("/", route_handlers=[healthz, readyz, metrics], include_in_schema=False)]
