"""Runs: how far each has come, and what became of its users."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy import Text, and_, cast, exists, func, or_, select, update
from sqlalchemy.exc import IntegrityError

from schemas.details.detail import to_stored
from schemas.errors import TransientError, UsageError
from schemas.outcomes import OPEN_STATUSES, Cause, Mode, Outcome, Status
from schemas.runs.run import Run, RunSummary, guard_question
from store import tables
from store.reports.not_found_surges import surge_of
from store.runs.delta_state import promote_delta_link
from store.runs.kept_blanks import warn_of_kept_blanks
from store.runs.rows import (
    KIND_OF_RUN,
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

    from sqlalchemy import ColumnElement, Connection, Row

    from schemas.outcomes import RunKind
    from store.database import Database
    from store.report_cache import ReportCache

_log = structlog.get_logger(__name__)


class Runs:
    """The runs' tables; may be shared by threads."""

    def __init__(self, database: Database, cache: ReportCache) -> None:
        self._database = database
        self._cache = cache

    def get(self, run_id: int) -> Run:
        """Return a run; raise `UsageError` when there is none of that number."""
        with self._database.transaction() as connection:
            return run_from_row(get_run_row(connection, run_id))

    def list(
        self,
        tenant: str | None = None,
        limit: int = 20,
        *,
        statuses: Sequence[Status] = (),
        kinds: Collection[RunKind] = (),
        before: int = 0,
    ) -> list[RunSummary]:
        """Return runs, the newest first; tenant, statuses, kinds and the number `before` leave others out."""
        query = SELECT_RUNS.where(*_chosen(tenant, statuses, kinds)).order_by(tables.runs.c.id.desc())
        if before:
            query = query.where(tables.runs.c.id < before)
        query = query.limit(limit)
        with self._database.transaction() as connection:
            self._database.prefer_indexes(connection)
            return _summaries(connection, connection.execute(query).all(), self._cache)

    def count(
        self, tenant: str | None, *, statuses: Sequence[Status], kinds: Collection[RunKind], since: int
    ) -> int:
        """Return how many runs `list` would choose whose id is `since` or higher."""
        query = select(func.count()).select_from(tables.runs).join(tables.tenants)
        with self._database.transaction() as connection:
            found = query.where(tables.runs.c.id >= since, *_chosen(tenant, statuses, kinds))
            return connection.scalar(found) or 0

    def summary(self, run_id: int) -> RunSummary:
        """Return a run with its sums, which come from its receipts, those that were removed included."""
        with self._database.transaction() as connection:
            self._database.prefer_indexes(connection)
            return _summaries(connection, [get_run_row(connection, run_id)], self._cache)[0]

    def unanswered_guard(self, tenant: str, *, except_run: int | None = None) -> Run | None:
        """Return a run of the tenant that the guard has halted and no person has answered, or None.

        The run with the id `except_run` does not count.
        """
        with self._database.transaction() as connection:
            tenant_id = connection.scalar(select(tables.tenants.c.id).where(tables.tenants.c.key == tenant))
            return unanswered_guard(connection, tenant_id or 0, except_run=except_run)

    def open_run(self, tenant: str, *, to_quick: bool = False) -> Run | None:
        """Return the open run of a tenant for whose end a request, also for a quick run, waits, or None."""
        runs = tables.runs
        waited_for = [~runs.c.is_quick, runs.c.settings_override.is_(None)]
        if to_quick:
            waited_for += [runs.c.mode == Mode.UNDO, ~runs.c.dry_run]
        query = SELECT_RUNS.where(*_chosen(tenant, OPEN_STATUSES, ()), *waited_for)
        with self._database.transaction() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else run_from_row(row)

    def check_guard_answered(self, tenant: str, *, except_run: int | None = None) -> None:
        """Raise `UsageError` if there is such a run."""
        halted = self.unanswered_guard(tenant, except_run=except_run)
        if halted is not None:
            question = guard_question(halted)
            raise UsageError(f"{question[0].upper()}{question[1:]}.")

    def summaries(self, run_ids: Collection[int]) -> dict[int, RunSummary]:
        """Return runs with their sums by number; a number that no run has is left out."""
        with self._database.transaction() as connection:
            self._database.prefer_indexes(connection)
            rows = connection.execute(SELECT_RUNS.where(tables.runs.c.id.in_(run_ids))).all()
            return {summary.run.id: summary for summary in _summaries(connection, rows, self._cache)}

    def halt(self, run_id: int, cause: Cause, detail: str) -> bool:
        """Halt an open run; True for the one who did it, so that it is said once.

        The guard does not halt a run again that an operator has let through: the message may have been in a
        worker's hands since before.
        """
        # One statement, for the operator may let the run through between two.
        watched = [tables.runs.c.guard_overridden.is_(False)] if cause is Cause.GUARD_EXCEEDED else []
        halted = {"status": Status.HALTED, "cause": cause, "detail": to_stored(detail)}
        return self._end(run_id, OPEN_STATUSES, *watched, **halted)

    def cancel(self, run_id: int) -> bool:
        """Cancel an open or halted run; what is pending stays undone. True for the one who did it."""
        # Its own dead letters, and older ones, may be stale for good now.
        ended = {"status": Status.CANCELLED, "cleaned_up": False}
        return self._end(run_id, (*OPEN_STATUSES, Status.HALTED), **ended)

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
        runs, read_plans = tables.runs, tables.read_plans
        reads_list = exists().where(read_plans.c.run_id == run_id, tables.READS_WHOLE_LIST)
        names_none = cast(runs.c.users, Text) == "[]"
        with self._database.transaction() as connection:
            connection.execute(
                update(runs)
                .where(runs.c.id == run_id, runs.c.status == Status.READING)
                .values(
                    status=Status.UPDATING,
                    listing_complete=True,
                    read_all_users=and_(names_none, or_(runs.c.mode == Mode.FULL, reads_list)),
                )
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
            surge = surge_of(connection, run_id)
            warn_of_kept_blanks(connection, run_id, is_sqlite=self._database.is_sqlite)
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

    def _end(
        self, run_id: int, allowed: Sequence[Status], *conditions: ColumnElement[bool], **values: object
    ) -> bool:
        runs = tables.runs
        with self._database.transaction() as connection:
            done = connection.execute(
                update(runs)
                .where(runs.c.id == run_id, runs.c.status.in_(allowed), *conditions)
                .values(**values, finished=now())
            )
        return bool(done.rowcount)


def _chosen(
    tenant: str | None, statuses: Sequence[Status], kinds: Collection[RunKind]
) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if tenant is not None:
        conditions.append(tables.tenants.c.key == tenant)
    if statuses:
        conditions.append(tables.runs.c.status.in_(statuses))
    if kinds:
        conditions.append(KIND_OF_RUN.in_(kinds))
    return conditions


def _summaries(connection: Connection, rows: Sequence[Row[Any]], cache: ReportCache) -> list[RunSummary]:
    ids = [row.id for row in rows]
    sums, warnings = totals_by_run(connection, ids, cache), warnings_by_run(connection, ids)
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
