"""P6: credentials leave for the configured hosts alone, whatever a server says of where they should go."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from clients.graph.birthdays import Birthdays
from clients.graph.client import GraphClient
from clients.graph.service import GraphService
from clients.http.allow_list import RequestRefusedError
from clients.http.session import HttpSession
from sandbox.certificates import Certificate, temporary_certificate
from sandbox.serving import serve
from schemas.errors import DeltaLinkExpiredError, HaltError
from schemas.outcomes import Cause
from schemas.tenants.tenant import Credentials

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from wsgiref.types import StartResponse, WSGIEnvironment

TENANT = "6a1c0c3e-0000-4000-8000-00000000aaaa"
SECRET = "made-up~secret"  # noqa: S105 - made up
CREDENTIALS = Credentials(directory=TENANT, client_id="client", client_secret=SECRET)


@dataclass
class Listener:
    """A server that writes down every request: of the thief, nothing may ever come."""

    seen: list[str] = field(default_factory=list)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        self.seen.append(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
        body = json.dumps(
            {"access_token": "t", "token_type": "Bearer", "expires_in": 3600, "value": []}
        ).encode()
        start_response("200 OK", [("Content-Length", str(len(body)))])
        return [body]


@dataclass
class Microsoft:
    """Entra and Graph, which say what the test has them say."""

    token_endpoint: str = ""
    page: dict[str, Any] = field(default_factory=dict)
    redirect: str | None = None
    seen: list[str] = field(default_factory=list)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = str(environ["PATH_INFO"])
        self.seen.append(f"{environ['REQUEST_METHOD']} {path}")
        answer: dict[str, Any] = self.page
        if path.endswith("openid-configuration"):
            answer = {
                "token_endpoint": self.token_endpoint,
                "authorization_endpoint": self.token_endpoint,
                "issuer": self.token_endpoint,
            }
        elif path.endswith("/token"):
            answer = {"access_token": "t", "token_type": "Bearer", "expires_in": 3600}
        body = json.dumps(answer).encode()
        headers = [("Content-Length", str(len(body)))]
        if self.redirect is not None and not path.endswith("openid-configuration"):
            start_response("307 Temporary Redirect", [*headers, ("Location", self.redirect)])
        else:
            start_response("200 OK", headers)
        return [body]


@dataclass
class Environment:
    microsoft: Microsoft
    url: str
    port: int
    thief: Listener
    thief_url: str
    clear: Listener
    clear_url: str
    certificate: Certificate

    @property
    def graph(self) -> GraphService:
        return GraphService(url=self.url, authority=self.url, ca_bundle=str(self.certificate.authority))


@pytest.fixture
def world() -> Iterator[Environment]:
    microsoft, thief, clear = Microsoft(), Listener(), Listener()
    with (
        temporary_certificate() as certificate,
        serve(microsoft, certificate=certificate, threads=4) as server,
        serve(thief, certificate=certificate, threads=2) as elsewhere,
        serve(clear, threads=2) as plain,
    ):
        microsoft.token_endpoint = f"{server.url}/{TENANT}/oauth2/v2.0/token"
        yield Environment(
            microsoft, server.url, server.port, thief, elsewhere.url, clear, plain.url, certificate
        )


def test_the_real_form_of_a_discovery_works(world: Environment) -> None:
    """A token endpoint on the authority's own host gives a token, as Microsoft's documents have it."""
    assert world.graph.tokens.token(CREDENTIALS) == "t"


@pytest.mark.parametrize("kind", ["port", "host", "scheme", "user"])
def test_a_hostile_discovery_gets_no_secret(world: Environment, kind: str) -> None:
    """A discovery that names another host, port or scheme halts, and nothing is sent there."""
    ours = world.url.removeprefix("https://")
    named, said = {
        "port": (world.thief_url, world.thief_url),
        "host": (
            world.thief_url.replace("127.0.0.1", "localhost"),
            world.thief_url.replace("127.0.0.1", "localhost"),
        ),
        "scheme": (world.clear_url, world.clear_url),
        "user": (f"https://{ours}@{world.thief_url.removeprefix('https://')}", "an address that is none"),
    }[kind]
    world.microsoft.token_endpoint = f"{named}/{TENANT}/oauth2/v2.0/token"
    with pytest.raises(HaltError) as caught:
        world.graph.tokens.token(CREDENTIALS)
    assert caught.value.cause is Cause.ENTRA_CREDENTIALS
    assert f"names a token endpoint at {said}; it should be at {world.url}" in caught.value.detail
    assert SECRET not in caught.value.detail
    assert (world.thief.seen, world.clear.seen) == ([], [])
    assert not any(line.startswith("POST") for line in world.microsoft.seen)


def test_redirects_lead_nowhere(world: Environment) -> None:
    """Where a token endpoint sends us is not gone to."""
    world.microsoft.redirect = f"{world.thief_url}/{TENANT}/oauth2/v2.0/token"
    with pytest.raises(Exception, match="HTTP 307"):
        world.graph.tokens.token(CREDENTIALS)
    assert world.thief.seen == []


@pytest.mark.parametrize("name", ["@odata.nextLink", "@odata.deltaLink"])
def test_links_lead_to_graph_alone(world: Environment, name: str) -> None:
    """Neither a next link nor a delta link takes the token along to another host."""
    link = f"{world.thief_url}/v1.0/users/delta?$skiptoken=1"
    client = GraphClient(world.graph, CREDENTIALS, Birthdays())
    world.microsoft.page = {"value": [], name: link}
    with pytest.raises(HaltError, match="leads somewhere else"):
        client.delta_page(f"{world.url}/v1.0/users/delta?$deltatoken=1", is_delta_link=True)
    with pytest.raises(DeltaLinkExpiredError):
        client.delta_page(link, is_delta_link=True)
    with pytest.raises(HaltError, match="leads somewhere else"):
        client.page(link, ("id",))
    assert world.thief.seen == []


def test_the_gate_knows_the_origin(world: Environment) -> None:
    """Where requests leave, no other host, port or scheme is let through, whatever asked for it."""
    with HttpSession(methods={"GET"}, origin=world.url) as session:
        for url in (world.thief_url, world.clear_url, f"http://127.0.0.1:{world.port}"):
            with pytest.raises(RequestRefusedError):
                session.try_request("GET", url)
    assert (world.thief.seen, world.clear.seen) == ([], [])
