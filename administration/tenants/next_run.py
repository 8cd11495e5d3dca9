"""When a tenant's next scheduled run is due, and in which mode."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from producers.schedule.policy import blocking_run, last_event_id, mode_at, next_full, parsed_schedule

if TYPE_CHECKING:
    import datetime as dt

    from schemas.outcomes import Mode
    from schemas.tenants.schedule import Due
    from schemas.tenants.schedule_state import LatestRun
    from store.tenants.schedules import Schedules


@dataclass(frozen=True, kw_only=True)
class NextRun:
    """The next due time and its `mode`, and the next due time of a full run; None if there is none.

    `time_zone` is the one of the schedule's clock. `blocked_by` is the halted run that has to be resumed or
    cancelled first.
    """

    due: Due | None
    mode: Mode | None
    full_due: Due | None
    time_zone: str
    blocked_by: LatestRun | None = None


def next_run(tenant: str, schedules: Schedules, now: dt.datetime) -> NextRun | None:
    """Return a tenant's next run after `now` (aware); None without a schedule, or if it is disabled."""
    plan = next(iter(schedules.enabled(tenant)), None)
    if plan is None:
        return None
    due = parsed_schedule(plan.schedule, plan.time_zone).next(now)
    if due is None:
        return NextRun(due=None, mode=None, full_due=None, time_zone=plan.time_zone)
    history = schedules.history(plan, last_event_id(plan))
    return NextRun(
        due=due,
        mode=mode_at(plan, history, due),
        full_due=next_full(plan, history, now),
        time_zone=plan.time_zone,
        blocked_by=blocking_run(history),
    )
