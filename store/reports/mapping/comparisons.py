"""How the settings of a preview map its users, beside the saved settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select

from schemas.runs.totals.mapping_comparison import AttributeMapping, sum_mappings
from store import tables

if TYPE_CHECKING:
    from schemas.users.attributes import Attribute
    from store.database import Database


class MappingComparisons:
    """Sums over the receipts of a preview; may be shared by threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def for_run(self, run_id: int) -> dict[Attribute, AttributeMapping]:
        """Return the sums of each attribute; empty for a run that tries no settings."""
        receipts = tables.receipts
        query = (
            select(receipts.c.mapping_comparison, func.count().label("users"))
            .where(receipts.c.run_id == run_id, receipts.c.mapping_comparison.is_not(None))
            .group_by(receipts.c.mapping_comparison)
        )
        with self._database.transaction() as connection:
            return sum_mappings((row.mapping_comparison, row.users) for row in connection.execute(query))
