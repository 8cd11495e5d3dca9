"""Schedules: what was triggered by itself, and what is known of a tenant's runs when one is due."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import and_, exists, func, select, update

from schemas.outcomes import Cause, Mode, Status
from schemas.tenants.schedule_state import LatestRun, RunHistory, ScheduleState
from store import tables
from store.runs.rows import unanswered_guard
from store.timestamps import as_utc

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator

    from sqlalchemy import Row

    from schemas.runs.run import Run
    from store.database import Database

#: Any number that no other user of the database locks with; of several schedulers one looks at a time.
_LOCK: Final = 710_042_012


class Schedules:
    """What a scheduler reads and notes; may be shared by threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @contextmanager
    def try_lock(self) -> Iterator[bool]:
        """Give True to one scheduler at a time, and False to the others, until the block ends.

        A process that dies in the block makes way by that. SQLite's one writer cannot wait meanwhile: there
        each process gets True, and two at once publish the same trigger twice, which is one run.
        """
        if self._database.is_sqlite:
            yield True
            return
        with self._database.transaction() as connection:
            yield bool(connection.scalar(select(func.pg_try_advisory_xact_lock(_LOCK))))

    def enabled(self, tenant: str | None = None) -> list[ScheduleState]:
        """Return the plans of all enabled tenants that have a schedule, or of one of them, by key."""
        query = select(tables.tenants).order_by(tables.tenants.c.key)
        if tenant is not None:
            query = query.where(tables.tenants.c.key == tenant)
        with self._database.transaction() as connection:
            rows = connection.execute(query).all()
        return [_plan(row) for row in rows if row.settings["enabled"] and row.settings["schedule"]]

    def history(self, plan: ScheduleState, last_event: str | None) -> RunHistory:
        """Return what is known of the runs of a plan's tenant, and whether `last_event` has led to one."""
        runs, triggers = tables.runs, tables.triggers
        counted = and_(runs.c.tenant_id == plan.tenant_id, tables.IS_FULL_SCOPE_SYNC)
        newest = select(runs).where(counted).order_by(runs.c.id.desc()).limit(1)
        undoes = and_(runs.c.tenant_id == plan.tenant_id, tables.IS_FULL_SCOPE, runs.c.mode == Mode.UNDO)
        undo = select(runs).where(undoes).order_by(runs.c.id.desc()).limit(1)
        full_began = (
            select(runs.c.started)
            .where(counted, runs.c.mode == Mode.FULL, runs.c.status == Status.COMPLETED)
            .order_by(runs.c.id.desc())
            .limit(1)
        )
        with self._database.transaction() as connection:
            row = connection.execute(newest).one_or_none()
            undone = connection.execute(undo).one_or_none()
            began = connection.scalar(full_began)
            guarded = unanswered_guard(connection, plan.tenant_id)
            answered = connection.scalar(select(exists().where(triggers.c.event_id == last_event)))
        return RunHistory(
            latest=None if row is None else _newest(row),
            last_full_started=None if began is None else as_utc(began),
            acknowledged=bool(answered),
            guard_halted=None if guarded is None else _latest(guarded),
            undo=None if undone is None or (row and row.id > undone.id) else _newest(undone),
        )

    def record_published(
        self, dues: Iterable[tuple[ScheduleState, dt.datetime]], published: dt.datetime
    ) -> None:
        """Note for which due times triggers have been published."""
        tenants = tables.tenants
        with self._database.transaction() as connection:
            for plan, due in dues:
                connection.execute(
                    update(tenants)
                    .where(tenants.c.id == plan.tenant_id)
                    .values(schedule_last_due=due, schedule_published=published)
                )


def _newest(row: Row[Any]) -> LatestRun:
    return LatestRun(
        id=row.id,
        status=Status(row.status),
        cause=row.cause and Cause(row.cause),
        started=as_utc(row.started),
    )


def _latest(run: Run) -> LatestRun:
    return LatestRun(id=run.id, status=run.status, cause=run.cause, started=run.started)


def _plan(row: Row[Any]) -> ScheduleState:
    return ScheduleState(
        tenant_id=row.id,
        tenant=row.key,
        schedule=row.settings["schedule"],
        time_zone=row.settings["time_zone"],
        active_since=as_utc(row.schedule_active_since or row.created),
        last_due=row.schedule_last_due and as_utc(row.schedule_last_due),
        last_published=row.schedule_published and as_utc(row.schedule_published),
        paused_until=row.schedule_paused_until and as_utc(row.schedule_paused_until),
    )
