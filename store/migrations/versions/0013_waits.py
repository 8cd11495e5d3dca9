"""What the messages of runs wait for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0011"


def upgrade() -> None:
    """Take the step."""
    op.create_table(
        "waits",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("waiter", sa.String(length=100), nullable=False),
        sa.Column("service", sa.String(length=20), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_try", sa.DateTime(timezone=True), nullable=False),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(length=20), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_waits_run_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "waiter", name=op.f("pk_waits")),
    )
