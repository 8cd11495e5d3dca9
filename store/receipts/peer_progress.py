"""What the receipts tell of others: who has work, and whether other users of a run succeed (P7, P8)."""

from __future__ import annotations

import datetime as dt
import threading
import time
from typing import TYPE_CHECKING, Final

from cachetools import TTLCache
from sqlalchemy import and_, exists, func, literal, or_, select

from schemas.errors import Dependency
from schemas.outcomes import OPEN_STATUSES, NotFoundReason, Outcome, Stage, Status
from store import tables
from store.runs.rows import is_run_id
from store.timestamps import as_utc, now

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import ColumnElement

    from store.database import Database

#: Users of a run who are counted as waiting at most: with so many the exact number makes no difference.
MOST_COUNTED: Final = 50_000

#: For how long a user that got over a failure tells that Skolon fails now and then.
RECOVERY: Final = dt.timedelta(minutes=2)

#: Seconds for which an answer is kept: when many fail at once, they all ask the same.
_KEPT_FOR: Final = 1.0
_KEPT: Final = 1000


class PeerProgress:
    """Reads receipts of others; may be shared by threads."""

    def __init__(self, database: Database, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._known: TTLCache[tuple[int, Stage], dt.datetime | None] = TTLCache(
            _KEPT, ttl=_KEPT_FOR, timer=clock
        )

    def active_organisations(self) -> dict[str, int]:
        """Return the organisations whose users wait for an outcome, each with their number, or a part of it.

        They are those of open runs, and those whose dead letters are being replayed.
        """
        runs, receipts, tenants = tables.runs, tables.receipts, tables.tenants
        pending = (
            select(literal(1))
            .where(receipts.c.run_id == runs.c.id, receipts.c.outcome == Outcome.PENDING)
            .limit(MOST_COUNTED)
            .correlate(runs)
            .subquery()
        )
        of_run = select(func.count()).select_from(pending).scalar_subquery()
        of_runs = (
            select(tenants.c.settings["organisation"].as_string(), of_run)
            .join(tenants, tenants.c.id == runs.c.tenant_id)
            .where(runs.c.status.in_(OPEN_STATUSES))
        )
        replayed = (
            select(receipts.c.tenant_id, func.count().label("users"))
            .where(receipts.c.replaying, receipts.c.operation_id.is_not(None))
            .group_by(receipts.c.tenant_id)
            .subquery()
        )
        of_replays = select(tenants.c.settings["organisation"].as_string(), replayed.c.users).join(
            tenants, tenants.c.id == replayed.c.tenant_id
        )
        at_work: dict[str, int] = {}
        with self._database.transaction() as connection:
            for query in (of_runs, of_replays):
                for organisation, waiting in connection.execute(query):
                    if waiting:
                        at_work[organisation] = at_work.get(organisation, 0) + waiting
        return at_work

    def last_success(self, run_id: int, stage: Stage) -> dt.datetime | None:
        """Return when the last user of a run got beyond a stage (match or update) because Skolon let it.

        What is true now may be missing for a second.
        """
        if not is_run_id(run_id):
            return None
        with self._lock:
            try:
                return self._known[run_id, stage]
            except KeyError:
                last = self._known[run_id, stage] = self._last_success(run_id, stage)
                return last

    def others_pending(self, run_id: int) -> bool:
        """Say whether more than one user of a run has no outcome yet."""
        receipts = tables.receipts
        query = (
            select(receipts.c.entra_id)
            .where(receipts.c.run_id == run_id, receipts.c.outcome == Outcome.PENDING)
            .limit(2)
        )
        with self._database.transaction() as connection:
            return len(connection.execute(query).all()) > 1

    def is_expected(self, run_id: int, entra_id: str, *, settled: bool = False) -> bool:
        """Say whether a user still comes to an outcome in a run; with `settled` also whether it has one.

        A user without a receipt may be on a page that is still to be read, if the run reads all users. One
        that another open run of the tenant is to bring up to date counts too: a quick run goes beside others.
        """
        receipts, runs = tables.receipts, tables.runs
        beside, theirs = runs.alias(), receipts.alias()
        in_other_run = exists().where(
            beside.c.tenant_id == runs.c.tenant_id,
            beside.c.id != runs.c.id,
            beside.c.status.in_(OPEN_STATUSES),
            ~beside.c.dry_run,
            theirs.c.run_id == beside.c.id,
            theirs.c.entra_id == entra_id,
            theirs.c.outcome == Outcome.PENDING,
        )
        query = (
            select(
                runs.c.status,
                runs.c.users,
                receipts.c.outcome,
                tables.awaits_outcome(receipts).label("awaits_outcome"),
                in_other_run.label("in_other_run"),
            )
            .select_from(runs)
            .outerjoin(receipts, and_(receipts.c.run_id == runs.c.id, receipts.c.entra_id == entra_id))
            .where(runs.c.id == run_id)
        )
        with self._database.transaction() as connection:
            row = connection.execute(query).one()
        if row.in_other_run and not settled:
            return True
        if row.outcome is None:
            return row.status == Status.READING and not row.users
        return settled or bool(row.awaits_outcome)

    def is_recovering(self, run_id: int) -> bool:
        """Say whether a user of a run has succeeded lately after Skolon had failed for it."""
        receipts, waits = tables.receipts, tables.waits
        query = select(
            exists().where(
                waits.c.run_id == run_id,
                waits.c.service == Dependency.SKOLON,
                waits.c.failed_at.is_not(None),
                receipts.c.run_id == waits.c.run_id,
                receipts.c.entra_id == waits.c.entra_id,
                receipts.c.finished_at >= now() - RECOVERY,
                or_(_let_through(Stage.MATCH), _let_through(Stage.UPDATE)),
            )
        )
        if not is_run_id(run_id):
            return False
        with self._database.transaction() as connection:
            return bool(connection.scalar(query))

    def _last_success(self, run_id: int, stage: Stage) -> dt.datetime | None:
        receipts = tables.receipts
        query = select(func.max(receipts.c.finished_at)).where(
            receipts.c.run_id == run_id, _let_through(stage)
        )
        with self._database.transaction() as connection:
            last: dt.datetime | None = connection.scalar(query)
        return None if last is None else as_utc(last)


def _let_through(stage: Stage) -> ColumnElement[bool]:
    receipts = tables.receipts.c
    if stage is Stage.UPDATE:
        return receipts.outcome == Outcome.UPDATED
    # Who was trusted was not asked about, and neither was who has no key to be looked for by.
    asked = or_(receipts.verified_at.is_(None), receipts.verified_at >= receipts.published_at)
    return or_(
        receipts.outcome.in_((Outcome.UPDATED, Outcome.WOULD_UPDATE)),
        and_(receipts.outcome == Outcome.UNCHANGED, asked),
        receipts.not_found_reason == NotFoundReason.NO_MATCH,
    )
