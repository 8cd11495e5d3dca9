"""Runs as they lie in the database: how each is found, and read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Text, case, cast, or_, select

from schemas.details.detail import from_stored
from schemas.errors import UnknownRunError
from schemas.messages.messages import MAX_RUN_ID
from schemas.outcomes import Cause, Mode, RunKind, Status
from schemas.runs.run import Run
from store import tables
from store.timestamps import as_utc

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row, Select

#: How often a list is begun again because Graph no longer knew the page's token.
MAX_RESTARTS: Final = 5

#: Every run, with the key of its tenant.
SELECT_RUNS: Final[Select[Any]] = select(tables.runs, tables.tenants.c.key.label("tenant")).join(
    tables.tenants
)


#: The `RunKind` of a run, as `Run.kind` says it.
KIND_OF_RUN: Final = case(
    (or_(tables.runs.c.dry_run, tables.runs.c.settings_override.is_not(None)), RunKind.PREVIEW),
    (tables.runs.c.mode == Mode.UNDO, RunKind.UNDO),
    (cast(tables.runs.c.users, Text) != "[]", RunKind.USERS),
    else_=tables.runs.c.mode,
)


def is_run_id(run_id: int) -> bool:
    """Say whether a run can have that number; a message or a command line may name any."""
    return 1 <= run_id <= MAX_RUN_ID


def get_run_row(connection: Connection, run_id: int) -> Row[Any]:
    """Return the row of a run; raise `UnknownRunError` when there is none of that number."""
    row = None
    if is_run_id(run_id):
        row = connection.execute(SELECT_RUNS.where(tables.runs.c.id == run_id)).one_or_none()
    if row is None:
        raise UnknownRunError(f"There is no run {run_id}; 'runs list' shows those there are.")
    return row


def unanswered_guard(connection: Connection, tenant_id: int, *, except_run: int | None = None) -> Run | None:
    """Return a run of the tenant that the guard has halted and that is neither resumed nor cancelled.

    The run with the id `except_run` does not count.
    """
    runs = tables.runs
    row = connection.execute(
        SELECT_RUNS.where(
            runs.c.tenant_id == tenant_id,
            runs.c.status == Status.HALTED,
            runs.c.cause == Cause.GUARD_EXCEEDED,
            runs.c.id != (except_run or 0),
        )
        .order_by(runs.c.id.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else run_from_row(row)


def run_from_row(row: Row[Any]) -> Run:
    """Return the run of a row of `SELECT_RUNS`."""
    return Run(
        id=row.id,
        uid=row.uid,
        tenant=row.tenant,
        mode=Mode(row.mode),
        dry_run=row.dry_run,
        users=tuple(row.users),
        attempt=row.attempt,
        status=Status(row.status),
        cause=row.cause and Cause(row.cause),
        detail=from_stored(row.detail),
        started=as_utc(row.started),
        finished=row.finished and as_utc(row.finished),
        settings_override=row.settings_override,
        reverts_run_id=row.reverts_run_id,
        recheck_all=row.recheck_all,
        is_quick=row.is_quick,
    )
