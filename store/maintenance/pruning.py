"""Housekeeping: old receipts and runs are removed, and nothing that is still needed.

A receipt is removed only if a newer run, complete or cancelled, has told more of the same person. So a
message or a dead letter whose receipt is gone would do nothing but step back from that run (promise P4).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import ColumnElement, and_, delete, exists, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from schemas.outcomes import ENDED_STATUSES, VERIFYING_OUTCOMES, Mode, Outcome, Status
from schemas.reports.pruning import PruningCounts
from schemas.runs.operation import OperationStatus
from store import tables

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Iterator

    from sqlalchemy import Connection, Row, Select

    from store.database import Database

#: Receipts that are looked at, and runs that are listed, in one transaction.
BATCH_SIZE: Final = 1000

#: A person in a run: the tenant's key, the run, the Entra id.
Person = tuple[str, int, str]

#: An outcome and a reason, if there is one.
Sum = tuple[str, str | None]

#: What tells nothing of a person that an older receipt would not tell better.
_TELLING_NOTHING: Final = (Outcome.PENDING, Outcome.SUPERSEDED)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What is old: receipts that were settled, and runs that ended, before these moments."""

    receipts: dt.datetime
    runs: dt.datetime


class Pruning:
    """Removes what is old; may be shared by threads, and be done by several processes at once."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def prune(self, limits: Limits, *, dry_run: bool = False) -> Iterator[PruningCounts]:
        """Remove in portions, and yield what each of them has removed, or in a dry run would have.

        Each portion is a transaction of its own that locks nothing but what it removes: a process that stops
        asking for the next one leaves the books right.
        """
        kept = self._kept_whole()
        for run in self._ended(limits.receipts):
            if run.id in kept:
                continue
            removed = 0
            for count in self._receipts(run, limits.receipts, dry_run=dry_run):
                removed += count
                yield PruningCounts(receipts=count)
            yield self._run(run, limits, removed if dry_run else 0, dry_run=dry_run)

    def count_prunable_runs(self, limits: Limits) -> int:
        """Return how many runs are old enough to have something to remove."""
        query = select(func.count()).where(_ended_before(limits.receipts))
        with self._database.transaction() as connection:
            return int(connection.scalar(query) or 0)

    def superseded_and_pruned(self, people: Collection[Person]) -> set[Person]:
        """Return the users of which a newer run than the one named has told something.

        If such a person's receipt of that run is gone, it was removed here: nothing is left to do about it.
        """
        receipts, tenants = tables.receipts, tables.tenants
        if not people:
            return set()
        query = (
            select(tenants.c.key, receipts.c.entra_id, func.max(receipts.c.run_id).label("newest"))
            .join(tenants, tenants.c.id == receipts.c.tenant_id)
            .where(
                tenants.c.key.in_({tenant for tenant, _, _ in people}),
                receipts.c.entra_id.in_({user for _, _, user in people}),
                receipts.c.outcome.not_in(_TELLING_NOTHING),
            )
            .group_by(tenants.c.key, receipts.c.entra_id)
        )
        with self._database.transaction() as connection:
            newest = {(row.key, row.entra_id): row.newest for row in connection.execute(query)}
        return {person for person in people if person[1] < newest.get((person[0], person[2]), 0)}

    def _kept_whole(self) -> set[int]:
        """Return the runs that others stand on: reports, the schedule, the guard's shares, and undos.

        While we prune, newer ones may take their places. Then these stay once more.
        """
        runs = tables.runs
        completed = runs.c.status == Status.COMPLETED
        newest = (
            tables.IS_COMPLETE_SYNC,
            # A week after it, the schedule has a full run again.
            and_(tables.IS_FULL_SCOPE_SYNC, completed, runs.c.mode == Mode.FULL),
            tables.IS_FULL_SCOPE_SYNC,
            and_(completed, runs.c.directory_size.is_not(None)),
        )
        undone = runs.c.reverts_run_id.is_not(None), runs.c.status.not_in(ENDED_STATUSES)
        with self._database.transaction() as connection:
            kept = {
                run_id
                for kind in newest
                for run_id in connection.scalars(
                    select(func.max(runs.c.id)).where(kind).group_by(runs.c.tenant_id)
                )
            }
            return kept | set(connection.scalars(select(runs.c.reverts_run_id).where(*undone)))

    def _ended(self, before: dt.datetime) -> Iterator[Row[Any]]:
        """Yield the runs that ended long ago, the oldest first."""
        runs, last = tables.runs, 0
        while True:
            query: Select[Any] = (
                select(runs.c.id, runs.c.dry_run, runs.c.mode, runs.c.finished)
                .where(runs.c.id > last, _ended_before(before))
                .order_by(runs.c.id)
                .limit(BATCH_SIZE)
            )
            with self._database.transaction() as connection:
                rows = connection.execute(query).all()
            yield from rows
            if len(rows) < BATCH_SIZE:
                return
            last = rows[-1].id

    def _receipts(self, run: Row[Any], before: dt.datetime, *, dry_run: bool) -> Iterator[int]:
        """Remove the run's receipts, portion by portion, and yield how many each time."""
        receipts, after = tables.receipts, ""
        while True:
            portion = (
                select(receipts.c.entra_id)
                .where(receipts.c.run_id == run.id, receipts.c.entra_id > after)
                .order_by(receipts.c.entra_id)
                .limit(BATCH_SIZE)
            )
            with self._database.transaction() as connection:
                users = connection.scalars(portion).all()
                if not users:
                    return
                removable = and_(
                    receipts.c.run_id == run.id,
                    receipts.c.entra_id > after,
                    receipts.c.entra_id <= users[-1],
                    _removable(before, run),
                )
                columns = receipts.c.outcome, receipts.c.reason, receipts.c.skipped_attributes
                removing: Any = (
                    select(*columns).where(removable)
                    if dry_run
                    else delete(receipts).where(removable).returning(*columns)
                )
                people, of_left = Counter[Sum](), Counter[Sum]()
                for row in connection.execute(removing):
                    people[row.outcome, row.reason] += 1
                    of_left[row.outcome, row.reason] += bool(row.skipped_attributes)
                if people and not dry_run:
                    self._keep_sums(connection, run.id, people, of_left)
            yield people.total()
            if len(users) < BATCH_SIZE:
                return
            after = users[-1]

    def _keep_sums(
        self, connection: Connection, run_id: int, people: Counter[Sum], left: Counter[Sum]
    ) -> None:
        """Count what is removed into the run, in the transaction that removes it (promise P3)."""
        table = tables.pruned_counts
        dialect: Any = sqlite if self._database.is_sqlite else postgresql
        statement = dialect.insert(table)
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=[table.c.run_id, table.c.outcome, table.c.reason],
                set_={
                    name: table.c[name] + statement.excluded[name] for name in ("users", "skipped_attributes")
                },
            ),
            [
                {
                    "run_id": run_id,
                    "outcome": kind[0],
                    "reason": kind[1] or "",
                    "users": count,
                    "skipped_attributes": left[kind],
                }
                for kind, count in people.items()
            ],
        )

    def _run(self, run: Row[Any], limits: Limits, removed: int, *, dry_run: bool) -> PruningCounts:
        """Remove how the run read, and the run itself if it is old enough and has no receipts left.

        `removed` receipts are still there in a dry run, and do not count.
        """
        runs, pages, read_plans = tables.runs, tables.pages, tables.read_plans
        of_run = tables.receipts.c.run_id == run.id
        with self._database.transaction() as connection:
            read = connection.scalar(select(func.count()).where(pages.c.run_id == run.id)) or 0
            receipts = connection.scalar(select(func.count()).where(of_run)) or 0
            goes = receipts == removed and connection.scalar(
                select(exists().where(runs.c.id == run.id, _ended_before(limits.runs)))
            )
            if not dry_run:
                for table in (pages, read_plans):
                    connection.execute(delete(table).where(table.c.run_id == run.id))
                if goes:
                    # With the events that led to it, and what was counted of it.
                    connection.execute(delete(runs).where(runs.c.id == run.id))
        return PruningCounts(runs_examined=1, runs=int(bool(goes)), pages=read)


def _ended_before(moment: dt.datetime) -> ColumnElement[bool]:
    runs = tables.runs
    return and_(runs.c.status.in_(ENDED_STATUSES), runs.c.finished < moment)


def _removable(before: dt.datetime, run: Row[Any]) -> ColumnElement[bool]:
    """Say which receipts of an ended run are not needed.

    The newest one that tells anything of a person stays, and the newest one that says that the person is
    right. So does what a replay that is going on, or was killed, has taken up, and what an undo puts back.
    """
    receipts, operations = tables.receipts, tables.operations
    settled = func.coalesce(receipts.c.finished_at, receipts.c.published_at)
    undo = tables.runs.alias()
    undone = exists().where(undo.c.reverts_run_id == receipts.c.run_id, undo.c.status.not_in(ENDED_STATUSES))
    replayed = exists().where(
        operations.c.id == receipts.c.operation_id, operations.c.status == OperationStatus.RUNNING
    )
    return and_(~undone, settled < before, ~receipts.c.replaying, ~replayed, _told_later(run))


def _told_later(run: Row[Any]) -> ColumnElement[bool]:
    """Say whether a newer run has told as much of the person: of a run that writes, one that writes.

    An undo tells as much as another undo: it ends no failure of a sync, and confirms nothing.
    """
    receipts, newer, runs = tables.receipts, tables.receipts.alias(), tables.runs.alias()
    same_weight: tuple[ColumnElement[bool], ...] = ()
    if not run.dry_run:
        # What an undo has put back is not what Entra says.
        confirms = and_(newer.c.outcome.in_(VERIFYING_OUTCOMES), runs.c.mode != Mode.UNDO)
        same_weight = ~runs.c.dry_run, or_(receipts.c.outcome.not_in(VERIFYING_OUTCOMES), confirms)
        if run.mode != Mode.UNDO:
            same_weight += (runs.c.mode != Mode.UNDO,)
    return exists().where(
        newer.c.tenant_id == receipts.c.tenant_id,
        newer.c.entra_id == receipts.c.entra_id,
        newer.c.run_id > receipts.c.run_id,
        newer.c.outcome.not_in(_TELLING_NOTHING),
        runs.c.id == newer.c.run_id,
        # A run that goes on may have its people again; what is in doubt tells less than what is older.
        runs.c.status.in_(ENDED_STATUSES),
        ~tables.is_in_doubt(newer, runs),
        *same_weight,
    )
