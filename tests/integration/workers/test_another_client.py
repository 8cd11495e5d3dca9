"""A whole run with a client of Skolon that is not SCIM: nothing but the client has to be replaced."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import clients.gateways
from cli.sandbox.in_process_sync import in_process_sync
from sandbox.environment import TENANT_KEY, Environment
from sandbox.municipality.expectation import attributes_of, expected_users
from schemas.outcomes import Status
from schemas.users.attributes import Attribute
from tests.contract.clients.skolon.interface.memory_client import MemorySkolon, MemorySkolonClient, Person

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from clients.skolon.server.capability_cache import CapabilityStore
    from runtime.services import Breakers
    from schemas.settings import Settings

PEOPLE = 200


def people(made_up: Environment) -> dict[str, Person]:
    """Return the municipality's Skolon users as the other API keeps them."""
    found: dict[str, Person] = {}
    for document in made_up.skolon_users():
        values = {
            Attribute(name): value for name, value in attributes_of(document).items() if value is not None
        }
        found[document["id"]] = Person(values)
    return found


def test_a_run_with_another_client(
    made_up: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every user has the outcome that it has over SCIM, and Skolon holds what it has to hold."""
    skolon = MemorySkolon(defaultdict(dict, {made_up.tenant["organisation"]: people(made_up)}))

    def create(
        settings: Settings, breakers: Breakers, capabilities: CapabilityStore | None, *, seconds: float
    ) -> MemorySkolonClient:
        del settings, capabilities, seconds
        return MemorySkolonClient(skolon, breakers)

    monkeypatch.setattr(clients.gateways, "create_skolon_client", create)
    expected = expected_users(made_up.municipality, made_up.tenant)
    made_up.skolon.forget_requests()
    with in_process_sync(made_up, TENANT_KEY, tmp_path) as sync:
        for expected_counts in (
            made_up.municipality.expected_outcomes("first"),
            made_up.municipality.expected_outcomes("second"),
        ):
            summary = sync.run()
            assert summary.run.status is Status.COMPLETED
            counts = {str(outcome): count for outcome, count in summary.counts.items() if count}
            assert counts == expected_counts
    held = {
        user_id: {str(name): person.values.get(name) for name in Attribute}
        for user_id, person in skolon.organisations[made_up.tenant["organisation"]].items()
    }
    assert held.keys() == expected.keys()
    assert [user_id for user_id, values in held.items() if values not in expected[user_id]] == []
    assert made_up.skolon.requests() == {}
