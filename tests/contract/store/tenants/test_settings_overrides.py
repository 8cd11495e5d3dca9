"""Runs that try settings: beside the tenant's other runs, and by their own settings whatever is saved."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from schemas.outcomes import Outcome, Status
from schemas.tenants.settings_override import resolve_override
from schemas.users.attributes import Attribute
from tests.contract.store.factories import TENANT, begin_run, complete, request, result, run_concurrently

if TYPE_CHECKING:
    from typing import Any

    from schemas.messages.messages import SyncRequest
    from store.store import Store


def trial_wish(store: Store, **changes: Any) -> SyncRequest:
    trial = resolve_override(store.tenants.settings(TENANT), changes)
    return dataclasses.replace(request(dry_run=True), settings=trial)


def test_a_trial_neither_waits_nor_holds_up(store: Store) -> None:
    """Trials are open beside each other and beside the tenant's one run, and none of them joins another."""
    first = store.triggers.open(trial_wish(store), "t1").run
    real = store.triggers.open(request(), "r1").run
    second = store.triggers.open(trial_wish(store), "t2").run
    assert len({first.id, real.id, second.id}) == 3
    assert store.triggers.open(request(), "r2").run == real
    assert store.triggers.open(trial_wish(store), "t1").run.id == first.id
    complete(store, real)
    assert store.triggers.open(request(dry_run=True), "r3").new


def test_a_trial_goes_by_its_own_settings(store: Store) -> None:
    """Reading and working off users go by what the run tries, saved settings and changes of these aside."""
    run = store.triggers.open(trial_wish(store, sources={"eppn": ["extensionAttribute3"]}), "t").run
    store.receipts.create_pending(run.id, ["anna"])
    saved: tuple[dict[str, Any], ...] = ({"sources": {"eppn": []}}, {"erase_blank": ["city"]})
    for changes in saved:
        store.tenants.change(TENANT, changes)
        begun = store.work_items.load(run.id, "anna")
        assert begun is not None
        assert begun.has_settings_override
        for record in (
            store.settings_overrides.for_run(run),
            store.settings_overrides.for_user(run.id, begun),
        ):
            assert record.tenant.sources[Attribute.EPPN] == ("extensionAttribute3",)
            assert record.tenant.erase_blank == frozenset()
            assert record.credentials == store.tenants.get(TENANT).credentials


def test_other_runs_go_by_what_is_saved(store: Store) -> None:
    """A run without a trial takes the tenant's settings as they are when each user is worked on."""
    run = begin_run(store, "r", "anna")
    store.tenants.change(TENANT, {"sources": {"eppn": []}})
    begun = store.work_items.load(run.id, "anna")
    assert begun is not None
    assert not begun.has_settings_override
    assert store.settings_overrides.for_user(run.id, begun).tenant.sources[Attribute.EPPN] == ()
    assert store.settings_overrides.for_run(run).tenant.sources[Attribute.EPPN] == ()


def test_a_trial_supersedes_nobody(store: Store) -> None:
    """P4: an older run's user is not left to a newer trial, which does nothing."""
    run = begin_run(store, "r", "anna")
    trial = store.triggers.open(trial_wish(store), "t").run
    store.receipts.create_pending(trial.id, ["anna"])
    store.receipts.finish(trial.id, "anna", result(Outcome.WOULD_UPDATE, "s1"))
    assert not store.claims.claim(run.id, "anna", "s1", {Attribute.CITY: None}).superseded


def test_a_trigger_can_be_withdrawn_before_it_is_taken(store: Store) -> None:
    """P4: a message that comes after its trigger was withdrawn opens nothing, and asks for no page."""
    wanted = trial_wish(store)
    withdrawn = store.triggers.cancel(wanted, "t")
    assert withdrawn.status is Status.CANCELLED
    late = store.triggers.open(wanted, "t")
    assert (late.run.id, late.new, late.needs_first_page) == (withdrawn.id, False, False)


def test_a_trigger_can_be_withdrawn_after_it_was_taken(store: Store) -> None:
    """Withdrawing a trigger cancels the run that it has led to, twice as well as once."""
    run = store.triggers.open(trial_wish(store), "t").run
    assert store.triggers.cancel(trial_wish(store), "t").id == run.id
    assert store.triggers.cancel(trial_wish(store), "t").status is Status.CANCELLED


def test_a_trigger_that_is_taken_and_withdrawn_at_once_has_one_run(store: Store, second_store: Store) -> None:
    """P4: whoever is first, there is one run of the event, and it is cancelled."""
    wanted = trial_wish(store)
    opened, withdrawn = run_concurrently(
        lambda: store.triggers.open(wanted, "t").run, lambda: second_store.triggers.cancel(wanted, "t")
    )
    assert not isinstance(opened, Exception)
    assert not isinstance(withdrawn, Exception)
    assert opened.id == withdrawn.id
    assert [summary.run.status for summary in store.runs.list()] == [Status.CANCELLED]
