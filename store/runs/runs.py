"""Runs: how far each has come, and what became of its users."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import structlog
from sqlalchemy import and_, case, exists, func, or_, select, update
from sqlalchemy.exc import IntegrityError

from schemas.details.detail import to_stored
from schemas.errors import TransientError, UsageError
from schemas.outcomes import (
    NOT_MISSING_IN_SKOLON,
    OPEN_STATUSES,
    VERIFYING_OUTCOMES,
    Cause,
    Outcome,
    Status,
)
from schemas.runs.not_found_surge import not_found_surge
from schemas.runs.run import Run, RunSummary, guard_question
from store import tables
from store.runs.delta_state import promote_delta_link
from store.runs.rows import (
    MAX_RESTARTS,
    SELECT_RUNS,
    get_run_row,
    is_run_id,
    run_from_row,
    unanswered_guard,
)
from store.runs.run_warnings import warnings_by_run
from store.runs.totals import totals_by_run
from store.runs.unresolved_users import record_unresolved
from store.runs.waits import delete_waits, last_finished_by_run, waiting_by_run
from store.timestamps import now

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy import Connection, Row

    from store.database import Database

#: Skolon was not asked about these.
_NOT_LOOKED_UP: Final = (Outcome.OUT_OF_SCOPE, Outcome.SUPERSEDED)

_log = structlog.get_logger(__name__)


class Runs:
    """The runs' tables; may be shared by threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, run_id: int) -> Run:
        """Return a run; raise `UsageError` when there is none of that number."""
        with self._database.transaction() as connection:
            return run_from_row(get_run_row(connection, run_id))

    def list(
        self, tenant: str | None = None, limit: int = 20, *, statuses: Sequence[Status] = (), before: int = 0
    ) -> list[RunSummary]:
        """Return runs, the newest first; `tenant`, `statuses` and the number `before` leave others out."""
        query = SELECT_RUNS.order_by(tables.runs.c.id.desc()).limit(limit)
        if tenant is not None:
            query = query.where(tables.tenants.c.key == tenant)
        if statuses:
            query = query.where(tables.runs.c.status.in_(statuses))
        if before:
            query = query.where(tables.runs.c.id < before)
        with self._database.transaction() as connection:
            return _summaries(connection, connection.execute(query).all())

    def summary(self, run_id: int) -> RunSummary:
        """Return a run with its sums, which come from its receipts, those that were removed included."""
        with self._database.transaction() as connection:
            return _summaries(connection, [get_run_row(connection, run_id)])[0]

    def check_guard_answered(self, tenant: str, *, except_run: int | None = None) -> None:
        """Raise `UsageError` if the guard has halted a run of the tenant, and no person has answered.

        The run with the id `except_run` does not count.
        """
        with self._database.transaction() as connection:
            tenant_id = connection.scalar(select(tables.tenants.c.id).where(tables.tenants.c.key == tenant))
            halted = unanswered_guard(connection, tenant_id or 0, except_run=except_run)
        if halted is not None:
            question = guard_question(halted)
            raise UsageError(f"{question[0].upper()}{question[1:]}.")

    def summaries(self, run_ids: Collection[int]) -> dict[int, RunSummary]:
        """Return runs with their sums by number; a number that no run has is left out."""
        with self._database.transaction() as connection:
            rows = connection.execute(SELECT_RUNS.where(tables.runs.c.id.in_(run_ids))).all()
            return {summary.run.id: summary for summary in _summaries(connection, rows)}

    def halt(self, run_id: int, cause: Cause, detail: str) -> bool:
        """Halt an open run; True for the one who did it, so that it is said once.

        The guard does not halt a run again that an operator has let through: the message may have been in a
        worker's hands since before.
        """
        if cause is Cause.GUARD_EXCEEDED and self._is_guard_overridden(run_id):
            return False
        return self._end(run_id, OPEN_STATUSES, status=Status.HALTED, cause=cause, detail=to_stored(detail))

    def cancel(self, run_id: int) -> bool:
        """Cancel an open or halted run; what is pending stays undone. True for the one who did it."""
        return self._end(run_id, (*OPEN_STATUSES, Status.HALTED), status=Status.CANCELLED)

    def resume(self, run_id: int) -> Run:
        """Take a halted run up again: back to reading, in a fresh scan, or to updating.

        An open run is taken up too: the process that resumed it may have died before publishing what it
        lacks. Raises `UsageError` when it has ended, or another run of its tenant is open.
        """
        runs = tables.runs
        try:
            with self._database.transaction() as connection:
                row = get_run_row(connection, run_id)
                if row.status in (Status.COMPLETED, Status.CANCELLED):
                    raise UsageError(f"Run {run_id} is {row.status}: there is nothing to resume.")
                values: dict[str, Any] = dict.fromkeys(("cause", "detail", "finished"))
                values |= {"status": Status.UPDATING, "cleaned_up": False}
                if not row.listing_complete:
                    values |= {
                        "status": Status.READING,
                        "attempt": row.attempt + 1,
                        "max_attempt": row.attempt + 1 + MAX_RESTARTS,
                    }
                connection.execute(
                    update(runs).where(runs.c.id == run_id, runs.c.status == row.status).values(values)
                )
                if row.status == Status.HALTED:
                    delete_waits(connection, run_id)
        except IntegrityError:
            raise UsageError(
                f"Another run of the tenant is open: wait for it or cancel it, then resume run {run_id}."
            ) from None
        return self.get(run_id)

    def finish_reading(self, run_id: int) -> None:
        """Say that every page has been published."""
        runs = tables.runs
        with self._database.transaction() as connection:
            connection.execute(
                update(runs)
                .where(runs.c.id == run_id, runs.c.status == Status.READING)
                .values(status=Status.UPDATING, listing_complete=True)
            )

    def complete_if_done(self, run_id: int) -> bool:
        """Complete a run whose users all have their outcome; True for the one who did it.

        To be called after the commit of each last step: the last one sees all the others'. A run that no
        longer found many of the users that the last one had found is halted instead (`suspicious_list`).
        """
        if not is_run_id(run_id):
            return False
        runs, receipts = tables.runs, tables.receipts
        pending = exists().where(receipts.c.run_id == run_id, receipts.c.outcome == Outcome.PENDING)
        with self._database.transaction() as connection:
            done = connection.execute(
                update(runs)
                .where(runs.c.id == run_id, runs.c.status == Status.UPDATING, ~pending)
                .values(status=Status.COMPLETED, finished=now())
            )
            if not done.rowcount:
                return False
            delete_waits(connection, run_id)
            # Also of a run that is halted now: deltas go on reading such users again.
            record_unresolved(connection, run_id, is_sqlite=self._database.is_sqlite)
            surge = _surge_of(connection, run_id)
            if surge is None:
                promote_delta_link(connection, run_id, is_sqlite=self._database.is_sqlite)
            else:
                connection.execute(
                    update(runs)
                    .where(runs.c.id == run_id)
                    .values(status=Status.HALTED, cause=Cause.SUSPICIOUS_LIST, detail=to_stored(surge))
                )
        if surge is None:
            # Its sums are in the database: a log without them is no reason to come here again.
            with suppress(TransientError):
                _log.info("run_completed", **self.summary(run_id).log_fields())
            return True
        _log.error("run_halted", run=run_id, cause=Cause.SUSPICIOUS_LIST, detail=surge)
        return False

    def pending_users(self, run_id: int, after: str = "", limit: int = 999) -> Sequence[str]:
        """Return the Entra ids, in order, of users of the run that nothing has become of yet."""
        receipts = tables.receipts
        query = (
            select(receipts.c.entra_id)
            .where(
                receipts.c.run_id == run_id,
                receipts.c.outcome == Outcome.PENDING,
                receipts.c.entra_id > after,
            )
            .order_by(receipts.c.entra_id)
            .limit(limit)
        )
        with self._database.transaction() as connection:
            return connection.scalars(query).all()

    def _is_guard_overridden(self, run_id: int) -> bool:
        query = select(tables.runs.c.guard_overridden).where(tables.runs.c.id == run_id)
        with self._database.transaction() as connection:
            return bool(connection.scalar(query))

    def _end(self, run_id: int, allowed: Sequence[Status], **values: object) -> bool:
        runs = tables.runs
        with self._database.transaction() as connection:
            done = connection.execute(
                update(runs)
                .where(runs.c.id == run_id, runs.c.status.in_(allowed))
                .values(**values, finished=now())
            )
        return bool(done.rowcount)


def _surge_of(connection: Connection, run_id: int) -> str | None:
    """Return why a run that has read all users is suspicious, None if it is not or has none to compare with.

    Dry runs are for looking: they are not compared. Nor is a run that an operator let through.
    """
    runs, read_plans = tables.runs, tables.read_plans
    of_lists = (
        select(runs.c.id, runs.c.tenant_id, runs.c.guard_overridden)
        .join(read_plans)
        .where(
            tables.IS_FULL_SCOPE_SYNC,
            or_(read_plans.c.start_link.is_(None), read_plans.c.list_from_attempt.is_not(None)),
        )
    )
    run = connection.execute(of_lists.where(runs.c.id == run_id)).one_or_none()
    if run is None or run.guard_overridden:
        return None
    earlier = connection.scalar(
        of_lists.where(
            runs.c.tenant_id == run.tenant_id, runs.c.id < run_id, runs.c.status == Status.COMPLETED
        )
        .order_by(runs.c.id.desc())
        .limit(1)
    )
    if earlier is None:
        return None
    return not_found_surge(*_missing_and_sought(connection, run_id, earlier))


def _missing_and_sought(connection: Connection, run_id: int, earlier: int) -> tuple[int, int]:
    """Return how many users that an earlier run found a run did not find, and how many of them it sought."""
    receipts, before = tables.receipts, tables.receipts.alias()
    query = (
        select(
            func.coalesce(func.sum(case((receipts.c.outcome == Outcome.NOT_FOUND, 1), else_=0)), 0),
            func.count(),
        )
        .select_from(receipts)
        .join(before, and_(before.c.run_id == earlier, before.c.entra_id == receipts.c.entra_id))
        .where(
            receipts.c.run_id == run_id,
            before.c.outcome.in_(VERIFYING_OUTCOMES),
            receipts.c.outcome.not_in(_NOT_LOOKED_UP),
            or_(
                receipts.c.not_found_reason.is_(None),
                receipts.c.not_found_reason.not_in(NOT_MISSING_IN_SKOLON),
            ),
        )
    )
    missing, sought = connection.execute(query).one()
    return int(missing), int(sought)


def _summaries(connection: Connection, rows: Sequence[Row[Any]]) -> list[RunSummary]:
    ids = [row.id for row in rows]
    sums, warnings = totals_by_run(connection, ids), warnings_by_run(connection, ids)
    waiting = waiting_by_run(connection, ids)
    last_finished = last_finished_by_run(connection, [run_id for run_id in ids if waiting[run_id]])
    return [
        RunSummary(
            run=run_from_row(row),
            counts=sums[row.id].outcomes,
            reasons=sums[row.id].reasons,
            pruned=sums[row.id].pruned,
            skipped_verified=sums[row.id].skipped_verified,
            read_again=sums[row.id].read_again,
            warnings=warnings[row.id],
            waiting=waiting[row.id],
            last_finished=last_finished.get(row.id),
            skipped=sums[row.id].skipped,
            as_before=sums[row.id].as_before if row.reverts_run_id is not None else 0,
        )
        for row in rows
    ]
