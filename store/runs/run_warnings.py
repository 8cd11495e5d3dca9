"""Warnings on runs, each kind once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from schemas.details.detail import from_stored, to_stored
from schemas.runs.run import RunWarning, WarningKind
from store import tables

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from sqlalchemy import Connection

    from store.database import Database


class RunWarnings:
    """The warnings' table; may be shared by threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, run_id: int, kind: WarningKind, detail: str) -> bool:
        """Warn of something on a run, unless it has been said; True for the one who said it."""
        dialect: Any = sqlite if self._database.is_sqlite else postgresql
        values = {"run_id": run_id, "kind": kind, "detail": to_stored(detail)}
        with self._database.transaction() as connection:
            noted = connection.execute(
                dialect.insert(tables.run_warnings)
                .values(values)
                .on_conflict_do_nothing()
                .returning(tables.run_warnings.c.run_id)
            )
            return noted.first() is not None

    def record_users(self, run_id: int, users: int, warning_of: Callable[[int], RunWarning]) -> None:
        """Warn of so many users more; `warning_of` returns the warning of a number of users."""
        table = tables.run_warnings
        dialect: Any = sqlite if self._database.is_sqlite else postgresql
        warning = warning_of(users)
        values = {"run_id": run_id, "kind": warning.kind, "detail": to_stored(warning.detail), "users": users}
        with self._database.transaction() as connection:
            insert = dialect.insert(table).values(values)
            sum_of_both = func.coalesce(table.c.users, 0) + insert.excluded.users
            altogether = connection.scalar(
                insert.on_conflict_do_update(
                    index_elements=["run_id", "kind"], set_={"users": sum_of_both}
                ).returning(table.c.users)
            )
            connection.execute(
                update(table)
                .where(table.c.run_id == run_id, table.c.kind == warning.kind)
                .values(detail=to_stored(warning_of(altogether).detail))
            )

    def users_of(self, kind: WarningKind, run_ids: Collection[int]) -> dict[int, int]:
        """Return of which of these runs a warning of that kind tells, and of how many users."""
        table = tables.run_warnings
        query = select(table.c.run_id, table.c.users).where(table.c.kind == kind, table.c.run_id.in_(run_ids))
        with self._database.transaction() as connection:
            return {row.run_id: row.users or 0 for row in connection.execute(query)}

    def remove(self, run_id: int, kind: WarningKind) -> None:
        """Take a warning back that no longer holds."""
        table = tables.run_warnings
        with self._database.transaction() as connection:
            connection.execute(delete(table).where(table.c.run_id == run_id, table.c.kind == kind))


def warnings_by_run(connection: Connection, run_ids: Collection[int]) -> dict[int, tuple[RunWarning, ...]]:
    """Return the warnings on each run, in the order of their kinds' names."""
    table = tables.run_warnings
    found: dict[int, tuple[RunWarning, ...]] = dict.fromkeys(run_ids, ())
    for row in connection.execute(select(table).where(table.c.run_id.in_(run_ids)).order_by(table.c.kind)):
        found[row.run_id] += (
            RunWarning(kind=WarningKind(row.kind), detail=from_stored(row.detail) or "", users=row.users),
        )
    return found
