"""The status of all tenants, or of one: what is in order, and what needs a person."""

from __future__ import annotations

import datetime as dt
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from administration.dead_letters.set_aside import groups_aside
from administration.runs.idle import IdleReason
from administration.tenants.next_run import start_of_search
from producers.schedule.policy import (
    Trigger,
    awaited_since,
    decide,
    due_time,
    last_event_id,
    parsed_schedule,
)
from schemas.dead_letter_reasons import Reason
from schemas.notifications.settings import NotificationSettings
from schemas.outcomes import ENDED_STATUSES, Mode
from schemas.reports.remedies import owner_of, remedy_for
from schemas.reports.remedy import Owner
from schemas.runs.run import WarningKind
from schemas.tenants.tenant import SECRET_EXPIRES_SOON
from schemas.tenants.tenant_status import Problem, ProblemKind, TenantStatus

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from administration.runs.idle import IdleCheck
    from schemas.outcomes import Status
    from schemas.runs.run import RunSummary
    from schemas.runs.totals.scope_change import ScopeChange
    from schemas.tenants.schedule_state import ScheduleState
    from schemas.tenants.tenant import Tenant
    from store.reports.tenant_overview import TenantOverview
    from store.store import Store

#: How late a scheduled run may be before it is a problem: a scheduler looks each minute.
_OVERDUE_AFTER: Final = dt.timedelta(minutes=5)

#: How long a requested run may wait for a producer before it is a problem.
_NOT_STARTED_AFTER: Final = dt.timedelta(minutes=10)

#: How long a run may wait for a service before a person is told: most outages are over by then.
_AWAY_AFTER: Final = dt.timedelta(hours=1)

#: What keeps an open run from going on, as a problem.
_IDLE: Final[Mapping[IdleReason, ProblemKind]] = {
    IdleReason.NO_PRODUCER: ProblemKind.NO_PRODUCER,
    IdleReason.NO_WORKER: ProblemKind.NO_WORKER,
    IdleReason.BROKER_AWAY: ProblemKind.BROKER_AWAY,
}


def tenant_statuses(
    keys: Collection[str] | None,
    *,
    store: Store,
    now: dt.datetime,
    idle: IdleCheck | None = None,
    refused: Mapping[str, int] = MappingProxyType({}),
) -> list[TenantStatus]:
    """Return the status of the tenants that `keys` names, by key, or of all if it is None; `now` is aware.

    Raises `UsageError` if there is no such tenant. It takes a few statements, however many tenants there are;
    a tenant whose schedule is late takes a few more. `idle` asks RabbitMQ why open runs come no further,
    a few times however many there are; without it that is not found out.
    `refused` are the requests for runs that are dead letters (`guard_unanswered`), by tenant.
    """
    tenants = store.tenants.outlines(keys)
    overviews = store.tenant_overviews.load(now, keys)
    # Of one tenant its plan is asked for by itself.
    of_one = next(iter(keys)) if keys is not None and len(keys) == 1 else None
    plans = {
        plan.tenant: plan for plan in store.schedules.enabled(of_one) if keys is None or plan.tenant in keys
    }
    acknowledged = store.tenant_overviews.acknowledged(
        [event for plan in plans.values() if (event := last_event_id(plan)) is not None]
    )
    open_runs = store.runs.summaries(
        [
            run.id
            for overview in overviews.values()
            for run in dict.fromkeys((*filter(None, [overview.last_run]), *overview.open))
            if run.status not in ENDED_STATUSES
        ]
    )
    pauses = store.schedule_pauses.in_force(now, plans)
    scope_changes = store.scope_changes.by_tenant(keys)
    aside = groups_aside(keys, store=store, now=now)
    unconfirmed_days = store.notification_settings.unconfirmed_days(keys)
    last_full = {overview.users.run for overview in overviews.values()} - {None}
    without_value = store.run_warnings.users_of(WarningKind.NO_VALUES, [run for run in last_full if run])
    idle_reasons = _idle_reasons(list(open_runs.values()), idle)
    found = []
    for each in tenants:
        overview = overviews[each.key]
        plan = plans.get(each.key)
        problems = [*_of_runs(overview), *_of_users(overview, aside.get(each.key, {}))]
        if plan is not None:
            problems += _of_schedule(plan, overview, acknowledged, store=store, now=now)
        if each.key not in pauses:
            days = unconfirmed_days.get(each.key, NotificationSettings().unconfirmed_days)
            problems += _of_confirmations(overview, days, now)
        problems += _of_secret(each, now.date())
        if count := refused.get(each.key):
            problems.append(
                Problem(
                    kind=ProblemKind.REQUESTS_REFUSED,
                    owner=Owner.ADMINISTRATOR,
                    reason=Reason.GUARD_UNANSWERED,
                    requests=count,
                )
            )
        last, scope_change = overview.last_run, scope_changes.get(each.key)
        if users := without_value.get(overview.users.run or 0):
            problems.append(
                Problem(
                    kind=ProblemKind.NO_VALUES,
                    owner=Owner.ADMINISTRATOR,
                    run=overview.users.run,
                    users=users,
                )
            )
        problems += _of_scope(overview, scope_change, has_schedule=plan is not None)
        if last is not None:
            problems += [
                Problem(kind=_IDLE[reason], owner=Owner.OPERATOR, run=last.id)
                for reason in idle_reasons.get(last.id, ())
            ]
        problems += [
            problem
            for run in overview.open
            if run.id in open_runs
            for problem in _of_services(open_runs[run.id], now)
        ]
        found.append(
            TenantStatus(
                tenant=each.key,
                name=each.name,
                enabled=each.enabled,
                last_run=last,
                open_run=open_runs.get(last.id) if last is not None else None,
                users=overview.users,
                scope_change=scope_change,
                next_due=None if plan is None else _next_due(plan, now),
                pause=pauses.get(each.key),
                client_secret_expires=each.client_secret_expires,
                # A disabled tenant waits for nothing: an administrator has decided that.
                problems=tuple(problems) if each.enabled else (),
            )
        )
    return found


def _idle_reasons(
    summaries: Sequence[RunSummary], idle: IdleCheck | None
) -> dict[int, tuple[IdleReason, ...]]:
    """Return why runs come no further, by their ids; runs that are as far need the same processes."""
    if idle is None:
        return {}
    found: dict[tuple[Status, bool], tuple[IdleReason, ...]] = {}
    for summary in summaries:
        kind = summary.run.status, bool(summary.pending)
        if kind not in found:
            found[kind] = tuple(each.reason for each in idle.of_run(summary))
    return {each.run.id: found[each.run.status, bool(each.pending)] for each in summaries}


def _of_scope(
    overview: TenantOverview, scope_change: ScopeChange | None, *, has_schedule: bool
) -> Iterator[Problem]:
    """Yield that no user is in sync, which is not that all is well."""
    users = overview.users
    if scope_change is None:
        if overview.last_run is None and not (has_schedule or overview.open or users.in_sync):
            yield Problem(kind=ProblemKind.NEVER_SYNCED, owner=Owner.ADMINISTRATOR)
    elif not users.expected:
        left = users.out_of_scope + users.not_found
        yield Problem(kind=ProblemKind.NO_USERS, owner=Owner.ADMINISTRATOR, run=scope_change.run, users=left)


def _of_runs(overview: TenantOverview) -> Iterator[Problem]:
    for run in overview.halted:
        owner = remedy_for(run.cause).owner if run.cause is not None else Owner.OPERATOR
        yield Problem(
            kind=ProblemKind.RUN_HALTED,
            owner=owner,
            run=run.id,
            cause=run.cause,
            of_undo=run.mode is Mode.UNDO,
            since=run.finished,
        )


def _of_services(summary: RunSummary, now: dt.datetime) -> Iterator[Problem]:
    """Yield each service that an open run has waited for so long that a person should know.

    The run goes on by itself when the service is back (promise P8).
    """
    for waiting in summary.waiting:
        if waiting.service is not None and now - waiting.since > _AWAY_AFTER:
            yield Problem(
                kind=ProblemKind.SERVICE_AWAY,
                owner=Owner.OPERATOR,
                run=summary.run.id,
                service=waiting.service,
                users=waiting.users,
                since=waiting.since,
            )


def _of_users(overview: TenantOverview, aside: Collection[Reason]) -> Iterator[Problem]:
    """Yield the groups of users that failed, but for those and the users that are set aside."""
    totals = overview.users
    for reason, failed in sorted(totals.failed.items()):
        users = failed - totals.set_aside.get(reason, 0)
        if not users or reason in aside:
            continue
        owner = owner_of(
            reason,
            is_held_in_entra=reason in totals.held_in_entra,
            is_widespread=reason in totals.widespread,
        )
        yield Problem(kind=ProblemKind.USERS_FAILED, owner=owner, reason=reason, users=users)


def _of_confirmations(overview: TenantOverview, days: int | None, now: dt.datetime) -> Iterator[Problem]:
    """Yield that no user was confirmed as right for so many days; None stands for any number."""
    newest = overview.users.newest
    if days is not None and newest is not None and now - newest > dt.timedelta(days=days):
        yield Problem(kind=ProblemKind.NOT_CONFIRMED, owner=Owner.ADMINISTRATOR, since=newest)


def _of_schedule(
    plan: ScheduleState,
    overview: TenantOverview,
    acknowledged: Collection[str],
    *,
    store: Store,
    now: dt.datetime,
) -> Iterator[Problem]:
    try:
        due = due_time(plan, now)
    except ValueError:
        yield Problem(kind=ProblemKind.SCHEDULE_INVALID, owner=Owner.ADMINISTRATOR)
        return
    if _is_unanswered(plan, overview, acknowledged, now):
        yield Problem(kind=ProblemKind.RUN_NOT_STARTED, owner=Owner.OPERATOR, since=plan.last_due)
    elif due is not None and now - due.at > _OVERDUE_AFTER:
        history = store.schedules.history(plan, last_event_id(plan))
        if isinstance(decide(plan, history, now), Trigger):
            yield Problem(kind=ProblemKind.RUN_OVERDUE, owner=Owner.OPERATOR, since=due.at)


def _is_unanswered(
    plan: ScheduleState, overview: TenantOverview, acknowledged: Collection[str], now: dt.datetime
) -> bool:
    """Say whether no producer has taken the last trigger, although no open run holds it up."""
    published, last = awaited_since(plan, now), overview.last_run
    if published is None or now - published <= _NOT_STARTED_AFTER or overview.open:
        return False
    # Which run it led to may not be known any more: old runs are deleted.
    return last_event_id(plan) not in acknowledged and (last is None or last.started < published)


def _of_secret(tenant: Tenant, today: dt.date) -> Iterator[Problem]:
    expires = tenant.client_secret_expires
    if expires is None or (expires - today).days > SECRET_EXPIRES_SOON:
        return
    kind = ProblemKind.SECRET_EXPIRED if expires < today else ProblemKind.SECRET_EXPIRES
    yield Problem(kind=kind, owner=Owner.ENTRA, expires=expires)


def _next_due(plan: ScheduleState, now: dt.datetime) -> dt.datetime | None:
    try:
        due = parsed_schedule(plan.schedule, plan.time_zone).next(start_of_search(plan, now))
    except ValueError:
        return None
    return None if due is None else due.at
