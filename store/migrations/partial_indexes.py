"""Indexes of some rows of a table, in both databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa
from alembic import op

if TYPE_CHECKING:
    from collections.abc import Sequence


def create_partial_index(
    name: str, table: str, columns: Sequence[str], condition: str, *, unique: bool = False
) -> None:
    """Create an index of the rows that meet a condition, which is SQL."""
    where = sa.text(condition)
    op.create_index(name, table, list(columns), unique=unique, postgresql_where=where, sqlite_where=where)
