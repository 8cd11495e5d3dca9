"""How Skolon is searched: by POST, whose filter is in the body, or by GET where there is no POST."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from clients.http.allow_list import RequestRefusedError
from clients.skolon.auth import StaticToken
from clients.skolon.client import ScimSkolonClient
from clients.skolon.server.capabilities import TTL, SearchMethod
from clients.skolon.server.capability_cache import CapabilityCache
from sandbox.serving import serve
from sandbox.skolon.application import SkolonStandIn
from sandbox.skolon.faults import Fault, without_search_by_post
from schemas.errors import HaltError, PermanentError, TransientError
from schemas.users.attributes import Attribute
from schemas.users.scim import SKOLON_EXTENSION

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from wsgiref.types import StartResponse, WSGIEnvironment

BEARER = "made-up-token"
PERSONAL = ("anna.ek@kommun.example", "201202021234", "entra-1")
KEYS = {
    Attribute.EPPN: PERSONAL[0],
    Attribute.SSN: PERSONAL[1],
    Attribute.EXTERNAL_ID: PERSONAL[2],
}
OTHERS = {Attribute.EPPN: "bo.al@kommun.example"}


def document(number: int, eppn: str) -> dict[str, Any]:
    return {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", SKOLON_EXTENSION],
        "id": f"user-{number}",
        "externalId": f"entra-{number}",
        "userName": eppn,
        SKOLON_EXTENSION: {"eppn": eppn, "ssn": PERSONAL[1] if number == 1 else None},
    }


@dataclass
class Environment:
    """The stand-in, every request line that it saw, and a client whose clock the test turns."""

    standin: SkolonStandIn
    url: str = ""
    lines: list[str] = field(default_factory=list)
    now: float = 0.0
    directory: ScimSkolonClient = field(init=False)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        self.lines.append(f"{environ['REQUEST_METHOD']} {environ['REQUEST_URI']}")
        return self.standin.application(environ, start_response)

    def connect(self) -> None:
        self.directory = ScimSkolonClient(
            url=f"{self.url}/{{organisation}}/scim/v2",
            token=StaticToken(BEARER),
            capabilities=CapabilityCache(clock=lambda: self.now),
        )

    def ids(self, keys: dict[Attribute, str] = KEYS, organisation: str = "exempel") -> list[str]:
        return [user.id for user in self.directory.search(organisation, keys)]

    def methods(self) -> list[str]:
        """Return the methods of the requests so far, and forget them."""
        found = [line.partition(" ")[0] for line in self.lines]
        self.lines.clear()
        return found

    def fault(self, **how: Any) -> None:
        self.standin.faults.add(Fault(path_kind="search", **how))


@pytest.fixture
def world() -> Iterator[Environment]:
    people = [document(1, PERSONAL[0]), document(2, OTHERS[Attribute.EPPN])]
    organisations = {"exempel": people, "annan": [document(9, "x@y.example")]}
    made = Environment(SkolonStandIn(organisations, bearer_token=BEARER))
    with serve(made, threads=4) as server:
        made.url = server.url
        made.connect()
        yield made


def test_no_value_stands_in_a_url(world: Environment) -> None:
    """P6: with a server that takes POST, no request line holds a value of any user."""
    (user,) = world.directory.search("exempel", KEYS)
    world.directory.search_many("exempel", [KEYS, OTHERS])
    world.directory.read_only().search("exempel", KEYS)
    world.directory.update("exempel", user, {Attribute.FIRST_NAME: "Hemlig"})
    assert {re.sub(r"user-\d", "ID", line) for line in world.lines} == {
        "POST /exempel/scim/v2/Users/.search",
        "PATCH /exempel/scim/v2/Users/ID",
        "GET /exempel/scim/v2/Users/ID",
    }


@pytest.mark.parametrize(
    "refusal",
    [
        {"kind": "status", "status": 404},
        {"kind": "html", "status": 404},
        {"kind": "status", "status": 405},
        {"kind": "status", "status": 400},
        {"kind": "status", "status": 415},
        {"kind": "status", "status": 501},
        {"kind": "html", "status": 200},
        {"kind": "html", "status": 302},
        {"kind": "not_json"},
    ],
    ids=lambda refusal: "-".join(map(str, refusal.values())),
)
def test_where_post_is_refused_get_is_taken(world: Environment, refusal: dict[str, Any]) -> None:
    """A server without POST is detected once, by a search without values, and then searched by GET."""
    world.fault(times=None, method="POST", **refusal)
    assert world.ids() == ["user-1"]
    *found_out, _ = world.lines
    assert not any(value in line for line in found_out for value in PERSONAL)
    assert world.methods() == ["POST", "POST", "GET", "GET"]
    assert world.directory.capabilities("exempel").method is SearchMethod.GET
    assert [world.ids(), world.ids(OTHERS)] == [["user-1"], ["user-2"]]
    assert world.directory.read_only().search("exempel", OTHERS)
    assert world.methods() == ["GET", "GET", "GET"]


@pytest.mark.parametrize("status", [401, 403, 408, 429, 500, 502, 503, 504])
def test_other_refusals_do_not_lead_to_get(world: Environment, status: int) -> None:
    """P6: what says nothing about POST is an error as ever, and puts no value in a URL."""
    world.fault(kind="status", times=None, method="POST", status=status)
    with pytest.raises((HaltError, TransientError)):
        world.ids()
    assert set(world.methods()) == {"POST"}
    assert world.directory.capabilities("exempel").method is None


def test_an_unknown_organisation_is_not_one_without_post(world: Environment) -> None:
    """404 of an organisation that is not there halts, and is right when the organisation has come."""
    with pytest.raises(HaltError, match="no users at this address"):
        world.ids(organisation="ny")
    assert not any(value in line for line in world.lines for value in PERSONAL)
    world.standin.fill("ny", [document(1, PERSONAL[0])])
    world.methods()
    assert world.ids(organisation="ny") == ["user-1"]
    assert world.methods() == ["POST"]


@pytest.mark.parametrize("status", [400, 404, 405, 501])
def test_a_refusal_for_once_does_not_stick(world: Environment, status: int) -> None:
    """A temporary refusal fails that search at most; the search without values shows that POST works."""
    world.fault(kind="status", times=1, method="POST", status=status)
    with suppress(HaltError, TransientError, PermanentError):
        assert world.ids() == ["user-1"]
    assert world.ids() == ["user-1"]
    assert set(world.methods()) == {"POST"}


@pytest.mark.parametrize("status", [400, 404, 501])
def test_who_has_taken_post_is_not_asked_by_get(world: Environment, status: int) -> None:
    """P6: odd answers of a server that has taken POST before put no value in a URL, however many they are."""
    assert world.ids() == ["user-1"]
    world.fault(kind="status", times=None, method="POST", status=status)
    for _ in range(3):
        with pytest.raises((HaltError, TransientError, PermanentError)):
            world.ids()
    assert not any(value in line for line in world.lines for value in PERSONAL)


def test_post_is_tried_again_after_a_while(world: Environment) -> None:
    """What was found out holds for a while: a server that has learned POST is searched by POST."""
    world.standin.faults.add(without_search_by_post())
    assert world.ids() == ["user-1"]
    world.standin.faults.clear()
    world.methods()
    world.now = TTL - 1
    assert world.ids() == ["user-1"]
    world.now = TTL
    assert world.ids() == ["user-1"]
    assert world.methods() == ["GET", "POST"]


def test_a_server_that_takes_back_post_is_searched_by_get(world: Environment) -> None:
    """A 405 means that the method no longer exists: no user becomes a dead letter."""
    assert world.ids() == ["user-1"]
    world.standin.faults.add(without_search_by_post(405))
    assert world.ids() == ["user-1"]
    assert world.methods() == ["POST", "POST", "POST", "GET", "GET"]


def test_each_organisation_by_itself(world: Environment) -> None:
    """What one organisation's server does not know says nothing about another's."""
    world.standin.faults.add(without_search_by_post(organisation="exempel"))
    assert world.ids() == ["user-1"]
    world.methods()
    assert world.ids({Attribute.EPPN: "x@y.example"}, "annan") == ["user-9"]
    assert world.methods() == ["POST"]


@pytest.mark.parametrize("read_only", [False, True])
def test_of_all_posts_a_search_alone_leaves(world: Environment, *, read_only: bool) -> None:
    """P1: nothing is POSTed but a search to `/Users/.search` of an organisation, in dry runs as well."""
    directory = world.directory.read_only() if read_only else world.directory
    users = f"{world.url}/exempel/scim/v2/Users"
    search = b'{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],"filter":"userName pr"}'
    user = json.dumps(document(7, "ny@kommun.example")).encode()
    for url, body in (
        (users, search),
        (f"{users}/", search),
        (f"{users}/user-1", search),
        (f"{users}/.search/", search),
        (f"{users}/.search?x=1", search),
        (f"{users}/.search/..", search),
        (f"{world.url}/exempel/scim/v2/.search", search),
        (f"{world.url}/exempel/scim/v2/Bulk", search),
        (f"{users}/.search", user),
        (f"{users}/.search", None),
    ):
        with pytest.raises(RequestRefusedError):
            directory._session.try_request("POST", url, data=body)  # noqa: SLF001 - the gate itself
    for method in ("PUT", "DELETE", "PATCH") if read_only else ("PUT", "DELETE"):
        with pytest.raises(RequestRefusedError):
            directory._session.try_request(method, f"{users}/.search", data=search)  # noqa: SLF001 - the gate itself
    assert world.lines == []
