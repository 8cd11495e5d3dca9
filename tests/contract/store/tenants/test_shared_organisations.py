"""Tenants that share an organisation, and which of them keeps a Skolon user."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from schemas.outcomes import Outcome
from tests.contract.store.factories import CLIENT_SECRET, TENANT, begin_run, result, tenant

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
