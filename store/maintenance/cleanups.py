"""Which runs may have made dead letters stale since these were last looked through."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import select, update

from schemas.outcomes import OPEN_STATUSES
from store import tables

if TYPE_CHECKING:
    from collections.abc import Collection

    from store.database import Database


#: Runs of one cleanup; the next one takes those that are left.
MAX_RUNS: Final = 1000


class Cleanups:
    """Marks runs whose stale dead letters are removed; may be shared by threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def due_runs(self) -> list[int]:
        """Return the oldest runs that ended, or were halted, and are not marked."""
        runs = tables.runs
        query = select(runs.c.id).where(~runs.c.cleaned_up, runs.c.status.not_in(OPEN_STATUSES))
        with self._database.transaction() as connection:
            return list(connection.scalars(query.order_by(runs.c.id).limit(MAX_RUNS)))

    def mark(self, run_ids: Collection[int]) -> None:
        """Mark runs whose dead letters, and those of older runs, have been looked through.

        A run that was resumed meanwhile is not marked.
        """
        runs = tables.runs
        with self._database.transaction() as connection:
            connection.execute(
                update(runs)
                .where(runs.c.id.in_(run_ids), runs.c.status.not_in(OPEN_STATUSES))
                .values(cleaned_up=True)
            )
