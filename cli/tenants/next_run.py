"""When a tenant's next run is due, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from producers.schedule.policy import blocking_run, last_event_id, parsed_schedule

if TYPE_CHECKING:
    import datetime as dt

    from store.tenants.schedules import Schedules


def describe_next_run(tenant: str, schedules: Schedules, now: dt.datetime) -> str:
    """Say when a tenant's next run is due after `now` (aware), by its own clock, and what holds it back."""
    plan = next(iter(schedules.plans(tenant)), None)
    if plan is None:
        return "never: it has no schedule, or is disabled"
    schedule = parsed_schedule(plan.schedule, plan.time_zone)
    due = schedule.next(now)
    if due is None:
        return "never"
    text = due.at.astimezone(schedule.zone).isoformat(timespec="minutes")
    history = schedules.history(plan, last_event_id(plan))
    holder = blocking_run(history)
    if holder is not None:
        text += f", once run {holder.id} ({holder.cause}) is resumed or cancelled"
    return text
