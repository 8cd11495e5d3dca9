"""Runs: which trigger became which, how far each has come, and what became of its users."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import exists, insert, select, update
from sqlalchemy.exc import IntegrityError

from schemas.errors import Dependency, PermanentError, TransientError, WrongUseError
from schemas.messages import HIGHEST_RUN
from schemas.outcomes import OPEN_STATUSES, Cause, Mode, Outcome, Reason, Stage, Status
from schemas.runs import Run, RunSummary
from store import tables
from store.guards import accept, people_of
from store.moments import in_utc, now
from store.readings import keep_link
from store.run_warnings import warnings_of
from store.sums import sums_of
from store.undos import prepare_undo

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Row, Select

    from schemas.messages import TenantSync
    from store.database import Database

#: How often a list is begun again because Graph no longer knew the page's token.
NEW_BEGINNINGS: Final = 5

#: Seconds until a trigger that waits for another run of its tenant looks again.
WAIT_FOR_OPEN_RUN: Final = 15.0


@dataclass(frozen=True, kw_only=True)
class Opened:
    """The run that a trigger led to; `needs_first_page` while nothing of it has been read."""

    run: Run
    new: bool
    needs_first_page: bool


class Runs:
    """The runs' tables; may be shared by threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def open(self, wish: TenantSync, event_id: str) -> Opened:
        """Open the run that a trigger asks for, or find the one that does what it asks for.

        A run that tries settings is one of its own: it changes nothing, so it neither waits for another
        one nor holds one up. Raises `PermanentError` for an unknown or disabled tenant, and
        `TransientError` (order) while a run of the tenant is open that does something else.
        """
        try:
            return self._open(wish, event_id)
        except IntegrityError:
            # Somebody else opened a run in the same moment, and now it can be seen.
            return self._open(wish, event_id)

    def withdraw(self, wish: TenantSync, event_id: str) -> Run:
        """Cancel the run that a trigger led to; if it led to none so far, see to it that it never will.

        Returns the run, which has ended. Raises as `open` does for a tenant.
        """
        try:
            run = self._withdrawn(wish, event_id)
        except IntegrityError:
            # The trigger has been taken in the same moment.
            run = self._withdrawn(wish, event_id)
        self.cancel(run.id)
        return self.get(run.id)

    def get(self, run_id: int) -> Run:
        """Return a run; raise `WrongUseError` when there is none of that number."""
        with self._database.transaction() as connection:
            return _run(self._row(connection, run_id))

    def find_event(self, event_id: str) -> Run | None:
        """Return the run that a trigger led to, or None if it led to none so far."""
        with self._database.transaction() as connection:
            return _event_run(connection, event_id)

    def list(self, tenant: str | None = None, limit: int = 20) -> list[RunSummary]:
        """Return the newest runs first, of one tenant or of all."""
        query = _SELECT_RUNS.order_by(tables.runs.c.id.desc()).limit(limit)
        if tenant is not None:
            query = query.where(tables.tenants.c.key == tenant)
        with self._database.transaction() as connection:
            return _summaries(connection, connection.execute(query).all())

    def summary(self, run_id: int) -> RunSummary:
        """Return a run with its sums, which come from its receipts, those that were removed included."""
        with self._database.transaction() as connection:
            return _summaries(connection, [self._row(connection, run_id)])[0]

    def halt(self, run_id: int, cause: Cause, detail: str) -> bool:
        """Halt an open run; True for the one who did it, so that it is said once."""
        return self._end(run_id, OPEN_STATUSES, status=Status.HALTED, cause=cause, detail=detail)

    def cancel(self, run_id: int) -> bool:
        """Cancel an open or halted run; what is pending stays undone. True for the one who did it."""
        return self._end(run_id, (*OPEN_STATUSES, Status.HALTED), status=Status.CANCELLED)

    def resume(self, run_id: int) -> Run:
        """Take a halted run up again: back to reading, in a fresh scan, or to updating.

        An open run is taken up too: whoever resumed it may have died before publishing what it
        lacks. Raises `WrongUseError` when it has ended, or another run of its tenant is open.
        """
        runs = tables.runs
        try:
            with self._database.transaction() as connection:
                row = self._row(connection, run_id)
                if row.status in (Status.COMPLETED, Status.CANCELLED):
                    raise WrongUseError(f"Run {run_id} is {row.status}: there is nothing to resume.")
                values = {"status": Status.UPDATING, "cause": None, "detail": None, "finished": None}
                if not row.read_to_the_end:
                    values |= {
                        "status": Status.READING,
                        "scan": row.scan + 1,
                        "last_scan": row.scan + 1 + NEW_BEGINNINGS,
                    }
                connection.execute(
                    update(runs).where(runs.c.id == run_id, runs.c.status == row.status).values(values)
                )
        except IntegrityError:
            raise WrongUseError(
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
                .values(status=Status.UPDATING, read_to_the_end=True)
            )

    def complete_if_done(self, run_id: int) -> bool:
        """Complete a run whose users all have their outcome; True for the one who did it.

        To be called after the commit of each last step: whoever comes last sees all the others'.
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
            if done.rowcount:
                keep_link(connection, run_id, is_sqlite=self._database.is_sqlite)
        return bool(done.rowcount)

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

    def _open(self, wish: TenantSync, event_id: str) -> Opened:
        with self._database.transaction() as connection:
            known = _event_run(connection, event_id)
            if known is not None:
                return _opened(connection, known, new=False)
            tenant_id = _tenant(connection, wish)
            row = None
            if wish.settings is None:
                row = connection.execute(
                    _SELECT_RUNS.where(
                        tables.runs.c.tenant_id == tenant_id,
                        tables.runs.c.status.in_(OPEN_STATUSES),
                        tables.runs.c.trial.is_(None),
                    )
                ).one_or_none()
            if row is None:
                if wish.mode is Mode.UNDO:
                    prepare_undo(connection, tenant_id, wish)
                run = _run(self._row(connection, _insert_run(connection, tenant_id, wish)))
            else:
                run = _run(row)
                if not covers(run, wish):
                    raise TransientError(
                        Dependency.ORDER,
                        f"run {run.id} of tenant {wish.tenant} is open and does something else",
                        retry_after=WAIT_FOR_OPEN_RUN,
                    )
                if wish.accept:
                    accept(connection, run.id)
            connection.execute(
                insert(tables.triggers).values(event_id=event_id, run_id=run.id, received=now())
            )
            return _opened(connection, run, new=row is None)

    def _withdrawn(self, wish: TenantSync, event_id: str) -> Run:
        with self._database.transaction() as connection:
            known = _event_run(connection, event_id)
            if known is not None:
                return known
            tenant_id = _tenant(connection, wish)
            ended = {"status": Status.CANCELLED, "finished": now()}
            run_id = _insert_run(connection, tenant_id, wish, **ended)
            connection.execute(
                insert(tables.triggers).values(event_id=event_id, run_id=run_id, received=now())
            )
            return _run(self._row(connection, run_id))

    def _row(self, connection: Connection, run_id: int) -> Row[Any]:
        row = None
        if is_run_id(run_id):
            row = connection.execute(_SELECT_RUNS.where(tables.runs.c.id == run_id)).one_or_none()
        if row is None:
            raise WrongUseError(f"There is no run {run_id}; 'runs list' shows those there are.")
        return row

    def _end(self, run_id: int, allowed: Sequence[Status], **values: object) -> bool:
        runs = tables.runs
        with self._database.transaction() as connection:
            done = connection.execute(
                update(runs)
                .where(runs.c.id == run_id, runs.c.status.in_(allowed))
                .values(**values, finished=now())
            )
        return bool(done.rowcount)


def is_run_id(run_id: int) -> bool:
    """Say whether a run can have that number; a message or a command line may name any."""
    return 1 <= run_id <= HIGHEST_RUN


def covers(run: Run, wish: TenantSync) -> bool:
    """Say whether an open run does what a trigger asks for."""
    same_people = not run.users or (bool(wish.users) and set(wish.users) <= set(run.users))
    deep_enough = run.mode is not Mode.DELTA or wish.mode is Mode.DELTA
    thorough_enough = run.thorough or not wish.thorough
    same_kind = run.dry_run is wish.dry_run and run.undoes == wish.undoes
    return same_kind and same_people and deep_enough and thorough_enough


_SELECT_RUNS: Final[Select[Any]] = select(tables.runs, tables.tenants.c.key.label("tenant")).join(
    tables.tenants
)


def _run(row: Row[Any]) -> Run:
    return Run(
        id=row.id,
        tenant=row.tenant,
        mode=Mode(row.mode),
        dry_run=row.dry_run,
        users=tuple(row.users),
        scan=row.scan,
        status=Status(row.status),
        cause=row.cause and Cause(row.cause),
        detail=row.detail,
        started=in_utc(row.started),
        finished=row.finished and in_utc(row.finished),
        trial=row.trial,
        undoes=row.undoes,
        thorough=row.thorough,
    )


def _event_run(connection: Connection, event_id: str) -> Run | None:
    triggers = tables.triggers
    row = connection.execute(
        _SELECT_RUNS.join(triggers, triggers.c.run_id == tables.runs.c.id).where(
            triggers.c.event_id == event_id
        )
    ).one_or_none()
    return None if row is None else _run(row)


def _tenant(connection: Connection, wish: TenantSync) -> int:
    """Return the number of the tenant; one that is disabled may still have a run undone."""
    row = connection.execute(
        select(tables.tenants.c.id, tables.tenants.c.settings).where(tables.tenants.c.key == wish.tenant)
    ).one_or_none()
    if row is None:
        raise PermanentError(Reason.UNKNOWN_TENANT, Stage.RECEIVE, "tenant: there is none of that key")
    if wish.mode is not Mode.UNDO and not row.settings.get("enabled", True):
        raise PermanentError(Reason.INVALID_TRIGGER, Stage.RECEIVE, f"tenant: {wish.tenant} is not enabled")
    return int(row.id)


def _insert_run(connection: Connection, tenant_id: int, wish: TenantSync, **ended: object) -> int:
    values = {
        "tenant_id": tenant_id,
        "mode": wish.mode,
        "dry_run": wish.dry_run,
        "thorough": wish.thorough,
        "users": list(wish.users),
        "trial": None if wish.settings is None else dict(wish.settings),
        "status": Status.READING,
        "scan": 1,
        "last_scan": 1 + NEW_BEGINNINGS,
        "read_to_the_end": False,
        "undoes": wish.undoes,
        # A share that the guard allows is of as many people as the run that is undone had.
        "people": None if wish.undoes is None else people_of(connection, wish.undoes),
        "guard_accepted": wish.accept,
        "started": now(),
        **ended,
    }
    key = connection.execute(insert(tables.runs).values(values)).inserted_primary_key
    return int(key[0])  # type: ignore[index] # an insert of one row has a key


def _opened(connection: Connection, run: Run, *, new: bool) -> Opened:
    pages = tables.pages
    read = connection.scalar(
        select(exists().where(pages.c.run_id == run.id, pages.c.scan == run.scan, pages.c.done))
    )
    needs_first_page = run.status is Status.READING and not read
    return Opened(run=run, new=new, needs_first_page=needs_first_page)


def _summaries(connection: Connection, rows: Sequence[Row[Any]]) -> list[RunSummary]:
    ids = [row.id for row in rows]
    sums, warnings = sums_of(connection, ids), warnings_of(connection, ids)
    return [
        RunSummary(
            run=_run(row),
            counts=sums[row.id].outcomes,
            reasons=sums[row.id].reasons,
            pruned=sums[row.id].pruned,
            trusted=sums[row.id].trusted,
            warnings=warnings[row.id],
            left=sums[row.id].left,
        )
        for row in rows
    ]
