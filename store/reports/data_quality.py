"""The report over a tenant's last complete full run, out of its receipts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, func, or_, select

from schemas.outcomes import Outcome, Reason
from schemas.reports.data_quality import DataQualityReport, SharedValues, UserFindings
from schemas.runs.collision import parse_collision
from schemas.runs.sync_result import NO_MATCH_KEY
from store import tables
from store.reports.users import full_run

if TYPE_CHECKING:
    from sqlalchemy import Column, ColumnElement, Connection

    from store.database import Database
    from store.runs.runs import Runs


class DataQualityReports:
    """Makes reports; may be shared by threads."""

    def __init__(self, database: Database, runs: Runs) -> None:
        self._database = database
        self._runs = runs

    def last(self, tenant: str, limit: int) -> DataQualityReport | None:
        """Return the report with `limit` people of each kind at most, None without a complete full run."""
        tenants, receipts = tables.tenants, tables.receipts
        with self._database.transaction() as connection:
            tenant_id = connection.scalar(select(tenants.c.id).where(tenants.c.key == tenant))
            run = full_run(connection, tenant_id)
        if run is None:
            return None
        summary = self._runs.summary(run)
        keyless = receipts.c.detail == NO_MATCH_KEY
        missing = receipts.c.outcome == Outcome.NOT_FOUND
        with self._database.transaction() as connection:
            books = _Books(connection, run, limit)
            collided = books.people(receipts.c.reason == Reason.COLLISION)
            told = [parse_collision(detail or "") for _, detail in collided.users]
            return DataQualityReport(
                run=summary,
                collision_count=collided.count,
                collisions=[each for each in told if each is not None],
                same_eppn=books.shared(receipts.c.eppn_digest),
                same_number=books.shared(receipts.c.ssn_digest),
                no_match_key=books.people(and_(missing, keyless)),
                not_found=books.people(and_(missing, or_(~keyless, receipts.c.detail.is_(None)))),
                ambiguous=books.people(receipts.c.reason == Reason.AMBIGUOUS_MATCH),
            )


class _Books:
    """One run's receipts in one transaction."""

    def __init__(self, connection: Connection, run: int, limit: int) -> None:
        self._connection = connection
        self._of_run = tables.receipts.c.run_id == run
        self._limit = limit

    def people(self, condition: ColumnElement[bool]) -> UserFindings:
        receipts = tables.receipts
        chosen = and_(self._of_run, condition)
        count = self._connection.scalar(select(func.count()).select_from(receipts).where(chosen)) or 0
        query = (
            select(receipts.c.entra_id, receipts.c.detail)
            .where(chosen)
            .order_by(receipts.c.entra_id)
            .limit(self._limit)
        )
        people = [(row.entra_id, row.detail) for row in self._connection.execute(query)]
        return UserFindings(count=count, users=people)

    def shared(self, mark: Column[Any]) -> SharedValues:
        receipts = tables.receipts
        several = (
            select(mark.label("mark"))
            .where(self._of_run, mark.is_not(None))
            .group_by(mark)
            .having(func.count() > 1)
        )
        count = self._connection.scalar(select(func.count()).select_from(several.subquery())) or 0
        # By mark, which is by chance: who is left out by the limit is nobody in particular.
        first = several.order_by(mark).limit(self._limit).subquery()
        query = (
            select(mark, receipts.c.entra_id)
            .join(first, first.c.mark == mark)
            .where(self._of_run)
            .order_by(receipts.c.entra_id)
        )
        groups: dict[str, list[str]] = {}
        for found, entra_id in self._connection.execute(query):
            groups.setdefault(found, []).append(entra_id)
        return SharedValues(count=count, groups=list(groups.values()))
