"""What schedules have triggered."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0001"


def upgrade() -> None:
    """Take the step."""
    moment = sa.DateTime(timezone=True)
    with op.batch_alter_table("tenants", schema=None) as batch_op:
        batch_op.add_column(sa.Column("schedule_since", moment, nullable=True))
        batch_op.add_column(sa.Column("schedule_due", moment, nullable=True))
        batch_op.add_column(sa.Column("schedule_published", moment, nullable=True))
    # Until now nobody kept schedules, so nothing that was due before has been missed.
    op.execute("UPDATE tenants SET schedule_since = CURRENT_TIMESTAMP")
    with op.batch_alter_table("tenants", schema=None) as batch_op:
        batch_op.alter_column("schedule_since", existing_type=moment, nullable=False)
