"""Runs that try settings, how each attribute changed, and what the guard kept a run from doing."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_OPEN = sa.text("status IN ('reading', 'updating') AND trial IS NULL")


def upgrade() -> None:
    """Take the step."""
    op.add_column("runs", sa.Column("trial", sa.JSON(), nullable=True))
    op.drop_index("uq_runs_open", table_name="runs")
    op.create_index(
        "uq_runs_open", "runs", ["tenant_id"], unique=True, postgresql_where=_OPEN, sqlite_where=_OPEN
    )
    op.add_column("receipts", sa.Column("changes", sa.Text(), nullable=True))
    op.add_column("receipts", sa.Column("foreseen_reason", sa.String(length=40), nullable=True))
    op.add_column("receipts", sa.Column("foreseen_changes", sa.Text(), nullable=True))
