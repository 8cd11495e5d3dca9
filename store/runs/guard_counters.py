"""What the guard has counted in each run, and how many people its limits' shares are of."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, TypeVar

from cachetools import LRUCache
from sqlalchemy import Integer, func, select, true, update
from sqlalchemy.dialects import postgresql, sqlite

from schemas.errors import HaltError
from schemas.outcomes import VERIFYING_OUTCOMES, Mode, Status
from schemas.runs.changes import GuardCounts
from store import tables
from store.batch_statements import BatchRows, coalesced

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection, FromClause, Row, Select
    from sqlalchemy.sql.base import Executable
    from sqlalchemy.types import TypeEngine

    from runtime.coalescer import Coalescer
    from store.database import Database

#: What a limit's share is of: returns the number of users, None while it is unknown.
Base = Callable[[], int | None]

#: What raises when a run has gone too far: of its counts, and of what tells how many users the directory
#: has, and how many were synced before the run.
LimitCheck = Callable[[GuardCounts, Base, Base], object]

#: How many runs a process remembers the number of users of that were synced before.
_KEPT: Final = 1000

#: Rows that a run's counts are spread over, so that its workers seldom wait for each other.
_SHARDS: Final = 16

_RUN: Final[dict[str, TypeEngine[Any]]] = {"run_id": Integer()}
_COUNTS: Final = tuple(GuardCounts().as_json())
_ADDED: Final[dict[str, TypeEngine[Any]]] = {
    **_RUN,
    "shard": Integer(),
    **dict.fromkeys(_COUNTS, Integer()),
}

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


@dataclass(frozen=True, kw_only=True)
class Increment:
    """What a user counts as in a run, and the check of whether the run may go that far."""

    run_id: int
    counts: GuardCounts
    check_limits: LimitCheck


class GuardCounters:
    """The guard's tables; may be shared by threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._added = BatchRows(_ADDED, is_sqlite=database.is_sqlite)
        self._add = _add_statement(self._added.table, is_sqlite=database.is_sqlite)
        self._runs = BatchRows(_RUN, is_sqlite=database.is_sqlite)
        self._sum = _sum_query(self._runs.table)
        self._synced_before: LRUCache[int, int | None] = LRUCache(_KEPT)
        self._lock = Lock()
        self._counting: Coalescer[None, Increment, None] = coalesced(
            one_by_one_if_exceeded(self._count_together)
        )

    def add(self, connection: Connection, counted: Sequence[Increment]) -> None:
        """Count in a transaction of the caller's, and check for each whether the run's counts are allowed.

        What others have not committed yet is missing in them: that is at most one person for each
        thread. What an `allow` raises undoes the transaction.
        """
        more: dict[int, GuardCounts] = {}
        for one in counted:
            more[one.run_id] = more.get(one.run_id, GuardCounts()) + one.counts
        # In one order, so that two workers with the same runs do not lock each other out.
        rows = [
            {"run_id": run_id, "shard": _any_shard(), **more[run_id].as_json()} for run_id in sorted(more)
        ]
        self._added.write(connection, self._add, rows)
        sums = self._sums(connection, more)
        people = {run_id: cache(partial(directory_size_of, connection, run_id)) for run_id in more}
        for one in counted:
            one.check_limits(
                sums[one.run_id],
                people[one.run_id],
                partial(self._synced_before_in, connection, one.run_id),
            )

    def count(self, run_id: int, counts: GuardCounts, check_limits: LimitCheck) -> None:
        """Count, and ask `allow` about the run's counts; see `add`."""
        self._counting.call(None, Increment(run_id=run_id, counts=counts, check_limits=check_limits))

    def _count_together(self, _: None, counted: Sequence[Increment]) -> list[None]:
        with self._database.transaction() as connection:
            self.add(connection, counted)
        return [None] * len(counted)

    def counts(self, run_id: int) -> GuardCounts:
        """Return what has been counted in a run."""
        with self._database.transaction() as connection:
            return self._sums(connection, [run_id])[run_id]

    def directory_size(self, run_id: int) -> int | None:
        """Return how many people a run's shares are of, None while that is unknown."""
        with self._database.transaction() as connection:
            return directory_size_of(connection, run_id)

    def synced_before(self, run_id: int) -> int | None:
        """Return how many users earlier runs of the tenant have synced, None if none has read all users.

        They are counted since the last complete run of all users before this one. The number is kept: it
        counts what has ended.
        """
        with self._database.transaction() as connection:
            return self._synced_before_in(connection, run_id)

    def _synced_before_in(self, connection: Connection, run_id: int) -> int | None:
        with self._lock:
            if run_id not in self._synced_before:
                self._synced_before[run_id] = _synced_before(connection, run_id)
            return self._synced_before[run_id]

    def record_directory_size(self, run_id: int, size: int) -> None:
        """Note how many people the tenant's directory has, as Graph said when the run began."""
        runs = tables.runs
        with self._database.transaction() as connection:
            connection.execute(update(runs).where(runs.c.id == run_id).values(directory_size=size))

    def counted_directory_size(self, run_id: int) -> int | None:
        """Return how many people the directory had as Graph said when the run began, None if it did not."""
        with self._database.transaction() as connection:
            return connection.scalar(select(tables.runs.c.directory_size).where(tables.runs.c.id == run_id))

    def override(self, run_id: int) -> None:
        """Have the guard let a run through from now on."""
        with self._database.transaction() as connection:
            override_guard(connection, run_id)

    def _sums(self, connection: Connection, run_ids: Iterable[int]) -> dict[int, GuardCounts]:
        """Return what has been counted in each of the runs."""
        sums = dict.fromkeys(run_ids, GuardCounts())
        if sums:
            rows = [{"run_id": run_id} for run_id in sums]
            for row in self._runs.execute(connection, self._sum, rows):
                sums[row.run_id] = _counts(row)
        return sums


def one_by_one_if_exceeded(
    together: Callable[[None, Sequence[Asked]], Sequence[Answer | Exception]],
) -> Callable[[None, Sequence[Asked]], Sequence[Answer | Exception]]:
    """Have those that the guard refuses together try one after the other.

    Each is counted before the next one is asked about, so a run goes as far as its limit allows, and only
    those are counted who were let through.
    """

    def alone(asked: Asked) -> Answer | Exception:
        try:
            return together(None, [asked])[0]
        except Exception as error:  # noqa: BLE001 - it is this one's answer
            return error

    def all_or_each_alone(_: None, asked: Sequence[Asked]) -> Sequence[Answer | Exception]:
        try:
            return together(None, asked)
        except HaltError:
            if len(asked) == 1:
                raise
            return [alone(one) for one in asked]

    return all_or_each_alone


def override_guard(connection: Connection, run_id: int) -> None:
    """Have the guard let a run through, in a transaction of the caller's."""
    runs = tables.runs
    connection.execute(update(runs).where(runs.c.id == run_id).values(guard_overridden=True))


def directory_size_of(connection: Connection, run_id: int) -> int | None:
    """Return how many people the tenant has, as far as the run's own reading or an earlier one tells.

    None while that cannot be told: they have not been counted, and the run has not read them all.
    """
    runs, receipts = tables.runs, tables.receipts
    run = connection.execute(select(runs).where(runs.c.id == run_id)).one()
    if run.directory_size is not None:
        return int(run.directory_size)
    if run.listing_complete and run.mode == Mode.FULL and not run.users:
        return int(connection.scalar(select(func.count()).where(receipts.c.run_id == run_id)) or 0)
    earlier = connection.scalar(
        select(runs.c.directory_size)
        .where(
            runs.c.tenant_id == run.tenant_id,
            runs.c.directory_size.is_not(None),
            runs.c.status == Status.COMPLETED,
        )
        .order_by(runs.c.id.desc())
        .limit(1)
    )
    return None if earlier is None else int(earlier)


def _synced_before(connection: Connection, run_id: int) -> int | None:
    runs, this, receipts = tables.runs, tables.runs.alias(), tables.receipts
    first = connection.scalar(
        select(func.max(runs.c.id))
        .join(this, this.c.tenant_id == runs.c.tenant_id)
        .where(
            this.c.id == run_id,
            runs.c.id < run_id,
            tables.IS_COMPLETE_SYNC,
        )
    )
    if first is None:
        return None
    synced = (
        select(func.count(receipts.c.entra_id.distinct()))
        .join(runs, runs.c.id == receipts.c.run_id)
        .join(this, this.c.tenant_id == runs.c.tenant_id)
        .where(
            this.c.id == run_id,
            runs.c.id >= first,
            runs.c.id < run_id,
            ~runs.c.dry_run,
            runs.c.mode != Mode.UNDO,
            receipts.c.outcome.in_(VERIFYING_OUTCOMES),
        )
    )
    return int(connection.scalar(synced) or 0)


def _any_shard() -> int:
    return random.randrange(_SHARDS)  # noqa: S311 - spreads load, keeps no secret


def _add_statement(given: FromClause, *, is_sqlite: bool) -> Executable:
    counts = tables.guard_counts
    dialect: Any = sqlite if is_sqlite else postgresql
    # SQLite takes ON CONFLICT for a join's, unless there is a WHERE before it.
    added = select(*[given.c[name] for name in _ADDED]).where(true())
    statement = dialect.insert(counts).from_select(list(_ADDED), added)
    upsert: Executable = statement.on_conflict_do_update(
        index_elements=[counts.c.run_id, counts.c.shard],
        set_={name: counts.c[name] + statement.excluded[name] for name in _COUNTS},
    )
    return upsert


def _sum_query(given: FromClause) -> Select[Any]:
    counts = tables.guard_counts
    sums = [func.sum(counts.c[name]).label(name) for name in _COUNTS]
    return (
        select(counts.c.run_id, *sums)
        .select_from(given)
        .join(counts, counts.c.run_id == given.c.run_id)
        .group_by(counts.c.run_id)
    )


def _counts(row: Row[Any]) -> GuardCounts:
    return GuardCounts(**{name: int(getattr(row, name)) for name in _COUNTS})
