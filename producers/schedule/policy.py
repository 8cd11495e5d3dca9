"""Whether a tenant's run is to be triggered by its schedule: a decision over plain values."""

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

#: How long after a full run began the next one is wanted; what is due in between are deltas.
FULL_RUN_INTERVAL: Final = dt.timedelta(days=7)

#: How long a trigger may go unanswered before it is published once more, under the id that it had. Until
#: then it waits in its queue for a producer or its turn; after that it may be a dead letter, or gone.
ACKNOWLEDGEMENT_TIMEOUT: Final = dt.timedelta(hours=24)

#: What was noted further ahead than this was noted by a clock that was wrong, and has no say.
_MAX_CLOCK_SKEW: Final = dt.timedelta(days=1)

#: Halted runs after which the next one need not fare the same, though nobody has mended anything.
_SELF_HEALING: Final = (Cause.GAVE_UP,)

#: Schedules that a process keeps at hand (promise P10).
_CACHED_SCHEDULES: Final = 4096


class SkipReason(StrEnum):
    """Why nothing is triggered."""

    NOT_DUE = "not_due"
    #: A run of the tenant has begun since it was due.
    RUN_SINCE = "run_since"
    #: The trigger from before has not led to a run so far.
    UNACKNOWLEDGED = "unanswered"
    #: The newest run stands still until a person has mended something.
    HALTED = "halted"


@dataclass(frozen=True, kw_only=True)
class Trigger:
    """A run is to be triggered: for which due time (in UTC), and in which mode."""

    due: dt.datetime
    mode: Mode


@dataclass(frozen=True, kw_only=True)
class Skip:
    """Nothing is to be triggered now."""

    reason: SkipReason


@lru_cache(maxsize=_CACHED_SCHEDULES)
def parsed_schedule(expression: str, time_zone: str) -> Schedule:
    """Return a schedule; raise `ValueError` when it has a fault."""
    return Schedule(expression, time_zone)


def due_time(plan: ScheduleState, now: dt.datetime) -> Due | None:
    """Return the due time that nothing was published for so far, if there is one.

    Of several that were missed it is the latest. Raises `ValueError` when the schedule has a fault.
    """
    due = parsed_schedule(plan.schedule, plan.time_zone).latest(now)
    since, last = _sane(plan.active_since, now), _sane(plan.last_due, now)
    if due is None or (since is not None and due.at < since) or (last is not None and due.at <= last):
        return None
    return due


def decide(plan: ScheduleState, history: RunHistory, now: dt.datetime) -> Trigger | Skip:
    """Say whether a run of the tenant is to be triggered now, and which, or why not."""
    due = due_time(plan, now)
    if due is None:
        return Skip(reason=SkipReason.NOT_DUE)
    if blocking_run(history) is not None:
        return Skip(reason=SkipReason.HALTED)
    began = _sane(history.latest.started, now) if history.latest else None
    if began is not None and began >= due.at:
        return Skip(reason=SkipReason.RUN_SINCE)
    mode = _mode(plan, history, due, now)
    published = _sane(plan.last_published, now)
    # Which run it led to may not be known any more: old runs are deleted.
    followed = published is not None and began is not None and began >= published
    if plan.last_due is None or published is None or history.acknowledged or followed:
        return Trigger(due=due.at, mode=mode)
    if now - published < ACKNOWLEDGEMENT_TIMEOUT:
        return Skip(reason=SkipReason.UNACKNOWLEDGED)
    return Trigger(due=plan.last_due, mode=mode)


def blocking_run(history: RunHistory) -> LatestRun | None:
    """Return the run that stands still until a person has mended something: the newest, or its undo.

    What a schedule triggered now would be newer than a halted undo, which would then put back nothing.
    """
    for run in (history.latest, history.undo):
        if run is not None and run.status is Status.HALTED and run.cause not in _SELF_HEALING:
            return run
    return None


def event_id(tenant: str, due: dt.datetime) -> str:
    """Return the id of the trigger for a due time: the same whoever publishes it, and how often."""
    return f"{SCHEDULED_PREFIX}{tenant}/{due.astimezone(dt.UTC):%Y-%m-%dT%H:%MZ}"


def last_event_id(plan: ScheduleState) -> str | None:
    """Return the id of the last trigger that was published for a plan, if there was one."""
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
