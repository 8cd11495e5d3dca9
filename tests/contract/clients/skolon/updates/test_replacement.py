"""Servers without PATCH, for tenants that say so: a user is sent as a whole, and none is ever created."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from clients.http.allow_list import RequestRefusedError
from clients.skolon.auth import StaticToken
from clients.skolon.client import ScimSkolonClient
from sandbox.serving import serve
from schemas.errors import HaltError, VersionConflictError
from schemas.outcomes import Cause
from schemas.tenants.skolon_target import SkolonLack, SkolonTarget
from schemas.users.attributes import Attribute
from tests.contract.clients.skolon.updates.odd_server import URN, Oddity, OddServer
from tests.contract.clients.skolon.updates.test_odd_servers import CHANGES, document, held, of_others

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from wsgiref.types import StartResponse, WSGIEnvironment

WITHOUT_PATCH = SkolonTarget(lacks=frozenset({SkolonLack.PATCH}))


class Server(OddServer):
    """A server that may create users, and loses a user right before a PUT if it is told to."""

    creates = False
    loses_user = False

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (WSGI)."""
        if environ["REQUEST_METHOD"] == "PUT" and self.loses_user:
            self.users.pop(environ["PATH_INFO"].rpartition("/")[2], None)
            status = "412 Precondition Failed"
            if self.creates:
                status = "201 Created"
            start_response(status, [("Content-Length", "0")])
            return []
        return super().__call__(environ, start_response)


def made(*oddities: Oddity) -> Server:
    users = {user_id: document(user_id, frozenset(oddities)) for user_id in ("1", "2")}
    return Server(users=users, oddities=frozenset(oddities))


@pytest.fixture
def server() -> Server:
    return made()


@pytest.fixture
def client(server: Server) -> Iterator[ScimSkolonClient]:
    with serve(server, threads=2) as served:
        client = ScimSkolonClient(url=f"{served.url}/{{organisation}}", token=StaticToken("made-up"))
        yield client.for_target(WITHOUT_PATCH)


@pytest.mark.parametrize(
    "oddities",
    [
        (),
        (Oddity.NO_VERSIONS,),
        (Oddity.NO_CONTENT,),
        (Oddity.SHOWS_USER_BEFORE,),
        (Oddity.URN_IN_CAPITALS,),
        (Oddity.SMALL_LETTERS,),
        (Oddity.TWO_OF_A_TYPE,),
        (Oddity.NO_TYPES,),
        (Oddity.CASE_SENSITIVE_TYPES,),
    ],
)
def test_all_that_is_not_changed_is_sent_back(oddities: tuple[Oddity, ...]) -> None:
    """Every change is made, and everything else of the user, known or unknown, stays as it is."""
    server = made(*oddities)
    others, second = of_others(server.users["1"]), dict(server.users["2"])
    with serve(server, threads=2) as served:
        client = ScimSkolonClient(
            url=f"{served.url}/{{organisation}}", token=StaticToken("made-up")
        ).for_target(WITHOUT_PATCH)
        for changes in CHANGES:
            user = client.read("exempel", "1")
            assert user is not None
            after = client.update("exempel", user, changes)
            assert after is not None
            if Oddity.NO_TYPES not in oddities:
                assert after.lacking(changes) == frozenset()
                assert {name: held(server.users["1"], name) for name in changes} == changes
    assert of_others(server.users["1"]) == others
    assert server.users["2"] == second
    assert "PATCH" not in server.requests


def test_what_is_not_taken_is_not_made(client: ScimSkolonClient, server: Server) -> None:
    """The user that is returned is the user as the server has it."""
    server.oddities = frozenset({Oddity.IGNORES_USER_NAME})
    user = client.read("exempel", "1")
    assert user is not None
    changes = {Attribute.USER_NAME: "ny@kommun.example", Attribute.CITY: "Falun"}
    after = client.update("exempel", user, changes)
    assert after is not None
    assert after.lacking(changes) == {Attribute.USER_NAME}


def test_a_user_that_has_changed_is_not_sent(client: ScimSkolonClient, server: Server) -> None:
    """What another program has changed since is not overwritten."""
    user = client.read("exempel", "1")
    assert user is not None
    server.users["1"][URN]["eppn"] = "annan@kommun.example"
    with pytest.raises(VersionConflictError):
        client.update("exempel", user, {Attribute.CITY: "Falun"})
    assert "PUT" not in server.requests


def test_a_user_that_is_gone_is_not_created(client: ScimSkolonClient, server: Server) -> None:
    """P1: each PUT is on condition that the user exists."""
    user = client.read("exempel", "1")
    assert user is not None
    server.loses_user = True
    with pytest.raises(VersionConflictError):
        client.update("exempel", user, {Attribute.CITY: "Falun"})
    assert client.read("exempel", "1") is None


def test_a_server_that_creates_all_the_same_halts_the_run(client: ScimSkolonClient, server: Server) -> None:
    """P1: it is not done a second time, and the message names the user by its id."""
    user = client.read("exempel", "1")
    assert user is not None
    server.loses_user = server.creates = True
    with pytest.raises(HaltError, match="PUT of user 1 with 201") as caught:
        client.update("exempel", user, {Attribute.CITY: "Falun"})
    assert caught.value.cause is Cause.SKOLON_UPDATE


@pytest.mark.parametrize(
    ("path", "headers"), [("/1", {}), ("", {"If-Match": "*"}), ("/1/more", {"If-Match": "*"})]
)
def test_no_other_put_can_be_sent(
    client: ScimSkolonClient, server: Server, path: str, headers: dict[str, Any]
) -> None:
    """P1: the session itself refuses a PUT without a condition, and one that names no user."""
    with pytest.raises(RequestRefusedError):
        client._send("PUT", "exempel", path, stage=None, headers=headers, json={})  # noqa: SLF001 - the door
    assert server.requests == []


@pytest.mark.parametrize("target", [SkolonTarget(), WITHOUT_PATCH])
def test_none_is_sent_by_tenants_that_do_not_say_so_and_by_dry_runs(
    client: ScimSkolonClient, server: Server, target: SkolonTarget
) -> None:
    """Off unless the tenant says so, and never in a dry run."""
    other = client.for_target(target)
    other = other.read_only() if target is WITHOUT_PATCH else other
    with pytest.raises(RequestRefusedError):
        other._send("PUT", "exempel", "/1", stage=None, headers={"If-Match": "*"}, json={})  # noqa: SLF001
    assert server.requests == []
