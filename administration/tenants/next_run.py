"""When a tenant's next scheduled run is due."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from producers.schedule.policy import blocking_run, last_event_id, parsed_schedule

if TYPE_CHECKING:
    import datetime as dt

    from schemas.tenants.schedule_state import LatestRun
    from store.tenants.schedules import Schedules


@dataclass(frozen=True, kw_only=True)
class NextRun:
    """The next due time, by the schedule's own clock; None if there is none.

    `blocked_by` is the halted run that has to be resumed or cancelled first.
    """

    due: dt.datetime | None
    blocked_by: LatestRun | None = None


def next_run(tenant: str, schedules: Schedules, now: dt.datetime) -> NextRun | None:
    """Return a tenant's next run after `now` (aware); None without a schedule, or if it is disabled."""
    plan = next(iter(schedules.enabled(tenant)), None)
    if plan is None:
        return None
    schedule = parsed_schedule(plan.schedule, plan.time_zone)
    due = schedule.next(now)
    if due is None:
        return NextRun(due=None)
    history = schedules.history(plan, last_event_id(plan))
    return NextRun(due=due.at.astimezone(schedule.zone), blocked_by=blocking_run(history))
