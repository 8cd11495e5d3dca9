"""The schedule's decision: when a run is triggered, in which mode, and why not."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.schedule.policy import (
    Skip,
    SkipReason,
    Trigger,
    awaited_since,
    decide,
    due_time,
    event_id,
    mode_at,
    next_full,
    parsed_schedule,
)
from schemas.messages.messages import MAX_EVENT_ID_LENGTH
from schemas.outcomes import Cause, Mode, Status
from schemas.tenants.schedule_state import LatestRun, RunHistory, ScheduleState

DAY: Final = dt.timedelta(days=1)
HOUR: Final = dt.timedelta(hours=1)
MINUTE: Final = dt.timedelta(minutes=1)

#: A Tuesday; a quarter of an hour after it was due at 03:00 in Stockholm.
NOW: Final = dt.datetime(2026, 6, 9, 1, 15, tzinfo=dt.UTC)
DUE: Final = dt.datetime(2026, 6, 9, 1, tzinfo=dt.UTC)

PLAN: Final = ScheduleState(
    tenant_id=1,
    tenant="exempel",
    schedule="0 3 * * *",
    time_zone="Europe/Stockholm",
    active_since=NOW - 100 * DAY,
    last_due=DUE - DAY,
    last_published=DUE - DAY,
)


def run(
    started: dt.datetime = DUE - DAY, status: Status = Status.COMPLETED, cause: Cause | None = None
) -> LatestRun:
    return LatestRun(id=7, status=status, cause=cause, started=started)


#: All is well: yesterday's trigger became a run that was completed, and so was a full run three days ago.
HISTORY: Final = RunHistory(latest=run(), last_full_started=DUE - 3 * DAY, acknowledged=True)


def test_what_is_due_is_triggered_once() -> None:
    """A due time that nothing was published for is triggered; once that is noted, it is not any more."""
    trigger = decide(PLAN, HISTORY, NOW)
    assert trigger == Trigger(due=DUE, mode=Mode.DELTA)
    noted = replace(PLAN, last_due=DUE, last_published=NOW)
    assert decide(noted, HISTORY, NOW) == Skip(reason=SkipReason.NOT_DUE)


def test_the_next_runs_are_foretold() -> None:
    """Three days after a full run the next is a delta, and the next full one comes four days later."""
    due = parsed_schedule(PLAN.schedule, PLAN.time_zone).next(NOW)
    assert due is not None
    assert mode_at(PLAN, HISTORY, due) is Mode.DELTA
    full = next_full(PLAN, HISTORY, NOW)
    assert full is not None
    assert full.at == DUE + 4 * DAY
    first = replace(HISTORY, last_full_started=None)
    assert mode_at(PLAN, first, due) is Mode.FULL
    assert next_full(PLAN, first, NOW) == due


@pytest.mark.parametrize("status", Status)
def test_an_undo_answers_no_due_time(status: Status) -> None:
    """An undo is not the run that was due; but while it is halted, nothing newer may overtake it."""
    cause = Cause.GUARD_EXCEEDED if status is Status.HALTED else None
    history = replace(HISTORY, undo=run(DUE + MINUTE, status, cause))
    decision = decide(PLAN, history, NOW)
    if status is Status.HALTED:
        assert decision == Skip(reason=SkipReason.HALTED)
    else:
        assert decision == Trigger(due=DUE, mode=Mode.DELTA)


def test_a_due_time_counts_from_its_very_moment() -> None:
    """It is due in the moment itself, and not a second before."""
    assert decide(PLAN, HISTORY, DUE) == Trigger(due=DUE, mode=Mode.DELTA)
    assert decide(PLAN, HISTORY, DUE - dt.timedelta(seconds=1)) == Skip(reason=SkipReason.NOT_DUE)


def test_of_what_was_missed_only_the_latest_is_caught_up() -> None:
    """After a week without a scheduler, one trigger makes up for all of it."""
    plan = replace(PLAN, last_due=DUE - 7 * DAY, last_published=DUE - 7 * DAY)
    trigger = decide(plan, replace(HISTORY, latest=run(DUE - 7 * DAY)), NOW)
    assert isinstance(trigger, Trigger)
    assert trigger.due == DUE
    assert decide(replace(plan, last_due=DUE), HISTORY, NOW) == Skip(reason=SkipReason.NOT_DUE)


@pytest.mark.parametrize("status", Status)
def test_a_run_that_began_since_is_as_good(status: Status) -> None:
    """A missed due time is not caught up when a run of the tenant began after it, however it ended."""
    cause = Cause.GAVE_UP if status is Status.HALTED else None
    since = replace(HISTORY, latest=run(DUE + MINUTE, status, cause))
    assert decide(PLAN, since, NOW) == Skip(reason=SkipReason.RUN_SINCE)


def test_what_was_due_before_the_schedule_began_is_not_missed() -> None:
    """A tenant that was added, enabled or given its schedule after a due time begins with the next one."""
    assert isinstance(decide(replace(PLAN, active_since=DUE), HISTORY, NOW), Trigger)
    plan = replace(PLAN, active_since=DUE + MINUTE)
    assert decide(plan, HISTORY, NOW) == Skip(reason=SkipReason.NOT_DUE)
    tomorrow = decide(plan, HISTORY, NOW + DAY)
    assert isinstance(tomorrow, Trigger)
    assert tomorrow.due == DUE + DAY


@pytest.mark.parametrize(
    ("full_began", "mode"),
    [
        (None, Mode.FULL),
        (DUE - 7 * DAY - MINUTE, Mode.FULL),
        (NOW - 7 * DAY - MINUTE, Mode.FULL),
        # It began a little after its due time, so it is a little younger than a week.
        (DUE - 7 * DAY + MINUTE, Mode.FULL),
        (DUE - 6 * DAY + MINUTE, Mode.DELTA),
        (DUE - MINUTE, Mode.DELTA),
    ],
)
def test_a_full_run_comes_weekly(full_began: dt.datetime | None, mode: Mode) -> None:
    """It is a delta, but full when the last completed full run was a week ago or there was none."""
    assert decide(PLAN, replace(HISTORY, last_full_started=full_began), NOW) == Trigger(due=DUE, mode=mode)


def test_what_is_caught_up_late_is_full_when_a_week_is_over() -> None:
    """After days without a scheduler the present time counts, not the missed due time."""
    twice_a_month = replace(
        PLAN, schedule="0 3 1,3 * *", last_due=DUE - 8 * DAY, last_published=DUE - 8 * DAY
    )
    history = RunHistory(latest=run(DUE - 8 * DAY), last_full_started=DUE - 8 * DAY, acknowledged=True)
    assert decide(twice_a_month, history, NOW) == Trigger(due=DUE - 6 * DAY, mode=Mode.FULL)
    assert decide(twice_a_month, history, NOW - 2 * DAY) == Trigger(due=DUE - 6 * DAY, mode=Mode.DELTA)


def test_a_weekly_schedule_makes_full_runs_through_the_changes_of_the_clock() -> None:
    """Each Sunday's run is full, though one week of the year is an hour shorter, and one has a gap."""
    plan = replace(PLAN, schedule="30 2 * * 0", last_due=None, last_published=None)
    began: dt.datetime | None = None
    now, modes = dt.datetime(2026, 1, 1, tzinfo=dt.UTC), []
    plan = replace(plan, active_since=now)
    while now < dt.datetime(2027, 1, 1, tzinfo=dt.UTC):
        history = RunHistory(latest=began and run(began), last_full_started=began, acknowledged=True)  # type: ignore[arg-type] # a moment, or None
        decision = decide(plan, history, now)
        if isinstance(decision, Trigger):
            modes.append(decision.mode)
            plan = replace(plan, last_due=decision.due, last_published=now)
            began = now + dt.timedelta(seconds=20)
        now += 30 * MINUTE
    assert modes == [Mode.FULL] * 52


HELD = [cause for cause in Cause if cause is not Cause.GAVE_UP]


@pytest.mark.parametrize("cause", HELD)
def test_a_halted_tenant_is_left_alone(cause: Cause) -> None:
    """While the newest run waits for a person, nothing is triggered, however many times it is due."""
    halted = replace(HISTORY, latest=run(DUE - DAY, Status.HALTED, cause))
    for days in range(4):
        assert decide(PLAN, halted, NOW + days * DAY) == Skip(reason=SkipReason.HALTED)


@pytest.mark.parametrize("status", [Status.READING, Status.UPDATING, Status.COMPLETED, Status.CANCELLED])
def test_it_goes_on_when_the_halted_run_does_not_stand_still_any_more(status: Status) -> None:
    """Once it was resumed, cancelled or completed, what is due is triggered again."""
    history = replace(HISTORY, latest=run(DUE - DAY, status))
    assert isinstance(decide(PLAN, history, NOW), Trigger)


def test_an_outage_that_was_too_long_needs_nobody() -> None:
    """P8: after a run that gave up waiting for Graph, the next one is triggered as always."""
    history = replace(HISTORY, latest=run(DUE - DAY, Status.HALTED, Cause.GAVE_UP))
    assert isinstance(decide(PLAN, history, NOW), Trigger)


def test_a_trigger_that_nobody_has_answered_is_not_followed_by_another() -> None:
    """While no producer takes triggers they do not pile up: after a day the same one is published again."""
    quarterly = replace(PLAN, schedule="*/15 * * * *", last_due=DUE - HOUR, last_published=NOW)
    unanswered = replace(HISTORY, acknowledged=False)
    for minutes in range(0, 24 * 60, 15):
        assert decide(quarterly, unanswered, NOW + minutes * MINUTE) == Skip(reason=SkipReason.UNACKNOWLEDGED)
    trigger = decide(quarterly, unanswered, NOW + DAY)
    assert isinstance(trigger, Trigger)
    assert trigger.due == quarterly.last_due


def test_a_trigger_whose_run_is_forgotten_counts_as_answered() -> None:
    """Old runs are deleted: that another one has begun since the trigger is answer enough."""
    monthly = replace(PLAN, last_due=DUE - 30 * DAY, last_published=DUE - 30 * DAY)
    history = replace(HISTORY, latest=run(DUE - 30 * DAY), acknowledged=False)
    trigger = decide(monthly, history, NOW)
    assert isinstance(trigger, Trigger)
    assert trigger.due == DUE


def test_a_trigger_that_joined_an_older_run_is_answered() -> None:
    """A run that was open before the trigger came, and took it in, does not hold back what is due next."""
    history = replace(HISTORY, latest=run(DUE - 2 * DAY, Status.READING), acknowledged=True)
    assert decide(PLAN, history, NOW) == Trigger(due=DUE, mode=Mode.DELTA)


def test_nobody_waits_for_what_became_a_dead_letter() -> None:
    """A trigger that came while the tenant was disabled does not hold back what is due after that."""
    plan = replace(PLAN, last_published=None)
    assert isinstance(decide(plan, replace(HISTORY, acknowledged=False), NOW), Trigger)


@given(back=st.timedeltas(dt.timedelta(0), DAY), looks=st.integers(1, 20))
def test_a_clock_that_jumps_back_triggers_nothing_twice(back: dt.timedelta, looks: int) -> None:
    """What was due before the jump is not triggered again until the clock has passed it."""
    plan = replace(PLAN, schedule="*/15 * * * *", last_due=DUE, last_published=DUE)
    for step in range(looks):
        now = DUE - back + step * back / looks
        assert decide(plan, HISTORY, now) == Skip(reason=SkipReason.NOT_DUE)


def test_a_clock_that_was_a_year_ahead_does_not_stop_a_tenant() -> None:
    """What was noted by such a clock is no reason to wait for a year."""
    ahead = NOW + 365 * DAY
    plan = replace(PLAN, active_since=ahead, last_due=ahead, last_published=ahead)
    history = RunHistory(latest=run(ahead), last_full_started=ahead, acknowledged=True)
    assert decide(plan, history, NOW) == Trigger(due=DUE, mode=Mode.FULL)


def test_a_schedule_with_a_fault_is_said() -> None:
    """A schedule that another version stored, and this one does not take, is an error and no decision."""
    with pytest.raises(ValueError, match="five fields"):
        due_time(replace(PLAN, schedule="hourly"), NOW)


def test_the_event_of_a_due_time_is_the_same_in_any_zone() -> None:
    """A tenant and a due time always make the same id, in any time zone; it is not too long."""
    there = DUE.astimezone(dt.timezone(-5 * HOUR))
    assert event_id("exempel", there) == event_id("exempel", DUE) == "schedule/exempel/2026-06-09T01:00Z"
    assert len({event_id(tenant, DUE + days * DAY) for tenant in ("a", "b") for days in range(3)}) == 6
    assert len(event_id("x" * 63, DUE)) <= MAX_EVENT_ID_LENGTH


def test_no_run_is_due_during_a_pause_nor_caught_up_after_it() -> None:
    """The first due time from its very end on is triggered."""
    paused = replace(PLAN, paused_until=DUE + HOUR)
    assert decide(paused, HISTORY, NOW) == Skip(reason=SkipReason.NOT_DUE)
    assert decide(paused, HISTORY, DUE + 2 * HOUR) == Skip(reason=SkipReason.NOT_DUE)
    tomorrow = decide(paused, HISTORY, NOW + DAY)
    assert tomorrow == Trigger(due=DUE + DAY, mode=Mode.DELTA)
    at_the_end = replace(PLAN, paused_until=DUE)
    assert decide(at_the_end, HISTORY, DUE) == Trigger(due=DUE, mode=Mode.DELTA)


def test_a_pause_of_weeks_is_no_fault_of_the_clock() -> None:
    """An end far ahead counts, although a recorded due time so far ahead would not."""
    paused = replace(PLAN, paused_until=NOW + 40 * DAY)
    for days in range(40):
        assert decide(paused, HISTORY, NOW + days * DAY) == Skip(reason=SkipReason.NOT_DUE)
    assert isinstance(decide(paused, HISTORY, NOW + 41 * DAY), Trigger)


def test_a_trigger_that_a_pause_has_stopped_is_not_awaited() -> None:
    """It led to no run; the first due time after the pause does not wait a day for it."""
    unanswered = replace(HISTORY, acknowledged=False, latest=run(DUE - 2 * DAY))
    plan = replace(PLAN, last_due=DUE - HOUR, last_published=DUE - HOUR, schedule="0 * * * *")
    assert decide(plan, unanswered, NOW) == Skip(reason=SkipReason.UNACKNOWLEDGED)
    paused = replace(plan, paused_until=DUE - HOUR / 2)
    assert decide(paused, unanswered, NOW) == Trigger(due=DUE, mode=Mode.DELTA)
    assert awaited_since(paused, NOW) is None
    assert awaited_since(replace(paused, last_published=DUE), NOW) == DUE
