"""The composition root: the only place where the parts meet."""

import gc
import logging
from typing import TYPE_CHECKING

import sqlalchemy as sa

from haulier.config import Settings, load
from haulier.core.caller import Scope
from haulier.core.clock import SystemClock
from haulier.core.problem import Code, Problem
from haulier.engine import durable
from haulier.engine.catalog import Catalog
from haulier.engine.database import connect, migrate
from haulier.engine.files import Files
from haulier.engine.health import Health
from haulier.engine.jobs import Jobs
from haulier.engine.keys import Keys
from haulier.engine.registry import installed
from haulier.engine.services import Services
from haulier.engine.storage import Storage

if TYPE_CHECKING:
    from litestar import Litestar

FIRST_ORGANISATION = "main"


def prepare(settings: Settings) -> None:
    """Make or update the database and the folders; safe to call at every start.

    Raises:
        Problem: UNAVAILABLE or INVALID; the database or the folder cannot be used.
    """
    try:
        settings.data.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        detail = f"cannot make the folder {settings.data}: {error.strerror}"
        raise Problem(Code.INVALID, detail, at="data") from error
    engine = connect(settings.database)
    try:
        migrate(engine)
        durable.prepare(engine)
    except sa.exc.OperationalError as error:
        where = engine.url.render_as_string()
        raise Problem(Code.UNAVAILABLE, f"no database at {where}: {error.orig}") from error
    finally:
        engine.dispose()


def build_services(settings: Settings) -> Services:
    """Give what a server or a command works with."""
    clock = SystemClock()
    engine = connect(settings.database)
    storage = Storage(settings.storage)
    catalog = Catalog(engine, clock)
    files = Files(engine, storage, catalog, clock, roots=settings.roots)
    kinds = installed(settings.families)
    jobs = Jobs(
        engine,
        kinds=kinds,
        files=files,
        storage=storage,
        enqueuer=durable.Enqueuer(engine),
        clock=clock,
        organisation_jobs=settings.organisation_jobs,
    )
    return Services(
        jobs=jobs,
        keys=Keys(engine, clock, dev=settings.dev),
        catalog=catalog,
        files=files,
        kinds=kinds,
        health=Health(engine, storage, clock, settings.dead_after_s),
        clock=clock,
        storage=storage,
        engine=engine,
        public_url=settings.public_url.rstrip("/"),
        inline_reads=engine.dialect.name == "sqlite",
    )


def first_key(settings: Settings) -> str | None:
    """Make the first admin key; None if there are keys already."""
    services = build_services(settings)
    if services.keys.list():
        return None
    _, secret = services.keys.create(FIRST_ORGANISATION, subject="first start", scopes=tuple(Scope))
    return secret


def run_worker(settings: Settings) -> None:
    """Run jobs until SIGTERM; ends the process."""
    from haulier.engine.worker import Worker  # noqa: PLC0415 -- the API needs no worker's parts

    logging.basicConfig(
        level=settings.log_level.upper(),
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    Worker(settings, installed(settings.families)).run()


def asgi_factory() -> "Litestar":
    """Give the ASGI application, set by the environment."""
    from haulier.wire.server import build_app  # noqa: PLC0415 -- a worker needs no server's parts

    settings = load()
    logging.basicConfig(level=settings.log_level.upper())
    app = build_app(build_services(settings))
    # What was built stays: a full collection that looks at it again stops every request for 50 ms.
    gc.collect()
    gc.freeze()
    return app
