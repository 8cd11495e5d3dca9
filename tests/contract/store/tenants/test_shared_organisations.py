"""Tenants that share an organisation, and which of them keeps a Skolon user."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from schemas.outcomes import Outcome
from schemas.runs.run import WarningKind
from schemas.users.attributes import Attribute
from tests.contract.store.factories import CLIENT_SECRET, TENANT, begin_run, dead_letter, result, tenant

if TYPE_CHECKING:
    from store.store import Store
    from store.tenants.tenants import TenantRecord

OTHER = "annan"


def known(store: Store) -> TenantRecord:
    """Return the tenant's record as a worker has it that reads its version with each message."""
    return store.tenants.at_version(TENANT, store.tenants.get(TENANT).version)


def test_tenants_learn_who_shares_their_organisation(store: Store, second_store: Store) -> None:
    """Of a tenant that is added, moved, disabled or removed, also in another process."""
    assert known(second_store).sharing == {}
    store.tenants.add(tenant(OTHER), CLIENT_SECRET)
    assert list(known(second_store).sharing.values()) == [OTHER]
    store.tenants.change(OTHER, {"enabled": False})
    assert known(second_store).sharing == {}
    store.tenants.change(OTHER, {"enabled": True})
    assert list(known(second_store).sharing.values()) == [OTHER]
    store.tenants.change(OTHER, {"organisation": "en-annan"})
    assert known(second_store).sharing == {}
    store.tenants.change(OTHER, {"organisation": "exempel"})
    store.tenants.remove(OTHER)
    assert known(second_store).sharing == {}


@pytest.mark.parametrize(
    ("outcomes", "keeps"),
    [
        ([Outcome.UPDATED], True),
        ([Outcome.UNCHANGED], True),
        ([Outcome.UPDATED, Outcome.SUPERSEDED], True),
        ([Outcome.UPDATED, Outcome.OUT_OF_SCOPE], False),
        ([Outcome.UPDATED, Outcome.NOT_FOUND], False),
        ([Outcome.OUT_OF_SCOPE, Outcome.UPDATED], True),
        ([Outcome.NOT_FOUND], False),
    ],
)
def test_the_newest_receipts_say_who_keeps_a_skolon_user(
    store: Store, outcomes: list[Outcome], *, keeps: bool
) -> None:
    """Of the other tenant alone, and of that Skolon user."""
    store.tenants.add(tenant(OTHER), CLIENT_SECRET)
    for number, outcome in enumerate(outcomes):
        run = begin_run(store, f"event {number}", "anna", key=OTHER)
        has_user = outcome in (Outcome.UPDATED, Outcome.UNCHANGED)
        store.receipts.finish(run.id, "anna", result(outcome, "s1" if has_user else None))
        store.runs.cancel(run.id)
    kept = store.shared_organisations.keeper(known(store).sharing, "s1")
    assert (kept is not None) is keeps
    if kept is not None:
        assert (kept.holder_tenant, kept.holder_entra_id, kept.skolon_id) == (OTHER, "anna", "s1")
    assert store.shared_organisations.keeper(known(store).sharing, "s2") is None
    assert store.shared_organisations.keeper(store.tenants.get(OTHER).sharing, "s1") is None


def test_a_dry_run_keeps_no_skolon_user(store: Store) -> None:
    """It has written nothing."""
    store.tenants.add(tenant(OTHER), CLIENT_SECRET)
    run = begin_run(store, "event", "anna", key=OTHER, dry_run=True)
    store.receipts.finish(run.id, "anna", result(Outcome.UNCHANGED, "s1"))
    assert store.shared_organisations.keeper(known(store).sharing, "s1") is None


def kept_by_other(store: Store, skolon_id: str = "s1") -> bool:
    return store.shared_organisations.keeper(known(store).sharing, skolon_id) is not None


def full_run(
    store: Store, event: str, *, is_short: bool = False, dry_run: bool = False, **skolon_ids: str
) -> None:
    """Complete a full run of the other tenant that lists these users, each with its Skolon user."""
    run = begin_run(store, event, *skolon_ids, key=OTHER, dry_run=dry_run)
    for user, skolon_id in skolon_ids.items():
        store.receipts.finish(run.id, user, result(Outcome.UNCHANGED, skolon_id))
    if is_short:
        store.run_warnings.record(run.id, WarningKind.COUNT_DIFFERS, "short")
    store.runs.finish_reading(run.id)
    assert store.runs.complete_if_done(run.id)


def test_a_user_that_is_no_longer_listed_keeps_no_skolon_user(store: Store) -> None:
    """A full run leaves no receipt of a user that is gone; only a whole, complete and real list counts."""
    store.tenants.add(tenant(OTHER), CLIENT_SECRET)
    full_run(store, "first", anna="s1", bo="s2")
    assert kept_by_other(store)
    full_run(store, "short", is_short=True, bo="s2")
    full_run(store, "dry", dry_run=True, bo="s2")
    open_run = begin_run(store, "open", "bo", key=OTHER)
    assert kept_by_other(store)
    store.runs.cancel(open_run.id)
    full_run(store, "last", bo="s2")
    assert not kept_by_other(store)
    assert kept_by_other(store, "s2")


def test_a_user_that_is_listed_keeps_its_skolon_user_whatever_becomes_of_it(store: Store) -> None:
    """A dead letter does not release it, nor a list that is older than its receipt."""
    store.tenants.add(tenant(OTHER), CLIENT_SECRET)
    full_run(store, "first", anna="s1")
    run = begin_run(store, "second", "anna", key=OTHER)
    store.receipts.mark_dead_lettered(run.id, "anna", dead_letter(), 1)
    store.runs.finish_reading(run.id)
    assert store.runs.complete_if_done(run.id)
    assert kept_by_other(store)


def test_a_user_that_has_another_skolon_user_keeps_the_earlier_one_no_more(store: Store) -> None:
    """It was linked to the other one, say."""
    store.tenants.add(tenant(OTHER), CLIENT_SECRET)
    full_run(store, "first", anna="s1")
    full_run(store, "second", anna="s2")
    assert not kept_by_other(store)
    assert kept_by_other(store, "s2")


def test_a_user_that_is_being_written_is_kept(store: Store) -> None:
    """Two tenants on their first runs: the claim counts before there is an outcome."""
    store.tenants.add(tenant(OTHER), CLIENT_SECRET)
    run = begin_run(store, "event", "anna", key=OTHER)
    assert not kept_by_other(store)
    store.claims.claim(run.id, "anna", "s1", {Attribute.EMAIL: None})
    assert kept_by_other(store)
