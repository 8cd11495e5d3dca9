"""All tenants at once: their newest runs, and how many users have which newest outcome."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, case, exists, func, select, true

from schemas.dead_letter_reasons import Reason
from schemas.outcomes import OPEN_STATUSES, QUESTION_CAUSES, VERIFYING_OUTCOMES, Mode, Outcome, Status
from schemas.tenants.tenant_status import UserTotals
from store import tables
from store.reports.users import asked_at
from store.runs.rows import SELECT_RUNS, run_from_row

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Sequence

    from sqlalchemy import ColumnElement, Connection, Row

    from schemas.runs.run import Run
    from store.database import Database

_UNDECIDED = (Outcome.PENDING, Outcome.SUPERSEDED)


@dataclass(frozen=True, kw_only=True)
class TenantOverview:
    """What the database knows of a tenant's runs and users.

    `last_run` is the newest run of all users that is no dry run; `halted` are the halted runs after which no
    run of all users was completed. `has_open_run` counts runs of named users too.
    """

    last_run: Run | None
    halted: tuple[Run, ...]
    has_open_run: bool
    users: UserTotals


class TenantOverviews:
    """Reads a few statements for all tenants together; may be shared by threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def load(
        self, day_ago: dt.datetime, week_ago: dt.datetime, keys: Collection[str] | None = None
    ) -> dict[str, TenantOverview]:
        """Return the overview of each tenant by its key, or of those that `keys` names.

        `day_ago` and `week_ago` (aware) are where the last day and the last week begin.
        """
        wanted = select(tables.tenants.c.id, tables.tenants.c.key)
        if keys is not None:
            wanted = wanted.where(tables.tenants.c.key.in_(keys))
        with self._database.transaction() as connection:
            rows = connection.execute(wanted).all()
            ids = None if keys is None else [row.id for row in rows]
            last = {row.tenant_id: run_from_row(row) for row in connection.execute(_last_runs(ids))}
            unfinished = _unfinished(connection, ids)
            users = _users(connection.execute(_user_totals(day_ago, week_ago, ids)).all())
        return {
            row.key: TenantOverview(
                last_run=last.get(row.id),
                halted=tuple(run for run in unfinished[row.id] if run.status is Status.HALTED),
                has_open_run=any(run.status in OPEN_STATUSES for run in unfinished[row.id]),
                users=users.get(row.id, UserTotals(failed={})),
            )
            for row in rows
        }

    def unanswered(self, tenants: Collection[str] = ()) -> list[Run]:
        """Return the halted runs that wait for an answer, of these tenants, or of all if none is named."""
        runs = tables.runs
        query = SELECT_RUNS.where(
            ~runs.c.dry_run, runs.c.status == Status.HALTED, runs.c.cause.in_(QUESTION_CAUSES)
        ).order_by(runs.c.id)
        if tenants:
            query = query.where(tables.tenants.c.key.in_(tenants))
        with self._database.transaction() as connection:
            return [run_from_row(row) for row in connection.execute(query)]

    def acknowledged(self, event_ids: Collection[str]) -> set[str]:
        """Return those of the events that have led to a run."""
        triggers = tables.triggers
        with self._database.transaction() as connection:
            found = connection.scalars(select(triggers.c.event_id).where(triggers.c.event_id.in_(event_ids)))
            return set(found)


def _is_of(ids: Collection[int] | None) -> ColumnElement[bool]:
    """Return whether a run is of the tenants with these ids; None stands for all."""
    return true() if ids is None else tables.runs.c.tenant_id.in_(ids)


def _last_runs(ids: Collection[int] | None) -> Select[Any]:
    runs = tables.runs
    newest = select(func.max(runs.c.id)).where(tables.IS_FULL_SCOPE, _is_of(ids)).group_by(runs.c.tenant_id)
    return SELECT_RUNS.where(runs.c.id.in_(newest))


def _unfinished(connection: Connection, ids: Collection[int] | None) -> defaultdict[int, list[Run]]:
    """Return the runs of each tenant's id that are open, or halted and not overtaken by a complete one."""
    runs, newer = tables.runs, tables.runs.alias()
    overtaken = exists().where(
        newer.c.tenant_id == runs.c.tenant_id,
        newer.c.id > runs.c.id,
        newer.c.status == Status.COMPLETED,
        tables.is_full_scope(newer),
    )
    query = SELECT_RUNS.where(
        ~runs.c.dry_run, runs.c.status.in_((*OPEN_STATUSES, Status.HALTED)), ~overtaken, _is_of(ids)
    ).order_by(runs.c.id)
    found: defaultdict[int, list[Run]] = defaultdict(list)
    for row in connection.execute(query):
        found[row.tenant_id].append(run_from_row(row))
    return found


def _user_totals(day_ago: dt.datetime, week_ago: dt.datetime, ids: Collection[int] | None) -> Select[Any]:
    """Count the users of each tenant by their most telling outcome since its last complete run of all."""
    receipts, runs = tables.receipts, tables.runs
    first = (
        select(runs.c.tenant_id, func.max(runs.c.id).label("run"))
        .where(tables.IS_COMPLETE_SYNC)
        .group_by(runs.c.tenant_id)
        .subquery()
    )
    place = func.row_number().over(
        partition_by=(receipts.c.tenant_id, receipts.c.entra_id),
        order_by=tables.most_telling_first(receipts, runs),
    )
    newest = (
        select(
            receipts.c.tenant_id,
            receipts.c.outcome,
            receipts.c.reason,
            (runs.c.mode == Mode.UNDO).label("undone"),
            asked_at(receipts).label("asked_at"),
            place.label("place"),
        )
        .join(runs, runs.c.id == receipts.c.run_id)
        .join(first, first.c.tenant_id == runs.c.tenant_id, isouter=True)
        .where(
            ~runs.c.dry_run,
            _is_of(ids),
            # Also of the receipts, which have an index that begins with the tenant.
            true() if ids is None else receipts.c.tenant_id.in_(ids),
            runs.c.id >= func.coalesce(first.c.run, 0),
            receipts.c.outcome.not_in(_UNDECIDED),
        )
        .subquery()
    )
    return (
        select(
            newest.c.tenant_id,
            newest.c.outcome,
            newest.c.reason,
            newest.c.undone,
            func.count().label("users"),
            func.sum(case((newest.c.asked_at >= day_ago, 1), else_=0)).label("within_day"),
            func.sum(case((newest.c.asked_at >= week_ago, 1), else_=0)).label("within_week"),
        )
        .where(newest.c.place == 1)
        .group_by(newest.c.tenant_id, newest.c.outcome, newest.c.reason, newest.c.undone)
    )


def _users(rows: Sequence[Row[Any]]) -> dict[int, UserTotals]:
    by_tenant: defaultdict[int, list[Row[Any]]] = defaultdict(list)
    for row in rows:
        by_tenant[row.tenant_id].append(row)
    return {tenant_id: _totals(of_tenant) for tenant_id, of_tenant in by_tenant.items()}


def _totals(rows: Sequence[Row[Any]]) -> UserTotals:
    failed = {Reason(row.reason): row.users for row in rows if row.outcome == Outcome.DEAD_LETTERED}
    verified = [row for row in rows if row.outcome in VERIFYING_OUTCOMES and not row.undone]
    return UserTotals(
        in_sync=sum(row.users for row in verified),
        within_day=sum(row.within_day for row in verified),
        within_week=sum(row.within_week for row in verified),
        reverted=sum(row.users for row in rows if row.outcome in VERIFYING_OUTCOMES and row.undone),
        not_found=sum(row.users for row in rows if row.outcome == Outcome.NOT_FOUND),
        out_of_scope=sum(row.users for row in rows if row.outcome == Outcome.OUT_OF_SCOPE),
        failed=failed,
    )
