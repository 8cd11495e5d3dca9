"""The stand-in for Skolon, met over HTTP as the sync meets it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import requests
from scim2_models import UniquenessException

from sandbox.serving import serve
from sandbox.skolon.application import SkolonStandIn
from sandbox.skolon.faults import Fault, rejected, throttled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.serving import Server

EXTENSION = "urn:ietf:params:scim:schemas:extension:skolon:2.0:User"
PATCH_SCHEMA = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
ERROR_SCHEMA = "urn:ietf:params:scim:api:messages:2.0:Error"
SECONDS = 10


def user(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", EXTENSION],
        "id": f"user-{number}",
        "externalId": f"entra-{number}",
        "userName": f"u{number}@kommun.example",
        "name": {"givenName": "Bo", "familyName": "Ek"},
        "active": True,
        "emails": [{"value": f"mail{number}@kommun.example", "type": "work"}],
        EXTENSION: {"eppn": f"eppn{number}@kommun.example", "idpIdentifier": f"Idp{number}"},
    } | changes


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def skolon(clock: Clock) -> SkolonStandIn:
    return SkolonStandIn(
        {"exempel": [user(number) for number in range(1, 4)], "annan": [user(9)]},
        bearer_token="fixed-token",  # noqa: S106 - made up
        client_id="sync",
        client_secret="made-up",  # noqa: S106 - made up
        clock=clock,
    )


@pytest.fixture
def server(skolon: SkolonStandIn) -> Iterator[Server]:
    with serve(skolon.application, threads=4) as running:
        yield running


@pytest.fixture
def http() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        session.headers["Authorization"] = "Bearer fixed-token"
        yield session


@pytest.fixture
def users_url(server: Server) -> str:
    return f"{server.url}/exempel/scim/v2/Users"


def patch(
    http: requests.Session, url: str, *, path: str, value: object, version: str | None = None
) -> requests.Response:
    body = {"schemas": [PATCH_SCHEMA], "Operations": [{"op": "replace", "path": path, "value": value}]}
    headers = {"Content-Type": "application/scim+json"} | ({"If-Match": version} if version else {})
    return http.patch(url, data=json.dumps(body), headers=headers, timeout=SECONDS)


def search(http: requests.Session, url: str, scim_filter: str) -> list[str]:
    answer = http.get(url, params={"filter": scim_filter}, timeout=SECONDS)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    found = [resource["id"] for resource in body.get("Resources", [])]
    assert body["totalResults"] == len(found)
    return sorted(found)


# ---- SCIM


@pytest.mark.parametrize(
    ("scim_filter", "found"),
    [
        ('externalId eq "entra-1"', ["user-1"]),
        ('externalId eq "ENTRA-1"', []),
        ('userName eq "U2@kommun.example"', ["user-2"]),
        ('emails.value eq "mail3@kommun.example"', ["user-3"]),
        ('emails[type eq "work" and value eq "mail3@kommun.example"]', ["user-3"]),
        ('emails[type eq "home" and value eq "mail3@kommun.example"]', []),
        (f'{EXTENSION}:eppn eq "EPPN2@Kommun.Example"', ["user-2"]),
        (f'{EXTENSION}:idpIdentifier eq "Idp2"', ["user-2"]),
        (f'{EXTENSION}:idpIdentifier eq "idp2"', []),
        ('externalId eq "no" or userName eq "u1@kommun.example" or emails.value eq "no"', ["user-1"]),
        (f'externalId eq "entra-1" or {EXTENSION}:eppn eq "eppn3@kommun.example"', ["user-1", "user-3"]),
        ('externalId eq "entra-1" and userName eq "u2@kommun.example"', []),
        ('externalId eq "entra-1" or name.givenName eq "bo"', ["user-1", "user-2", "user-3"]),
        ('not (externalId eq "entra-1")', ["user-2", "user-3"]),
        ('externalId eq "a \\"quoted\\" \\\\ one"', []),
    ],
)
def test_searches_find_who_they_ask_for(
    http: requests.Session, users_url: str, scim_filter: str, found: list[str]
) -> None:
    """The indexes answer as the filter says: case counts where it should, and an ``or`` joins."""
    assert search(http, users_url, scim_filter) == found


def test_two_users_may_have_one_eppn(http: requests.Session, server: Server, skolon: SkolonStandIn) -> None:
    """EPPN isn't unique in the server, so that the sync's own check can be tried."""
    twin = user(2, **{EXTENSION: {"eppn": "EPPN1@kommun.example"}})
    skolon.fill("tvillingar", [user(1), twin])
    url = f"{server.url}/tvillingar/scim/v2/Users"
    assert search(http, url, f'{EXTENSION}:eppn eq "eppn1@kommun.example"') == ["user-1", "user-2"]


def test_user_names_are_unique(skolon: SkolonStandIn) -> None:
    """Two users with one user name, whatever the case, cannot be filled in."""
    with pytest.raises(UniquenessException):
        skolon.fill("exempel", [user(1), user(2, userName="U1@kommun.example")])


def test_a_taken_user_name_is_refused(http: requests.Session, users_url: str) -> None:
    """A PATCH to a user name that exists is a 409 with uniqueness, and changes nothing."""
    answer = patch(http, f"{users_url}/user-1", path="userName", value="u2@kommun.example")
    assert (answer.status_code, answer.json()["scimType"]) == (409, "uniqueness")
    assert search(http, users_url, 'userName eq "u1@kommun.example"') == ["user-1"]


def test_an_empty_organisation_answers_with_nobody(
    http: requests.Session, server: Server, skolon: SkolonStandIn
) -> None:
    """No users is an empty list, not an error."""
    skolon.fill("tom", [])
    assert search(http, f"{server.url}/tom/scim/v2/Users", 'userName eq "x"') == []


def test_a_list_without_filter_is_paged(http: requests.Session, users_url: str) -> None:
    """All users can be listed, page by page."""
    pages = [
        http.get(users_url, params={"startIndex": start, "count": 2}, timeout=SECONDS).json()
        for start in (1, 3)
    ]
    assert [[u["id"] for u in page["Resources"]] for page in pages] == [["user-1", "user-2"], ["user-3"]]
    assert {page["totalResults"] for page in pages} == {3}


def test_a_patch_with_the_right_version_changes_the_user(
    http: requests.Session, users_url: str, skolon: SkolonStandIn
) -> None:
    """If-Match with the current ETag lets a PATCH through, the version moves on, and the rest stays."""
    before = http.get(f"{users_url}/user-1", timeout=SECONDS)
    answer = patch(
        http, f"{users_url}/user-1", path="name.familyName", value="Ny", version=before.headers["ETag"]
    )
    assert answer.status_code == 204
    assert answer.headers["ETag"] != before.headers["ETag"]
    held = next(u for u in skolon.users("exempel") if u["id"] == "user-1")
    assert held["name"] == {"givenName": "Bo", "familyName": "Ny"}
    assert {**held, "name": None, "meta": None} == {**user(1), "name": None, "meta": None}


def test_a_stale_version_is_refused(http: requests.Session, users_url: str) -> None:
    """A PATCH whose If-Match is out of date is a 412."""
    version = http.get(f"{users_url}/user-1", timeout=SECONDS).headers["ETag"]
    patch(http, f"{users_url}/user-1", path="name.familyName", value="Ny")
    answer = patch(http, f"{users_url}/user-1", path="name.familyName", value="Nyare", version=version)
    assert (answer.status_code, answer.json()["status"]) == (412, "412")


def test_a_changed_user_is_found_under_its_new_values_alone(http: requests.Session, users_url: str) -> None:
    """The indexes follow a PATCH."""
    patch(http, f"{users_url}/user-1", path=f"{EXTENSION}:eppn", value="ny@kommun.example")
    assert search(http, users_url, f'{EXTENSION}:eppn eq "NY@kommun.example"') == ["user-1"]
    assert search(http, users_url, f'{EXTENSION}:eppn eq "eppn1@kommun.example"') == []


def test_a_value_filter_that_matches_nothing_is_no_target(http: requests.Session, users_url: str) -> None:
    """Replacing an entry that is not there is a 400 with noTarget (RFC 7644 section 3.5.2.3)."""
    answer = patch(http, f"{users_url}/user-1", path='phoneNumbers[type eq "home"].value', value="070")
    assert (answer.status_code, answer.json()["scimType"]) == (400, "noTarget")


def test_an_attribute_that_skolon_has_not_is_refused(http: requests.Session, users_url: str) -> None:
    """A path outside the schema is a 400."""
    assert patch(http, f"{users_url}/user-1", path="shoeSize", value="43").status_code == 400


def test_organisations_do_not_see_each_other(http: requests.Session, server: Server) -> None:
    """Each organisation has its own users, and an unknown one is a 404 in SCIM's form."""
    scim = "scim/v2/Users"
    assert search(http, f"{server.url}/annan/{scim}", 'externalId eq "entra-1"') == []
    assert http.get(f"{server.url}/annan/{scim}/user-1", timeout=SECONDS).status_code == 404
    unknown = http.get(f"{server.url}/ingen/{scim}", timeout=SECONDS)
    assert (unknown.status_code, unknown.json()["schemas"]) == (404, [ERROR_SCHEMA])


# ---- who may come in


@pytest.mark.parametrize("header", [None, "Bearer wrong", "Bearer ", "Basic Zml4ZWQ6dG9rZW4="])
def test_without_a_token_nobody_comes_in(http: requests.Session, users_url: str, header: str | None) -> None:
    """Anything but a token in force is a 401 with a SCIM error."""
    answer = http.get(users_url, headers={"Authorization": header}, timeout=SECONDS)
    assert (answer.status_code, answer.json()["schemas"]) == (401, [ERROR_SCHEMA])


def token(http: requests.Session, server: Server, **changes: str) -> requests.Response:
    form = {"grant_type": "client_credentials", "client_id": "sync", "client_secret": "made-up"} | changes
    return http.post(f"{server.url}/oauth/access_token", data=form, timeout=SECONDS)


def test_client_credentials_give_a_token_that_expires(
    http: requests.Session, server: Server, users_url: str, clock: Clock
) -> None:
    """A token lets its holder in until its time is over."""
    issued = token(http, server).json()
    bearer = {"Authorization": f"{issued['token_type']} {issued['access_token']}"}
    assert http.get(users_url, headers=bearer, timeout=SECONDS).status_code == 200
    clock.now += issued["expires_in"]
    assert http.get(users_url, headers=bearer, timeout=SECONDS).status_code == 401


def test_client_credentials_may_travel_as_basic(http: requests.Session, server: Server) -> None:
    """The client may also authenticate with HTTP Basic (RFC 6749 section 2.3.1)."""
    answer = http.post(
        f"{server.url}/oauth/access_token",
        data={"grant_type": "client_credentials"},
        auth=("sync", "made-up"),
        timeout=SECONDS,
    )
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "other"}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
    ],
)
def test_wrong_client_credentials_are_refused(
    http: requests.Session, server: Server, changes: dict[str, str], status: int, error: str
) -> None:
    """The errors are those of OAuth2."""
    answer = token(http, server, **changes)
    assert (answer.status_code, answer.json()["error"]) == (status, error)


# ---- what can go wrong


@pytest.mark.parametrize("status", [400, 401, 403, 429, 500, 502, 503])
def test_a_status_strikes_as_often_as_told(
    http: requests.Session, users_url: str, skolon: SkolonStandIn, status: int
) -> None:
    """Twice is twice, and then all is well again."""
    skolon.faults.add(Fault(kind="status", status=status, times=2))
    answers = [http.get(users_url, timeout=SECONDS) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [status, status, 200]
    assert answers[0].json()["status"] == str(status)


@pytest.mark.parametrize("retry_after", ["0.25", "3", None])
def test_throttling_says_when_to_come_back(
    http: requests.Session, users_url: str, skolon: SkolonStandIn, retry_after: str | None
) -> None:
    """A 429 carries Retry-After as it was given, or none."""
    skolon.faults.add(throttled(retry_after=retry_after))
    answer = http.get(users_url, timeout=SECONDS)
    assert (answer.status_code, answer.headers.get("Retry-After")) == (429, retry_after)


def test_an_error_page_is_html(http: requests.Session, users_url: str, skolon: SkolonStandIn) -> None:
    """A proxy's page is no SCIM error."""
    skolon.faults.add(Fault(kind="html", status=502))
    answer = http.get(users_url, timeout=SECONDS)
    assert (answer.status_code, answer.headers["Content-Type"]) == (502, "text/html; charset=utf-8")


def test_an_answer_may_be_no_json(http: requests.Session, users_url: str, skolon: SkolonStandIn) -> None:
    """A 200 need not be what it says it is."""
    skolon.faults.add(Fault(kind="not_json"))
    answer = http.get(users_url, timeout=SECONDS)
    assert answer.status_code == 200
    with pytest.raises(requests.exceptions.JSONDecodeError):
        answer.json()


def test_a_body_may_be_truncated(http: requests.Session, users_url: str, skolon: SkolonStandIn) -> None:
    """The connection ends in the middle of the body."""
    skolon.faults.add(Fault(kind="truncated"))
    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.exceptions.ConnectionError)):
        http.get(users_url, timeout=SECONDS)
    assert http.get(users_url, timeout=SECONDS).status_code == 200


def test_a_connection_may_be_cut(http: requests.Session, users_url: str, skolon: SkolonStandIn) -> None:
    """No answer comes at all."""
    skolon.faults.add(Fault(kind="cut"))
    with pytest.raises(requests.exceptions.ConnectionError):
        http.get(users_url, timeout=SECONDS)


def test_an_answer_may_be_late(http: requests.Session, users_url: str, skolon: SkolonStandIn) -> None:
    """A client with less patience than the delay gives up."""
    skolon.faults.add(Fault(kind="delay", delay=0.5))
    with pytest.raises(requests.exceptions.ReadTimeout):
        http.get(users_url, timeout=(SECONDS, 0.05))


def test_a_user_may_be_changed_under_ones_hands(
    http: requests.Session, users_url: str, skolon: SkolonStandIn
) -> None:
    """Two PATCHes meet a newer version than their If-Match; reading in between uses nothing up."""
    skolon.faults.add(Fault(kind="changed", times=2))
    statuses = []
    for _ in range(3):
        version = http.get(f"{users_url}/user-1", timeout=SECONDS).headers["ETag"]
        answer = patch(http, f"{users_url}/user-1", path="name.familyName", value="Ny", version=version)
        statuses.append(answer.status_code)
    assert statuses == [412, 412, 204]


def test_one_user_may_be_rejected_for_good(
    http: requests.Session, users_url: str, skolon: SkolonStandIn
) -> None:
    """P7: PATCHes of that user are refused every time, those of other users are not."""
    skolon.faults.add(rejected("user-1"))
    for _ in range(2):
        answer = patch(http, f"{users_url}/user-1", path="name.familyName", value="Ny")
        assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidValue")
    assert patch(http, f"{users_url}/user-2", path="name.familyName", value="Ny").status_code == 204
    assert http.get(f"{users_url}/user-1", timeout=SECONDS).status_code == 200


def test_a_fault_strikes_only_where_it_is_meant_to(
    http: requests.Session, server: Server, users_url: str, skolon: SkolonStandIn
) -> None:
    """A fault for the token endpoint leaves searches alone, and waits."""
    skolon.faults.add(Fault(kind="status", status=503, path_kind="token"))
    assert http.get(users_url, timeout=SECONDS).status_code == 200
    assert token(http, server).status_code == 503
    assert token(http, server).status_code == 200


@pytest.mark.parametrize(
    "wrong", [{"kind": "flood"}, {"kind": "cut", "times": 0}, {"kind": "cut", "path_kind": "x"}]
)
def test_impossible_faults_are_refused(wrong: dict[str, Any]) -> None:
    """A fault that could never strike is an error where it is written."""
    with pytest.raises(ValueError, match="must be"):
        Fault(**wrong)


# ---- counts and the control path


def test_requests_are_counted_by_method_and_kind(
    http: requests.Session, server: Server, users_url: str, skolon: SkolonStandIn
) -> None:
    """P1 can be checked: what came in is known, faults included, the control path not."""
    skolon.faults.add(throttled())
    http.get(users_url, timeout=SECONDS)
    http.get(users_url, timeout=SECONDS)
    http.get(f"{users_url}/user-1", timeout=SECONDS)
    patch(http, f"{users_url}/user-1", path="name.familyName", value="Ny")
    http.post(users_url, json=user(5), timeout=SECONDS)
    token(http, server)
    counted = {"GET search": 2, "GET user": 1, "PATCH user": 1, "POST other": 1, "POST token": 1}
    assert http.get(f"{server.url}/control/requests", timeout=SECONDS).json() == counted
    assert skolon.requests() == counted


def test_control_fills_and_reads_back(http: requests.Session, server: Server) -> None:
    """Another process can put users in and see what became of them."""
    control = f"{server.url}/control/organisations"
    http.put(f"{control}/ny", json=[user(1), user(2)], timeout=SECONDS).raise_for_status()
    assert sorted(http.get(control, timeout=SECONDS).json()) == ["annan", "exempel", "ny"]
    url = f"{server.url}/ny/scim/v2/Users"
    patch(http, f"{url}/user-2", path="name.familyName", value="Ny")
    held = http.get(f"{control}/ny", timeout=SECONDS).json()
    assert [u["name"]["familyName"] for u in held] == ["Ek", "Ny"]


def test_control_changes_one_user(http: requests.Session, server: Server) -> None:
    """A user changes as if by another client: the rest stays, the version is new, and a search finds it."""
    url = f"{server.url}/control/organisations/exempel/users/user-2"
    before = http.get(url, timeout=SECONDS).json()

    changes = {"name": {"familyName": "Ny"}, "externalId": None, "userName": "ny@exempel.example"}
    after = http.patch(url, json=changes, timeout=SECONDS).json()

    assert after == http.get(url, timeout=SECONDS).json()
    assert after["name"] == {**before["name"], "familyName": "Ny"}
    assert "externalId" not in after
    assert after["meta"]["version"] != before["meta"]["version"]
    assert after["emails"] == before["emails"]
    taken = http.patch(url, json={"userName": user(1)["userName"]}, timeout=SECONDS)
    assert taken.status_code == 409
    assert http.get(url, timeout=SECONDS).json() == after


def test_control_switches_faults_and_tokens(http: requests.Session, server: Server, users_url: str) -> None:
    """Another process can make things go wrong, and right again."""
    control = f"{server.url}/control"
    bearer = {"Authorization": f"Bearer {token(http, server).json()['access_token']}"}
    http.post(f"{control}/faults", json={"kind": "status", "status": 503, "times": None}, timeout=SECONDS)
    assert http.get(users_url, timeout=SECONDS).status_code == 503
    assert len(http.get(f"{control}/faults", timeout=SECONDS).json()) == 1
    http.delete(f"{control}/faults", timeout=SECONDS)
    assert http.get(users_url, headers=bearer, timeout=SECONDS).status_code == 200
    http.delete(f"{control}/tokens", timeout=SECONDS)
    assert http.get(users_url, headers=bearer, timeout=SECONDS).status_code == 401


@pytest.mark.parametrize(
    ("call", "body", "status"),
    [
        (("POST", "faults"), "{", 400),
        (("POST", "faults"), '{"kind": "flood"}', 400),
        (("POST", "faults"), '{"colour": "red"}', 400),
        (("PUT", "organisations/ny"), '{"id": "1"}', 400),
        (("GET", "organisations/ingen"), "", 404),
        (("PATCH", "organisations/exempel/users/nobody"), "{}", 404),
        (("PATCH", "organisations/exempel/users/user-1"), "[]", 400),
        (("PATCH", "organisations/exempel/users/user-1"), '{"name": "Ek"}', 400),
        (("PATCH", "organisations/exempel/users/user-1"), '{"nmae": {"familyName": "Ek"}}', 400),
        (("DELETE", "organisations/exempel/users/user-1"), "", 404),
        (("GET", "weather"), "", 404),
    ],
)
def test_control_refuses_what_it_cannot_do(
    http: requests.Session, server: Server, call: tuple[str, str], body: str, status: int
) -> None:
    """A mistake on the control path is a clear error."""
    method, path = call
    answer = http.request(method, f"{server.url}/control/{path}", data=body, timeout=SECONDS)
    assert (answer.status_code, list(answer.json())) == (status, ["error"])
