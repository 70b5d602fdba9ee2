"""Connections and migrations, on both databases."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from haulier.core.problem import Code, Problem
from haulier.engine.database import VERSION_TABLE, connect, migrate
from haulier.engine.tables import metadata


def test_the_migrations_make_the_tables_that_the_code_describes(database: sa.Engine) -> None:
    with database.connect() as connection:
        ours = {"version_table": VERSION_TABLE, "include_object": _is_ours}
        context = MigrationContext.configure(connection, opts=ours)
        assert compare_metadata(context, metadata) == []


def _is_ours(item: object, name: str, kind: str, *rest: object) -> bool:
    del item, rest
    return kind != "table" or name in metadata.tables


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the URL of a database without a table, once of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    make: Callable[[str], str] = request.getfixturevalue("postgres")
    return make("template0")


def test_many_processes_may_migrate_at_once(empty_url: str) -> None:
    code = f"from haulier.engine.database import *; migrate(connect({empty_url!r}))"
    processes = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(3)]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    engine = connect(empty_url)
    assert set(metadata.tables) <= set(sa.inspect(engine).get_table_names())
    engine.dispose()


@pytest.mark.parametrize("url", ["mysql://x/y", "", "nonsense", "sqlite://", "sqlite:///:memory:"])
def test_a_database_that_we_cannot_use_is_refused_by_name(url: str) -> None:
    with pytest.raises(Problem) as caught:
        connect(url)
    assert (caught.value.code, caught.value.at) == (Code.INVALID, "database_url")


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Problem, match="cannot make the folder"):
        connect(f"sqlite:///{tmp_path / 'file' / 'x.db'}")


def test_a_sqlite_database_is_read_while_it_is_written(tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path / 'haulier.db'}")
    migrate(engine)
    with engine.begin() as writer, engine.connect() as reader:
        writer.execute(sa.text("DELETE FROM jobs"))
        assert reader.execute(sa.text("SELECT count(*) FROM jobs")).scalar_one() == 0
        assert reader.execute(sa.text("PRAGMA journal_mode")).scalar_one() == "wal"
    engine.dispose()
