"""All tenants at once: their newest runs, and how many users have which newest outcome."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Select, case, exists, func, select, true

from schemas.dead_letter_reasons import Reason
from schemas.outcomes import OPEN_STATUSES, QUESTION_CAUSES, Status
from schemas.reports.user_status import SyncState
from schemas.tenants.tenant_status import UserTotals
from store import tables
from store.reports.user_states import user_states
from store.runs.rows import SELECT_RUNS, run_from_row
from store.timestamps import as_utc

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy import ColumnElement, Connection, Row

    from schemas.runs.run import Run
    from store.database import Database
    from store.report_cache import ReportCache


_DAY: Final = dt.timedelta(days=1)
_WEEK: Final = dt.timedelta(days=7)

#: The periods that count for what is fresh, by the column of the first verification in them.
_LATELY: Final = {"first_of_day": _DAY, "first_of_week": _WEEK}


@dataclass(frozen=True, kw_only=True)
class TenantOverview:
    """What the database knows of a tenant's runs and users.

    `last_run` is the newest run of all users that is no dry run; `halted` are the halted runs after which no
    run of all users was completed, and `open` those that are open; both have runs of named users too.
    """

    last_run: Run | None
    halted: tuple[Run, ...]
    open: tuple[Run, ...]
    users: UserTotals


@dataclass(frozen=True)
class _Counted:
    """Totals as of a moment, and until when they hold: users drop out of what was verified lately."""

    totals: UserTotals
    since: dt.datetime
    until: dt.datetime | None

    def is_good(self, now: dt.datetime) -> bool:
        """Say whether the totals are those of this moment."""
        return self.since <= now and (self.until is None or now < self.until)


class TenantOverviews:
    """Reads a few statements for all tenants together; may be shared by threads."""

    def __init__(self, database: Database, cache: ReportCache) -> None:
        self._database = database
        self._cache = cache

    def load(self, now: dt.datetime, keys: Collection[str] | None = None) -> dict[str, TenantOverview]:
        """Return the overview of each tenant, or of those that `keys` names, by its key; `now` is aware."""
        wanted = select(tables.tenants.c.id, tables.tenants.c.key)
        if keys is not None:
            wanted = wanted.where(tables.tenants.c.key.in_(keys))
        with self._database.transaction() as connection:
            rows = connection.execute(wanted).all()
            ids = None if keys is None else [row.id for row in rows]
            last = {row.tenant_id: run_from_row(row) for row in connection.execute(_last_runs(ids))}
            unfinished = _unfinished(connection, ids)
            users = self._user_totals(connection, now, [row.id for row in rows])
        return {
            row.key: TenantOverview(
                last_run=last.get(row.id),
                halted=tuple(run for run in unfinished[row.id] if run.status is Status.HALTED),
                open=tuple(run for run in unfinished[row.id] if run.status in OPEN_STATUSES),
                users=users.get(row.id, UserTotals(failed={})),
            )
            for row in rows
        }

    def user_totals(self, now: dt.datetime, keys: Collection[str]) -> dict[str, UserTotals]:
        """Return how many users of each of these tenants have which state, as of `now` (aware)."""
        tenants = tables.tenants
        wanted = select(tenants.c.id, tenants.c.key).where(tenants.c.key.in_(keys))
        with self._database.transaction() as connection:
            known = {row.id: row.key for row in connection.execute(wanted)}
            users = self._user_totals(connection, now, list(known))
        return {key: users.get(tenant_id, UserTotals(failed={})) for tenant_id, key in known.items()}

    def _user_totals(
        self, connection: Connection, now: dt.datetime, ids: Collection[int]
    ) -> dict[int, UserTotals]:
        # To read the results of all runs takes longer than to look up those of the last ones.
        self._database.prefer_indexes(connection)

        def compute(missing: Collection[int]) -> dict[int, _Counted]:
            totals = _users(connection.execute(_user_totals(now, missing)).all(), now)
            return {each: totals.get(each, _Counted(UserTotals(failed={}), now, None)) for each in missing}

        counted = self._cache.of_tenants(
            connection, "user_totals", ids, compute, is_good=lambda each: each.is_good(now)
        )
        return {each: found.totals for each, found in counted.items()}

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


def _user_totals(now: dt.datetime, ids: Collection[int] | None) -> Select[Any]:
    """Count the users of each tenant by their state."""
    states = user_states(ids)
    users, asked = func.count().label("users"), states.c.asked_at

    def since(period: dt.timedelta) -> ColumnElement[Any]:
        return func.sum(case((asked >= now - period, 1), else_=0))

    return (
        select(
            states.c.tenant_id,
            states.c.base,
            states.c.state,
            states.c.reason,
            users,
            since(_DAY).label("within_day"),
            since(_WEEK).label("within_week"),
            func.min(asked).label("oldest"),
            func.max(asked).label("newest"),
            func.count(states.c.holder).label("holders"),
            func.sum(states.c.set_aside).label("set_aside"),
            *(func.min(case((asked >= now - period, asked))).label(name) for name, period in _LATELY.items()),
        )
        .where(states.c.state.is_not(None))
        .group_by(states.c.tenant_id, states.c.base, states.c.state, states.c.reason)
    )


def _users(rows: Sequence[Row[Any]], now: dt.datetime) -> dict[int, _Counted]:
    by_tenant: defaultdict[int, list[Row[Any]]] = defaultdict(list)
    for row in rows:
        by_tenant[row.tenant_id].append(row)
    return {
        tenant_id: _Counted(_totals(of_tenant), now, _until(of_tenant))
        for tenant_id, of_tenant in by_tenant.items()
    }


def _until(rows: Sequence[Row[Any]]) -> dt.datetime | None:
    """Return when the first of the users that were verified in a period is so no longer."""
    first = [
        as_utc(moment) + period
        for row in rows
        for name, period in _LATELY.items()
        if (moment := getattr(row, name)) is not None
    ]
    # A moment later: who was verified to the second a day ago still was within it.
    return min(first) + dt.timedelta(microseconds=1) if first else None


def _totals(rows: Sequence[Row[Any]]) -> UserTotals:
    by_state: Counter[str] = Counter()
    for row in rows:
        by_state[row.state] += row.users
    in_sync = [row for row in rows if row.state == SyncState.IN_SYNC]
    return UserTotals(
        run=rows[0].base,
        in_sync=by_state[SyncState.IN_SYNC],
        within_day=sum(row.within_day for row in in_sync),
        within_week=sum(row.within_week for row in in_sync),
        oldest=min((as_utc(row.oldest) for row in in_sync if row.oldest is not None), default=None),
        newest=max((as_utc(row.newest) for row in in_sync if row.newest is not None), default=None),
        reverted=by_state[SyncState.REVERTED],
        not_found=by_state[SyncState.NOT_IN_SKOLON],
        out_of_scope=by_state[SyncState.EXCLUDED],
        failed={Reason(row.reason): row.users for row in rows if row.state == SyncState.DEAD_LETTERED},
        set_aside={
            Reason(row.reason): int(row.set_aside)
            for row in rows
            if row.state == SyncState.DEAD_LETTERED and row.set_aside
        },
        held_in_entra={
            Reason(row.reason): row.holders
            for row in rows
            if row.state == SyncState.DEAD_LETTERED and row.holders
        },
    )
