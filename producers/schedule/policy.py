"""Decides whether a schedule triggers a run now: pure functions over values."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from schemas.messages.authentication import SCHEDULED_PREFIX
from schemas.outcomes import Cause, Mode, Status
from schemas.tenants.schedule import Due, Schedule

if TYPE_CHECKING:
    from schemas.tenants.schedule_state import LatestRun, RunHistory, ScheduleState

#: Interval between full runs; the runs in between are deltas.
FULL_RUN_INTERVAL: Final = dt.timedelta(days=7)

#: By how much a week may be shorter than that in UTC: the hour of summer time, and one due time before it.
_SHORTER_WEEK: Final = dt.timedelta(hours=2)

#: How long a trigger may stay unacknowledged before it is published once more, under the same id. Until then
#: it may wait in its queue; after that it may be a dead letter, or lost.
ACKNOWLEDGEMENT_TIMEOUT: Final = dt.timedelta(hours=24)

#: A recorded time further in the future than this came from a wrong clock, and is ignored.
_MAX_CLOCK_SKEW: Final = dt.timedelta(days=1)

#: Causes that may be gone at the next run although no operator fixed anything.
_SELF_HEALING: Final = (Cause.GAVE_UP,)

#: Parsed schedules that a process caches (promise P10).
_CACHED_SCHEDULES: Final = 4096


class SkipReason(StrEnum):
    """Why no run is triggered."""

    NOT_DUE = "not_due"
    #: A run of the tenant has started since the due time.
    RUN_SINCE = "run_since"
    #: The previous trigger has not led to a run yet.
    UNACKNOWLEDGED = "unanswered"
    #: The newest run is halted until an operator fixes something.
    HALTED = "halted"


@dataclass(frozen=True, kw_only=True)
class Trigger:
    """Trigger a run for this due time (UTC) in this mode."""

    due: dt.datetime
    mode: Mode


@dataclass(frozen=True, kw_only=True)
class Skip:
    """Trigger nothing now."""

    reason: SkipReason


@lru_cache(maxsize=_CACHED_SCHEDULES)
def parsed_schedule(expression: str, time_zone: str) -> Schedule:
    """Return a schedule; raise `ValueError` when it has a fault."""
    return Schedule(expression, time_zone)


def due_time(plan: ScheduleState, now: dt.datetime) -> Due | None:
    """Return the latest due time without a published trigger, if there is one; none while it is paused.

    What was due before or during a pause is not caught up after it. Raises `ValueError` when the schedule is
    invalid.
    """
    due = parsed_schedule(plan.schedule, plan.time_zone).latest(now)
    since, last = _sane(plan.active_since, now), _sane(plan.last_due, now)
    if due is None or (since is not None and due.at < since) or (last is not None and due.at <= last):
        return None
    if plan.paused_until is not None and due.at < plan.paused_until:
        return None
    return due


def decide(plan: ScheduleState, history: RunHistory, now: dt.datetime) -> Trigger | Skip:
    """Decide whether to trigger a run of the tenant now, and in which mode, or why not."""
    due = due_time(plan, now)
    if due is None:
        return Skip(reason=SkipReason.NOT_DUE)
    if blocking_run(history) is not None:
        return Skip(reason=SkipReason.HALTED)
    began = _sane(history.latest.started, now) if history.latest else None
    if began is not None and began >= due.at:
        return Skip(reason=SkipReason.RUN_SINCE)
    mode = _mode(plan, history, due, now)
    published = awaited_since(plan, now)
    # Which run it led to may not be known any more: old runs are deleted.
    followed = published is not None and began is not None and began >= published
    if plan.last_due is None or published is None or history.acknowledged or followed:
        return Trigger(due=due.at, mode=mode)
    if now - published < ACKNOWLEDGEMENT_TIMEOUT:
        return Skip(reason=SkipReason.UNACKNOWLEDGED)
    return Trigger(due=plan.last_due, mode=mode)


def awaited_since(plan: ScheduleState, now: dt.datetime) -> dt.datetime | None:
    """Return when the last trigger was published that is to lead to a run; None if none is awaited.

    A trigger from before or during a pause leads to none if it was not taken up before.
    """
    published = _sane(plan.last_published, now)
    if published is None or plan.paused_until is None:
        return published
    return None if published <= plan.paused_until else published


def blocking_run(history: RunHistory) -> LatestRun | None:
    """Return the halted run that blocks the schedule until an operator fixes something, if there is one.

    A halted undo blocks too: a run that started now would be newer, and the undo would then revert nothing.
    """
    for run in (history.latest, history.undo, history.guard_halted):
        if run is not None and run.status is Status.HALTED and run.cause not in _SELF_HEALING:
            return run
    return None


def mode_at(plan: ScheduleState, history: RunHistory, due: Due) -> Mode:
    """Return the mode of a run that is triggered at a due time to come, as far as is known now."""
    return _mode(plan, history, due, due.at)


def next_full(plan: ScheduleState, history: RunHistory, now: dt.datetime) -> Due | None:
    """Return the first due time after `now` of a full run, as far as is known now; None without one."""
    schedule, after = parsed_schedule(plan.schedule, plan.time_zone), now
    if history.last_full_started is not None:
        # A week may be an hour shorter by the clock on the wall.
        after = max(now, history.last_full_started + FULL_RUN_INTERVAL - _SHORTER_WEEK)
    while (due := schedule.next(after)) is not None:
        if mode_at(plan, history, due) is Mode.FULL:
            return due
        after = due.at
    return None


def event_id(tenant: str, due: dt.datetime) -> str:
    """Return the trigger's id for a due time: the same in every process and at every attempt."""
    return f"{SCHEDULED_PREFIX}{tenant}/{due.astimezone(dt.UTC):%Y-%m-%dT%H:%MZ}"


def last_event_id(plan: ScheduleState) -> str | None:
    """Return the id of the last trigger that was published for a tenant, if there was one."""
    return None if plan.last_due is None else event_id(plan.tenant, plan.last_due)


def _mode(plan: ScheduleState, history: RunHistory, due: Due, now: dt.datetime) -> Mode:
    began = _sane(history.last_full_started, now)
    if began is None or now - began > FULL_RUN_INTERVAL:
        return Mode.FULL
    # A run begins a little after its due time, and would be a little too young a week later. So the due
    # time that it answered is compared, by the clock on the wall: a week may be an hour shorter.
    answered = parsed_schedule(plan.schedule, plan.time_zone).latest(began)
    week_is_over = answered is not None and due.wall - answered.wall >= FULL_RUN_INTERVAL
    return Mode.FULL if week_is_over else Mode.DELTA


def _sane(moment: dt.datetime | None, now: dt.datetime) -> dt.datetime | None:
    return None if moment is None or moment - now > _MAX_CLOCK_SKEW else moment
