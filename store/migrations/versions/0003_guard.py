"""What the guard counts, how many people a tenant has, and what a guarded run would go on to do."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Take the step."""
    op.create_table(
        "guard_counts",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("shard", sa.Integer(), nullable=False),
        sa.Column("changed", sa.Integer(), nullable=False),
        sa.Column("identity_changed", sa.Integer(), nullable=False),
        sa.Column("not_found", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name=op.f("fk_guard_counts_run_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", "shard", name=op.f("pk_guard_counts")),
    )
    # Not in a batch: SQLite's tables would be made anew, and forget that their numbers never come back.
    op.add_column("runs", sa.Column("people", sa.Integer(), nullable=True))
    op.add_column(
        "runs", sa.Column("guard_accepted", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    op.add_column("receipts", sa.Column("foreseen", sa.String(length=20), nullable=True))
