"""Keep earlier versions of catalog entries, and entries that were put away."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

LIVING = "deleted_at IS NULL"
NAME = ["organisation", "type", "name"]
AUTOINCREMENT = {"sqlite_autoincrement": True}


def upgrade() -> None:
    """Apply it."""
    with op.batch_alter_table("catalog", table_kwargs=AUTOINCREMENT) as batch_op:
        batch_op.drop_constraint("uq_catalog_organisation_type_name", type_="unique")
        batch_op.alter_column(
            "name", existing_type=sa.String(255), type_=sa.String(1024), existing_nullable=False
        )
        batch_op.add_column(sa.Column("by", sa.String(256), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("deleted_at", sa.BigInteger()))
    op.create_index(
        "ix_catalog_name",
        "catalog",
        NAME,
        unique=True,
        sqlite_where=sa.text(LIVING),
        postgresql_where=sa.text(LIVING),
    )
    op.create_table(
        "revisions",
        sa.Column("entry", sa.String(36), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("by", sa.String(256), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry"], ["catalog.id"], name=op.f("fk_revisions_entry"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("entry", "version", name=op.f("pk_revisions")),
    )


def downgrade() -> None:
    """Take it back: earlier versions are lost, and so is what was put away."""
    op.drop_table("revisions")
    op.execute("DELETE FROM catalog WHERE deleted_at IS NOT NULL")
    op.drop_index("ix_catalog_name", "catalog")
    with op.batch_alter_table("catalog", table_kwargs=AUTOINCREMENT) as batch_op:
        batch_op.drop_column("deleted_at")
        batch_op.drop_column("by")
        batch_op.create_unique_constraint("uq_catalog_organisation_type_name", NAME)
