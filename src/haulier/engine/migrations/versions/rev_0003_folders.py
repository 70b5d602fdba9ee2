"""Artifacts that are folders, files in folders of storages, and finished steps found by work."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

DONE = "state = 'succeeded' AND work <> ''"


def upgrade() -> None:
    """Apply it."""
    with op.batch_alter_table("artifacts") as batch_op:
        batch_op.add_column(
            sa.Column("folder", sa.Boolean(), nullable=False, server_default=sa.false())
        )
    with op.batch_alter_table("files") as batch_op:
        batch_op.alter_column(
            "filename", existing_type=sa.String(255), type_=sa.String(1024), existing_nullable=False
        )
    op.create_index(
        "ix_steps_done",
        "steps",
        ["work"],
        unique=False,
        sqlite_where=sa.text(DONE),
        postgresql_where=sa.text(DONE),
    )


def downgrade() -> None:
    """Take it back."""
    op.drop_index("ix_steps_done", "steps")
    with op.batch_alter_table("files") as batch_op:
        batch_op.alter_column(
            "filename", existing_type=sa.String(1024), type_=sa.String(255), existing_nullable=False
        )
    with op.batch_alter_table("artifacts") as batch_op:
        batch_op.drop_column("folder")
