"""How many people a run has changed in which attributes, and what a halted one would have gone on to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, func, or_, select, update

from schemas.dead_letter_reasons import Reason
from schemas.outcomes import Cause, Outcome, Status
from schemas.reports.forecast import RunForecast
from schemas.runs.changes import ChangeCounts, count_changes, format_changes, parse_changes
from store import tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from schemas.runs.sync_result import Forecast
    from store.database import Database
    from store.report_cache import ReportCache


class ChangeTotals:
    """Sums over receipts; may be shared by threads."""

    def __init__(self, database: Database, cache: ReportCache) -> None:
        self._database = database
        self._cache = cache

    def for_run(self, run_id: int) -> ChangeCounts:
        """Return what a run has changed, or would have if it is a dry one.

        Of dead letters those count that say what they have not written: the rest was.
        """
        with self._database.transaction() as connection:
            self._database.prefer_indexes(connection)
            return self._cache.of_run(connection, "changes", run_id, lambda: _changes(connection, run_id))


class Forecasts:
    """Forecasts of the users that the guard has blocked; may be shared by threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, run_id: int, entra_id: str, foreseen: Forecast) -> bool:
        """Note what would have become of a user who is pending; False if something has become of them."""
        receipts = tables.receipts
        with self._database.transaction() as connection:
            noted = connection.execute(
                update(receipts)
                .where(
                    receipts.c.run_id == run_id,
                    receipts.c.entra_id == entra_id,
                    receipts.c.outcome == Outcome.PENDING,
                )
                .values(
                    forecast_outcome=foreseen.outcome,
                    forecast_reason=foreseen.reason,
                    forecast_changes=format_changes(foreseen.change_kinds),
                )
            )
        return bool(noted.rowcount)

    def changing_users(self, run_id: int, *, limit: int) -> Sequence[str]:
        """Return the Entra ids, in order, of users that a run would have gone on to change."""
        receipts = tables.receipts
        query = (
            select(receipts.c.entra_id)
            .where(
                receipts.c.run_id == run_id,
                receipts.c.outcome == Outcome.PENDING,
                receipts.c.forecast_changes.is_not(None),
            )
            .order_by(receipts.c.entra_id)
            .limit(limit)
        )
        with self._database.transaction() as connection:
            return connection.scalars(query).all()

    def for_run(self, run_id: int) -> RunForecast | None:
        """Return what a run would have gone on to do, None for one that the guard has not ended."""
        receipts, runs = tables.receipts, tables.runs
        run = select(runs).where(
            runs.c.id == run_id,
            runs.c.cause == Cause.GUARD_EXCEEDED,
            runs.c.status.in_((Status.HALTED, Status.CANCELLED)),
        )
        noted = receipts.c.forecast_outcome, receipts.c.forecast_reason, receipts.c.forecast_changes
        pending = (
            select(*noted, func.count().label("users"))
            .where(receipts.c.run_id == run_id, receipts.c.outcome == Outcome.PENDING)
            .group_by(*noted)
        )
        with self._database.transaction() as connection:
            row = connection.execute(run).one_or_none()
            if row is None:
                return None
            groups = connection.execute(pending).all()
            published = connection.scalar(select(func.count()).where(receipts.c.run_id == run_id))
        not_read = _not_read(row, int(published or 0))
        return _prospect(groups, not_read)


def _changes(connection: Connection, run_id: int) -> ChangeCounts:
    receipts = tables.receipts
    is_partial = and_(
        receipts.c.outcome == Outcome.DEAD_LETTERED,
        receipts.c.unwritten_attributes.is_not(None),
        receipts.c.changes.is_not(None),
    )
    query = (
        select(receipts.c.changes, func.count().label("users"))
        .where(
            receipts.c.run_id == run_id,
            or_(receipts.c.outcome.in_((Outcome.UPDATED, Outcome.WOULD_UPDATE)), is_partial),
        )
        .group_by(receipts.c.changes)
    )
    return count_changes((parse_changes(row.changes), row.users) for row in connection.execute(query))


def _not_read(run: Any, published: int) -> int | None:
    if run.listing_complete:
        return 0
    return None if run.directory_size is None else max(0, run.directory_size - published)


def _prospect(groups: Any, not_read: int | None) -> RunForecast:
    outcomes, reasons = dict[Outcome, int](), dict[Reason, int]()
    seen = [group for group in groups if group.forecast_outcome is not None]
    for group in seen:
        outcome = Outcome(group.forecast_outcome)
        outcomes[outcome] = outcomes.get(outcome, 0) + group.users
        if group.forecast_reason is not None:
            reason = Reason(group.forecast_reason)
            reasons[reason] = reasons.get(reason, 0) + group.users
    # A dead letter changes what it can.
    changing = (
        group for group in seen if group.forecast_outcome == Outcome.UPDATED or group.forecast_changes
    )
    return RunForecast(
        outcomes=outcomes,
        reasons=reasons,
        changes=count_changes((parse_changes(group.forecast_changes), group.users) for group in changing),
        not_evaluated=sum(group.users for group in groups if group.forecast_outcome is None),
        not_listed=not_read,
    )
