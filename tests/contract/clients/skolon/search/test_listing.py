"""Servers without filters, for tenants that say so: users are listed once, and found by an index."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from clients.skolon.auth import StaticToken
from clients.skolon.client import ScimSkolonClient
from clients.skolon.search import listing
from devtools.odd_servers.oddities import SearchOddity
from devtools.odd_servers.search_server import OddServer
from sandbox.serving import serve
from schemas.errors import HaltError
from schemas.outcomes import Cause
from schemas.tenants.skolon_target import SkolonLack, SkolonTarget
from schemas.users.attributes import Attribute

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment

USERS = 40
WITHOUT_FILTERS = SkolonTarget(lacks=frozenset({SkolonLack.FILTERS}))


def users() -> list[dict[str, Any]]:
    return [
        {
            "id": str(number),
            "externalId": f"entra-{number}",
            "userName": f"u{number}@kommun.example",
            "emails": [{"type": "work", "value": f"mail{number // 2}@kommun.example"}],
        }
        for number in range(USERS)
    ]


class Server(OddServer):
    """A server that reads users by their ids too."""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (WSGI)."""
        name = environ["PATH_INFO"].rpartition("/")[2]
        if name == "Users":
            return super().__call__(environ, start_response)
        self.requests += 1
        found = [user for user in self.users if user["id"] == name]
        return self.answer(start_response, found[0] if found else None)

    @staticmethod
    def answer(start_response: StartResponse, user: dict[str, Any] | None) -> Iterable[bytes]:
        """Answer with a user, or 404."""
        import json  # noqa: PLC0415 - of this answer alone

        body = b"" if user is None else json.dumps(user).encode()
        start_response(
            "404 Not Found" if user is None else "200 OK",
            [("Content-Type", "application/scim+json"), ("Content-Length", str(len(body)))],
        )
        return [body]


@pytest.mark.parametrize(
    "oddities",
    [
        (SearchOddity.REFUSES_FILTERS,),
        (SearchOddity.IGNORES_FILTER,),
        (SearchOddity.IGNORES_FILTER, SearchOddity.SMALL_PAGES),
        (SearchOddity.IGNORES_FILTER, SearchOddity.CURSORS),
        (SearchOddity.IGNORES_FILTER, SearchOddity.TEXT_AMONG_EMAILS),
    ],
)
def test_users_are_found_by_an_index(oddities: tuple[SearchOddity, ...]) -> None:
    """The organisation is listed once; a user that is found is read as it is now."""
    server = Server(users(), frozenset(oddities))
    with serve(server, threads=4) as served:
        client = ScimSkolonClient(url=f"{served.url}/{{organisation}}", token=StaticToken("made-up"))
        client = client.for_target(WITHOUT_FILTERS)
        for number in range(USERS):
            keys = {Attribute.EXTERNAL_ID: f"ENTRA-{number}", Attribute.USER_NAME: "ingen@kommun.example"}
            assert [user.id for user in client.search("exempel", keys)] == [str(number)]
        shared = client.search("exempel", {Attribute.EMAIL: "mail3@kommun.example"})
        assert sorted(user.id for user in shared) == ["6", "7"]
        listed = server.requests
        assert client.search("exempel", {Attribute.EPPN: "ingen@kommun.example"}) == []
        assert server.requests == listed
        server.users[6]["emails"] = []
        assert [user.id for user in client.search("exempel", {Attribute.EMAIL: "mail3@kommun.example"})] == [
            "7"
        ]


@pytest.mark.parametrize(
    "oddity",
    [
        SearchOddity.IGNORES_START_INDEX,
        SearchOddity.NO_TOTAL,
        SearchOddity.SHUFFLED_PAGES,
        SearchOddity.TOTAL_IS_TEXT,
    ],
)
def test_a_list_that_does_not_add_up_finds_nobody_falsely(oddity: SearchOddity) -> None:
    """It halts, or is tried again: a user is not said to be missing."""
    server = Server(users(), frozenset({SearchOddity.IGNORES_FILTER, oddity}))
    with serve(server, threads=4) as served:
        client = ScimSkolonClient(url=f"{served.url}/{{organisation}}", token=StaticToken("made-up"))
        client = client.for_target(WITHOUT_FILTERS)
        with pytest.raises(Exception, match=r"does not add up|totalResults"):
            client.search("exempel", {Attribute.EXTERNAL_ID: "entra-1"})


def test_a_list_that_is_too_long_halts(monkeypatch: pytest.MonkeyPatch) -> None:
    """P10: the memory of a process is bounded."""
    monkeypatch.setattr(listing, "MAX_LISTED", USERS - 1)
    server = Server(users(), frozenset({SearchOddity.IGNORES_FILTER}))
    with serve(server, threads=4) as served:
        client = ScimSkolonClient(url=f"{served.url}/{{organisation}}", token=StaticToken("made-up"))
        with pytest.raises(HaltError, match="more than 39 users") as caught:
            client.for_target(WITHOUT_FILTERS).search("exempel", {Attribute.EXTERNAL_ID: "entra-1"})
    assert caught.value.cause is Cause.SKOLON_SEARCH
