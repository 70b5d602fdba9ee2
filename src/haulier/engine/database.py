"""Connections to SQLite or PostgreSQL, and the migrations that make our tables there."""

from datetime import datetime
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from haulier.core.problem import Code, Problem
from haulier.engine.tables import Moment

VERSION_TABLE: Final = "haulier_version"
#: How long a transaction may do nothing before PostgreSQL ends it.
IDLE_S: Final = 10
#: The database's own clock, in microseconds since 1970; it does not stand still in a transaction.
CLOCKS: Final = {
    "sqlite": "SELECT CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)",
    "postgresql": "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)",
}
PRAGMAS: Final = (
    "busy_timeout=30000",
    "journal_mode=WAL",
    "synchronous=NORMAL",  # survives a killed process; measured 9 times FULL's speed
    "foreign_keys=ON",
    "cache_size=-65536",
    "mmap_size=268435456",
)


def connect(url: str, *, pool_size: int = 5) -> sa.Engine:
    """Give an engine for the database at the URL.

    Raises:
        Problem: INVALID; it is neither SQLite nor PostgreSQL, or its folder cannot be made.
    """
    try:
        parsed = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError):
        # What cannot be read may hold a password anywhere: only its beginning is shown.
        parsed = sa.URL.create(url.partition(":")[0] or "nothing")
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        return _sqlite(parsed)
    if backend == "postgresql":
        return _postgresql(parsed, pool_size)
    detail = f"database_url must begin with sqlite:/// or postgresql://, got '{shown(parsed)}'"
    raise Problem(Code.INVALID, detail, at="database_url")


def shown(url: sa.URL) -> str:
    """Give a URL as people may see it: without its password, wherever that stands."""
    return url.set(query={}).render_as_string(hide_password=True)


def _postgresql(url: sa.URL, pool_size: int) -> sa.Engine:
    engine = sa.create_engine(
        url.set(drivername="postgresql+psycopg"),
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_pre_ping=True,
    )

    @sa.event.listens_for(engine, "connect")
    def settle(connection: Any, record: object) -> None:  # noqa: ANN401 -- the driver's
        del record
        # A process that is frozen within a transaction would keep its locks, and so its jobs.
        connection.execute(f"SET idle_in_transaction_session_timeout = '{IDLE_S}s'")
        connection.commit()

    return engine


def _sqlite(url: sa.URL) -> sa.Engine:
    if not url.database or url.database == ":memory:":
        detail = f"a SQLite database must be a file, got '{shown(url)}'"
        raise Problem(Code.INVALID, detail, at="database_url")
    try:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        detail = f"cannot make the folder of {url.database}: {error.strerror}"
        raise Problem(Code.INVALID, detail, at="database_url") from error
    engine = sa.create_engine(url)

    @sa.event.listens_for(engine, "connect")
    def settle(connection: Any, record: object) -> None:  # noqa: ANN401 -- the driver's
        del record
        # A write transaction takes its lock at once, and so never fails half-way for want of it.
        connection.isolation_level = "IMMEDIATE"
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    @sa.event.listens_for(engine, "savepoint")
    def enclose(connection: sa.Connection, name: str) -> None:
        del name
        begin_writing(connection)  # else the savepoint is the transaction, and commits at its end

    return engine


def time_of(connection: sa.Connection) -> datetime:
    """Give the time by the database's clock: one for all machines, whatever theirs say."""
    clock = sa.text(CLOCKS[connection.dialect.name]).columns(sa.column("now", Moment))
    now: datetime = connection.execute(clock).scalar_one()
    return now


def begin_writing(connection: sa.Connection) -> None:
    """Let what is read from here on be what is written over: SQLite takes its lock at once.

    PostgreSQL locks the rows that are read for an update.
    """
    if connection.dialect.name != "sqlite":
        return
    if not connection.connection.in_transaction:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def migrate(engine: sa.Engine) -> None:
    """Bring our tables to the newest version; safe to call from many processes at once."""
    with as_file(files("haulier.engine") / "migrations") as folder:
        config = Config()
        config.set_main_option("script_location", str(folder).replace("%", "%%"))
        config.set_main_option("path_separator", "os")
        with engine.begin() as connection:
            _take_turns(connection)
            config.attributes["connection"] = connection
            command.upgrade(config, "head")


def _take_turns(connection: sa.Connection) -> None:
    """Let one process migrate at a time: both databases let the others wait."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('haulier migrations'))"))
    begin_writing(connection)
