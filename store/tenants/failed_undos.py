"""Undos that failed for users. They belong to the tenant's record: a change renews the record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, delete, func, literal, select, update
from sqlalchemy.dialects import postgresql, sqlite

from schemas.details.detail import from_stored
from schemas.tenants.match_decision import FailedUndo
from store import tables
from store.timestamps import as_utc, now

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Row, Select

    from store.database import Database


class FailedUndos:
    """The failed undos' table; may be shared by threads. `Tenants` loads them with the tenant's record.

    They are written where a dead letter of an undo is recorded, and end when a later undo of the same run
    succeeds for the user, or a person decides.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(self, tenant: str) -> list[FailedUndo]:
        """Return the failed undos of a tenant, by Entra id; of a user the newest, with what it said."""
        receipts, failed = tables.receipts, tables.failed_undos
        query = _newest_of_each_user(_tenant_id(tenant)).outerjoin(
            receipts,
            and_(receipts.c.run_id == failed.c.undo_run_id, receipts.c.entra_id == failed.c.entra_id),
        )
        with self._database.transaction() as connection:
            rows = connection.execute(query.add_columns(receipts.c.detail)).all()
        return [_failed_undo(row, detail=from_stored(row.detail)) for row in rows]

    def end(self, run_id: int, entra_id: str) -> None:
        """Note that an undo, the run with this id, comes to an outcome for a user."""
        runs, failed = tables.runs, tables.failed_undos
        undone = select(runs.c.reverts_run_id).where(runs.c.id == run_id, ~runs.c.dry_run).scalar_subquery()
        tenant_id = select(runs.c.tenant_id).where(runs.c.id == run_id).scalar_subquery()
        with self._database.transaction() as connection:
            removed = connection.execute(
                delete(failed).where(
                    failed.c.tenant_id == tenant_id, failed.c.entra_id == entra_id, failed.c.run_id == undone
                )
            )
            if removed.rowcount:
                renew_tenant(connection, tenant_id)


def load_failed_undos(connection: Connection, tenant_id: int) -> list[FailedUndo]:
    """Return the failed undos of a tenant, of each user the newest, without what they said."""
    return [_failed_undo(row) for row in connection.execute(_newest_of_each_user(literal(tenant_id)))]


def record_failed_undo(connection: Connection, run_id: int, entra_id: str, *, is_sqlite: bool) -> None:
    """Record that a user is a dead letter of a run, if that run is an undo and no dry run."""
    runs, undone, failed = tables.runs, tables.receipts.alias(), tables.failed_undos
    source = (
        select(
            runs.c.tenant_id,
            undone.c.entra_id,
            undone.c.run_id,
            runs.c.id,
            undone.c.skolon_id,
            literal(now(), failed.c.failed_at.type),
        )
        .join(undone, undone.c.run_id == runs.c.reverts_run_id)
        .where(runs.c.id == run_id, ~runs.c.dry_run, undone.c.entra_id == entra_id)
    )
    dialect: Any = sqlite if is_sqlite else postgresql
    statement = dialect.insert(failed).from_select(
        ["tenant_id", "entra_id", "run_id", "undo_run_id", "skolon_id", "failed_at"], source
    )
    recorded = connection.execute(
        statement.on_conflict_do_update(
            index_elements=["tenant_id", "entra_id", "run_id"],
            set_={"undo_run_id": statement.excluded.undo_run_id},
        )
    )
    if recorded.rowcount:
        renew_tenant(connection, select(runs.c.tenant_id).where(runs.c.id == run_id).scalar_subquery())


def end_by_decision(
    connection: Connection, tenant_id: int, *, entra_id: str | None, skolon_id: str | None
) -> bool:
    """Take out the failed undos of users that a person has decided about; say whether there was one.

    The tenant's record is to be renewed in the same transaction.
    """
    failed = tables.failed_undos
    removed = connection.execute(
        delete(failed).where(
            failed.c.tenant_id == tenant_id,
            (failed.c.entra_id == (entra_id or "").lower()) | (failed.c.skolon_id == (skolon_id or "")),
        )
    )
    return bool(removed.rowcount)


def renew_tenant(connection: Connection, tenant_id: int | ColumnElement[int]) -> None:
    """Give a tenant a new version, so that no process works by the record that it has in memory."""
    tenants = tables.tenants
    connection.execute(update(tenants).where(tenants.c.id == tenant_id).values(version=tenants.c.version + 1))


def _newest_of_each_user(tenant_id: ColumnElement[int]) -> Select[Any]:
    failed = tables.failed_undos
    other = failed.alias()
    newest = (
        select(func.max(other.c.run_id))
        .where(other.c.tenant_id == failed.c.tenant_id, other.c.entra_id == failed.c.entra_id)
        .scalar_subquery()
    )
    return (
        select(failed)
        .where(failed.c.tenant_id == tenant_id, failed.c.run_id == newest)
        .order_by(failed.c.entra_id)
    )


def _tenant_id(tenant: str) -> ColumnElement[int]:
    return select(tables.tenants.c.id).where(tables.tenants.c.key == tenant).scalar_subquery()


def _failed_undo(row: Row[Any], *, detail: str | None = None) -> FailedUndo:
    return FailedUndo(
        entra_id=row.entra_id,
        skolon_id=row.skolon_id,
        run=row.run_id,
        undo_run=row.undo_run_id,
        failed_at=as_utc(row.failed_at),
        detail=detail,
    )
