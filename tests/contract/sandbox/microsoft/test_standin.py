"""What Microsoft's clients hide: addresses, headers, bodies, faults and the control path."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests

from sandbox.microsoft.faults import Effect, Fault
from sandbox.microsoft.graph.delta import LINK_SECONDS
from sandbox.microsoft.graph.properties import DEFAULT, NEVER
from sandbox.microsoft.http_messages import Kind
from tests.contract.sandbox.microsoft.graph_server import (
    BORN,
    CLIENT,
    TENANT,
    Running,
    running,
    user,
    user_id,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def tenant() -> Iterator[Running]:
    with running() as run:
        yield run


def ids(pages: list[dict[str, Any]]) -> list[str | None]:
    return [person.get("id") for page in pages for person in page["value"]]


ALL_USERS = [user_id(number) for number in range(7)]


def test_default_properties(tenant: Running) -> None:
    """Without $select a user has the default properties and no others."""
    page = tenant.get("/users").json()
    assert set(page["value"][0]) == set(DEFAULT)
    assert page["@odata.context"].endswith("/v1.0/$metadata#users")


def test_next_link(tenant: Running) -> None:
    """A nextLink is absolute and opaque, and keeps the $select on every page."""
    pages = tenant.pages("/users?$select=id,city&$top=3")
    assert ids(pages) == ALL_USERS
    assert all(set(person) == {"id", "city"} for page in pages for person in page["value"])
    link = pages[0]["@odata.nextLink"]
    assert link.startswith(f"{tenant.url}/v1.0/users?")
    assert "$skiptoken=" in link


def test_form_decoding_breaks_a_token(tenant: Running) -> None:
    """A client that takes the + of a token for a space is told that the token is bad."""
    link = tenant.get("/users?$top=3").json()["@odata.nextLink"]
    assert tenant.get(link.replace("+", "%20")).status_code == 400


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("$top=1000", 400, "Request_UnsupportedQuery"),
        ("$top=0", 400, "Request_UnsupportedQuery"),
        ("$top=x", 400, "Request_UnsupportedQuery"),
        ("$skip=1", 400, "Request_UnsupportedQuery"),
        ("$filter=city%20eq%20'x'", 400, "Request_UnsupportedQuery"),
        ("$select=id,nosuch", 400, "BadRequest"),
        ("$select=otherEmails", 400, "BadRequest"),
        ("$select=id,birthday", 501, "NotImplemented"),
        ("$skiptoken=RF+nonsense", 400, "Request_BadRequest"),
    ],
)
def test_refused_lists(tenant: Running, query: str, status: int, code: str) -> None:
    """A wrong query is refused with Graph's status and code, and the ids of the request."""
    answer = tenant.get(f"/users?{query}", client_request_id="mine")
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (status, code)
    assert error["innerError"]["request-id"] == answer.headers["request-id"]
    assert error["innerError"]["client-request-id"] == answer.headers["client-request-id"] == "mine"
    assert error["innerError"]["date"] == "2027-01-15T08:00:00"


def test_count_needs_its_header(tenant: Running) -> None:
    """Counts come with ConsistencyLevel: eventual only."""
    assert tenant.get("/users/$count").status_code == 400
    answer = tenant.get("/users/$count", ConsistencyLevel="eventual")
    assert (answer.text, answer.headers["Content-Type"]) == ("7", "text/plain")
    assert "@odata.count" not in tenant.get("/users?$count=true").json()
    assert tenant.get("/users?$count=true", ConsistencyLevel="eventual").json()["@odata.count"] == 7


@pytest.mark.parametrize(("number", "birthday"), [(1, BORN), (2, NEVER)])
def test_birthday(tenant: Running, number: int, birthday: str) -> None:
    """One person's birthday can be read by id and by name; none is the year 1."""
    for key in (user_id(number), f"P{number}@exempelkommun.example"):
        assert tenant.get(f"/users/{key}?$select=birthday").json()["birthday"] == birthday
    assert tenant.standin.requests.counts()["birthday"] == 2


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1.0/groups", 404),
        ("GET", "/v1.0/users/nobody", 404),
        ("POST", "/v1.0/users", 405),
        ("PATCH", f"/v1.0/users/{ALL_USERS[0]}", 405),
        ("DELETE", f"/v1.0/users/{ALL_USERS[0]}", 405),
        ("GET", "/v1.0/$batch", 405),
    ],
)
def test_what_is_not_there(tenant: Running, method: str, path: str, status: int) -> None:
    """Anything else is refused in Graph's form, and changes nothing."""
    answer = tenant.call(method, path, headers={"Authorization": f"Bearer {tenant.token()}"})
    assert (answer.status_code, set(answer.json()["error"])) == (status, {"code", "message", "innerError"})
    assert len(tenant.directory) == 7


def test_without_token_or_permission(tenant: Running) -> None:
    """No token is 401 with a challenge, no permission is 403."""
    answer = tenant.call("GET", "/v1.0/users")
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "InvalidAuthenticationToken")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer ")
    tenant.standin.entra.change(TENANT, CLIENT, permitted=False)
    answer = tenant.get("/users")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "Authorization_RequestDenied")


def test_odd_users_are_served_as_they_are(tenant: Running) -> None:
    """Wrong types, a null list and a missing id come out as they went in."""
    tenant.directory.add_raw({"givenName": 17, "otherMails": None})
    last = tenant.get("/users?$select=id,givenName,otherMails").json()["value"][-1]
    assert last == {"givenName": 17, "otherMails": None}


def test_delta_rounds(tenant: Running) -> None:
    """A delta returns all users, then selected changes only, then nothing in one request."""
    first = tenant.pages("/users/delta?$select=city,mail", Prefer="odata.maxpagesize=3")
    assert ids(first) == ALL_USERS
    assert first[0]["value"][0] == {"city": "Exempelstad", "id": ALL_USERS[0]}
    tenant.directory.change(ALL_USERS[0], {"city": None})
    tenant.directory.change(ALL_USERS[1], {"givenName": "Not selected"})
    tenant.directory.remove(ALL_USERS[2], reason="deleted")
    tenant.directory.add(user(50))
    second = tenant.pages(first[-1]["@odata.deltaLink"])
    assert [entity for page in second for entity in page["value"]] == [
        {"city": None, "id": ALL_USERS[0]},
        {"id": ALL_USERS[2], "@removed": {"reason": "deleted"}},
        {"city": "Exempelstad", "id": user_id(50)},
    ]
    tenant.standin.requests.reset()
    assert ids(tenant.pages(second[-1]["@odata.deltaLink"])) == []
    assert tenant.standin.requests.counts()["delta"] == 1


def test_delta_from_now_on(tenant: Running) -> None:
    """$deltatoken=latest is an empty page and a link to what comes after it."""
    page = tenant.get("/users/delta?$select=city&$deltatoken=latest").json()
    assert page["value"] == []
    tenant.directory.change(ALL_USERS[3], {"city": "Ny"})
    assert ids(tenant.pages(page["@odata.deltaLink"])) == [ALL_USERS[3]]


@pytest.mark.parametrize(
    ("status", "code"),
    [(410, "resyncRequired"), (404, "syncStateNotFound"), (400, "Request_UnsupportedQuery")],
)
def test_expired_delta(tenant: Running, status: int, code: str) -> None:
    """An expired delta link is refused in each of the three ways that have been seen."""
    link = tenant.get("/users/delta").json()["@odata.deltaLink"]
    tenant.standin.faults.add(Fault(effect=Effect.EXPIRED_DELTA, status=status))
    answer = tenant.get(link)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert ("Location" in answer.headers) == (status == 410)


def test_delta_link_lives_seven_days(tenant: Running) -> None:
    """A delta link works on its last second and not on the next."""
    link = tenant.get("/users/delta").json()["@odata.deltaLink"]
    tenant.clock.now += LINK_SECONDS
    assert tenant.get(link).status_code == 200
    tenant.clock.now += 1
    assert tenant.get(link).status_code == 410


def test_a_delta_that_grows(tenant: Running) -> None:
    """A user that changes while a round is read comes once more in it, and not in the next one."""
    link = tenant.get("/users/delta?$select=city&$deltatoken=latest").json()["@odata.deltaLink"]
    for person in ALL_USERS[:2]:
        tenant.directory.change(person, {"city": "Ny"})
    first = tenant.get(link, Prefer="odata.maxpagesize=1").json()
    tenant.directory.change(ALL_USERS[0], {"city": "Nyare"})
    tenant.standin.faults.add(Fault(effect=Effect.GROWING_ROUND))
    rest = tenant.pages(first["@odata.nextLink"])
    assert ids([first, *rest]) == [ALL_USERS[0], ALL_USERS[1], ALL_USERS[0]]
    assert ids(tenant.pages(rest[-1]["@odata.deltaLink"])) == []


def batch(tenant: Running, urls: list[str]) -> requests.Response:
    steps = [{"id": str(number), "method": "GET", "url": url} for number, url in enumerate(urls)]
    headers = {"Authorization": f"Bearer {tenant.token()}"}
    return tenant.call("POST", "/v1.0/$batch", json={"requests": steps}, headers=headers)


def test_batch(tenant: Running) -> None:
    """Each request of a batch has a status of its own, and a Retry-After where it is throttled."""
    tenant.standin.faults.add(Fault(effect=Effect.ERROR, user=ALL_USERS[1], status=429, retry_after="2.128"))
    answer = batch(tenant, [f"/users/{key}?$select=birthday" for key in (*ALL_USERS[:2], "nobody")])
    by_id = {part["id"]: part for part in answer.json()["responses"]}
    assert answer.status_code == 200
    assert [by_id[str(number)]["status"] for number in range(3)] == [200, 429, 404]
    assert by_id["0"]["body"]["birthday"] == NEVER
    assert by_id["1"]["headers"]["Retry-After"] == "2.128"
    assert tenant.standin.requests.counts()["batched birthday"] == 3


def test_batch_of_twenty_at_most(tenant: Running) -> None:
    """Twenty are taken, twenty-one refused."""
    url = f"/users/{ALL_USERS[0]}"
    assert batch(tenant, [url] * 20).status_code == 200
    assert batch(tenant, [url] * 21).status_code == 400


def test_throttling(tenant: Running) -> None:
    """Units are spent as documented; then 429 with a fraction of seconds, until the window ends."""
    tenant.standin.throttle.enabled = True
    tenant.standin.throttle.limit = 4
    assert tenant.get("/users").headers["x-ms-resource-unit"] == "2"
    tenant.clock.now += 7.872
    assert tenant.get("/users?$select=id").headers["x-ms-resource-unit"] == "1"
    assert tenant.get(f"/users/{ALL_USERS[0]}").headers["x-ms-throttle-limit-percentage"] == "1.0"
    refused = tenant.get("/users?$select=id")
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "2.128")
    tenant.clock.now += 2.128
    assert tenant.get("/users?$select=id").status_code == 200


@pytest.mark.parametrize("code", ["Directory_ExpiredPageToken", "DirectoryPageTokenNotFoundException"])
def test_page_token_expires(tenant: Running, code: str) -> None:
    """The token of the chosen page is refused; the scan before it was right."""
    tenant.standin.faults.add(Fault(effect=Effect.EXPIRED_PAGE_TOKEN, page=2, code=code))
    first = tenant.get("/users?$top=3").json()
    refused = tenant.get(first["@odata.nextLink"])
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, code)


def test_page_faults(tenant: Running) -> None:
    """An empty page leads on, a repeated link leads to itself, a cut list leads nowhere."""
    faults = tenant.standin.faults
    faults.add(Fault(effect=Effect.EMPTY_PAGE, page=2))
    pages = tenant.pages("/users?$top=3")
    assert [len(page["value"]) for page in pages] == [3, 0, 3, 1]
    assert ids(pages) == ALL_USERS
    faults.add(Fault(effect=Effect.REPEATED_LINK, page=2))
    link = tenant.get("/users?$top=3").json()["@odata.nextLink"]
    assert tenant.get(link).json()["@odata.nextLink"] == link
    faults.add(Fault(effect=Effect.CUT_SHORT))
    assert ids(tenant.pages("/users?$top=3")) == ALL_USERS[:3]


@pytest.mark.parametrize(
    ("fault", "status", "text"),
    [
        (Fault(effect=Effect.HTML), 502, "<!DOCTYPE html>"),
        (Fault(effect=Effect.HTML, status=200), 200, "<!DOCTYPE html>"),
        (Fault(effect=Effect.GARBAGE), 200, '{"value": [oops'),
        (Fault(effect=Effect.ERROR, status=504), 504, '{"error":{"code":"GatewayTimeout"'),
    ],
)
def test_wrong_answers(tenant: Running, fault: Fault, status: int, text: str) -> None:
    """A fault strikes once, and then the stand-in is well again."""
    tenant.standin.faults.add(fault)
    answer = tenant.get("/users")
    assert (answer.status_code, answer.text[: len(text)]) == (status, text)
    assert tenant.get("/users").status_code == 200


@pytest.mark.parametrize("effect", [Effect.CUT, Effect.TRUNCATED])
def test_broken_connections(tenant: Running, effect: Effect) -> None:
    """A cut connection and a truncated body are seen as such, and the next request is answered."""
    token = tenant.token()
    tenant.standin.faults.add(Fault(effect=effect))
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        tenant.get("/users", token=token)
    assert tenant.get("/users", token=token).status_code == 200


def test_skip_and_times(tenant: Running) -> None:
    """A fault spares the first few and strikes the next few of its kind alone."""
    tenant.standin.faults.add(Fault(effect=Effect.ERROR, kind=Kind.USERS, skip=1, times=2))
    assert tenant.get(f"/users/{ALL_USERS[0]}").status_code == 200
    assert [tenant.get("/users").status_code for _ in range(4)] == [200, 503, 503, 200]


def test_control_path(tenant: Running) -> None:
    """Everything can be switched over HTTP, for a stand-in in another process."""
    fault = {"effect": "error", "kind": "users", "status": 429, "retry_after": "2.128"}
    assert tenant.call("POST", "/sandbox/faults", json=fault).status_code == 204
    assert tenant.get("/users").headers["Retry-After"] == "2.128"
    app = f"/sandbox/apps/{TENANT}/{CLIENT}"
    assert tenant.call("PATCH", app, json={"permitted": False}).status_code == 204
    assert tenant.get("/users").status_code == 403
    tenant.call("PATCH", app, json={"permitted": True})
    people = f"/sandbox/directories/{TENANT}"
    assert tenant.call("POST", f"{people}/users", json=user(60)).status_code == 204
    assert tenant.call("PATCH", f"{people}/users/{user_id(60)}", json={"city": "Ny"}).status_code == 204
    assert tenant.get(f"/users/{user_id(60)}?$select=city").json()["city"] == "Ny"
    assert tenant.call("DELETE", f"{people}/users/{user_id(60)}").status_code == 204
    assert tenant.call("GET", people).json() == {"users": 7}
    assert tenant.call("GET", "/sandbox/requests").json()["users"] == 2


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "faults", {"effect": "nonsense"}, 400),
        ("POST", "faults", {"effect": "cut", "colour": "red"}, 400),
        ("POST", "faults", [], 400),
        ("PATCH", "apps/nobody/nothing", {}, 404),
        ("GET", "elsewhere", {}, 404),
    ],
)
def test_control_path_says_no(tenant: Running, method: str, path: str, body: object, status: int) -> None:
    """A wrong switch is refused with a reason."""
    answer = tenant.call(method, f"/sandbox/{path}", json=body)
    assert (answer.status_code, bool(answer.json()["error"])) == (status, True)
