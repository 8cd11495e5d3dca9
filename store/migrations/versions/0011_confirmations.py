"""What receipts confirm, so that a later run may trust them, and runs that trust nothing."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Take the step."""
    # Not in a batch: on SQLite that makes the table anew.
    op.add_column("receipts", sa.Column("confirmed_as", sa.String(length=32), nullable=True))
    op.add_column("receipts", sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "runs", sa.Column("recheck_all", sa.Boolean(), nullable=False, server_default=sa.text("false"))
    )
