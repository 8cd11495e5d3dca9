"""The decision over weeks: any order of looks, deaths, runs, halts and clocks that jump."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace
from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from producers.schedule.policy import Trigger, decide, event_id, last_event_id, parsed_schedule
from schemas.outcomes import OPEN_STATUSES, Cause, Mode, Status
from schemas.tenants.schedule_state import LatestRun, RunHistory, ScheduleState

MINUTE: Final = dt.timedelta(minutes=1)
DAY: Final = dt.timedelta(days=1)

#: The week before the clock is changed in Stockholm; in St. John's it was changed three weeks ago.
BEGIN: Final = dt.datetime(2026, 3, 24, 12, 7, tzinfo=dt.UTC)

PLANS: Final = st.builds(
    ScheduleState,
    tenant_id=st.just(1),
    tenant=st.just("exempel"),
    schedule=st.sampled_from(["30 2 * * *", "*/15 * * * *", "0 * * * *", "0 6 * * 1-5", "30 2 * * 0"]),
    time_zone=st.sampled_from(["Europe/Stockholm", "Europe/Helsinki", "America/St_Johns"]),
    active_since=st.just(BEGIN),
    last_due=st.none(),
    last_published=st.none(),
)

#: What happens, and for how many minutes if it is about time.
STEPS: Final = st.lists(
    st.tuples(st.just("go on"), st.integers(0, 4000))
    | st.tuples(st.just("jump back"), st.integers(1, 720))
    | st.tuples(
        st.sampled_from(["look", "look", "look", "die", "take", "complete", "halt", "resume", "cancel"]),
        st.just(0),
    ),
    max_size=60,
)


@dataclass
class Environment:
    """A tenant, its runs, its queue, and a clock; beside it, what must never be."""

    plan: ScheduleState
    now: dt.datetime = BEGIN
    latest: dt.datetime = BEGIN
    runs: list[LatestRun] = field(default_factory=list)
    led_to: dict[str, int] = field(default_factory=dict)
    queue: list[str] = field(default_factory=list)
    died: bool = False

    def history(self) -> RunHistory:
        return RunHistory(
            latest=self.runs[-1] if self.runs else None,
            last_full_started=None,
            acknowledged=last_event_id(self.plan) in self.led_to,
        )

    def look(self, *, dies: bool = False) -> None:
        decision = decide(self.plan, self.history(), self.now)
        if not isinstance(decision, Trigger):
            return
        event = event_id(self.plan.tenant, decision.due)
        assert self.plan.active_since <= decision.due <= self.now
        assert not (self.runs and self.runs[-1].status is Status.HALTED), "a halted tenant was hammered"
        assert self.died or event not in self.led_to, "what had led to a run was triggered again"
        assert self.died or not {*self.queue} - {event}, "triggers pile up"
        assert decision.mode is Mode.FULL
        self.queue.append(event)
        self.died = self.died or dies
        if not dies:
            self.plan = replace(self.plan, last_due=decision.due, last_published=self.now)

    def take(self) -> None:
        """Do what a producer does: the same event is the same run, an open run is joined."""
        for event in self.queue:
            if event not in self.led_to:
                if not self.runs or self.runs[-1].status not in OPEN_STATUSES:
                    run = LatestRun(
                        id=len(self.runs) + 1, status=Status.READING, cause=None, started=self.now
                    )
                    self.runs.append(run)
                self.led_to[event] = self.runs[-1].id
        self.queue = []

    def become(self, before: tuple[Status, ...], after: Status, cause: Cause | None = None) -> None:
        if self.runs and self.runs[-1].status in before:
            self.runs[-1] = replace(self.runs[-1], status=after, cause=cause)

    def do(self, step: str, minutes: int) -> None:
        match step:
            case "go on":
                self.now += minutes * MINUTE
                self.latest = max(self.latest, self.now)
            case "jump back":
                # What was noted further ahead than a day is not believed: a test of its own.
                self.now = max(self.now - minutes * MINUTE, BEGIN, self.latest - DAY)
            case "look":
                self.look()
            case "die":
                self.look(dies=True)
            case "take":
                self.take()
            case "complete":
                self.become(OPEN_STATUSES, Status.COMPLETED)
            case "halt":
                self.become(OPEN_STATUSES, Status.HALTED, Cause.ENTRA_CREDENTIALS)
            case "resume":
                self.become((Status.HALTED,), Status.READING)
            case "cancel":
                self.become((*OPEN_STATUSES, Status.HALTED), Status.CANCELLED)


@given(plan=PLANS, steps=STEPS)
def test_nothing_is_triggered_twice_and_nothing_is_forgotten(
    plan: ScheduleState, steps: list[tuple[str, int]]
) -> None:
    """P4: whatever happens, one due time is one run, triggers do not pile up, and in the end it ran."""
    world = Environment(plan)
    for step, minutes in steps:
        world.do(step, minutes)

    # The halted run is cancelled, the clock is right again, a producer and a scheduler work as they should.
    world.do("cancel", 0)
    world.take()
    world.now += 8 * DAY
    world.look()
    world.take()

    latest = parsed_schedule(plan.schedule, plan.time_zone).latest(world.now)
    assert latest is not None
    assert event_id(plan.tenant, latest.at) in world.led_to or world.runs[-1].started >= latest.at


@given(plan=PLANS, minutes=st.lists(st.integers(1, 300), min_size=5, max_size=40))
def test_every_due_time_that_somebody_looks_at_has_its_run(plan: ScheduleState, minutes: list[int]) -> None:
    """With a producer that answers at once, each look leads to a run exactly if it was due since the last."""
    world, schedule = Environment(plan), parsed_schedule(plan.schedule, plan.time_zone)
    for step in minutes:
        before = world.now
        world.now += step * MINUTE
        due = schedule.latest(world.now)
        runs = len(world.runs)
        world.look()
        world.take()
        world.do("complete", 0)
        assert due is not None
        assert len(world.runs) - runs == (due.at > before)
