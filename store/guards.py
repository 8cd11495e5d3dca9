"""What the guard has counted in each run, and how many people its limits' shares are of."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from schemas.guards import GuardCounts
from schemas.outcomes import Mode, Status
from store import tables

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from store.database import Database

#: What raises when a run has gone too far: of its counts, and of what tells how many people there are.
Allow = Callable[[GuardCounts, Callable[[], int | None]], object]

#: Rows that a run's counts are spread over, so that its workers seldom wait for each other.
_SHARDS: Final = 16


class Guards:
    """The guard's tables; may be shared by threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, connection: Connection, run_id: int, more: GuardCounts, allow: Allow) -> None:
        """Count in a transaction of the caller's, and ask `allow` about the run's counts.

        What others have not committed yet is missing in them: that is at most one person for each
        thread. What `allow` raises undoes the transaction.
        """
        counts = tables.guard_counts
        columns = more.as_json()
        dialect: Any = sqlite if self._database.is_sqlite else postgresql
        statement = dialect.insert(counts).values(
            run_id=run_id,
            shard=random.randrange(_SHARDS),  # noqa: S311 - spreads load, keeps no secret
            **columns,
        )
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=[counts.c.run_id, counts.c.shard],
                set_={name: counts.c[name] + statement.excluded[name] for name in columns},
            )
        )
        allow(_sums(connection, run_id), partial(people_of, connection, run_id))

    def count(self, run_id: int, more: GuardCounts, allow: Allow) -> None:
        """Count, and ask `allow` about the run's counts; see `add`."""
        with self._database.transaction() as connection:
            self.add(connection, run_id, more, allow)

    def counts(self, run_id: int) -> GuardCounts:
        """Return what has been counted in a run."""
        with self._database.transaction() as connection:
            return _sums(connection, run_id)

    def everybody(self, run_id: int) -> int | None:
        """Return how many people a run's shares are of, None while nobody knows."""
        with self._database.transaction() as connection:
            return people_of(connection, run_id)

    def note_people(self, run_id: int, people: int) -> None:
        """Note how many people the tenant's directory has, as Graph said when the run began."""
        runs = tables.runs
        with self._database.transaction() as connection:
            connection.execute(update(runs).where(runs.c.id == run_id).values(people=people))

    def people(self, run_id: int) -> int | None:
        """Return how many people the directory had as Graph said when the run began, None if it did not."""
        with self._database.transaction() as connection:
            return connection.scalar(select(tables.runs.c.people).where(tables.runs.c.id == run_id))

    def accept(self, run_id: int) -> None:
        """Have the guard let a run through from now on."""
        with self._database.transaction() as connection:
            accept(connection, run_id)


def accept(connection: Connection, run_id: int) -> None:
    """Have the guard let a run through, in a transaction of the caller's."""
    runs = tables.runs
    connection.execute(update(runs).where(runs.c.id == run_id).values(guard_accepted=True))


def people_of(connection: Connection, run_id: int) -> int | None:
    """Return how many people the tenant has, as far as the run's own reading or an earlier one tells.

    None while that cannot be told: nobody has counted them, and the run has not read them all.
    """
    runs, receipts = tables.runs, tables.receipts
    run = connection.execute(select(runs).where(runs.c.id == run_id)).one()
    if run.people is not None:
        return int(run.people)
    if run.read_to_the_end and run.mode == Mode.FULL and not run.users:
        return int(connection.scalar(select(func.count()).where(receipts.c.run_id == run_id)) or 0)
    earlier = connection.scalar(
        select(runs.c.people)
        .where(
            runs.c.tenant_id == run.tenant_id,
            runs.c.people.is_not(None),
            runs.c.status == Status.COMPLETED,
        )
        .order_by(runs.c.id.desc())
        .limit(1)
    )
    return None if earlier is None else int(earlier)


def _sums(connection: Connection, run_id: int) -> GuardCounts:
    counts = tables.guard_counts
    row = connection.execute(
        select(
            func.coalesce(func.sum(counts.c.changed), 0).label("changed"),
            func.coalesce(func.sum(counts.c.identity_changed), 0).label("identity_changed"),
            func.coalesce(func.sum(counts.c.not_found), 0).label("not_found"),
        ).where(counts.c.run_id == run_id)
    ).one()
    return GuardCounts(
        changed=int(row.changed), identity_changed=int(row.identity_changed), not_found=int(row.not_found)
    )
