"""What the database keeps for schedules: since when, what was triggered, which runs count."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from schemas.messages.messages import SyncRequest
from schemas.outcomes import Cause, Mode, Status
from store.timestamps import now
from tests.contract.store.factories import CLIENT_SECRET, TENANT, begin_run, complete, request, tenant

if TYPE_CHECKING:
    from schemas.tenants.schedule_state import RunHistory, ScheduleState
    from store.store import Store

NIGHTLY: Final = {"schedule": "30 2 * * *"}
DUE: Final = dt.datetime(2026, 6, 9, 0, 30, tzinfo=dt.UTC)


def planned(store: Store, **changes: Any) -> ScheduleState:
    """Give the tenant a nightly schedule, and change more of it; return its plan."""
    store.tenants.change(TENANT, {**NIGHTLY, **changes})
    [plan] = store.schedules.enabled(TENANT)
    return plan


def history(store: Store, event: str | None = None) -> RunHistory:
    [plan] = store.schedules.enabled(TENANT)
    return store.schedules.history(plan, event)


def test_only_enabled_tenants_with_a_schedule_have_a_plan(store: Store) -> None:
    """A tenant without a schedule, or a disabled one, has no plan."""
    store.tenants.add(tenant("disabled", enabled=False, **NIGHTLY), CLIENT_SECRET)
    store.tenants.add(tenant("nightly", time_zone="Europe/Helsinki", **NIGHTLY), CLIENT_SECRET)
    [plan] = store.schedules.enabled()
    assert (plan.tenant, plan.schedule, plan.time_zone) == ("nightly", "30 2 * * *", "Europe/Helsinki")
    assert (plan.last_due, plan.last_published) == (None, None)
    assert store.schedules.enabled("disabled") == store.schedules.enabled(TENANT) == []


def test_a_schedule_begins_when_it_is_set(store: Store) -> None:
    """Adding a tenant, and changing its schedule or time zone, begins it anew; nothing else does."""
    before = now()
    first = planned(store)
    renamed = planned(store, name="Nyby", birthdays=False, time_zone="Europe/Stockholm")
    moved = planned(store, time_zone="Europe/Helsinki")
    changed = planned(store, schedule="0 3 * * *")
    assert (
        before
        <= first.active_since
        == renamed.active_since
        < moved.active_since
        < changed.active_since
        <= now()
    )


def test_a_schedule_begins_when_its_tenant_is_enabled(store: Store) -> None:
    """What was due while a tenant was disabled is not missed, and no answer is waited for."""
    plan = planned(store)
    store.schedules.record_published([(plan, DUE)], now())
    store.tenants.change(TENANT, {"enabled": False})
    enabled = planned(store, enabled=True)
    assert enabled.active_since > plan.active_since
    assert (enabled.last_due, enabled.last_published) == (DUE, None)


def test_what_was_triggered_is_noted(store: Store, second_store: Store) -> None:
    """What one scheduler notes, another one reads, and only of that tenant."""
    store.tenants.add(tenant("other", **NIGHTLY), CLIENT_SECRET)
    published = now()
    store.schedules.record_published([(planned(store), DUE)], published)
    [plan] = second_store.schedules.enabled(TENANT)
    [other] = second_store.schedules.enabled("other")
    assert (plan.last_due, plan.last_published) == (DUE, published)
    assert (other.last_due, other.last_published) == (None, None)


def test_a_note_changes_nothing_else(store: Store) -> None:
    """A trigger leaves a tenant's version alone: nobody has to read its settings afresh."""
    plan = planned(store)
    version = store.tenants.get(TENANT).version
    store.schedules.record_published([(plan, DUE)], now())
    assert store.tenants.get(TENANT).version == version


def test_without_runs_there_is_no_history(store: Store) -> None:
    """A new tenant has no newest run and no full one, and nothing was answered."""
    planned(store)
    found = history(store, "schedule/exempelkommun/2026-06-09T00:30Z")
    assert (found.latest, found.last_full_started, found.acknowledged) == (None, None, False)


def test_the_newest_run_is_known(store: Store) -> None:
    """The run opened last counts, with its status, cause and beginning."""
    planned(store)
    complete(store, begin_run(store, "first", "anna"))
    run = begin_run(store, "second", "anna")
    store.runs.halt(run.id, Cause.ENTRA_CREDENTIALS, "made up")
    newest = history(store).latest
    assert newest is not None
    assert (newest.id, newest.status, newest.cause) == (run.id, Status.HALTED, Cause.ENTRA_CREDENTIALS)
    assert newest.started == run.started


def test_dry_runs_and_those_of_named_users_do_not_count(store: Store) -> None:
    """They do not do what a schedule's run does, and so take no run's place."""
    planned(store)
    complete(store, begin_run(store, "dry", "anna", dry_run=True))
    complete(store, store.triggers.open(request(users=["00000000-0000-0000-0000-00000000a111"]), "one").run)
    found = history(store)
    assert (found.latest, found.last_full_started) == (None, None)


def test_an_undo_is_known_beside_the_other_runs(store: Store) -> None:
    """An undo takes no run's place; it is told of while it is the newest, if it is for everybody and real."""
    planned(store)
    run = begin_run(store, "first", "anna")
    complete(store, run)
    before = history(store)
    assert before.undo is None
    undoing = SyncRequest(tenant=TENANT, mode=Mode.UNDO, reverts_run_id=run.id)
    for event, wanted in (
        ("dry", replace(undoing, dry_run=True)),
        ("one", replace(undoing, users=("anna",))),
    ):
        complete(store, store.triggers.open(wanted, event).run)
        assert history(store) == before
    undo = store.triggers.open(undoing, "undo").run
    store.runs.halt(undo.id, Cause.GUARD_EXCEEDED, "made up")
    found = history(store)
    assert found.undo is not None
    assert (found.undo.id, found.undo.status) == (undo.id, Status.HALTED)
    assert replace(found, undo=None, guard_halted=None) == before
    assert found.guard_halted == found.undo
    store.runs.cancel(undo.id)
    complete(store, begin_run(store, "second", "anna"))
    assert history(store).undo is None


def test_the_last_full_run_that_was_completed_is_known(store: Store) -> None:
    """A full run counts from its beginning once it is completed; deltas and what was not completed do not."""
    planned(store)
    full = begin_run(store, "full", "anna")
    assert history(store).last_full_started is None
    complete(store, full)
    delta = store.triggers.open(request(mode=Mode.DELTA), "delta").run
    complete(store, delta)
    store.runs.cancel(begin_run(store, "cancelled", "anna").id)
    assert history(store).last_full_started == full.started


def test_another_tenants_runs_do_not_count(store: Store) -> None:
    """A tenant's history is its own."""
    store.tenants.add(tenant("other"), CLIENT_SECRET)
    complete(store, begin_run(store, "event", "anna", key="other"))
    planned(store)
    found = history(store)
    assert (found.latest, found.last_full_started) == (None, None)


def test_an_event_that_led_to_a_run_is_answered(store: Store) -> None:
    """A trigger counts as answered as soon as it has opened or joined a run."""
    planned(store)
    begin_run(store, "opened", "anna")
    store.triggers.open(request(), "joined")
    assert [history(store, event).acknowledged for event in ("opened", "joined", "neither", None)] == [
        True,
        True,
        False,
        False,
    ]


def test_one_scheduler_looks_at_a_time(store: Store, second_store: Store) -> None:
    """While one has its turn the other has none (but on SQLite), and gets it when the first has ended."""
    with store.schedules.try_lock() as mine, second_store.schedules.try_lock() as theirs:
        assert (mine, theirs) == (True, store.database.is_sqlite)
        # Nobody else has to wait for a scheduler's turn.
        second_store.tenants.change(TENANT, NIGHTLY)
    with second_store.schedules.try_lock() as theirs:
        assert theirs
