"""The foreign keys of the tables that the migration makes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


def belongs_to(table: str, column: str, parent: str) -> sa.ForeignKeyConstraint:
    """Return the foreign key to `parent`: a row goes when the row that it belongs to goes."""
    name = op.f(f"fk_{table}_{column}")
    return sa.ForeignKeyConstraint([column], [f"{parent}.id"], name=name, ondelete="CASCADE")
