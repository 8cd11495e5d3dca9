"""The clients enter the circuit breaker where they send a request (promise P8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from clients.graph.birthdays import Birthdays
from clients.graph.client import GraphClient
from clients.graph.service import GraphService
from clients.skolon.auth import StaticToken
from clients.skolon.client import ScimSkolonClient
from runtime.circuit_breaker import OPENS_AFTER, CircuitBreakers
from runtime.services import CircuitOpenError
from sandbox.microsoft.faults import Effect, Fault
from sandbox.microsoft.http_messages import Kind
from sandbox.serving import serve
from sandbox.skolon.application import SkolonStandIn
from sandbox.skolon.faults import Fault as SkolonFault
from schemas.errors import TransientError
from schemas.tenants.tenant import Credentials
from schemas.users.attributes import Attribute
from tests.contract.sandbox.microsoft.graph_server import CLIENT, SECRET, TENANT, Running, running, user_id

if TYPE_CHECKING:
    from collections.abc import Iterator

CREDENTIALS = Credentials(directory=TENANT, client_id=CLIENT, client_secret=SECRET)
TOKEN = "made-up-token"  # noqa: S105 - made up


@pytest.fixture
def tenant() -> Iterator[Running]:
    with running(30) as tenant:
        yield tenant


@pytest.fixture
def graph(tenant: Running) -> GraphClient:
    breakers = CircuitBreakers(max_wait=0.0)
    service = GraphService(
        url=tenant.url, authority=tenant.url, ca_bundle=tenant.authority, breakers=breakers
    )
    return GraphClient(service, CREDENTIALS, Birthdays(wait=lambda _: None))


def test_graph_is_not_asked_while_its_breaker_is_open(tenant: Running, graph: GraphClient) -> None:
    """Failed pages open the breaker; then no method sends a request."""
    tenant.standin.faults.add(Fault(effect=Effect.ERROR, kind=Kind.USERS, status=503, times=None))
    for _ in range(OPENS_AFTER):
        with pytest.raises(TransientError, match="HTTP 503"):
            graph.page(None, ("id",))
    before = tenant.standin.requests.counts()
    for call in (
        lambda: graph.page(None, ("id",)),
        lambda: graph.delta_link(("id",)),
        lambda: graph.user(user_id(1), ("id",)),
        lambda: graph.birthday(user_id(1)),
        graph.count,
    ):
        with pytest.raises(CircuitOpenError):
            call()
    assert tenant.standin.requests.counts() == before


def test_failed_birthdays_do_not_open_the_breaker(tenant: Running, graph: GraphClient) -> None:
    """Birthdays that fail by themselves leave Graph's breaker closed."""
    tenant.standin.faults.add(Fault(effect=Effect.ERROR, kind=Kind.BIRTHDAY, status=503, times=None))
    for number in range(OPENS_AFTER + 1):
        assert graph.birthday(user_id(number)).problem
    assert graph.count() == 30
    assert graph.user(user_id(1), ("id",)) is not None


def test_skolon_is_not_asked_while_its_breaker_is_open() -> None:
    """Failures over different users open the breaker of reading; updating has one of its own."""
    people = [
        {
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "id": f"user-{number}",
            "externalId": f"entra-{number}",
            "userName": f"u{number}@kommun.example",
        }
        for number in range(5)
    ]
    standin = SkolonStandIn({"exempel": people}, bearer_token=TOKEN)
    with serve(standin.application, threads=2) as server:
        client = ScimSkolonClient(
            url=f"{server.url}/{{organisation}}/scim/v2",
            token=StaticToken(TOKEN),
            breakers=CircuitBreakers(max_wait=0.0),
        )
        user = client.read("exempel", "user-1")
        assert user is not None
        standin.faults.add(SkolonFault(kind="status", status=503, times=None, path_kind="search"))
        for number in range(OPENS_AFTER):
            with pytest.raises(TransientError, match="HTTP 503"):
                client.search("exempel", {Attribute.EXTERNAL_ID: f"entra-{number}"})
        before = standin.requests()
        with pytest.raises(CircuitOpenError):
            client.search("exempel", {Attribute.EXTERNAL_ID: "entra-4"})
        with pytest.raises(CircuitOpenError):
            client.read("exempel", "user-1")
        assert standin.requests() == before
        client.update("exempel", user, {Attribute.FIRST_NAME: "Ny"})
