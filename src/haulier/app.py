"""The composition root: the only place where the parts meet."""

import ctypes
import gc
import logging
import sqlite3
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa
from alembic.util import CommandError

from haulier.config import FIRST_ORGANISATION, Settings, load
from haulier.core.artifact import check_filename
from haulier.core.caller import Scope
from haulier.core.clock import SystemClock
from haulier.core.job import Job
from haulier.core.problem import Code, Problem
from haulier.engine import durable
from haulier.engine.catalog import Catalog
from haulier.engine.database import connect, migrate, shown
from haulier.engine.files import Files
from haulier.engine.health import Health
from haulier.engine.jobs import Jobs
from haulier.engine.keys import Keys
from haulier.engine.reach import reach_of
from haulier.engine.recipes.shelf import RecipeShelf
from haulier.engine.registry import installed
from haulier.engine.services import Services
from haulier.engine.storage import Storage

if TYPE_CHECKING:
    from litestar import Litestar

PR_SET_DUMPABLE: Final = 4


def prepare(settings: Settings) -> None:
    """Make or update the database and the folders; safe to call at every start.

    Raises:
        Problem: UNAVAILABLE or INVALID; the database or the folder cannot be used.
    """
    try:
        # Nobody else's to read: it holds hashes of keys, and what people uploaded.
        settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        detail = f"cannot make the folder {settings.data}: {error.strerror}"
        raise Problem(Code.INVALID, detail, at="data") from error
    engine = connect(settings.database)
    try:
        migrate(engine)
        durable.prepare(engine)
        catalog = Catalog(engine, SystemClock(), reach_of(settings))
        RecipeShelf(catalog, installed(settings.families)).stock()
    except sa.exc.OperationalError as error:
        detail = f"no database at {shown(engine.url)}: {error.orig}"
        raise Problem(Code.UNAVAILABLE, detail, at="database_url") from error
    except (sa.exc.DatabaseError, sqlite3.DatabaseError, CommandError) as error:
        reason = getattr(error, "orig", error)
        detail = f"the database at {shown(engine.url)} cannot be used: {reason}"
        raise Problem(Code.INVALID, detail, at="database_url") from error
    finally:
        engine.dispose()


def build_services(settings: Settings) -> Services:
    """Give what a server or a command works with."""
    clock = SystemClock()
    engine = connect(settings.database)
    storage = Storage(settings.storage)
    catalog = Catalog(engine, clock, reach_of(settings))
    files = Files(engine, storage, catalog, clock)
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
        recipes=RecipeShelf(catalog, kinds),
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
    check_filename(settings.worker, at="worker_name")
    close_to_others()
    Worker(settings, installed(settings.families), describer(settings)).run()


def describer(settings: Settings) -> Callable[[Job], bytes]:
    """Give what makes the body of a webhook: the dialect of the job's caller, when it is needed."""

    def describe(job: Job) -> bytes:
        from haulier.wire.notices import describe_job  # noqa: PLC0415 -- a worker needs it rarely

        return describe_job(build_services(settings), job)

    return describe


def close_to_others() -> None:
    """Keep other processes of this user out of this one's environment and memory, on Linux.

    A worker's children run code of families, and its environment may hold the password of the
    database: without this they could read /proc/<its pid>/environ. The kernel lets nobody in
    after it but who may trace any process, which root may: a worker is no work for root.
    Children are not touched, as a new program begins open again.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)


def asgi_factory() -> "Litestar":
    """Give the ASGI application, set by the environment."""
    from haulier.wire.server import build_app  # noqa: PLC0415 -- a worker needs no server's parts

    settings = load()
    logging.basicConfig(level=settings.log_level.upper())
    app = build_app(build_services(settings), aliases=settings.aliases)
    # What was built stays: a full collection that looks at it again stops every request for 50 ms.
    gc.collect()
    gc.freeze()
    return app
