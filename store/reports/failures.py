"""For which reasons, and because of which attributes, users of a run are dead letters."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sqlalchemy import Text, cast, func, select

from schemas.dead_letter_reasons import Reason
from schemas.outcomes import Outcome
from schemas.runs.totals.failure_group import FailureGroup
from schemas.users.attributes import Attribute
from store import tables

if TYPE_CHECKING:
    from store.database import Database
    from store.report_cache import ReportCache


class FailureReports:
    """Counts dead letters in receipts; may be shared by threads."""

    def __init__(self, database: Database, cache: ReportCache) -> None:
        self._database = database
        self._cache = cache

    def for_run(self, run_id: int) -> tuple[FailureGroup, ...]:
        """Return the failures of a run whose receipts are there, the most frequent first."""
        receipts = tables.receipts
        attributes = cast(receipts.c.unwritten_attributes, Text).label("attributes")
        query = (
            select(receipts.c.reason, attributes, func.count().label("users"))
            .where(receipts.c.run_id == run_id, receipts.c.outcome == Outcome.DEAD_LETTERED)
            .group_by(receipts.c.reason, attributes)
        )

        def compute() -> tuple[FailureGroup, ...]:
            groups = [
                FailureGroup(
                    reason=Reason(row.reason),
                    attributes=tuple(Attribute(name) for name in json.loads(row.attributes or "[]") or ()),
                    users=row.users,
                )
                for row in connection.execute(query)
            ]
            return tuple(sorted(groups, key=lambda group: (-group.users, group.reason, group.attributes)))

        with self._database.transaction() as connection:
            return self._cache.of_run(connection, "failures", run_id, compute)
