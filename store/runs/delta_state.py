"""How runs read Entra: all users, or what has changed since a link; and the link that each leaves behind.

A link is kept for the tenant in the transaction that completes its run: not before everything that the
link covers has been published and has an outcome. A delta link opens nothing without a token, but is never
logged all the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, exists, select, update
from sqlalchemy.dialects import postgresql, sqlite

from schemas.details.detail import Detail, to_stored
from schemas.details.kinds import DetailKind
from schemas.outcomes import Mode, Status
from store import tables
from store.timestamps import now

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from schemas.runs.run import Run
    from store.database import Database


@dataclass(frozen=True, kw_only=True)
class ReadPlan:
    """How a run reads Entra: the changes since `start_link`, or the whole list.

    From attempt `list_from_attempt` on, and without a link, the whole list is read. `needs_delta_link` is
    true while the run's own link is not recorded and no user of it is published: a link that is taken later
    would not cover what changed in between.
    """

    start_link: str | None
    list_from_attempt: int | None
    needs_delta_link: bool

    def delta_link_for(self, attempt: int) -> str | None:
        """Return the link from which that scan goes on, None when it reads all users."""
        return self.start_link if self.list_from_attempt is None or attempt < self.list_from_attempt else None


class DeltaState:
    """The tables of readings and of kept links; may be shared by threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read_plan(self, run: Run, mapping: str) -> ReadPlan:
        """Return how a run reads, decided the first time and the same ever after.

        A delta run goes on from the tenant's link if one is kept for `mapping` (a fingerprint).
        """
        read_plans = tables.read_plans
        with self._database.transaction() as connection:
            if not connection.scalar(select(exists().where(read_plans.c.run_id == run.id))):
                self._decide(connection, run, mapping)
            row = connection.execute(select(read_plans).where(read_plans.c.run_id == run.id)).one()
            undecided = (
                row.keeps_delta_link and row.end_link is None and not _has_receipts(connection, run.id)
            )
        return ReadPlan(
            start_link=row.start_link, list_from_attempt=row.list_from_attempt, needs_delta_link=undecided
        )

    def record_delta_link(self, run_id: int, link: str) -> None:
        """Note the link that a run is to leave behind, unless it is to leave none."""
        read_plans = tables.read_plans
        with self._database.transaction() as connection:
            connection.execute(
                update(read_plans)
                .where(read_plans.c.run_id == run_id, read_plans.c.keeps_delta_link)
                .values(end_link=link)
            )

    def discard_delta_link(self, run_id: int) -> None:
        """Have a run leave no link behind: the next delta goes on from where this run's tenant stands."""
        with self._database.transaction() as connection:
            discard_delta_link(connection, run_id)

    def fall_back_to_list(self, run_id: int, *, attempt: int, why: str) -> None:
        """Have a run read all users from `scan` on, for Graph no longer takes its link.

        The link is kept no longer, unless the run is a dry one.
        """
        read_plans, links, runs = tables.read_plans, tables.delta_links, tables.runs
        refused = exists().where(
            runs.c.id == run_id,
            runs.c.tenant_id == links.c.tenant_id,
            read_plans.c.run_id == runs.c.id,
            read_plans.c.keeps_delta_link,
            read_plans.c.start_link == links.c.link,
        )
        with self._database.transaction() as connection:
            connection.execute(
                update(read_plans)
                .where(read_plans.c.run_id == run_id)
                .values(list_from_attempt=attempt, end_link=None)
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
                .where(runs.c.id == run.id, links.c.mapping_fingerprint == mapping)
            )
            if link is None:
                _explain(connection, run.id, Detail(DetailKind.NO_DELTA_LINK))
        dialect = sqlite if self._database.is_sqlite else postgresql
        connection.execute(
            dialect.insert(tables.read_plans)
            .values(
                run_id=run.id, mapping_fingerprint=mapping, start_link=link, keeps_delta_link=not run.dry_run
            )
            .on_conflict_do_nothing()
        )


def discard_delta_link(connection: Connection, run_id: int) -> None:
    """Have a run leave no link behind, in a transaction of the caller's."""
    read_plans = tables.read_plans
    connection.execute(
        update(read_plans).where(read_plans.c.run_id == run_id).values(keeps_delta_link=False, end_link=None)
    )


def promote_delta_link(connection: Connection, run_id: int, *, is_sqlite: bool) -> None:
    """Keep the link that a complete run leaves behind, unless a newer run's is kept already."""
    read_plans, links = tables.read_plans, tables.delta_links
    left = connection.execute(
        select(tables.runs.c.tenant_id, read_plans.c.mapping_fingerprint, read_plans.c.end_link)
        .join(read_plans)
        .where(tables.runs.c.id == run_id, read_plans.c.keeps_delta_link, read_plans.c.end_link.is_not(None))
    ).one_or_none()
    if left is None:
        return
    values = {
        "mapping_fingerprint": left.mapping_fingerprint,
        "link": left.end_link,
        "run_id": run_id,
        "saved": now(),
    }
    dialect = sqlite if is_sqlite else postgresql
    connection.execute(
        dialect.insert(links)
        .values(tenant_id=left.tenant_id, **values)
        .on_conflict_do_update(index_elements=["tenant_id"], set_=values, where=links.c.run_id < run_id)
    )


def forget_delta_links(connection: Connection, tenant_id: int) -> None:
    """Forget a tenant's link, and those that its runs would leave: it maps otherwise from now on."""
    read_plans, runs = tables.read_plans, tables.runs
    of_tenant = select(runs.c.id).where(runs.c.tenant_id == tenant_id)
    connection.execute(
        update(read_plans)
        .where(read_plans.c.run_id.in_(of_tenant), read_plans.c.keeps_delta_link)
        .values(keeps_delta_link=False)
    )
    connection.execute(delete(tables.delta_links).where(tables.delta_links.c.tenant_id == tenant_id))


def _has_receipts(connection: Connection, run_id: int) -> bool:
    return bool(connection.scalar(select(exists().where(tables.receipts.c.run_id == run_id))))


def _explain(connection: Connection, run_id: int, note: str) -> None:
    runs = tables.runs
    connection.execute(
        update(runs)
        .where(runs.c.id == run_id, runs.c.status == Status.READING)
        .values(detail=to_stored(note))
    )
