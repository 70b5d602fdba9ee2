"""Runs the migrations in the connection that `database.migrate` hands over."""

from alembic import context

from haulier.engine.database import VERSION_TABLE
from haulier.engine.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
