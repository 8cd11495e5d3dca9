"""What schedules have triggered."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Take the step."""
    # Not in a batch: on SQLite that makes the table anew, and dropping the old one takes all runs along.
    for name in ("schedule_since", "schedule_due", "schedule_published"):
        op.add_column("tenants", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    # Until now nobody kept schedules, so nothing that was due before has been missed.
    op.execute("UPDATE tenants SET schedule_since = CURRENT_TIMESTAMP")
