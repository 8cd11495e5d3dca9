"""How runs read Entra: everybody, or what has changed since a link; and the link that each leaves behind.

A link is kept for the tenant in the transaction that completes its run: not before everything that the
link covers has been published and has an outcome. A delta link opens nothing without a token, but is never
logged all the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, exists, select, update
from sqlalchemy.dialects import postgresql, sqlite

from schemas.outcomes import Mode, Status
from store import tables
from store.timestamps import now

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from schemas.runs.run import Run
    from store.database import Database


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How a run reads: from `from_link` on, but for scans from `list_scan` on; without a link everybody.

    `wants_link` while it has not been said which link a run of everybody leaves behind, and nobody of it
    has been published: a link that is taken later would not cover what changed in between.
    """

    from_link: str | None
    list_scan: int | None
    wants_link: bool

    def delta_from(self, scan: int) -> str | None:
        """Return the link from which that scan goes on, None when it reads everybody."""
        return self.from_link if self.list_scan is None or scan < self.list_scan else None


class Readings:
    """The tables of readings and of kept links; may be shared by threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, run: Run, mapping: str) -> Reading:
        """Return how a run reads, decided the first time and the same ever after.

        A delta run goes on from the tenant's link if one is kept for `mapping` (a fingerprint).
        """
        readings = tables.readings
        with self._database.transaction() as connection:
            if not connection.scalar(select(exists().where(readings.c.run_id == run.id))):
                self._decide(connection, run, mapping)
            row = connection.execute(select(readings).where(readings.c.run_id == run.id)).one()
            undecided = row.leaves_link and row.to_link is None and not _has_receipts(connection, run.id)
        return Reading(from_link=row.from_link, list_scan=row.list_scan, wants_link=undecided)

    def leave(self, run_id: int, link: str) -> None:
        """Note the link that a run is to leave behind, unless it is to leave none."""
        readings = tables.readings
        with self._database.transaction() as connection:
            connection.execute(
                update(readings)
                .where(readings.c.run_id == run_id, readings.c.leaves_link)
                .values(to_link=link)
            )

    def read_everybody(self, run_id: int, *, scan: int, why: str) -> None:
        """Have a run read everybody from `scan` on, for Graph no longer takes its link.

        The link is kept no longer, unless the run is a dry one.
        """
        readings, links, runs = tables.readings, tables.delta_links, tables.runs
        refused = exists().where(
            runs.c.id == run_id,
            runs.c.tenant_id == links.c.tenant_id,
            readings.c.run_id == runs.c.id,
            readings.c.leaves_link,
            readings.c.from_link == links.c.link,
        )
        with self._database.transaction() as connection:
            connection.execute(
                update(readings).where(readings.c.run_id == run_id).values(list_scan=scan, to_link=None)
            )
            connection.execute(delete(links).where(refused))
            _explain(connection, run_id, why)

    def _decide(self, connection: Connection, run: Run, mapping: str) -> None:
        links, runs = tables.delta_links, tables.runs
        link = None
        if run.mode is Mode.DELTA:
            link = connection.scalar(
                select(links.c.link)
                .join(runs, runs.c.tenant_id == links.c.tenant_id)
                .where(runs.c.id == run.id, links.c.mapping == mapping)
            )
            if link is None:
                _explain(connection, run.id, "everybody is read: no delta link is kept for these settings")
        dialect = sqlite if self._database.is_sqlite else postgresql
        connection.execute(
            dialect.insert(tables.readings)
            .values(run_id=run.id, mapping=mapping, from_link=link, leaves_link=not run.dry_run)
            .on_conflict_do_nothing()
        )


def keep_link(connection: Connection, run_id: int, *, is_sqlite: bool) -> None:
    """Keep the link that a complete run leaves behind, unless a newer run's is kept already."""
    readings, links = tables.readings, tables.delta_links
    left = connection.execute(
        select(tables.runs.c.tenant_id, readings.c.mapping, readings.c.to_link)
        .join(readings)
        .where(tables.runs.c.id == run_id, readings.c.leaves_link, readings.c.to_link.is_not(None))
    ).one_or_none()
    if left is None:
        return
    values = {"mapping": left.mapping, "link": left.to_link, "run_id": run_id, "kept": now()}
    dialect = sqlite if is_sqlite else postgresql
    connection.execute(
        dialect.insert(links)
        .values(tenant_id=left.tenant_id, **values)
        .on_conflict_do_update(index_elements=["tenant_id"], set_=values, where=links.c.run_id < run_id)
    )


def forget_links(connection: Connection, tenant_id: int) -> None:
    """Forget a tenant's link, and those that its runs would leave: it maps otherwise from now on."""
    readings, runs = tables.readings, tables.runs
    of_tenant = select(runs.c.id).where(runs.c.tenant_id == tenant_id)
    connection.execute(
        update(readings)
        .where(readings.c.run_id.in_(of_tenant), readings.c.leaves_link)
        .values(leaves_link=False)
    )
    connection.execute(delete(tables.delta_links).where(tables.delta_links.c.tenant_id == tenant_id))


def _has_receipts(connection: Connection, run_id: int) -> bool:
    return bool(connection.scalar(select(exists().where(tables.receipts.c.run_id == run_id))))


def _explain(connection: Connection, run_id: int, note: str) -> None:
    runs = tables.runs
    connection.execute(
        update(runs).where(runs.c.id == run_id, runs.c.status == Status.READING).values(detail=note)
    )
