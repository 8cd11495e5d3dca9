"""Triggers: which run each of them led to."""

from __future__ import annotations

import dataclasses
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import exists, insert, select
from sqlalchemy.exc import IntegrityError

from schemas.dead_letter_reasons import Reason
from schemas.details.detail import Detail
from schemas.details.kinds import DetailKind
from schemas.errors import NotYetError, PermanentError
from schemas.outcomes import OPEN_STATUSES, Mode, Outcome, Stage, Status
from schemas.runs.run import guard_question
from store import tables
from store.changes.undo import prepare_undo
from store.encryption.scope_rules import encrypt_rules
from store.runs.guard_counters import directory_size_of, override_guard
from store.runs.rows import (
    MAX_RESTARTS,
    SELECT_RUNS,
    get_run_row,
    run_from_row,
    unanswered_guard,
)
from store.timestamps import now

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sqlalchemy import Connection

    from schemas.crypto.encryption import FieldCipher
    from schemas.messages.messages import SyncRequest
    from schemas.runs.run import Run
    from store.database import Database
    from store.runs.runs import Runs

#: Seconds until a trigger that waits for another run of its tenant looks again.
WAIT_FOR_OPEN_RUN: Final = 15.0


@dataclass(frozen=True, kw_only=True)
class OpenedRun:
    """The run that a trigger led to; `needs_first_page` while nothing of it has been read."""

    run: Run
    new: bool
    needs_first_page: bool


class Triggers:
    """The triggers' table, and the runs that they open; may be shared by threads."""

    def __init__(self, database: Database, runs: Runs, cipher: FieldCipher) -> None:
        self._database = database
        self._cipher = cipher
        self._runs = runs

    def open(self, request: SyncRequest, event_id: str) -> OpenedRun:
        """Open the run that a trigger asks for, or find the one that does what it asks for.

        A run that tries settings is one of its own: it changes nothing, so it neither waits for another
        one nor holds one up. A quick run is, too, but for an undo: of its users the newer run decides.
        Raises `PermanentError` for an unknown or disabled tenant, or one with a run that the guard has halted
        and that is not answered. Raises `NotYetError` while a run of the tenant is open that comes first.
        """
        request = self._sealed(request)
        try:
            return self._open(request, event_id)
        except IntegrityError:
            # Another process opened a run in the same moment, and now it can be seen.
            return self._open(request, event_id)

    def cancel(self, request: SyncRequest, event_id: str) -> Run:
        """Cancel the run that a trigger led to; if it led to none so far, see to it that it never will.

        Returns the run, which has ended. Raises as `open` does for a tenant.
        """
        request = self._sealed(request)
        try:
            run = self._cancelled(request, event_id)
        except IntegrityError:
            # The trigger has been taken in the same moment.
            run = self._cancelled(request, event_id)
        self._runs.cancel(run.id)
        return self._runs.get(run.id)

    def find_run(self, event_id: str) -> Run | None:
        """Return the run that a trigger led to, or None if it led to none so far."""
        with self._database.transaction() as connection:
            return _event_run(connection, event_id)

    def runs_of(self, event_ids: Collection[str]) -> Mapping[str, int]:
        """Return the numbers of the runs that triggers led to, by their event ids."""
        triggers = tables.triggers
        query = select(triggers.c.event_id, triggers.c.run_id).where(triggers.c.event_id.in_(event_ids))
        with self._database.transaction() as connection:
            return {row.event_id: row.run_id for row in connection.execute(query)}

    def has_joined(self, event_id: str) -> bool:
        """Say whether a trigger led to a run that an earlier trigger had opened."""
        mine, others = tables.triggers.alias(), tables.triggers.alias()
        earlier = exists().where(
            mine.c.event_id == event_id,
            others.c.run_id == mine.c.run_id,
            others.c.event_id != mine.c.event_id,
            others.c.received < mine.c.received,
        )
        with self._database.transaction() as connection:
            return bool(connection.scalar(select(earlier)))

    def _sealed(self, request: SyncRequest) -> SyncRequest:
        if request.settings is None:
            return request
        return dataclasses.replace(request, settings=encrypt_rules(request.settings, self._cipher))

    def _open(self, request: SyncRequest, event_id: str) -> OpenedRun:
        with self._database.transaction() as connection:
            known = _event_run(connection, event_id)
            if known is not None:
                return _opened(connection, known, new=False)
            tenant_id = _tenant(connection, request)
            joined = None if request.settings is not None else _joined(connection, tenant_id, request)
            if joined is None:
                _check_guard_answered(connection, tenant_id, request)
                if request.mode is Mode.UNDO:
                    prepare_undo(connection, tenant_id, request)
                run = run_from_row(get_run_row(connection, _insert_run(connection, tenant_id, request)))
            else:
                run = joined
                if request.override_guard:
                    override_guard(connection, run.id)
            connection.execute(
                insert(tables.triggers).values(event_id=event_id, run_id=run.id, received=now())
            )
            return _opened(connection, run, new=joined is None)

    def _cancelled(self, request: SyncRequest, event_id: str) -> Run:
        with self._database.transaction() as connection:
            known = _event_run(connection, event_id)
            if known is not None:
                return known
            tenant_id = _tenant(connection, request)
            ended = {"status": Status.CANCELLED, "finished": now()}
            run_id = _insert_run(connection, tenant_id, request, **ended)
            connection.execute(
                insert(tables.triggers).values(event_id=event_id, run_id=run_id, received=now())
            )
            return run_from_row(get_run_row(connection, run_id))


def covers(run: Run, request: SyncRequest) -> bool:
    """Say whether an open run does what a trigger asks for."""
    same_people = not run.users or (bool(request.users) and set(request.users) <= set(run.users))
    deep_enough = run.mode is not Mode.DELTA or request.mode is Mode.DELTA
    rechecks_enough = run.recheck_all or not request.recheck_all
    same_kind = run.dry_run is request.dry_run and run.reverts_run_id == request.reverts_run_id
    # A person waits for a quick run: one that has thousands before these users is no answer.
    quick_enough = run.is_quick or not request.is_quick
    return same_kind and same_people and deep_enough and rechecks_enough and quick_enough


def comes_first(run: Run, request: SyncRequest) -> bool:
    """Say whether a request has to wait for the end of an open run, which it does not join.

    A quick run goes beside others. But an undo and a run that writes what Entra says never work on users at
    the same time: one would write what the other takes back.
    """
    both_write = not (run.dry_run or request.dry_run)
    return (both_write and Mode.UNDO in (run.mode, request.mode)) or not (run.is_quick or request.is_quick)


def _joined(connection: Connection, tenant_id: int, request: SyncRequest) -> Run | None:
    """Return the open run that a request joins, None if it has one of its own; raise as `Triggers.open`."""
    runs = tables.runs
    rows = connection.execute(
        SELECT_RUNS.where(
            runs.c.tenant_id == tenant_id,
            runs.c.status.in_(OPEN_STATUSES),
            runs.c.settings_override.is_(None),
        ).order_by(runs.c.id)
    )
    open_runs = [run_from_row(row) for row in rows]
    for run in open_runs:
        if covers(run, request) and not (request.is_quick and _has_finished(connection, run, request)):
            return run
    first = next((run for run in open_runs if comes_first(run, request)), None)
    if first is not None:
        raise NotYetError(
            Detail(DetailKind.ANOTHER_RUN_OPEN, run=first.id, tenant=request.tenant),
            retry_after=WAIT_FOR_OPEN_RUN,
        )
    return None


def _has_finished(connection: Connection, run: Run, request: SyncRequest) -> bool:
    """Say whether a run is done with one of the users, who may have changed since."""
    receipts = tables.receipts
    done = exists().where(
        receipts.c.run_id == run.id,
        receipts.c.entra_id.in_(request.users),
        receipts.c.outcome != Outcome.PENDING,
    )
    return bool(connection.scalar(select(done)))


def _event_run(connection: Connection, event_id: str) -> Run | None:
    triggers = tables.triggers
    row = connection.execute(
        SELECT_RUNS.join(triggers, triggers.c.run_id == tables.runs.c.id).where(
            triggers.c.event_id == event_id
        )
    ).one_or_none()
    return None if row is None else run_from_row(row)


def _tenant(connection: Connection, request: SyncRequest) -> int:
    """Return the number of the tenant; one that is disabled may still have a run undone."""
    row = connection.execute(
        select(tables.tenants.c.id, tables.tenants.c.settings).where(tables.tenants.c.key == request.tenant)
    ).one_or_none()
    if row is None:
        raise PermanentError(Reason.UNKNOWN_TENANT, Stage.RECEIVE, Detail(DetailKind.NO_SUCH_TENANT))
    if request.mode is not Mode.UNDO and not row.settings["enabled"]:
        raise PermanentError(
            Reason.INVALID_TRIGGER,
            Stage.RECEIVE,
            Detail(DetailKind.TENANT_NOT_ENABLED, tenant=request.tenant),
        )
    return int(row.id)


def _check_guard_answered(connection: Connection, tenant_id: int, request: SyncRequest) -> None:
    """Raise `PermanentError` (`guard_unanswered`) for a run that would change users; an undo is an answer."""
    if request.dry_run or request.settings is not None:
        return
    halted = unanswered_guard(connection, tenant_id, except_run=request.reverts_run_id)
    if halted is not None:
        raise PermanentError(Reason.GUARD_UNANSWERED, Stage.RECEIVE, guard_question(halted))


def _insert_run(connection: Connection, tenant_id: int, request: SyncRequest, **ended: object) -> int:
    values = {
        "uid": uuid.uuid4().hex,
        "tenant_id": tenant_id,
        "mode": request.mode,
        "dry_run": request.dry_run,
        "recheck_all": request.recheck_all,
        "is_quick": request.is_quick,
        "users": list(request.users),
        "settings_override": None if request.settings is None else dict(request.settings),
        "status": Status.READING,
        "attempt": 1,
        "max_attempt": 1 + MAX_RESTARTS,
        "listing_complete": False,
        "reverts_run_id": request.reverts_run_id,
        # A share that the guard allows is of as many people as the run that is undone had.
        "directory_size": None
        if request.reverts_run_id is None
        else directory_size_of(connection, request.reverts_run_id),
        "guard_overridden": request.override_guard,
        "started": now(),
        **ended,
    }
    key = connection.execute(insert(tables.runs).values(values)).inserted_primary_key
    return int(key[0])  # type: ignore[index] # an insert of one row has a key


def _opened(connection: Connection, run: Run, *, new: bool) -> OpenedRun:
    pages = tables.pages
    read = connection.scalar(
        select(exists().where(pages.c.run_id == run.id, pages.c.attempt == run.attempt, pages.c.done))
    )
    needs_first_page = run.status is Status.READING and not read
    return OpenedRun(run=run, new=new, needs_first_page=needs_first_page)
