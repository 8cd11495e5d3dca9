"""Operations: what was done with dead letters and matches, kept for good."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update

from schemas.details.detail import from_stored, to_stored
from schemas.errors import UsageError
from schemas.runs.operation import Operation, OperationKind, OperationStatus
from store import tables
from store.timestamps import as_utc, now

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Row

    from store.database import Database


class Operations:
    """The operations' table; may be shared by threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def start(
        self,
        kind: OperationKind,
        *,
        selection: Mapping[str, Any],
        operator: str | None,
        original_payload: bool = False,
        task: int | None = None,
    ) -> Operation:
        """Note that an operation begins, before it does anything; `task` is what it is a part of."""
        values = {
            "kind": kind,
            "operator": operator,
            "selection": dict(selection),
            "original_payload": original_payload,
            "task_id": task,
            "status": OperationStatus.RUNNING,
            "counts": {},
            "started": now(),
        }
        with self._database.transaction() as connection:
            key = connection.execute(insert(tables.operations).values(values)).inserted_primary_key
        return self.get(int(key[0]))  # type: ignore[index] # an insert of one row has a key

    def record_progress(self, operation: int, counts: Mapping[str, int]) -> None:
        """Note how far an operation has come."""
        self._change(operation, counts=dict(counts))

    def finish(
        self, operation: int, status: OperationStatus, counts: Mapping[str, int], detail: str | None = None
    ) -> Operation:
        """Note how an operation ended, and return it."""
        self._change(operation, status=status, counts=dict(counts), detail=to_stored(detail), finished=now())
        return self.get(operation)

    def get(self, operation: int) -> Operation:
        """Return an operation; raise `UsageError` when there is none of that number."""
        query = select(tables.operations).where(tables.operations.c.id == operation)
        with self._database.transaction() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            raise UsageError(f"There is no operation {operation}.")
        return _operation(row)

    def list(self, limit: int = 20) -> list[Operation]:
        """Return the newest operations first."""
        query = select(tables.operations).order_by(tables.operations.c.id.desc()).limit(limit)
        with self._database.transaction() as connection:
            return [_operation(row) for row in connection.execute(query)]

    def _change(self, operation: int, **values: Any) -> None:
        with self._database.transaction() as connection:
            connection.execute(
                update(tables.operations).where(tables.operations.c.id == operation).values(values)
            )


def _operation(row: Row[Any]) -> Operation:
    return Operation(
        id=row.id,
        kind=OperationKind(row.kind),
        operator=row.operator,
        selection=row.selection,
        original_payload=row.original_payload,
        status=OperationStatus(row.status),
        counts=row.counts,
        detail=from_stored(row.detail),
        started=as_utc(row.started),
        finished=row.finished and as_utc(row.finished),
    )
