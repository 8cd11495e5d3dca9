"""Decisions about matches, kept with the tenant's record."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from schemas.errors import UsageError
from schemas.tenants.match_decision import DecisionKind
from tests.contract.store.factories import CLIENT_SECRET, TENANT, tenant

if TYPE_CHECKING:
    from store.store import Store


def test_a_decision_renews_the_record_of_every_process(store: Store, second_store: Store) -> None:
    """A process that has the tenant at hand reads it again, for a decision makes a new version of it."""
    record = second_store.tenants.at_version(TENANT, 1)
    store.match_decisions.add(TENANT, DecisionKind.LINK, entra_id="A-1", skolon_id="s1", operator="ada")
    newer = store.tenants.get(TENANT)
    assert newer.version == record.version + 1
    known = second_store.tenants.at_version(TENANT, newer.version).decisions
    assert (known.linked_skolon_id("a-1"), known.linked_skolon_id("a-2")) == ("s1", None)
    assert (known.excludes("s1", "a-1"), known.excludes("s1", "a-2")) == (False, True)
    assert known.by_skolon_id["s1"].operator == "ada"
    assert store.match_decisions.remove(TENANT, known.by_skolon_id["s1"])
    assert not store.match_decisions.remove(TENANT, known.by_skolon_id["s1"])
    assert store.tenants.get(TENANT).decisions.by_skolon_id == {}


@pytest.mark.parametrize("about", [{"entra_id": "a-1"}, {"skolon_id": "s1"}])
def test_a_user_has_one_decision(store: Store, about: dict[str, str]) -> None:
    """A second one is refused, whatever the first was; users without one do not collide with each other."""
    store.match_decisions.add(TENANT, DecisionKind.IGNORE, entra_id="a-2")
    store.match_decisions.add(TENANT, DecisionKind.IGNORE, skolon_id="s2")
    store.match_decisions.add(TENANT, DecisionKind.LINK, entra_id="a-1", skolon_id="s1")
    with pytest.raises(UsageError, match="forget"):
        store.match_decisions.add(TENANT, DecisionKind.IGNORE, **about)


def test_decisions_are_a_tenants_own(store: Store) -> None:
    """They go with their tenant, and no other one has them."""
    store.tenants.add(tenant("annan"), CLIENT_SECRET)
    store.match_decisions.add(TENANT, DecisionKind.IGNORE, entra_id="a-1")
    assert not store.tenants.get("annan").decisions.ignores("a-1")
    store.tenants.remove(TENANT)
    store.tenants.add(tenant(), CLIENT_SECRET)
    assert not store.tenants.get(TENANT).decisions.ignores("a-1")
