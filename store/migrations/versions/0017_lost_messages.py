"""How many users a warning speaks of."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0013"


def upgrade() -> None:
    """Take the step."""
    # Not in a batch: on SQLite that makes the table anew.
    op.add_column("run_warnings", sa.Column("users", sa.Integer(), nullable=True))
