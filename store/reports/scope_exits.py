"""Which rules of the scope leave out users of a run that were synced before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select

from schemas.runs.totals.scope_exits import ScopeExits
from store import tables

if TYPE_CHECKING:
    from store.database import Database


class ScopeExitReports:
    """Counts receipts of users that left the scope; may be shared by threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def for_run(self, run_id: int) -> tuple[ScopeExits, ...]:
        """Return the users of a run whose receipts are there, by the rule, the most frequent first."""
        receipts = tables.receipts
        query = (
            select(receipts.c.detail, func.count().label("users"))
            .where(receipts.c.run_id == run_id, receipts.c.left_scope)
            .group_by(receipts.c.detail)
        )
        with self._database.transaction() as connection:
            rows = connection.execute(query).all()
        groups = [ScopeExits(rule=row.detail, users=row.users) for row in rows]
        return tuple(sorted(groups, key=lambda group: (-group.users, group.rule)))
