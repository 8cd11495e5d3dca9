"""Which run an undo puts back, and what it has left as it is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Take the step."""
    # Not in a batch: on SQLite that makes the tables anew, and dropping the old ones takes all runs along.
    op.add_column("runs", sa.Column("undoes", sa.Integer(), nullable=True))
    op.add_column("receipts", sa.Column("left_as_is", sa.JSON(), nullable=True))
    op.add_column(
        "pruned_counts", sa.Column("left_as_is", sa.Integer(), server_default=sa.text("0"), nullable=False)
    )
