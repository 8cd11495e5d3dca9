"""The Skolon client, at the stand-in and at servers that answer oddly."""

from __future__ import annotations

import base64
import json
import logging
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

import pytest

from clients.gateways import create_skolon_client
from clients.http.allow_list import RequestRefusedError
from clients.http.session import HttpSession
from clients.skolon.auth import ClientCredentialsTokenSource, StaticToken
from clients.skolon.client import ScimSkolonClient
from clients.skolon.errors import UserNotFoundError
from sandbox.serving import serve
from sandbox.skolon.application import SkolonStandIn
from sandbox.skolon.faults import Fault, rejected
from schemas.dead_letter_reasons import Reason
from schemas.errors import Dependency, HaltError, PermanentError, TransientError, VersionConflictError
from schemas.outcomes import Cause, Stage
from schemas.settings import Settings
from schemas.users.attributes import Attribute
from schemas.users.scim import ERROR_RESPONSE, SKOLON_EXTENSION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from wsgiref.types import StartResponse, WSGIEnvironment

    from clients.skolon.interface import SkolonClient
    from schemas.users.skolon_user import SkolonUser

SCIM = "/{organisation}/scim/v2"
BEARER = "made-up-token"
SECRET = "made-up-secret"  # noqa: S105 - made up
HIDDEN = "hemlig@kommun.example"


def document(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", SKOLON_EXTENSION],
        "id": f"user-{number}",
        "externalId": f"entra-{number}",
        "userName": f"u{number}@kommun.example",
        "name": {"givenName": "Bo", "familyName": "Ek"},
        "emails": [
            {"value": f"hem{number}@annat.example", "type": "home"},
            {"value": f"mail{number}@kommun.example", "type": "work"},
        ],
        "phoneNumbers": [{"value": "+46 8 000", "type": "work"}],
        SKOLON_EXTENSION: {"eppn": f"eppn{number}@kommun.example", "idpIdentifier": f"Idp{number}"},
    } | changes


@dataclass
class Environment:
    standin: SkolonStandIn
    url: str
    directory: ScimSkolonClient

    def fault(self, **how: Any) -> None:
        self.standin.faults.add(Fault(**how))

    def user(self, number: int = 1) -> SkolonUser:
        user = self.directory.read("exempel", f"user-{number}")
        assert user is not None
        return user


@pytest.fixture
def world() -> Iterator[Environment]:
    standin = SkolonStandIn(
        {"exempel": [document(number) for number in range(1, 4)], "annan": [document(9)]},
        bearer_token=BEARER,
        client_id="sync",
        client_secret=SECRET,
    )
    with serve(standin.application, threads=4) as server:
        directory = ScimSkolonClient(url=server.url + SCIM, token=StaticToken(BEARER))
        yield Environment(standin=standin, url=server.url, directory=directory)


@dataclass
class Odd:
    """A server that answers everything with one and the same, or as `answer` says."""

    status: str = "200 OK"
    body: bytes = b"{}"
    headers: list[tuple[str, str]] = field(default_factory=list)
    answer: Callable[[WSGIEnvironment], bytes] | None = None
    seen: list[WSGIEnvironment] = field(default_factory=list)
    url: str = ""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        self.seen.append(environ)
        body = self.body if self.answer is None else self.answer(environ)
        start_response(self.status, [("Content-Length", str(len(body))), *self.headers])
        return [body] if body else []

    @property
    def directory(self) -> ScimSkolonClient:
        return ScimSkolonClient(url=self.url + SCIM, token=StaticToken(BEARER))


@pytest.fixture
def odd() -> Iterator[Odd]:
    app = Odd()
    with serve(app, threads=4) as server:
        app.url = server.url
        yield app


@pytest.mark.parametrize(
    ("keys", "numbers"),
    [
        ({Attribute.EXTERNAL_ID: "entra-2"}, [2]),
        ({Attribute.EPPN: "EPPN3@kommun.example"}, [3]),
        ({Attribute.USER_NAME: "u1@kommun.example"}, [1]),
        ({Attribute.EMAIL: "mail2@kommun.example"}, [2]),
        ({Attribute.IDP_IDENTIFIER: "Idp1"}, [1]),
        ({Attribute.EXTERNAL_ID: "entra-1", Attribute.EPPN: "eppn2@kommun.example"}, [1, 2]),
        ({Attribute.EXTERNAL_ID: 'x" or userName pr or externalId eq "x'}, []),
        ({Attribute.EXTERNAL_ID: "\\"}, []),
        ({Attribute.EXTERNAL_ID: "ö&startIndex=1#+%22 \n"}, []),
        ({Attribute.EXTERNAL_ID: "x" * 1024}, []),
    ],
)
def test_find(world: Environment, keys: dict[Attribute, str], numbers: list[int]) -> None:
    """One search finds all users with any of the values, and no value can break out of the filter."""
    found = world.directory.search("exempel", keys)
    assert sorted(user.id for user in found) == [f"user-{number}" for number in numbers]
    # That no user has the value is believed once a listed user was found by the same key.
    requests = {"POST search": 1} if numbers else {"POST search": 2, "GET search": 1}
    assert world.standin.requests() == requests


def test_find_without_keys(world: Environment) -> None:
    """Without keys no request is sent, and no user is found."""
    assert world.directory.search("exempel", {}) == []
    assert world.standin.requests() == {}


def test_organisations_are_apart(world: Environment) -> None:
    """One organisation's users are not another's."""
    assert world.directory.read("annan", "user-1") is None
    assert world.directory.search("annan", {Attribute.EXTERNAL_ID: "entra-1"}) == []


CHANGES: dict[Attribute, str | None] = {attribute: f"ny-{attribute}" for attribute in Attribute}


def test_update_everything(world: Environment) -> None:
    """All fourteen attributes can be changed at once; entries of other types stay as they are."""
    shown = world.directory.update("exempel", world.user(), CHANGES)
    after = world.user()
    assert dict(after.attributes) == CHANGES
    assert after == shown
    kept = world.standin.users("exempel")[0]
    assert {"value": "hem1@annat.example", "type": "home"} in kept["emails"]
    assert {"value": "+46 8 000", "type": "work"} in kept["phoneNumbers"]
    assert len(world.standin.users("exempel")) == 3


def test_update_again_and_remove(world: Environment) -> None:
    """What was added can be changed in place, and removed."""
    world.directory.update("exempel", world.user(), CHANGES)
    again = {attribute: f"nyare-{attribute}" for attribute in Attribute}
    world.directory.update("exempel", world.user(), again)
    assert dict(world.user().attributes) == again
    removed: dict[Attribute, str | None] = {
        attribute: None for attribute in Attribute if attribute is not Attribute.USER_NAME
    }
    world.directory.update("exempel", world.user(), removed)
    left = {attribute: value for attribute, value in world.user().attributes.items() if value}
    assert left == {Attribute.USER_NAME: again[Attribute.USER_NAME]}
    assert [entry["type"] for entry in world.standin.users("exempel")[0]["emails"]] == ["home"]


def test_nothing_to_change(world: Environment) -> None:
    """A change that changes nothing is not sent."""
    user = world.user()
    world.standin.forget_requests()
    assert world.directory.update("exempel", user, {Attribute.CITY: None}) == user
    assert world.standin.requests() == {}


def test_version_conflict(world: Environment) -> None:
    """A user that another client has changed meanwhile is not overwritten."""
    user = world.user()
    world.fault(kind="changed")
    with pytest.raises(VersionConflictError):
        world.directory.update("exempel", user, {Attribute.FIRST_NAME: "Ny"})
    assert world.user().attributes[Attribute.FIRST_NAME] == "Bo"


def test_gone(world: Environment) -> None:
    """Reading a deleted user returns None, and updating it raises an error of its own."""
    user = world.user()
    world.standin.fill("exempel", [])
    assert world.directory.read("exempel", "user-1") is None
    with pytest.raises(UserNotFoundError):
        world.directory.update("exempel", user, {Attribute.FIRST_NAME: "Ny"})


def test_unknown_organisation(world: Environment) -> None:
    """A search in an organisation that Skolon does not know halts, and says where to look (P7)."""
    with pytest.raises(HaltError, match="organisation"):
        world.directory.search("ingen", {Attribute.EXTERNAL_ID: "entra-1"})


def test_rejected(world: Environment) -> None:
    """A refused value is one user's dead letter, and its text is not quoted (P6, P7)."""
    world.standin.faults.add(rejected("user-1"))
    with pytest.raises(PermanentError) as caught:
        world.directory.update("exempel", world.user(), {Attribute.FIRST_NAME: HIDDEN})
    assert (caught.value.reason, caught.value.stage) == (Reason.REJECTED_BY_SKOLON, Stage.UPDATE)
    assert caught.value.detail == "HTTP 400 invalidValue"
    world.directory.update("exempel", world.user(2), {Attribute.FIRST_NAME: "Ny"})


@pytest.mark.parametrize("status", [400, 405, 409, 413, 414, 422, 428, 451])
def test_other_refusals(world: Environment, status: int) -> None:
    """Whatever else Skolon refuses is permanent for that user, at the step where it happened."""
    user = world.user()
    world.fault(kind="status", status=status, method="PATCH", times=9)
    world.fault(kind="status", status=status, path_kind="search")
    with pytest.raises(PermanentError) as update:
        world.directory.update("exempel", user, {Attribute.FIRST_NAME: "Ny"})
    with pytest.raises(PermanentError) as find:
        world.directory.search("exempel", {Attribute.EXTERNAL_ID: "entra-1"})
    assert (update.value.stage, find.value.stage) == (Stage.UPDATE, Stage.MATCH)


def test_forbidden_without_rights(world: Environment) -> None:
    """A 403 before any change has worked is about our rights: it halts (promise P7)."""
    world.fault(kind="status", status=403, method="PATCH")
    with pytest.raises(HaltError) as caught:
        world.directory.update("exempel", world.user(), {Attribute.FIRST_NAME: "Ny"})
    assert caught.value.cause is Cause.SKOLON_PERMISSION


def test_forbidden_for_one(world: Environment) -> None:
    """A 403 after a change has worked is about that user, in that organisation and in no other (P7)."""
    world.directory.update("exempel", world.user(2), {Attribute.FIRST_NAME: "Ny"})
    world.fault(kind="status", status=403, method="PATCH", times=2)
    with pytest.raises(PermanentError, match="403"):
        world.directory.update("exempel", world.user(), {Attribute.FIRST_NAME: "Ny"})
    elsewhere = world.directory.read("annan", "user-9")
    assert elsewhere is not None
    with pytest.raises(HaltError):
        world.directory.update("annan", elsewhere, {Attribute.FIRST_NAME: "Ny"})


@pytest.mark.parametrize("method", ["GET", "PATCH"])
@pytest.mark.parametrize(
    ("how", "retry_after"),
    [
        ({"kind": "status", "status": 408}, None),
        ({"kind": "status", "status": 425}, None),
        ({"kind": "status", "status": 429, "retry_after": "1.5"}, 1.5),
        ({"kind": "status", "status": 500}, None),
        ({"kind": "status", "status": 501}, None),
        ({"kind": "status", "status": 503, "retry_after": "99999"}, 3600.0),
        ({"kind": "status", "status": 302}, None),
        ({"kind": "html", "status": 502}, None),
        ({"kind": "html", "status": 200}, None),
        ({"kind": "html", "status": 404}, None),
        ({"kind": "not_json"}, None),
        ({"kind": "cut"}, None),
    ],
    ids=lambda value: f"{value['kind']}-{value.get('status')}" if isinstance(value, dict) else None,
)
def test_outages(world: Environment, method: str, how: dict[str, Any], retry_after: float | None) -> None:
    """Whatever looks like an outage is one, and is over when it is over (promise P8)."""
    user = world.user()

    def ask() -> None:
        if method == "GET":
            world.directory.search("exempel", {Attribute.EMAIL: HIDDEN})
        else:
            world.directory.update("exempel", user, {Attribute.EMAIL: HIDDEN})

    world.fault(**how)
    with pytest.raises(TransientError) as caught:
        ask()
    assert caught.value.dependency is Dependency.SKOLON
    assert caught.value.retry_after == retry_after
    assert caught.value.__context__ is None
    assert HIDDEN not in str(caught.value)


def test_truncated(world: Environment) -> None:
    """An answer that breaks off is an outage."""
    world.fault(kind="truncated")
    with pytest.raises(TransientError):
        world.directory.read("exempel", "user-1")


@pytest.mark.parametrize("body", [b"<html>Log in</html>", b'{"id": "user-', b"[]", b'{"id": "user-2"}'])
def test_update_answered_oddly(odd: Odd, body: bytes) -> None:
    """A 200 to an update is no success if it holds anything but the user or a part of it (promise P8)."""
    odd.body = b'{"id": "user-1"}'
    user = odd.directory.read("exempel", "user-1")
    assert user is not None
    odd.body = body
    with pytest.raises(TransientError):
        odd.directory.update("exempel", user, {Attribute.FIRST_NAME: "Ny"})


def test_nobody_listens() -> None:
    """A Skolon that cannot be reached is an outage."""
    directory = ScimSkolonClient(url=f"http://127.0.0.1:1{SCIM}", token=StaticToken(BEARER))
    with pytest.raises(TransientError):
        directory.read("exempel", "user-1")


def test_fixed_token_refused(world: Environment) -> None:
    """A fixed token that is wrong halts at the first 401; there is no other to try (P7)."""
    directory = ScimSkolonClient(url=world.url + SCIM, token=StaticToken("wrong"))
    with pytest.raises(HaltError) as caught:
        directory.search("exempel", {Attribute.EXTERNAL_ID: "x"})
    assert caught.value.cause is Cause.SKOLON_CREDENTIALS
    assert world.standin.requests() == {"POST search": 1}


def settings(url: str, **changes: Any) -> Settings:
    values: dict[str, Any] = {
        "amqp_url": "",
        "database_url": "",
        "secret_keys": (),
        "skolon_scim_url": url + SCIM,
        "skolon_token": "",
        "skolon_token_url": f"{url}/oauth/access_token",
        "skolon_client_id": "sync",
        "skolon_client_secret": SECRET,
        "graph_url": "",
        "entra_authority": "",
        "ca_bundle": None,
        "hub_host": "",
        "hub_port": 0,
        "log_format": "json",
    }
    return Settings(**{**values, **changes})


def test_client_credentials(world: Environment) -> None:
    """One token serves many requests, and one that Skolon has dropped is replaced once."""
    directory = create_skolon_client(settings(world.url))
    for _ in range(2):
        assert directory.read("exempel", "user-1") is not None
    world.standin.tokens.expire_all()
    assert directory.read("exempel", "user-1") is not None
    assert world.standin.requests() == {"POST token": 2, "GET user": 4}


def test_wrong_client_secret(world: Environment) -> None:
    """A refused client secret halts, and is not shown (P6, P7)."""
    directory = create_skolon_client(settings(world.url, skolon_client_secret="other-secret"))  # noqa: S106 - made up
    with pytest.raises(HaltError) as caught:
        directory.read("exempel", "user-1")
    assert caught.value.cause is Cause.SKOLON_CREDENTIALS
    assert "other-secret" not in str(caught.value)


def test_token_endpoint_away(world: Environment) -> None:
    """An outage of the token endpoint is an outage, and is over when it is over (promise P8)."""
    directory = create_skolon_client(settings(world.url))
    for how in ({"kind": "html"}, {"kind": "not_json"}, {"kind": "cut"}, {"kind": "status", "status": 503}):
        world.fault(path_kind="token", **how)
        with pytest.raises(TransientError):
            directory.read("exempel", "user-1")
    assert directory.read("exempel", "user-1") is not None


def test_token_is_renewed_before_its_end(odd: Odd) -> None:
    """A token is used until a minute before its end, and then no more."""
    odd.answer = lambda _: json.dumps({"access_token": f"t{len(odd.seen)}", "expires_in": 600}).encode()
    now = [0.0]
    with HttpSession(methods={"POST"}) as session:
        tokens = ClientCredentialsTokenSource(
            session, url=odd.url, client_id="c", client_secret=SECRET, clock=lambda: now[0]
        )
        taken = []
        for moment in (0.0, 539.0, 540.0):
            now[0] = moment
            taken.append(tokens.token())
    assert taken == ["t1", "t1", "t2"]


def test_credentials_travel_as_the_rfc_says(odd: Odd) -> None:
    """Client id and secret are form-encoded inside the header (RFC 6749 section 2.3.1)."""
    odd.body = b'{"access_token": "t"}'
    with HttpSession(methods={"POST"}) as session:
        ClientCredentialsTokenSource(session, url=odd.url, client_id="a:b", client_secret="å +&%").token()  # noqa: S106
    scheme, _, url_encoded = odd.seen[0]["HTTP_AUTHORIZATION"].partition(" ")
    client_id, _, secret = base64.b64decode(url_encoded).decode("ascii").partition(":")
    assert (scheme, unquote_plus(client_id), unquote_plus(secret)) == ("Basic", "a:b", "å +&%")


def test_single_flight(world: Environment) -> None:
    """Sixteen threads on a cold cache ask for one token."""
    directory = create_skolon_client(settings(world.url))
    barrier = threading.Barrier(16)
    found: list[SkolonUser | None] = []

    def ask() -> None:
        barrier.wait(timeout=30)
        found.append(directory.read("exempel", "user-1"))

    threads = [threading.Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert len([user for user in found if user is not None]) == 16
    assert world.standin.requests()["POST token"] == 1


def use(directory: SkolonClient, user: SkolonUser) -> None:
    directory.search("exempel", {Attribute.EXTERNAL_ID: "entra-1"})
    directory.read("exempel", user.id)
    directory.update("exempel", user, {Attribute.FIRST_NAME: "Ny"})


def test_only_searches_get_and_patch_leave(world: Environment) -> None:
    """All that arrives from all that there is to call is searches, GET and PATCH of users (promise P1)."""
    use(world.directory, world.user())
    assert set(world.standin.requests()) == {"POST search", "GET user", "PATCH user"}


def test_only_get_leaves_in_a_dry_run(world: Environment) -> None:
    """A directory for dry runs reads, and an update is stopped before it leaves (promise P1)."""
    user = world.user()
    with pytest.raises(RequestRefusedError):
        use(world.directory.read_only(), user)
    assert set(world.standin.requests()) == {"POST search", "GET user"}


@pytest.mark.parametrize("organisation", ["..", "../annan", "a/b", "?", "#"])
def test_odd_organisations(world: Environment, organisation: str) -> None:
    """An organisation's name cannot lead a request to somewhere else (promise P1)."""
    with pytest.raises((RequestRefusedError, HaltError, TransientError)):
        world.directory.search(organisation, {Attribute.EXTERNAL_ID: "entra-9"})
    assert set(world.standin.requests()) <= {"POST search", "GET search", "GET other", "POST other"}


def listing(resources: object, total: object) -> bytes:
    return json.dumps({"totalResults": total, "Resources": resources}).encode()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"Resources": [{"id": "1"}]}',
        listing(None, "1"),
        listing({}, 1),
        listing([None], 1),
        listing([{"userName": HIDDEN}], 1),
        listing([{"id": "1", "emails": HIDDEN}], 1),
        listing([], -1),
    ],
)
def test_wrong_shapes(odd: Odd, body: bytes) -> None:
    """A 200 that is no list of users is an outage that says what is wrong, without values (P6)."""
    odd.body = body
    with pytest.raises(TransientError, match="HTTP 200, but") as caught:
        odd.directory.search("exempel", {Attribute.EXTERNAL_ID: "x"})
    assert HIDDEN not in str(caught.value)


@pytest.mark.parametrize(
    ("resources", "total"), [([], 3), ([{"id": "1"}], 2), ([{"id": "1"}, {"id": "2"}], 1)]
)
def test_pages_that_do_not_add_up(odd: Odd, resources: list[object], total: int) -> None:
    """A count that the users on the pages do not reach halts: a user may be among those that are missing."""
    odd.body = listing(resources, total)
    with pytest.raises(HaltError, match=r"by its count|ignores the filter"):
        odd.directory.search("exempel", {Attribute.EXTERNAL_ID: "x"})


def test_find_follows_pages(odd: Odd) -> None:
    """What does not fit on one page is read to its end, each user once."""

    def answer(environ: WSGIEnvironment) -> bytes:
        asked = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        start = asked["startIndex"]
        return listing([{"id": str(number)} for number in range(start, min(start + 2, 6))], 5)

    odd.answer = answer
    found = odd.directory.search("exempel", {Attribute.EXTERNAL_ID: "x"})
    assert [user.id for user in found] == ["1", "2", "3", "4", "5"]
    # The last one asks for users that have the key, since these have it not.
    assert [seen["REQUEST_METHOD"] for seen in odd.seen] == ["POST", "POST", "POST", "GET"]


def test_a_search_that_finds_everybody(odd: Odd) -> None:
    """A server that does not look at the filter is noticed, and its users are not read to their end."""
    odd.body = listing([{"id": "1"}], 100_000)
    with pytest.raises(HaltError, match="ignores the filter"):
        odd.directory.search("exempel", {Attribute.EXTERNAL_ID: "x"})
    # Two by POST and one by GET, in case it is the body of a POST that is not looked at.
    assert len(odd.seen) == 3


def test_update_answered_without_body(odd: Odd) -> None:
    """A body may be absent: the user is read, and the request was what RFC 7644 asks for."""
    odd.body = json.dumps({"id": "user 1/å", "meta": {"version": 'W/"1"'}}).encode()
    user = odd.directory.read("exempel", "user 1/å")
    assert user is not None
    changed = json.dumps({"id": "user 1/å", "name": {"givenName": "Ny"}}).encode()
    odd.headers = [("ETag", 'W/"2"')]
    odd.answer = lambda environ: b"" if environ["REQUEST_METHOD"] == "PATCH" else changed
    shown = odd.directory.update("exempel", user, {Attribute.FIRST_NAME: "Ny"})
    assert shown is not None
    assert (shown.version, shown.attributes[Attribute.FIRST_NAME]) == ('W/"2"', "Ny")
    sent = odd.seen[-2]
    assert sent["REQUEST_METHOD"] == "PATCH"
    assert sent["HTTP_IF_MATCH"] == 'W/"1"'
    assert sent["CONTENT_TYPE"] == "application/scim+json"
    assert sent["REQUEST_URI"].endswith("/Users/user%201%2F%C3%A5")


def test_answer_about_another_user(odd: Odd) -> None:
    """A user that comes in place of the one asked for is not taken."""
    odd.body = b'{"id": "user-2"}'
    with pytest.raises(TransientError, match="another user"):
        odd.directory.read("exempel", "user-1")


def test_error_of_odd_types(odd: Odd) -> None:
    """Of an error whose `scimType` is none of SCIM's words the status alone is quoted (P6)."""
    odd.status = "400 Bad Request"
    odd.body = json.dumps({"schemas": [ERROR_RESPONSE], "scimType": HIDDEN, "detail": HIDDEN}).encode()
    with pytest.raises(HaltError) as caught:
        odd.directory.search("exempel", {Attribute.EMAIL: HIDDEN})
    assert caught.value.cause is Cause.SKOLON_SEARCH
    assert caught.value.detail.endswith("(HTTP 400 (not shown))")


def test_nothing_is_logged(world: Environment, caplog: pytest.LogCaptureFixture) -> None:
    """No value, token or secret gets into a log at DEBUG, or into a repr (P6)."""
    caplog.set_level(logging.DEBUG)
    directory = create_skolon_client(settings(world.url))
    directory.search("exempel", {Attribute.EMAIL: HIDDEN})
    directory.update("exempel", world.user(), {Attribute.EMAIL: HIDDEN})
    ours = "".join(
        record.getMessage()
        for record in caplog.records
        if not record.name.startswith(("sandbox", "werkzeug"))
    )
    for hidden in (HIDDEN, SECRET, BEARER):
        assert hidden not in ours + repr(directory)
