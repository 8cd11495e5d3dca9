"""Which rules of the scope leave out users of a run that were synced before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select

from schemas.details.detail import from_stored
from schemas.outcomes import Outcome
from schemas.runs.totals.scope_exits import LeftOut, ScopeExits
from store import tables
from store.reports.users import full_run
from store.timestamps import as_utc

if TYPE_CHECKING:
    from store.database import Database
    from store.report_cache import ReportCache


class ScopeExitReports:
    """Counts receipts of users that left the scope; may be shared by threads."""

    def __init__(self, database: Database, cache: ReportCache) -> None:
        self._database = database
        self._cache = cache

    def for_run(self, run_id: int) -> tuple[ScopeExits, ...]:
        """Return the users of a run whose receipts are there, by the rule, the most frequent first."""
        receipts = tables.receipts
        query = (
            select(receipts.c.detail, func.count().label("users"))
            .where(receipts.c.run_id == run_id, receipts.c.left_scope)
            .group_by(receipts.c.detail)
        )

        def compute() -> tuple[ScopeExits, ...]:
            groups = [
                ScopeExits(rule=from_stored(row.detail) or "", users=row.users)
                for row in connection.execute(query)
            ]
            return tuple(sorted(groups, key=lambda group: (-group.users, group.rule)))

        with self._database.transaction() as connection:
            self._database.prefer_indexes(connection)
            return self._cache.of_run(connection, "scope_exits", run_id, compute)

    def left_out_by_last_run(self, tenant: str) -> LeftOut | None:
        """Return whom the last complete full run left out, if it had the settings that the tenant has now.

        None after a change of any setting: the run may have had other rules.
        """
        tenants, runs, receipts = tables.tenants, tables.runs, tables.receipts
        with self._database.transaction() as connection:
            row = connection.execute(select(tenants).where(tenants.c.key == tenant)).one_or_none()
            run = None if row is None else full_run(connection, row.id)
            if row is None or run is None:
                return None
            started = connection.scalar(select(runs.c.started).where(runs.c.id == run))
            if started is None or as_utc(started) <= as_utc(row.updated):
                return None
            query = (
                select(receipts.c.detail, func.count().label("users"))
                .where(receipts.c.run_id == run, receipts.c.outcome == Outcome.OUT_OF_SCOPE)
                .group_by(receipts.c.detail)
            )
            rows = connection.execute(query).all()
        users: dict[str, int] = {
            reason: row.users for row in rows if (reason := from_stored(row.detail)) is not None
        }
        return LeftOut(run=run, users=users)
