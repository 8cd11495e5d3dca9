"""Attributes that most users of a run lack in Entra: a wrong source leaves them unsynced, and none fails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Text, cast, func, select
from sqlalchemy.dialects import postgresql, sqlite

from schemas.details.detail import to_stored
from schemas.outcomes import Mode
from schemas.runs.run import WarningKind
from schemas.runs.totals.kept_blanks import KeptBlanks, sum_kept_blanks
from store import tables

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from store.database import Database

_NO_USERS: Final = "[]"


class KeptBlankTotals:
    """Sums over receipts; may be shared by threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def for_run(self, run_id: int) -> KeptBlanks:
        """Return how many users of a run lack which attributes."""
        with self._database.transaction() as connection:
            return _totals(connection, run_id)


def warn_of_kept_blanks(connection: Connection, run_id: int, *, is_sqlite: bool) -> None:
    """Warn on a run of all users, a dry one too, if most of them lack a value of an attribute.

    A delta reads few users, and users that are named say nothing of the others.
    """
    runs, warnings = tables.runs, tables.run_warnings
    is_full = connection.scalar(
        select(runs.c.id).where(
            runs.c.id == run_id, runs.c.mode == Mode.FULL, cast(runs.c.users, Text) == _NO_USERS
        )
    )
    if is_full is None:
        return
    found = _totals(connection, run_id)
    if found.detail is None:
        return
    dialect: Any = sqlite if is_sqlite else postgresql
    values = {
        "run_id": run_id,
        "kind": WarningKind.NO_VALUES,
        "detail": to_stored(found.detail),
        "users": max(found.widespread.values()),
    }
    connection.execute(dialect.insert(warnings).values(values).on_conflict_do_nothing())


def _totals(connection: Connection, run_id: int) -> KeptBlanks:
    receipts = tables.receipts
    query = (
        select(receipts.c.kept_blanks, func.count().label("users"))
        .where(receipts.c.run_id == run_id, receipts.c.kept_blanks.is_not(None))
        .group_by(receipts.c.kept_blanks)
    )
    return sum_kept_blanks((row.kept_blanks, row.users) for row in connection.execute(query))
