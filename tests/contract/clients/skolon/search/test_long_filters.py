"""Servers that take `or`, and only so many terms of it: how many is found out once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from clients.skolon.auth import StaticToken
from clients.skolon.client import ScimSkolonClient
from clients.skolon.search.batching import MAX_USERS_PER_SEARCH
from clients.skolon.server.capability_cache import CapabilityCache
from devtools.odd_servers.search_server import OddServer
from sandbox.serving import serve
from schemas.errors import PermanentError, UpdateSyncError
from schemas.users.attributes import Attribute

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

USERS = 64
TOO_LONG = {400: "400 Bad Request", 413: "413 Content Too Large", 414: "414 URI Too Long"}
STATUS = TOO_LONG | {500: "500 Internal Server Error", 501: "501 Not Implemented"}


@dataclass
class Limited(OddServer):
    """A server that refuses filters of more than `most` terms, and a value that it does not like."""

    most: int = 26
    status: int = 400
    disliked: str = "none"
    terms: list[int] = field(default_factory=list)

    def _answer(self, environ: Any, asked: Mapping[str, Any]) -> tuple[str, bytes]:
        scim_filter = str(asked.get("filter", ""))
        self.terms.append(scim_filter.count(" eq "))
        if self.terms[-1] > self.most or self.disliked in scim_filter:
            return STATUS[self.status], b""
        return super()._answer(environ, asked)


@dataclass
class World:
    server: Limited
    client: ScimSkolonClient

    def search(self, *numbers: int) -> list[list[str]]:
        """Return the ids of the users that are found for each number."""
        results = self.client.search_many("exempel", [keys(number) for number in numbers])
        return [[user.id for user in result] for result in results if isinstance(result, list)]


def keys(number: int) -> dict[Attribute, str]:
    address = f"elev{number}@kommun.example"
    return {
        Attribute.EXTERNAL_ID: f"entra-{number}",
        Attribute.USER_NAME: address,
        Attribute.EMAIL: address,
        Attribute.EPPN: address,
    }


@pytest.fixture
def world() -> Iterator[World]:
    users = [
        {"id": str(number), "externalId": f"entra-{number}", "userName": f"elev{number}@kommun.example"}
        for number in range(USERS)
    ]
    server = Limited(users, frozenset())
    with serve(server, threads=4) as served:
        url = f"{served.url}/{{organisation}}"
        client = ScimSkolonClient(url=url, token=StaticToken("made-up"), capabilities=CapabilityCache())
        yield World(server, client)


@pytest.mark.parametrize("status", TOO_LONG)
@pytest.mark.parametrize("most", [4, 5, 8, 26, 40, 63])
def test_how_many_terms_a_server_takes_is_found_out_once(world: World, most: int, status: int) -> None:
    """Every user is found, and from the second batch on no search is refused."""
    world.server.most, world.server.status = most, status
    assert world.search(1) == [["1"]]
    for start in range(0, USERS, MAX_USERS_PER_SEARCH):
        world.server.terms.clear()
        numbers = range(start, start + MAX_USERS_PER_SEARCH)
        assert world.search(*numbers) == [[str(number)] for number in numbers]
        if start:
            assert max(world.server.terms) <= most
    known = world.client.capabilities("exempel").max_terms
    assert known is not None
    assert most / 2 < known <= most


@pytest.mark.parametrize("most", [1, 2, 3])
def test_a_server_that_takes_fewer_terms_than_a_user_has_keys(world: World, most: int) -> None:
    """Each value is searched alone then."""
    world.server.most = most
    for numbers in ([1], [2, 3], range(16), range(16, 32)):
        assert world.search(*numbers) == [[str(number)] for number in numbers]


def test_a_value_that_is_refused_says_nothing_about_long_filters(world: World) -> None:
    """One user's refused value leaves the others' searches as they are."""
    world.server.most, world.server.disliked = 999, "entra-5"
    assert world.search(1) == [["1"]]
    with pytest.raises(PermanentError):
        world.search(*range(16))
    assert world.client.capabilities("exempel").max_terms is None
    assert world.search(*range(16, 32)) == [[str(number)] for number in range(16, 32)]


@pytest.mark.parametrize("status", STATUS)
def test_a_server_that_takes_or_no_longer_is_asked_value_by_value(world: World, status: int) -> None:
    """What was found out is forgotten when it fails: no user is refused, and no run is halted."""
    assert world.search(*range(16)) == [[str(number)] for number in range(16)]
    assert world.client.capabilities("exempel").takes_or is True
    world.server.most, world.server.status = 1, status
    for start in (16, 32):
        numbers = range(start, start + 16)
        assert world.search(*numbers) == [[str(number)] for number in numbers]
    assert world.client.capabilities("exempel").takes_or is False


@pytest.mark.parametrize("status", STATUS)
def test_an_outage_says_nothing_about_or(world: World, status: int) -> None:
    """A server that refuses every search for a while is believed again what it could do before."""
    assert world.search(*range(16)) == [[str(number)] for number in range(16)]
    world.server.most, world.server.status = 0, status
    with pytest.raises(UpdateSyncError):
        world.search(*range(16))
    world.server.most = 999
    known = world.client.capabilities("exempel")
    assert (known.takes_or, known.max_terms) == (True, None)
    world.server.terms.clear()
    assert world.search(*range(16, 32)) == [[str(number)] for number in range(16, 32)]
    assert world.server.terms == [64]
