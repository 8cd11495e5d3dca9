"""Traces of EPPNs and personal numbers, by which equal ones are found."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Take the step."""
    # Not in a batch: on SQLite that makes the table anew.
    for name in ("eppn_mark", "ssn_mark"):
        op.add_column("receipts", sa.Column(name, sa.String(length=32), nullable=True))
