"""When a tenant's next scheduled run is due, and in which mode."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from producers.schedule.policy import blocking_run, last_event_id, mode_at, next_full, parsed_schedule

if TYPE_CHECKING:
    from schemas.outcomes import Mode
    from schemas.tenants.schedule import Due
    from schemas.tenants.schedule_state import LatestRun, SchedulePause, ScheduleState
    from store.store import Store

_INSTANT: Final = dt.timedelta(microseconds=1)


@dataclass(frozen=True, kw_only=True)
class NextRun:
    """The next due time and its `mode`, and the next due time of a full run; None if there is none.

    `time_zone` is the one of the schedule's clock. `blocked_by` is the halted run that has to be resumed or
    cancelled first. During a `pause` the due times are those after it.
    """

    due: Due | None
    mode: Mode | None
    full_due: Due | None
    time_zone: str
    blocked_by: LatestRun | None = None
    pause: SchedulePause | None = None


def next_run(tenant: str, store: Store, now: dt.datetime) -> NextRun | None:
    """Return a tenant's next run after `now` (aware); None without a schedule, or if it is disabled."""
    schedules = store.schedules
    plan = next(iter(schedules.enabled(tenant)), None)
    if plan is None:
        return None
    pause = store.schedule_pauses.setting(tenant, now).pause
    after = start_of_search(plan, now)
    due = parsed_schedule(plan.schedule, plan.time_zone).next(after)
    if due is None:
        return NextRun(due=None, mode=None, full_due=None, time_zone=plan.time_zone, pause=pause)
    history = schedules.history(plan, last_event_id(plan))
    return NextRun(
        due=due,
        mode=mode_at(plan, history, due),
        full_due=next_full(plan, history, after),
        time_zone=plan.time_zone,
        blocked_by=blocking_run(history),
        pause=pause,
    )


def start_of_search(plan: ScheduleState, now: dt.datetime) -> dt.datetime:
    """Return the moment (aware) behind which the next run is due: that of `now`, or before a pause's end."""
    # A run that is due at the very end of a pause starts.
    return max(now, plan.paused_until - _INSTANT) if plan.paused_until is not None else now
