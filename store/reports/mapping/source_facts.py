"""What each property of Entra holds for each attribute, as the users of a preview tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import Text, cast, func, select, text

from schemas.outcomes import Status
from schemas.runs.totals.source_facts import SourceFacts, sum_facts
from store import tables

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from store.database import Database
    from store.report_cache import ReportCache

#: Each property of each user of a run, with its digest and how it fits.
_POSTGRESQL: Final = """
    SELECT fact ->> 0 AS source, fact ->> 1 AS digest, fact ->> 2 AS fits
    FROM receipts, json_array_elements(receipts.source_facts::json) AS fact
    WHERE receipts.run_id = :run AND receipts.source_facts IS NOT NULL
"""
_SQLITE: Final = """
    SELECT json_extract(fact.value, '$[0]') AS source, json_extract(fact.value, '$[1]') AS digest,
        json_extract(fact.value, '$[2]') AS fits
    FROM receipts, json_each(receipts.source_facts) AS fact
    WHERE receipts.run_id = :run AND receipts.source_facts IS NOT NULL
"""


class SourceFactReports:
    """Sums over the receipts of previews; may be shared by threads."""

    def __init__(self, database: Database, cache: ReportCache) -> None:
        self._database = database
        self._cache = cache
        self._facts = _SQLITE if database.is_sqlite else _POSTGRESQL

    def latest(self, tenant: str) -> SourceFacts | None:
        """Return what the newest preview of all users of a tenant has found, None if none is kept."""
        runs, tenants = tables.runs, tables.tenants
        query = (
            select(func.max(runs.c.id))
            .join(tenants)
            .where(
                tenants.c.key == tenant,
                runs.c.dry_run,
                runs.c.settings_override.is_not(None),
                runs.c.status == Status.COMPLETED,
                cast(runs.c.users, Text) == "[]",
            )
        )
        with self._database.transaction() as connection:
            run: int | None = connection.scalar(query)
            if run is None:
                return None
            facts = self._of_run(connection, run)
        return facts if facts.users else None

    def for_run(self, run_id: int) -> SourceFacts:
        """Return what a run has found; nothing for one that tries no settings."""
        with self._database.transaction() as connection:
            return self._of_run(connection, run_id)

    def _of_run(self, connection: Connection, run: int) -> SourceFacts:
        return self._cache.of_run(connection, "source_facts", run, lambda: self._sum(connection, run))

    def _sum(self, connection: Connection, run: int) -> SourceFacts:
        receipts = tables.receipts
        users = connection.scalar(
            select(func.count()).where(receipts.c.run_id == run, receipts.c.source_facts.is_not(None))
        )
        # S608: both parts are constants of this module.
        groups = connection.execute(
            text(f"SELECT source, fits, count(*) AS users FROM ({self._facts}) AS f GROUP BY source, fits"),  # noqa: S608
            {"run": run},
        ).all()
        shared = connection.execute(
            text(
                "SELECT source, count(*) - count(DISTINCT digest) AS users "  # noqa: S608
                f"FROM ({self._facts}) AS f GROUP BY source"
            ),
            {"run": run},
        ).all()
        return sum_facts(
            run,
            users or 0,
            [(row.source, row.fits, row.users) for row in groups],
            {row.source: row.users for row in shared},
        )
