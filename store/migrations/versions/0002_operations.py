"""What operators do with dead letters, and which receipts a replay awaits."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Take the step."""
    op.create_table(
        "operations",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("operator", sa.String(length=100), nullable=True),
        sa.Column("selection", sa.JSON(), nullable=False),
        sa.Column("as_sent", sa.Boolean(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("started", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operations")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("receipts", schema=None) as batch_op:
        batch_op.add_column(sa.Column("operation_id", sa.Integer(), nullable=True))
        batch_op.add_column(
            sa.Column("replaying", sa.Boolean(), server_default=sa.text("false"), nullable=False)
        )
        batch_op.create_foreign_key(op.f("fk_receipts_operation_id"), "operations", ["operation_id"], ["id"])
        batch_op.create_index(
            "ix_receipts_operation_id",
            ["operation_id"],
            unique=False,
            postgresql_where=sa.text("operation_id IS NOT NULL"),
            sqlite_where=sa.text("operation_id IS NOT NULL"),
        )
