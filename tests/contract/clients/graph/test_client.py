"""The Graph client and its tokens, at the stand-in over TLS."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from clients.entra.tokens import EntraTokens
from clients.graph.birthdays import Birthdays
from clients.graph.client import GraphClient
from clients.graph.service import GraphService
from clients.http.session import HttpSession
from sandbox.microsoft.faults import Effect, Fault
from sandbox.microsoft.http_messages import Kind
from sandbox.serving import serve
from schemas.errors import Dependency, HaltError, PageTokenExpiredError, TransientError, UpdateSyncError
from schemas.outcomes import Cause
from schemas.tenants.tenant import Credentials
from tests.contract.sandbox.microsoft.graph_server import (
    BORN,
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
PEOPLE = 2000


@dataclass(frozen=True, kw_only=True)
class Environment:
    """A stand-in, our Graph that asks it, and the waits that our Graph wanted."""

    tenant: Running
    graph: GraphService
    birthdays: Birthdays
    waits: list[float]

    @property
    def client(self) -> GraphClient:
        return self.client_of(CREDENTIALS)

    def client_of(self, credentials: Credentials) -> GraphClient:
        return GraphClient(self.graph, credentials, self.birthdays)

    def fault(self, effect: Effect, **aim: Any) -> None:
        self.tenant.standin.faults.add(Fault(effect=effect, **aim))

    def requests(self, kind: Kind) -> int:
        return self.tenant.standin.requests.counts().get(kind, 0)


def world_of(tenant: Running, url: str | None = None) -> Environment:
    waits: list[float] = []
    graph = GraphService(url=url or tenant.url, authority=tenant.url, ca_bundle=tenant.authority)
    return Environment(tenant=tenant, graph=graph, birthdays=Birthdays(wait=waits.append), waits=waits)


@pytest.fixture
def world() -> Iterator[Environment]:
    with running() as tenant:
        yield world_of(tenant)


def all_pages(client: GraphClient) -> list[dict[str, Any]]:
    page = client.page(None, SELECT)
    found = list(page.users)
    while page.next_link is not None:
        page = client.page(page.next_link, SELECT)
        found += page.users
    return found


def test_every_page() -> None:
    """A listing of several pages returns each user once, with the selected properties, in pages of 999."""
    with running(PEOPLE) as tenant:
        world = world_of(tenant)
        found = all_pages(world.client)
        assert world.requests(Kind.USERS) == 3
        assert world.client.count() == PEOPLE
    assert [person["id"] for person in found] == [user_id(number) for number in range(PEOPLE)]
    assert set(found[0]) == set(SELECT)


@pytest.mark.parametrize("end", ["", "/", "/v1.0", "/v1.0/"])
def test_address_with_and_without_version(world: Environment, end: str) -> None:
    """Graph's address may be set with or without its version and a slash."""
    other = world_of(world.tenant, world.tenant.url + end)
    assert other.client.user(user_id(1), SELECT) is not None


def test_empty_page(world: Environment) -> None:
    """A page without users that has a next one is not the end."""
    world.fault(Effect.EMPTY_PAGE)
    page = world.client.page(None, SELECT)
    assert page.users == ()
    assert page.next_link is not None
    assert len(world.client.page(page.next_link, SELECT).users) == 7


@pytest.mark.parametrize("code", ["Directory_ExpiredPageToken", "DirectoryPageTokenNotFoundException"])
def test_expired_page(world: Environment, code: str) -> None:
    """A page that Graph has forgotten is told apart from a wrong query."""
    world.fault(Effect.EXPIRED_PAGE_TOKEN, code=code)
    with pytest.raises(PageTokenExpiredError):
        world.client.page(None, SELECT)


@pytest.mark.parametrize(
    "link",
    [
        "https://graph.example/v1.0/users?$skiptoken=x",
        "http://{host}/v1.0/users",
        "https://{host}@evil.example/v1.0/users",
        "https://{host}\\@evil.example/v1.0/users",
        "https://evil.example\\@{host}/v1.0/users",
        "https://{host}:99999999/users",
        "https://{host}/v1.0/users\n",
        "https://[::1/v1.0/users",
        "//{host}/v1.0/users",
        "/v1.0/users",
        "",
    ],
)
def test_links_elsewhere(world: Environment, link: str) -> None:
    """A link that leads away from Graph is refused: the token would go along."""
    with pytest.raises(HaltError) as caught:
        world.client.page(link.replace("{host}", world.tenant.url.removeprefix("https://")), SELECT)
    assert caught.value.cause is Cause.GRAPH_QUERY
    assert world.requests(Kind.USERS) == 0


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, "Request_BadRequest"), (403, "Authorization_RequestDenied"), (404, "Request_ResourceNotFound")],
)
def test_a_refusal_in_the_middle_of_a_list_may_pass(world: Environment, status: int, code: str) -> None:
    """The first page that is refused halts at once; a later one may be given when it is asked for again."""
    world.fault(Effect.EMPTY_PAGE)
    following = world.client.page(None, SELECT).next_link
    for link, may_pass in ((None, False), (following, True)):
        world.fault(Effect.ERROR, status=status, code=code)
        with pytest.raises(HaltError) as caught:
            world.client.page(link, SELECT)
        assert caught.value.may_pass is may_pass


def test_one_user(world: Environment) -> None:
    """A user is read by id; an unknown id returns None, however odd it is."""
    found = world.client.user(user_id(1), SELECT)
    assert found is not None
    assert found["surname"] == "Ågren"
    for nobody in (user_id(99), "..", ".", "", "a/b", "?$top=1", "ö", "%2e%2e"):
        assert world.client.user(nobody, SELECT) is None


def test_birthdays(world: Environment) -> None:
    """A birthday is a date, none when it is not set, and a problem when there is no such user."""
    assert world.client.birthday(user_id(1)).value == BORN[:10]
    unset = world.client.birthday(user_id(2))
    assert (unset.value, unset.problem) == (None, None)
    assert world.client.birthday(user_id(99)).problem == "no such user"


@pytest.mark.parametrize(
    ("fault", "tries"),
    [
        (
            Fault(
                effect=Effect.ERROR,
                status=403,
                code="Authorization_RequestDenied",
                kind=Kind.BIRTHDAY,
                times=None,
            ),
            1,
        ),
        (
            Fault(effect=Effect.ERROR, status=400, code="Request_BadRequest", kind=Kind.BIRTHDAY, times=None),
            1,
        ),
        (Fault(effect=Effect.ERROR, status=501, code="NotImplemented", kind=Kind.BIRTHDAY, times=None), 1),
        (Fault(effect=Effect.ERROR, status=503, kind=Kind.BIRTHDAY, times=None), 4),
        (Fault(effect=Effect.HTML, kind=Kind.BIRTHDAY, times=None), 4),
        (Fault(effect=Effect.GARBAGE, kind=Kind.BIRTHDAY, times=None), 4),
        (Fault(effect=Effect.TRUNCATED, kind=Kind.BIRTHDAY, times=None), 4),
        (Fault(effect=Effect.CUT, kind=Kind.BIRTHDAY, times=None), 4),
    ],
    ids=lambda value: f"{value.effect}-{value.status}" if isinstance(value, Fault) else None,
)
def test_birthday_never_fails_a_user(world: Environment, fault: Fault, tries: int) -> None:
    """Whatever goes wrong with a birthday is a problem in words after a few short tries."""
    world.tenant.standin.faults.add(fault)
    birthday = world.client.birthday(user_id(1))
    assert birthday.value is None
    assert birthday.problem
    assert world.requests(Kind.BIRTHDAY) == tries
    assert all(0 < wait <= 5 for wait in world.waits)


@pytest.mark.parametrize("effect", [Effect.HTML, Effect.GARBAGE, Effect.TRUNCATED, Effect.CUT])
def test_birthday_while_graph_is_away(world: Environment, effect: Effect) -> None:
    """P8: when it is Graph itself that is away, the user waits, and keeps its birth date to be read."""
    world.client.count()
    world.tenant.standin.faults.add(Fault(effect=effect, times=None))
    with pytest.raises(TransientError):
        world.client.birthday(user_id(1))


def test_birthday_when_graph_is_back(world: Environment) -> None:
    """P8: an outage that ends while a birthday is asked for costs nothing."""
    world.tenant.standin.faults.add(Fault(effect=Effect.CUT, kind=Kind.BIRTHDAY, times=3))
    assert world.client.birthday(user_id(1)).value == BORN[:10]


def test_birthday_without_credentials(world: Environment) -> None:
    """Not even a refused secret makes a birthday raise."""
    world.tenant.standin.entra.change(TENANT, CLIENT, secret_expired=True)
    assert "expired" in str(world.client.birthday(user_id(1)).problem)


@pytest.mark.parametrize(
    ("fault", "retry_after"),
    [
        (Fault(effect=Effect.ERROR, status=429, retry_after="2.128"), 2.128),
        (Fault(effect=Effect.ERROR, status=429), None),
        (Fault(effect=Effect.ERROR, status=500), None),
        (Fault(effect=Effect.ERROR, status=502), None),
        (Fault(effect=Effect.ERROR, status=503, retry_after="7"), 7.0),
        (Fault(effect=Effect.ERROR, status=504), None),
        (Fault(effect=Effect.HTML), None),
        (Fault(effect=Effect.HTML, status=403), None),
        (Fault(effect=Effect.HTML, status=404), None),
        (Fault(effect=Effect.GARBAGE), None),
        (Fault(effect=Effect.TRUNCATED), None),
        (Fault(effect=Effect.CUT), None),
    ],
    ids=lambda value: f"{value.effect}-{value.status}" if isinstance(value, Fault) else None,
)
def test_outages(world: Environment, fault: Fault, retry_after: float | None) -> None:
    """Whatever looks like an outage is one, with the wait that Graph asked for (promise P8)."""
    world.tenant.standin.faults.add(fault)
    with pytest.raises(TransientError) as caught:
        world.client.page(None, SELECT)
    assert caught.value.dependency is Dependency.GRAPH
    assert caught.value.retry_after == retry_after
    assert caught.value.__context__ is None
    assert len(world.client.page(None, SELECT).users) == 7


def test_request_id_for_support(world: Environment) -> None:
    """Graph's request id is in the error's text: Microsoft's support asks for it."""
    world.fault(Effect.ERROR, status=500)
    with pytest.raises(TransientError, match=r"request id [0-9a-f-]{36}"):
        world.client.count()


def test_permission(world: Environment) -> None:
    """A missing permission halts, and names it (promise P7)."""
    world.tenant.standin.entra.change(TENANT, CLIENT, permitted=False)
    with pytest.raises(HaltError, match=r"User\.Read\.All") as caught:
        world.client.page(None, SELECT)
    assert caught.value.cause is Cause.ENTRA_PERMISSION


def test_wrong_query(world: Environment) -> None:
    """A query that Graph refuses halts, and names Graph's code."""
    with pytest.raises(HaltError, match="HTTP 400") as caught:
        world.client.page(None, ["noSuchProperty"])
    assert caught.value.cause is Cause.GRAPH_QUERY


def test_revoked_token(world: Environment) -> None:
    """A token that Graph no longer takes is replaced, once, and the request goes through."""
    world.client.count()
    world.tenant.standin.entra.revoke_tokens()
    assert world.client.count() == 7
    assert world.requests(Kind.TOKEN) == 2


def test_claims_challenge(world: Environment) -> None:
    """What Graph demands of a token is passed on to Entra."""
    world.client.count()
    world.tenant.standin.entra.change(TENANT, CLIENT, claims_demanded=True)
    assert world.client.count() == 7
    assert world.client.count() == 7
    assert world.requests(Kind.TOKEN) == 2


def test_refused_for_good(world: Environment) -> None:
    """A 401 that stays after a new token halts (promise P7)."""
    world.fault(Effect.ERROR, status=401, code="InvalidAuthenticationToken", times=None)
    with pytest.raises(HaltError) as caught:
        world.client.count()
    assert caught.value.cause is Cause.ENTRA_CREDENTIALS
    assert world.requests(Kind.COUNT) == 2


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"client_secret": "something-else"}, "secret is wrong"),
        ({"client_id": user_id(5)}, "client id"),
        ({"directory": user_id(6)}, "no such directory"),
    ],
)
def test_wrong_credentials(world: Environment, changes: dict[str, str], words: str) -> None:
    """Each wrong part of the credentials halts and is told apart, without the secret (P6, P7)."""
    given = {"directory": TENANT, "client_id": CLIENT, "client_secret": SECRET} | changes
    with pytest.raises(HaltError) as caught:
        world.client_of(Credentials(**given)).count()
    assert caught.value.cause is Cause.ENTRA_CREDENTIALS
    assert words in caught.value.detail
    assert given["client_secret"] not in str(caught.value)
    assert caught.value.__context__ is None


def test_mended_secret(world: Environment) -> None:
    """A secret that is mended in Entra works at once, although msal remembers refusals."""
    entra = world.tenant.standin.entra
    entra.change(TENANT, CLIENT, secret_expired=True)
    with pytest.raises(HaltError, match="expired"):
        world.client.count()
    entra.change(TENANT, CLIENT, secret_expired=False)
    assert world.client.count() == 7


@pytest.mark.parametrize("kind", [Kind.DISCOVERY, Kind.TOKEN])
@pytest.mark.parametrize(
    ("effect", "aim", "retry_after"),
    [
        (Effect.ERROR, {"status": 429, "retry_after": "11"}, 11.0),
        (Effect.ERROR, {"status": 503}, None),
        (Effect.HTML, {}, None),
        (Effect.HTML, {"status": 403}, None),
        (Effect.GARBAGE, {}, None),
        (Effect.TRUNCATED, {}, None),
        (Effect.CUT, {}, None),
    ],
)
def test_entra_outages(
    world: Environment, kind: Kind, effect: Effect, aim: dict[str, Any], retry_after: float | None
) -> None:
    """An outage of Entra is one, wherever it strikes, and is over when it is over (promise P8)."""
    world.fault(effect, kind=kind, **aim)
    with pytest.raises(TransientError) as caught:
        world.client.count()
    assert caught.value.dependency is Dependency.ENTRA
    assert caught.value.retry_after == retry_after
    assert caught.value.__context__ is None
    assert world.client.count() == 7


def together(client: GraphClient, threads: int) -> list[int | UpdateSyncError]:
    barrier = threading.Barrier(threads)
    results: list[int | UpdateSyncError] = []

    def ask() -> None:
        barrier.wait(timeout=30)
        try:
            results.append(client.count())
        except UpdateSyncError as error:
            results.append(error)

    workers = [threading.Thread(target=ask) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout=60)
    return results


def test_single_flight(world: Environment) -> None:
    """Sixteen threads on a cold cache ask for one token."""
    assert together(world.client, 16) == [7] * 16
    assert world.requests(Kind.TOKEN) == 1


def test_single_flight_after_a_refusal(world: Environment) -> None:
    """Sixteen threads whose token is refused get one new one between them."""
    world.client.count()
    world.tenant.standin.entra.revoke_tokens()
    assert together(world.client, 16) == [7] * 16
    assert world.requests(Kind.TOKEN) <= 3


def test_bounded(world: Environment) -> None:
    """The number of applications kept is bounded, and those in use stay (promise P10)."""
    tokens = EntraTokens(
        HttpSession(methods={"GET", "POST"}, ca_bundle=world.tenant.authority),
        authority=world.tenant.url,
        scope=f"{world.tenant.url}/.default",
        capacity=2,
    )
    first = tokens.token(CREDENTIALS)
    for number in range(5):
        with pytest.raises(HaltError):
            tokens.token(Credentials(directory=TENANT, client_id=CLIENT, client_secret=f"wrong-{number}"))
        assert tokens.token(CREDENTIALS) == first
    assert world.requests(Kind.TOKEN) == 6
    for number in range(2):
        with pytest.raises(HaltError):
            tokens.token(Credentials(directory=TENANT, client_id=CLIENT, client_secret=f"wrong-{number}"))
    assert tokens.token(CREDENTIALS) != first


@pytest.mark.parametrize(
    "body", [b'{"value": null}', b'{"value": {}}', b"{}", b"[]", b'{"value": [], "@odata.nextLink": 5}']
)
def test_wrong_shapes(world: Environment, body: bytes) -> None:
    """A 200 that is no page is an outage, and says what is wrong with it."""

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if "/v1.0/" not in environ["PATH_INFO"]:
            return world.tenant.standin(environ, start_response)
        start_response("200 OK", [("Content-Length", str(len(body)))])
        return [body]

    with serve(app, threads=2) as server:
        graph = GraphService(url=server.url, authority=world.tenant.url, ca_bundle=world.tenant.authority)
        with pytest.raises(TransientError, match="HTTP 200, but"):
            GraphClient(graph, CREDENTIALS, Birthdays()).page(None, SELECT)


def test_odd_users_come_as_they_are(world: Environment) -> None:
    """A user of wrong types is no fault of the page: it comes as it is."""
    world.tenant.directory.add_raw({**user(50), "otherMails": None, "mail": 7})
    assert world.client.page(None, ("otherMails", "mail")).users[-1]["mail"] == 7


def test_no_secret_in_logs(world: Environment, caplog: pytest.LogCaptureFixture) -> None:
    """No secret, token or value of a user is logged at DEBUG or shown by a repr (P6)."""
    caplog.set_level(logging.DEBUG)
    world.client.page(None, SELECT)
    token = world.graph.tokens.token(CREDENTIALS)
    world.fault(Effect.HTML, kind=Kind.TOKEN)
    wrong = Credentials(directory=TENANT, client_id=CLIENT, client_secret="other-secret")  # noqa: S106 - made up
    with pytest.raises(TransientError):
        world.client_of(wrong).count()
    shown = caplog.text + repr(CREDENTIALS) + repr(world.client) + repr(world.graph)
    for hidden in (SECRET, "other-secret", token, "Ågren", "services aren"):
        assert hidden not in shown
