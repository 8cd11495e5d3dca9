"""Remembers reports over results that no longer change: pages are looked at more often than results change.

A report is computed anew as soon as anything has happened that may change it. That is found out by a
*version*, which costs a look at the runs and not at their results. Results of a run change while it is open,
while dead letters of it are replayed, and when housekeeping removes some. While they change there is no
version, and nothing is remembered.
"""

from __future__ import annotations

import datetime as dt
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, TypeVar

from cachetools import LRUCache
from sqlalchemy import and_, case, exists, func, or_, select

from schemas.outcomes import Status
from schemas.runs.operation import OperationStatus
from store import tables
from store.timestamps import now

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable, Mapping

    from sqlalchemy import ColumnElement, Connection, Select

T = TypeVar("T")

#: Reports that are remembered: some for each tenant of a large installation.
_SIZE: Final = 5000

#: How long after a run was halted or cancelled a worker may still write what it had begun.
_AFTERMATH: Final = dt.timedelta(hours=1)

#: What a report is found by: what it is about, its name, and the number of the run or tenant.
_Key = tuple[str, "Hashable", int]


class ReportCache:
    """Remembers reports, once it is enabled; may be shared by threads.

    A remembered report is handed out again as it is: the one who gets it must not change it.
    """

    def __init__(self) -> None:
        self._is_enabled = False
        self._known: LRUCache[_Key, tuple[object, Any]] = LRUCache(_SIZE)
        self._lock = Lock()

    def enable(self) -> None:
        """Remember reports from now on: worth it for a process that is asked for them again and again."""
        self._is_enabled = True

    def of_runs(
        self,
        connection: Connection,
        name: Hashable,
        run_ids: Collection[int],
        compute: Callable[[Collection[int]], Mapping[int, T]],
    ) -> dict[int, T]:
        """Return a report on each run that depends on the run's own results alone, by its number.

        `compute` gets the runs whose report is not known, and is called only if there are some.
        """
        return self._find(connection, ("run", name), run_ids, compute)

    def of_run(self, connection: Connection, name: Hashable, run_id: int, compute: Callable[[], T]) -> T:
        """Return such a report on one run."""
        return self.of_runs(connection, name, [run_id], lambda _: {run_id: compute()})[run_id]

    def of_tenants(
        self,
        connection: Connection,
        name: Hashable,
        tenant_ids: Collection[int],
        compute: Callable[[Collection[int]], Mapping[int, T]],
        *,
        is_good: Callable[[T], bool] = lambda _: True,
    ) -> dict[int, T]:
        """Return a report on each tenant that depends on the results of its runs alone, by the tenant's row.

        `compute` gets the tenants whose report is not known, or not good any more.
        """
        return self._find(connection, ("tenant", name), tenant_ids, compute, is_good)

    def of_tenant(
        self, connection: Connection, name: Hashable, tenant_id: int, compute: Callable[[], T]
    ) -> T:
        """Return such a report on one tenant."""
        return self.of_tenants(connection, name, [tenant_id], lambda _: {tenant_id: compute()})[tenant_id]

    def _find(
        self,
        connection: Connection,
        kind: tuple[str, Hashable],
        ids: Collection[int],
        compute: Callable[[Collection[int]], Mapping[int, T]],
        is_good: Callable[[T], bool] = lambda _: True,
    ) -> dict[int, T]:
        if not self._is_enabled:
            return dict(compute(ids))
        # Looked up first: what is computed after it is no older than its version.
        versions = _VERSIONS[kind[0]](connection, ids) if ids else {}
        found: dict[int, T] = {}
        with self._lock:
            for each, version in versions.items():
                key = (*kind, each)
                known_version, report = self._known.get(key, (None, None))
                if known_version == version and is_good(report):
                    found[each] = report
        if missing := [each for each in ids if each not in found]:
            new = compute(missing)
            found.update(new)
            with self._lock:
                for each, report in new.items():
                    if each in versions:
                        self._known[(*kind, each)] = versions[each], report
        return found


def _versions_of_runs(connection: Connection, ids: Collection[int]) -> dict[int, object]:
    runs, pruned = tables.runs, tables.pruned_counts
    removed = select(func.sum(pruned.c.users)).where(pruned.c.run_id == runs.c.id).scalar_subquery()
    query = select(
        runs.c.id, runs.c.status, runs.c.finished, removed.label("removed"), *_replay_columns()
    ).where(runs.c.id.in_(ids), _is_settled(), ~_is_replaying())
    return {row.id: tuple(row) for row in connection.execute(query)}


def _versions_of_tenants(connection: Connection, ids: Collection[int]) -> dict[int, object]:
    runs = tables.runs
    removed = _removed_by_tenant(ids).subquery("removed")

    def runs_that_are(condition: ColumnElement[bool]) -> ColumnElement[Any]:
        # Which ones, and not how many: of two one may go on and another one stop.
        return func.coalesce(func.sum(case((condition, runs.c.id), else_=0)), 0)

    query = (
        select(
            runs.c.tenant_id,
            func.count(),
            func.max(runs.c.id),
            func.max(runs.c.finished),
            runs_that_are(runs.c.status == Status.HALTED),
            runs_that_are(runs.c.status == Status.CANCELLED),
            func.max(removed.c.users),
            *_replay_columns(),
        )
        .outerjoin(removed, removed.c.tenant_id == runs.c.tenant_id)
        .where(runs.c.tenant_id.in_(ids), ~_is_replaying())
        .group_by(runs.c.tenant_id)
        .having(func.sum(case((_is_settled(), 0), else_=1)) == 0)
    )
    return {row.tenant_id: tuple(row) for row in connection.execute(query)}


def _removed_by_tenant(ids: Collection[int]) -> Select[Any]:
    runs, pruned = tables.runs, tables.pruned_counts
    return (
        select(runs.c.tenant_id, func.sum(pruned.c.users).label("users"))
        .join(pruned, pruned.c.run_id == runs.c.id)
        .where(runs.c.tenant_id.in_(ids))
        .group_by(runs.c.tenant_id)
    )


def _is_settled() -> ColumnElement[bool]:
    """Say whether no message of a run gives a user an outcome any more, unless it is resumed or replayed."""
    runs = tables.runs
    return or_(
        runs.c.status == Status.COMPLETED,
        and_(
            runs.c.status.in_((Status.HALTED, Status.CANCELLED)),
            runs.c.finished < now() - _AFTERMATH,
        ),
    )


def _is_replaying() -> ColumnElement[bool]:
    """Say whether a dead letter of the tenant of a run awaits an outcome."""
    receipts, runs = tables.receipts, tables.runs
    return exists().where(receipts.c.tenant_id == runs.c.tenant_id, receipts.c.replaying)


def _replay_columns() -> tuple[ColumnElement[Any], ...]:
    """Return how far replays are: the newest one, those at work, and how many users these have taken up.

    A replay that was killed is at work for good.
    """
    receipts, operations = tables.receipts, tables.operations
    is_at_work = operations.c.status == OperationStatus.RUNNING
    newest = select(func.max(operations.c.id)).scalar_subquery()
    # Which ones: the sum of their numbers changes with each of them that ends.
    at_work = select(func.sum(operations.c.id)).where(is_at_work).scalar_subquery()
    taken_up = (
        select(func.count())
        .select_from(receipts.join(operations, operations.c.id == receipts.c.operation_id))
        .where(is_at_work)
        .scalar_subquery()
    )
    return newest.label("newest_operation"), at_work.label("at_work"), taken_up.label("taken_up")


#: How the version of what a report is about is found out, for several at once.
_VERSIONS: Final = {"run": _versions_of_runs, "tenant": _versions_of_tenants}
