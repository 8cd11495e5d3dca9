"""What was found out about Skolon's servers, in the database."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from clients.skolon.auth import StaticToken
from clients.skolon.client import ScimSkolonClient
from clients.skolon.server.capability_cache import CapabilityCache
from sandbox.serving import serve
from sandbox.skolon.application import SkolonStandIn
from sandbox.skolon.faults import without_search_by_post
from schemas.errors import TransientError
from schemas.users.attributes import Attribute
from store.store import Store
from store.timestamps import now
from tests.contract.store.factories import CLIENT_SECRET, TENANT, run_concurrently, tenant

if TYPE_CHECKING:
    from schemas.crypto.encryption import FieldCipher

SERVER = "https://skolon.example/{organisation}"
ORGANISATION = tenant().organisation


def values(store: Store, organisation: str = ORGANISATION, server: str = SERVER) -> dict[str, Any]:
    kept = store.skolon_capabilities(server).load(organisation)
    return {name: finding.value for name, finding in kept.items()}


def test_what_was_found_out_last_holds(store: Store, second_store: Store) -> None:
    """Each capability has one value and its time, for all processes."""
    begin = now()
    store.skolon_capabilities(SERVER).record(ORGANISATION, {"takes_or": True, "method": "GET"})
    second_store.skolon_capabilities(SERVER).record(ORGANISATION, {"takes_or": False, "names": ["a", "b"]})
    assert values(store) == {"takes_or": False, "method": "GET", "names": ["a", "b"]}
    kept = second_store.skolon_capabilities(SERVER).load(ORGANISATION)
    assert begin <= kept["method"].found_at <= kept["takes_or"].found_at <= now()


def test_servers_and_organisations_are_apart(store: Store) -> None:
    """What holds for a test server says nothing about the other one."""
    test_server = "https://test.skolon.example/{organisation}"
    store.skolon_capabilities(SERVER).record(ORGANISATION, {"takes_or": True})
    store.skolon_capabilities(test_server).record(ORGANISATION, {"takes_or": False})
    store.skolon_capabilities(SERVER).record("annan", {"takes_or": False})
    assert (values(store), values(store, server=test_server)) == ({"takes_or": True}, {"takes_or": False})
    store.skolon_capabilities(SERVER).forget(ORGANISATION)
    assert (values(store), values(store, server=test_server)) == ({}, {"takes_or": False})
    assert values(store, "annan") == {"takes_or": False}


def test_processes_that_find_out_the_same_at_once(store: Store, second_store: Store) -> None:
    """They do not get into each other's way."""
    found = dict.fromkeys("abcdef", True)
    done = run_concurrently(
        *(
            lambda each=each: each.skolon_capabilities(SERVER).record(ORGANISATION, found)
            for each in (store, second_store) * 5
        )
    )
    assert done == [None] * 10
    assert values(store) == found


def test_the_organisation_of_no_tenant_is_forgotten(store: Store) -> None:
    """P10: what was found out goes with the last tenant of an organisation."""
    store.tenants.add(tenant("annan"), CLIENT_SECRET)
    store.skolon_capabilities(SERVER).record(ORGANISATION, {"takes_or": True})
    store.tenants.remove(TENANT)
    assert values(store) == {"takes_or": True}
    store.tenants.change("annan", {"organisation": "ny"})
    assert values(store) == {}


def test_a_database_that_is_away_is_said_at_once(cipher: FieldCipher) -> None:
    """The cache does without; nothing waits for the database's circuit breaker."""
    with closing(Store("postgresql://127.0.0.1:1/none", cipher)) as away:
        with pytest.raises(TransientError):
            away.skolon_capabilities(SERVER).load(ORGANISATION)
        assert CapabilityCache(away.skolon_capabilities(SERVER)).get(ORGANISATION).takes_or is None


def test_a_second_process_need_not_find_out(store: Store, second_store: Store) -> None:
    """What the first process found out by three requests costs the second one none."""
    people = [
        {"id": str(number), "userName": f"u{number}@kommun.example", "externalId": f"entra-{number}"}
        for number in range(3)
    ]
    stand_in = SkolonStandIn({ORGANISATION: people}, bearer_token="made-up")  # noqa: S106 - made up
    stand_in.faults.add(without_search_by_post())
    keys = {Attribute.USER_NAME: "u1@kommun.example", Attribute.EXTERNAL_ID: "entra-1"}
    sent = []
    with serve(stand_in.application, threads=2) as served:
        for each in (store, second_store):
            client = ScimSkolonClient(
                url=f"{served.url}/{{organisation}}/scim/v2",
                token=StaticToken("made-up"),
                capabilities=CapabilityCache(each.skolon_capabilities(SERVER)),
            )
            stand_in.forget_requests()
            assert [user.id for user in client.search(ORGANISATION, keys)] == ["1"]
            sent.append(sum(stand_in.requests().values()))
    assert sent == [4, 1]
