"""How many users are in scope in runs that read all users, and how many were in the run before."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from sqlalchemy import func, select

from schemas.outcomes import READING_MODES, Outcome, Status
from schemas.runs.totals.scope_change import ScopeChange
from store import tables
from store.runs.totals import totals_by_run

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import Connection

    from schemas.runs.run import Run
    from store.database import Database
    from store.report_cache import ReportCache

#: Outcomes of users that are not in scope, or that tell nothing of it.
_NOT_IN_SCOPE: Final = (Outcome.OUT_OF_SCOPE, Outcome.SUPERSEDED, Outcome.PENDING)


class ScopeChanges:
    """Compares runs that have read all users; may be shared by threads."""

    def __init__(self, database: Database, cache: ReportCache) -> None:
        self._database = database
        self._cache = cache

    def by_tenant(self, keys: Collection[str] | None = None) -> dict[str, ScopeChange]:
        """Return the change of each tenant's last complete run of all users, by its key.

        With `keys`, only of those tenants.
        """
        runs, tenants = tables.runs, tables.tenants
        place = func.row_number().over(partition_by=runs.c.tenant_id, order_by=runs.c.id.desc())
        newest = (
            select(runs.c.id, runs.c.tenant_id, place.label("place"))
            .where(tables.IS_COMPLETE_SYNC)
            .subquery()
        )
        query = (
            select(newest.c.id, tenants.c.key)
            .join(tenants, tenants.c.id == newest.c.tenant_id)
            .where(newest.c.place <= 2)  # noqa: PLR2004 - the last one and the one before
            .order_by(newest.c.id.desc())
        )
        if keys is not None:
            query = query.where(tenants.c.key.in_(keys))
        with self._database.transaction() as connection:
            found: defaultdict[str, list[int]] = defaultdict(list)
            for row in connection.execute(query):
                found[row.key].append(row.id)
            self._database.prefer_indexes(connection)
            in_scope = _in_scope(connection, [run for two in found.values() for run in two], self._cache)
        return {key: _change(two, in_scope) for key, two in found.items()}

    def of_run(self, run: Run) -> ScopeChange | None:
        """Return the change of a complete run that read all users, maybe a dry one; None of others."""
        if run.status is not Status.COMPLETED or run.mode not in READING_MODES or run.users:
            return None
        runs, this = tables.runs, tables.runs.alias()
        before = (
            select(func.max(runs.c.id))
            .join(this, this.c.tenant_id == runs.c.tenant_id)
            .where(this.c.id == run.id, runs.c.id < run.id, tables.IS_COMPLETE_SYNC)
        )
        with self._database.transaction() as connection:
            if not connection.scalar(select(runs.c.read_all_users).where(runs.c.id == run.id)):
                return None
            earlier = connection.scalar(before)
            both = [run.id] if earlier is None else [run.id, earlier]
            self._database.prefer_indexes(connection)
            return _change(both, _in_scope(connection, both, self._cache))


def _change(newest: list[int], in_scope: dict[int, int]) -> ScopeChange:
    run, *before = newest
    if not before:
        return ScopeChange(run=run, in_scope=in_scope[run])
    return ScopeChange(
        run=run, in_scope=in_scope[run], run_before=before[0], in_scope_before=in_scope[before[0]]
    )


def _in_scope(connection: Connection, run_ids: list[int], cache: ReportCache) -> dict[int, int]:
    return {
        run: sum(users for outcome, users in totals.outcomes.items() if outcome not in _NOT_IN_SCOPE)
        for run, totals in totals_by_run(connection, run_ids, cache).items()
    }
