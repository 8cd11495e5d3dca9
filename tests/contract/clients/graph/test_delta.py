"""The Graph client's deltas, at the stand-in over TLS."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from clients.graph.birthdays import Birthdays
from clients.graph.client import GraphClient
from clients.graph.service import GraphService
from sandbox.microsoft.faults import Effect, Fault
from sandbox.microsoft.graph.delta import LINK_SECONDS
from sandbox.microsoft.http_messages import Kind
from sandbox.serving import serve
from schemas.errors import (
    DeltaLinkExpiredError,
    HaltError,
    PageTokenExpiredError,
    TransientError,
    UpdateSyncError,
)
from schemas.outcomes import Cause
from schemas.tenants.tenant import Credentials
from tests.contract.sandbox.microsoft.graph_server import (
    CLIENT,
    SECRET,
    TENANT,
    Running,
    running,
    user,
    user_id,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from wsgiref.types import StartResponse, WSGIEnvironment

CREDENTIALS = Credentials(directory=TENANT, client_id=CLIENT, client_secret=SECRET)
SELECT = ("id", "mail", "surname")


@pytest.fixture
def tenant() -> Iterator[Running]:
    with running() as tenant:
        yield tenant


@pytest.fixture
def client(tenant: Running) -> GraphClient:
    return client_of(tenant, tenant.url)


def client_of(tenant: Running, url: str) -> GraphClient:
    graph = GraphService(url=url, authority=tenant.url, ca_bundle=tenant.authority)
    return GraphClient(graph, CREDENTIALS, Birthdays())


def begun(client: GraphClient) -> str:
    link = client.delta_link(SELECT)
    assert link is not None
    return link


def second_page(tenant: Running, client: GraphClient) -> str:
    """Return the link to the second page of a delta."""
    link = begun(client)
    for number in range(250):
        tenant.directory.add(user(1000 + number))
    following = client.delta_page(link, is_delta_link=True).next_link
    assert following is not None
    return following


def test_a_delta_tells_what_changed_since_its_link(tenant: Running, client: GraphClient) -> None:
    """A delta returns changed users with the selected properties, removed ones by id, and no others."""
    link = begun(client)
    tenant.directory.change(user_id(1), {"surname": "Ny"})
    tenant.directory.change(user_id(2), {"city": "Not asked for"})
    tenant.directory.remove(user_id(3))

    page = client.delta_page(link, is_delta_link=True)

    # A mail that was never set is left out, and so unknown.
    assert page.users == ({"id": user_id(1), "surname": "Ny"},)
    assert page.removed == (user_id(3),)
    assert page.next_link is None
    assert page.delta_link is not None
    again = client.delta_page(page.delta_link, is_delta_link=True)
    assert (again.users, again.removed) == ((), ())


def test_every_page_of_a_delta(tenant: Running, client: GraphClient) -> None:
    """Each page has either a link to the next one or, at the end, the link of the next delta."""
    link: str | None = begun(client)
    for number in range(450):
        tenant.directory.add(user(1000 + number))
    found: list[str] = []
    is_delta_link, ends = True, []
    while link is not None:
        page = client.delta_page(link, is_delta_link=is_delta_link)
        found += [person["id"] for person in page.users]
        link, is_delta_link = page.next_link, False
        ends.append(page.delta_link is not None)
    assert found == [user_id(1000 + number) for number in range(450)]
    assert ends == [False, False, True]


def test_a_delta_that_begins_now_may_come_after_empty_pages(tenant: Running, client: GraphClient) -> None:
    """The link of a new delta is looked for on the next page too, and not on ever so many."""
    tenant.standin.faults.add(Fault(effect=Effect.EMPTY_PAGE, kind=Kind.DELTA, times=3))
    assert begun(client)
    tenant.standin.faults.add(Fault(effect=Effect.EMPTY_PAGE, kind=Kind.DELTA, times=None))
    assert client.delta_link(SELECT) is None


EXPIRED = [(410, "resyncRequired"), (410, "someOtherCode")] + [
    (status, "syncStateNotFound") for status in (400, 404, 409)
]
OF_KEPT_LINKS = [
    (400, "Request_UnsupportedQuery"),
    (400, "Request_BadRequest"),
    (404, "Request_ResourceNotFound"),
    (409, "Request_Conflict"),
    (400, "Directory_ExpiredPageToken"),
    (400, "DirectoryPageTokenNotFoundException"),
]


@pytest.mark.parametrize(("status", "code"), [*EXPIRED, (404, "SyncStateNotFound"), *OF_KEPT_LINKS])
def test_an_expired_link(tenant: Running, client: GraphClient, status: int, code: str) -> None:
    """Each way in which Graph says that it no longer knows a delta link is told apart from the rest."""
    link = begun(client)
    tenant.standin.faults.add(Fault(effect=Effect.ERROR, kind=Kind.DELTA, status=status, code=code))
    with pytest.raises(DeltaLinkExpiredError, match=f"HTTP {status} {code}"):
        client.delta_page(link, is_delta_link=True)


@pytest.mark.parametrize("status", [410, 404, 400])
def test_a_link_that_the_stand_in_lets_expire(tenant: Running, client: GraphClient, status: int) -> None:
    """As above, in the stand-in's own words."""
    link = begun(client)
    tenant.standin.faults.add(Fault(effect=Effect.EXPIRED_DELTA, status=status))
    with pytest.raises(DeltaLinkExpiredError):
        client.delta_page(link, is_delta_link=True)


def test_a_link_of_more_than_seven_days(tenant: Running, client: GraphClient) -> None:
    """A link that has lain for longer than Graph keeps it has expired."""
    link = begun(client)
    tenant.clock.now += LINK_SECONDS + 1
    with pytest.raises(DeltaLinkExpiredError):
        client.delta_page(link, is_delta_link=True)


@pytest.mark.parametrize(("status", "code"), EXPIRED)
def test_a_delta_that_expires_on_its_way(
    tenant: Running, client: GraphClient, status: int, code: str
) -> None:
    """A link to a next page can expire in the same ways."""
    link = second_page(tenant, client)
    tenant.standin.faults.add(Fault(effect=Effect.ERROR, kind=Kind.DELTA, status=status, code=code))
    with pytest.raises(DeltaLinkExpiredError):
        client.delta_page(link, is_delta_link=False)


@pytest.mark.parametrize("code", ["Directory_ExpiredPageToken", "DirectoryPageTokenNotFoundException"])
def test_a_page_that_expires_on_its_way(tenant: Running, client: GraphClient, code: str) -> None:
    """Graph has forgotten the page alone: the delta can be read again from its link."""
    link = second_page(tenant, client)
    tenant.standin.faults.add(Fault(effect=Effect.EXPIRED_PAGE_TOKEN, code=code))
    with pytest.raises(PageTokenExpiredError):
        client.delta_page(link, is_delta_link=False)


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, "Request_BadRequest"), (403, "Authorization_RequestDenied"), (404, "Request_ResourceNotFound")],
)
def test_a_refusal_on_its_way_may_pass(tenant: Running, client: GraphClient, status: int, code: str) -> None:
    """Graph has given the pages before: what it refuses now it may give when it is asked again."""
    link = second_page(tenant, client)
    tenant.standin.faults.add(Fault(effect=Effect.ERROR, kind=Kind.DELTA, status=status, code=code))
    with pytest.raises(HaltError) as caught:
        client.delta_page(link, is_delta_link=False)
    assert caught.value.may_pass


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (
            Fault(effect=Effect.ERROR, status=401, code="InvalidAuthenticationToken", times=None),
            Cause.ENTRA_CREDENTIALS,
        ),
        (
            Fault(effect=Effect.ERROR, status=401, code="syncStateNotFound", times=None),
            Cause.ENTRA_CREDENTIALS,
        ),
        (Fault(effect=Effect.ERROR, status=403, code="Authorization_RequestDenied"), Cause.ENTRA_PERMISSION),
        (Fault(effect=Effect.ERROR, status=403, code="syncStateNotFound"), Cause.ENTRA_PERMISSION),
        (Fault(effect=Effect.ERROR, status=429, retry_after="2.128"), None),
        (Fault(effect=Effect.ERROR, status=429, code="syncStateNotFound"), None),
        *((Fault(effect=Effect.ERROR, status=status), None) for status in (500, 502, 503, 504)),
        (Fault(effect=Effect.ERROR, status=503, code="syncStateNotFound"), None),
        (Fault(effect=Effect.HTML, status=404), None),
        (Fault(effect=Effect.HTML, status=403), None),
        (Fault(effect=Effect.GARBAGE), None),
        (Fault(effect=Effect.TRUNCATED), None),
        (Fault(effect=Effect.CUT), None),
        (Fault(effect=Effect.CUT_SHORT), None),
    ],
    ids=lambda value: f"{value.effect}-{value.status}-{value.code}" if isinstance(value, Fault) else None,
)
def test_what_is_no_expired_link(
    tenant: Running, client: GraphClient, fault: Fault, error: Cause | None
) -> None:
    """P8: only an expired link leads to a full listing: not 401, 403, 429, 5xx, nor broken answers."""
    link = begun(client)
    tenant.standin.faults.add(fault)
    with pytest.raises(UpdateSyncError) as caught:
        client.delta_page(link, is_delta_link=True)
    if error is None:
        assert isinstance(caught.value, TransientError)
    else:
        assert isinstance(caught.value, HaltError)
        assert caught.value.cause is error


def test_links_elsewhere(tenant: Running, client: GraphClient) -> None:
    """The token goes to Graph alone: a kept link of another cloud has expired, a next one is refused."""
    elsewhere = "https://graph.example/v1.0/users/delta?$deltatoken=x"
    with pytest.raises(DeltaLinkExpiredError):
        client.delta_page(elsewhere, is_delta_link=True)
    with pytest.raises(HaltError):
        client.delta_page(elsewhere, is_delta_link=False)
    assert tenant.standin.requests.counts().get(Kind.DELTA, 0) == 0


NEXT, DELTA = "@odata.nextLink", "@odata.deltaLink"


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        {"value": None, DELTA: "{url}"},
        {"value": []},
        {"value": [], NEXT: 5},
        {"value": [], DELTA: None},
        {"value": [], NEXT: "{url}", DELTA: "{url}"},
    ],
    ids=json.dumps,
)
def test_wrong_shapes(tenant: Running, body: Any) -> None:
    """A 200 that is no page of a delta is an outage, and says what is wrong with it."""
    with serve_body(tenant, body) as url, pytest.raises(TransientError, match="HTTP 200, but"):
        client_of(tenant, url).delta_page(f"{url}/v1.0/users/delta", is_delta_link=True)


def test_a_link_that_leads_away(tenant: Running) -> None:
    """A link that Graph gives and that does not lead to Graph is not kept."""
    body = {"value": [], DELTA: "https://graph.example/v1.0/users/delta"}
    with serve_body(tenant, body) as url, pytest.raises(HaltError):
        client_of(tenant, url).delta_page(f"{url}/v1.0/users/delta", is_delta_link=True)


@pytest.mark.parametrize(
    "link", ["/v1.0/users/delta?$deltatoken=x", "?$deltatoken=x", "{url}?$deltatoken=x y", "{url}?å=x%20+"]
)
@pytest.mark.parametrize("name", [NEXT, DELTA])
def test_a_link_that_stays_on_the_host(tenant: Running, name: str, link: str) -> None:
    """A link that is relative, or has raw spaces or letters, is followed."""
    with serve_body(tenant, {"value": [], name: link}) as url:
        client = client_of(tenant, url)
        page = client.delta_page(f"{url}/v1.0/users/delta", is_delta_link=True)
        following = page.next_link or page.delta_link or ""
        assert client.delta_page(following, is_delta_link=False).users == ()


def test_odd_entities(tenant: Running) -> None:
    """A removal without an id removes no user; an invalid user is returned as it is."""
    odd: list[Any] = [{"@removed": {"reason": "deleted"}}, None, {"id": 7, "@removed": {}}]
    gone = {"id": "b", "@removed": {"reason": "changed"}}
    with serve_body(tenant, {"value": [*odd, gone, gone], DELTA: "{url}"}) as url:
        page = client_of(tenant, url).delta_page(f"{url}/v1.0/users/delta", is_delta_link=True)
    assert list(page.users) == odd
    assert page.removed == ("b",)


@contextmanager
def serve_body(tenant: Running, body: Any) -> Iterator[str]:
    """Serve an Entra that gives tokens, and a Graph that answers `body`, with its own address for {url}."""

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if "/v1.0/" not in environ["PATH_INFO"]:
            return tenant.standin(environ, start_response)
        answer = json.dumps(body).replace("{url}", f"http://{environ['HTTP_HOST']}/v1.0/x").encode()
        start_response("200 OK", [("Content-Length", str(len(answer)))])
        return [answer]

    with serve(app, threads=2) as server:
        yield server.url
