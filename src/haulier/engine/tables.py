"""The tables: what callers see of jobs, and what the engine remembers besides."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from haulier.core.lifecycle import ACTIVE, State

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)


class Moment(TypeDecorator[datetime]):
    """A time as microseconds since 1970: exact, sortable, the same in both databases."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Give the number of a time."""
        del dialect
        return None if value is None else (value - EPOCH) // MICROSECOND

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """Give the time of a number."""
        del dialect
        return None if value is None else EPOCH + timedelta(microseconds=value)


class Json(TypeDecorator[Any]):
    """Anything that has a JSON form, as text; what is written is what is read back."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:  # noqa: ANN401 -- JSON
        """Give the text of a value."""
        del dialect
        return None if value is None else msgspec.json.encode(value).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:  # noqa: ANN401 -- JSON
        """Give the value of a text."""
        del dialect
        return None if value is None else msgspec.json.decode(value)


metadata: Final = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

#: SQLite numbers rows only in a column that is exactly INTEGER PRIMARY KEY.
Serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_STATES = ", ".join(f"'{state}'" for state in State)
_ACTIVE = ", ".join(f"'{state}'" for state in sorted(ACTIVE))
#: Jobs that have not ended, and steps that run. Queries that are to use the indexes of these few
#: rows must say the same words: no planner knows that a bound parameter is one of them.
ACTIVE_JOBS: Final = sa.text(f"jobs.state IN ({_ACTIVE})")
RUNNING_STEPS: Final = sa.text(f"steps.state = '{State.RUNNING}'")
DONE_STEPS: Final = sa.text(f"steps.state = '{State.SUCCEEDED}' AND steps.work <> ''")

jobs: Final = sa.Table(
    "jobs",
    metadata,
    sa.Column("number", Serial, primary_key=True, autoincrement=True),
    sa.Column("id", sa.String(36), nullable=False),
    sa.Column("organisation", sa.String(128), nullable=False),
    sa.Column("subject", sa.String(256), nullable=False),
    sa.Column("family", sa.String(128), nullable=False),
    sa.Column("kind", sa.String(128), nullable=False),
    sa.Column("title", sa.Text, nullable=False, server_default=""),
    sa.Column("params", Json, nullable=False),
    sa.Column("labels", Json, nullable=False),
    sa.Column("deliver", Json, nullable=False),
    sa.Column("recipe", Json, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("fraction", sa.Float, nullable=False, server_default="0"),
    sa.Column("phase", sa.Text, nullable=False, server_default=""),
    sa.Column("message", sa.Text, nullable=False, server_default=""),
    sa.Column("counters", Json, nullable=False),
    sa.Column("statistics", Json),
    sa.Column("result", Json),
    sa.Column("problem", Json),
    sa.Column("priority", sa.Integer, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False, server_default="0"),
    sa.Column("strikes", sa.Integer, nullable=False, server_default="0"),
    sa.Column("worker", sa.String(256), nullable=False, server_default=""),
    sa.Column("version", sa.Integer, nullable=False, server_default="1"),
    sa.Column("retry_of", sa.String(36)),
    sa.Column("not_before", Moment),
    sa.Column("timeout_s", sa.Float),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
    sa.Column("started_at", Moment),
    sa.Column("finished_at", Moment),
    sa.Column("stopped_at", Moment),
    sa.UniqueConstraint("id"),
    sa.CheckConstraint(f"state IN ({_STATES})", name="state"),
    sa.CheckConstraint("priority BETWEEN 1 AND 9", name="priority"),
    sa.CheckConstraint("fraction BETWEEN 0 AND 1", name="fraction"),
    sa.Index(None, "organisation", "number"),
    sa.Index(None, "organisation", "state", "number"),
    sa.Index(None, "organisation", "kind", "number"),
    sa.Index(None, "organisation", "kind", "state", "number"),
    sa.Index(None, "organisation", "created_at"),
    sa.Index(
        "ix_jobs_active",
        "state",
        "number",
        sqlite_where=sa.text(f"state IN ({_ACTIVE})"),
        postgresql_where=sa.text(f"state IN ({_ACTIVE})"),
    ),
    sqlite_autoincrement=True,
)

steps: Final = sa.Table(
    "steps",
    metadata,
    sa.Column("job", sa.String(36), sa.ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("id", sa.String(128), primary_key=True),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("family", sa.String(128), nullable=False),
    sa.Column("kind", sa.String(128), nullable=False),
    sa.Column("needs", Json, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("skipped", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("reused", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("fraction", sa.Float, nullable=False, server_default="0"),
    sa.Column("message", sa.Text, nullable=False, server_default=""),
    sa.Column("counters", Json, nullable=False),
    sa.Column("parts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("parts_done", sa.Integer, nullable=False, server_default="0"),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("work", sa.String(64), nullable=False, server_default=""),
    sa.Column("result", Json),
    sa.Column("problem", Json),
    sa.Column("started_at", Moment),
    sa.Column("finished_at", Moment),
    sa.CheckConstraint(f"state IN ({_STATES})", name="state"),
    sa.Index(
        "ix_steps_running",
        "job",
        "work",
        sqlite_where=sa.text(f"state = '{State.RUNNING}'"),
        postgresql_where=sa.text(f"state = '{State.RUNNING}'"),
    ),
    sa.Index(
        "ix_steps_done",
        "work",
        sqlite_where=sa.text(f"state = '{State.SUCCEEDED}' AND work <> ''"),
        postgresql_where=sa.text(f"state = '{State.SUCCEEDED}' AND work <> ''"),
    ),
)

artifacts: Final = sa.Table(
    "artifacts",
    metadata,
    sa.Column("job", sa.String(36), sa.ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("step", sa.String(128), primary_key=True),
    sa.Column("name", sa.String(128), primary_key=True),
    sa.Column("filename", sa.String(255), nullable=False),
    sa.Column("media_type", sa.String(255), nullable=False),
    sa.Column("size_bytes", sa.BigInteger, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("key", sa.String(1024), nullable=False),
    sa.Column("folder", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("created_at", Moment, nullable=False),
    sa.Index(None, "key"),  # a retry takes artifacts over, so that jobs may share a file
)

events: Final = sa.Table(
    "events",
    metadata,
    sa.Column("sequence", Serial, primary_key=True, autoincrement=True),
    sa.Column("job", sa.String(36), sa.ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("type", sa.String(64), nullable=False),
    sa.Column("data", Json, nullable=False),
    sa.Index(None, "job", "sequence"),
    sqlite_autoincrement=True,
)

organisations: Final = sa.Table(
    "organisations",
    metadata,
    sa.Column("name", sa.String(128), primary_key=True),
    sa.Column("submitted", sa.BigInteger, nullable=False),  # so many jobs, ever: deals out slots
)

workers: Final = sa.Table(
    "workers",
    metadata,
    sa.Column("name", sa.String(256), primary_key=True),
    sa.Column("token", sa.String(36), nullable=False),
    sa.Column("host", sa.String(256), nullable=False),
    sa.Column("pid", sa.Integer, nullable=False),
    sa.Column("processes", sa.Integer, nullable=False),
    sa.Column("started_at", Moment, nullable=False),
    sa.Column("beat_at", Moment, nullable=False),
)

keys: Final = sa.Table(
    "keys",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("organisation", sa.String(128), nullable=False),
    sa.Column("subject", sa.String(256), nullable=False),
    sa.Column("scopes", Json, nullable=False),
    sa.Column("hash", sa.String(64), nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("expires_at", Moment),
    sa.Column("revoked_at", Moment),
    sa.Column("used_at", Moment),
    sa.UniqueConstraint("hash"),
    sa.Index(None, "organisation"),
)

catalog: Final = sa.Table(
    "catalog",
    metadata,
    sa.Column("number", Serial, primary_key=True, autoincrement=True),
    sa.Column("id", sa.String(36), nullable=False),
    sa.Column("organisation", sa.String(128), nullable=False),
    sa.Column("type", sa.String(64), nullable=False),
    sa.Column("name", sa.String(1024), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("body", Json, nullable=False),
    sa.Column("by", sa.String(256), nullable=False, server_default=""),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
    sa.Column("deleted_at", Moment),
    sa.UniqueConstraint("id"),
    sa.Index(
        "ix_catalog_name",
        "organisation",
        "type",
        "name",
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    ),
    sqlite_autoincrement=True,
)

#: What entries of the catalog were before their newest version.
revisions: Final = sa.Table(
    "revisions",
    metadata,
    sa.Column(
        "entry", sa.String(36), sa.ForeignKey("catalog.id", ondelete="CASCADE"), primary_key=True
    ),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("body", Json, nullable=False),
    sa.Column("by", sa.String(256), nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
)

files: Final = sa.Table(
    "files",
    metadata,
    sa.Column("organisation", sa.String(128), primary_key=True),
    sa.Column("storage", sa.String(255), primary_key=True),
    sa.Column("filename", sa.String(1024), primary_key=True),
    sa.Column("etag", sa.String(255), nullable=False),
    sa.Column("size_bytes", sa.BigInteger, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("modified_at", Moment, nullable=False),
)
