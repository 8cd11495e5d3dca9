"""What tells of messages that are lost: the last sign of life of pending users, and of the runs' pages."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import and_, func, or_, select, update

from schemas.outcomes import OPEN_STATUSES, Outcome, Status
from store import tables
from store.runs.waits import PAGE
from store.timestamps import as_utc

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Iterator

    from sqlalchemy import ColumnElement

    from store.database import Database

#: Any number that no other user of the database locks with; of several processes one reconciles at a time.
_LOCK: Final = 710_042_013


@dataclass(frozen=True, kw_only=True)
class OpenRun:
    """A run that is open, and what of its reading can be seen to move.

    `page_next_try` is when its page is to be tried again, if the page waits.
    """

    id: int
    tenant: str
    status: Status
    attempt: int
    pages_done: int
    receipts: int
    page_next_try: dt.datetime | None
    #: Its users go before those of others.
    is_quick: bool = False


class LostMessages:
    """What a reconciler reads and notes; may be shared by threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @contextmanager
    def try_lock(self) -> Iterator[bool]:
        """Give True to one process at a time, and False to the others, until the block ends.

        On SQLite each process gets True: what two of them publish comes twice, which is harmless.
        """
        if self._database.is_sqlite:
            yield True
            return
        with self._database.transaction() as connection:
            yield bool(connection.scalar(select(func.pg_try_advisory_xact_lock(_LOCK))))

    def open_runs(self) -> list[OpenRun]:
        """Return the runs that are open, in the order of their numbers."""
        runs, pages, receipts, waits = tables.runs, tables.pages, tables.receipts, tables.waits
        reading = runs.c.status == Status.READING
        pages_done = (
            select(func.count())
            .where(reading, pages.c.run_id == runs.c.id, pages.c.attempt == runs.c.attempt, pages.c.done)
            .scalar_subquery()
        )
        written = select(func.count()).where(reading, receipts.c.run_id == runs.c.id).scalar_subquery()
        query = (
            select(
                runs.c.id,
                tables.tenants.c.key,
                runs.c.status,
                runs.c.attempt,
                runs.c.is_quick,
                pages_done.label("pages_done"),
                written.label("receipts"),
                waits.c.next_try,
            )
            .join(tables.tenants, tables.tenants.c.id == runs.c.tenant_id)
            .outerjoin(waits, and_(waits.c.run_id == runs.c.id, waits.c.entra_id == PAGE))
            .where(runs.c.status.in_(OPEN_STATUSES))
            .order_by(runs.c.id)
        )
        with self._database.transaction() as connection:
            return [
                OpenRun(
                    id=row.id,
                    tenant=row.key,
                    status=Status(row.status),
                    attempt=row.attempt,
                    pages_done=row.pages_done,
                    receipts=row.receipts,
                    page_next_try=row.next_try and as_utc(row.next_try),
                    is_quick=row.is_quick,
                )
                for row in connection.execute(query)
            ]

    def last_failure(self) -> dt.datetime | None:
        """Return when something that was asked failed last, of all that still waits."""
        with self._database.transaction() as connection:
            moment = connection.scalar(select(func.max(tables.waits.c.failed_at)))
        return None if moment is None else as_utc(moment)

    def newest_finished(self) -> dt.datetime | None:
        """Return when the newest was published of those of open runs who have come to an outcome since.

        The queue hands messages out in their order, so those from before have left it. Those of quick runs
        come by another queue.
        """
        receipts, runs = tables.receipts, tables.runs
        query = (
            select(func.max(receipts.c.published_at))
            .join(runs, runs.c.id == receipts.c.run_id)
            .where(
                runs.c.status.in_(OPEN_STATUSES),
                ~runs.c.is_quick,
                receipts.c.outcome != Outcome.PENDING,
                # Who was removed in Entra has a receipt, and never had a message.
                receipts.c.finished_at > receipts.c.published_at,
            )
        )
        with self._database.transaction() as connection:
            moment = connection.scalar(query)
        return None if moment is None else as_utc(moment)

    def lost_users(self, run_id: int, *, before: dt.datetime, after: str = "", limit: int) -> list[str]:
        """Return pending users of an open run whose last sign of life is older than `before`, by id."""
        receipts = tables.receipts
        query = (
            select(receipts.c.entra_id)
            .where(_lost(run_id, before), receipts.c.entra_id > after)
            .order_by(receipts.c.entra_id)
            .limit(limit)
        )
        with self._database.transaction() as connection:
            return list(connection.scalars(query))

    def mark_republished(
        self, run_id: int, users: Collection[str], *, before: dt.datetime, moment: dt.datetime
    ) -> set[str]:
        """Give those users a new sign of life whose last one is still older than `before`; return them.

        To be called before they are published: a process that dies in between publishes no user twice.
        """
        receipts = tables.receipts
        if not users:
            return set()
        with self._database.transaction() as connection:
            marked = connection.scalars(
                update(receipts)
                .where(_lost(run_id, before), receipts.c.entra_id.in_(users))
                .values(published_at=moment)
                .returning(receipts.c.entra_id)
            )
            return set(marked)


def _lost(run_id: int, before: dt.datetime) -> ColumnElement[bool]:
    receipts, waits, runs = tables.receipts, tables.waits, tables.runs
    told_since = (
        select(waits.c.run_id)
        .where(
            waits.c.run_id == receipts.c.run_id,
            waits.c.entra_id == receipts.c.entra_id,
            or_(waits.c.reported >= before, waits.c.next_try >= before),
        )
        .exists()
    )
    open_run = select(runs.c.id).where(runs.c.id == run_id, runs.c.status.in_(OPEN_STATUSES)).exists()
    return and_(
        receipts.c.run_id == run_id,
        receipts.c.outcome == Outcome.PENDING,
        receipts.c.published_at < before,
        ~told_since,
        open_run,
    )
