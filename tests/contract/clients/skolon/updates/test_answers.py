"""What servers do with a PATCH: versions that they do not know again, and answers of all kinds."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from clients.skolon.auth import StaticToken
from clients.skolon.client import ScimSkolonClient
from clients.skolon.errors import UserNotFoundError
from sandbox.serving import serve
from schemas.errors import TransientError, VersionConflictError
from schemas.users.attributes import Attribute
from schemas.users.scim import ERROR_RESPONSE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from wsgiref.types import StartResponse, WSGIEnvironment

    from schemas.users.skolon_user import SkolonUser

CHANGES = {Attribute.FIRST_NAME: "Ny"}


@dataclass
class OneUser:
    """A server with one user, which takes a PATCH at `known_version` alone, or at any without one."""

    version: str = 'W/"1"'
    known_version: str = 'W/"1"'
    patched: tuple[str, bytes] = ("200 OK", b"")
    missing: bytes | None = None
    searches: str = "200 OK"
    user: dict[str, Any] = field(default_factory=lambda: {"id": "1", "name": {"givenName": "Anna"}})
    seen: list[tuple[str, str | None]] = field(default_factory=list)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (WSGI)."""
        method, version = environ["REQUEST_METHOD"], environ.get("HTTP_IF_MATCH")
        self.seen.append((method, version))
        status, body = "200 OK", json.dumps({**self.user, "meta": {"version": self.version}}).encode()
        if method == "POST":
            status, body = self.searches, b'{"totalResults": 0}'
        elif self.missing is not None:
            status, body = "404 Not Found", self.missing
        elif method == "PATCH":
            status, body = self.patched
            if version not in (None, self.known_version):
                status, body = "412 Precondition Failed", b""
        start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return [body]


@pytest.fixture
def server() -> OneUser:
    return OneUser()


@pytest.fixture
def client(server: OneUser) -> Iterator[ScimSkolonClient]:
    with serve(server, threads=2) as served:
        yield ScimSkolonClient(url=f"{served.url}/{{organisation}}", token=StaticToken("made-up"))


def user(client: ScimSkolonClient) -> SkolonUser:
    found = client.read("exempel", "1")
    assert found is not None
    return found


@pytest.mark.parametrize(
    "patched",
    [
        ("200 OK", b""),
        ("202 Accepted", b""),
        ("202 Accepted", b"{}"),
        ("204 No Content", b""),
        ("200 OK", b'{"name": {"givenName": "Ny"}}'),
    ],
)
def test_success_without_the_whole_user(
    client: ScimSkolonClient, server: OneUser, patched: tuple[str, bytes]
) -> None:
    """An answer may hold a part of the user, or nothing: the user is read."""
    server.patched, before = patched, user(client)
    server.user = {"id": "1", "name": {"givenName": "Ny"}}
    after = client.update("exempel", before, CHANGES)
    assert after is not None
    assert (after.attributes[Attribute.FIRST_NAME], after.version) == ("Ny", 'W/"1"')


@pytest.mark.parametrize("body", [b"", b"{}", b'{"id": "1", "name": {"givenName": "Anna"}}'])
def test_an_update_that_is_accepted(client: ScimSkolonClient, server: OneUser, body: bytes) -> None:
    """After a 202 nothing is known while the user shows none of the changes; another form of one is known."""
    server.patched, before = ("202 Accepted", body), user(client)
    assert client.update("exempel", before, CHANGES) is None
    server.user = {"id": "1", "name": {"givenName": "N"}}
    after = client.update("exempel", before, CHANGES)
    assert after is not None
    assert after.lacking(CHANGES) == {Attribute.FIRST_NAME}


@pytest.mark.parametrize("patched", [b"<html></html>", b"[]", b'{"id": "2"}', b'{"id": {}}'])
def test_what_is_no_answer_to_an_update(client: ScimSkolonClient, server: OneUser, patched: bytes) -> None:
    """A page of a proxy, or another user, says nothing about the change: it is tried again."""
    server.patched = ("200 OK", patched)
    with pytest.raises(TransientError, match="HTTP 200, but"):
        client.update("exempel", user(client), CHANGES)


@pytest.mark.parametrize("version", ["1", 'W/"2"', '"1"'])
def test_a_server_that_does_not_know_its_own_version(
    client: ScimSkolonClient, server: OneUser, version: str
) -> None:
    """A 412 for a user that has not changed is no conflict: it is updated without a version."""
    server.version = version
    client.update("exempel", user(client), CHANGES)
    client.update("exempel", user(client), CHANGES)
    patches = [sent for method, sent in server.seen if method == "PATCH"]
    assert patches[:2] == [version, version]
    assert set(patches[2:]) == {None}


def test_a_real_conflict_stays_one(client: ScimSkolonClient, server: OneUser) -> None:
    """A user that has changed meanwhile is not overwritten, whatever the server thinks of versions."""
    before = user(client)
    server.version = server.known_version = 'W/"2"'
    with pytest.raises(VersionConflictError):
        client.update("exempel", before, CHANGES)
    server.version, server.user = 'W/"1"', {"id": "1", "name": {"givenName": "Annan"}}
    with pytest.raises(VersionConflictError):
        client.update("exempel", before, CHANGES)
    assert client.capabilities("exempel").knows_versions


@pytest.mark.parametrize(
    "page", [b"", b"<html></html>", b"{}", json.dumps({"schemas": [ERROR_RESPONSE]}).encode()]
)
def test_a_missing_user_is_missing(client: ScimSkolonClient, server: OneUser, page: bytes) -> None:
    """A 404 is about the user if a search for its id finds none, whatever else it holds."""
    before = user(client)
    server.missing = page
    assert client.read("exempel", "1") is None
    with pytest.raises(UserNotFoundError):
        client.update("exempel", before, CHANGES)


def test_a_gateway_without_its_server_says_nothing_about_a_user(
    client: ScimSkolonClient, server: OneUser
) -> None:
    """P8: while searches fail too, a page with 404 is an outage."""
    before = user(client)
    server.missing, server.searches = b"<html></html>", "404 Not Found"
    with pytest.raises(TransientError):
        client.read("exempel", "1")
    with pytest.raises(TransientError):
        client.update("exempel", before, CHANGES)
