"""Servers whose filters have a point before the attributes of an extension, and find nothing by a colon."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from clients.skolon.auth import StaticToken
from clients.skolon.client import ScimSkolonClient
from devtools.odd_servers.oddities import SearchOddity
from devtools.odd_servers.search_server import OddServer
from sandbox.serving import serve
from schemas.users.attributes import Attribute
from schemas.users.scim import SKOLON_EXTENSION

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

EXTENDED = ("eppn", "ssn", "idpIdentifier")


@dataclass
class Pointed(OddServer):
    """A server that takes a point alone, unless `separator` says otherwise; keeps the filters."""

    separator: str = "."
    is_away: bool = False
    filters: list[str] = field(default_factory=list)

    def _answer(self, environ: Any, asked: Mapping[str, Any]) -> tuple[str, bytes]:
        self.filters.append(str(asked.get("filter", "")))
        return ("503 Service Unavailable", b"") if self.is_away else super()._answer(environ, asked)

    def _found(self, terms: Sequence[Any], asked: Mapping[str, Any]) -> tuple[str, bytes]:
        read: list[Any] = [self._read(term) for term in terms]
        return super()._found(read, asked)

    def _read(self, term: Any) -> dict[str, str]:
        path = term["path"]
        for name in EXTENDED:
            if path == f"{SKOLON_EXTENSION}{self.separator}{name}":
                return {"path": f"{SKOLON_EXTENSION}:{name}", "value": term["value"]}
            if path.endswith(name):
                return {"path": "unknown", "value": term["value"]}
        return {"path": path, "value": term["value"]}


def document(number: int) -> dict[str, Any]:
    address = f"elev{number}@kommun.example"
    return {
        "id": str(number),
        "userName": f"u{number}",
        SKOLON_EXTENSION: {"eppn": address, "ssn": f"{number}"},
    }


def keys(number: int) -> dict[Attribute, str]:
    """Return keys of which the EPPN alone is a user's in Skolon."""
    address = f"elev{number}@kommun.example"
    return {Attribute.EXTERNAL_ID: f"entra-{number}", Attribute.EPPN: address, Attribute.USER_NAME: address}


@pytest.fixture
def server() -> Pointed:
    return Pointed([document(number) for number in range(40)], frozenset())


def client_of(url: str) -> ScimSkolonClient:
    return ScimSkolonClient(url=f"{url}/{{organisation}}", token=StaticToken("made-up"))


def ids(client: ScimSkolonClient, *numbers: int) -> list[list[str]]:
    results = client.search_many("exempel", [keys(number) for number in numbers])
    return [[user.id for user in result] for result in results if isinstance(result, list)]


@pytest.mark.parametrize("oddities", [[], [SearchOddity.NO_POST], [SearchOddity.FIRST_TERM_ONLY]], ids=str)
@pytest.mark.parametrize("first", [[1], [1, 2], [77, 78], range(16)], ids=str)
def test_no_user_is_falsely_missing(
    server: Pointed, first: Sequence[int], oddities: Sequence[SearchOddity]
) -> None:
    """Who can be found by an attribute of the extension alone is found, from the first search on."""
    server.oddities = frozenset(oddities)
    with serve(server, threads=2) as served:
        client = client_of(served.url)
        for numbers in (first, [3], range(8, 24), [98]):
            assert ids(client, *numbers) == [[str(number)] if number < 40 else [] for number in numbers]
        assert client.capabilities("exempel").dotted_extensions is True


def test_it_is_found_out_once(server: Pointed) -> None:
    """After that each search is one request, also for users that are not there."""
    with serve(server, threads=2) as served:
        client = client_of(served.url)
        ids(client, 1)
        server.filters.clear()
        assert ids(client, 77, 2) == [[], ["2"]]
        assert len(server.filters) == 1
        assert f"{SKOLON_EXTENSION}.eppn eq" in server.filters[0]


def test_a_server_that_changes_its_mind_is_found_out(server: Pointed) -> None:
    """What is proven again after a while is proven in both forms."""
    with serve(server, threads=2) as served:
        client = client_of(served.url)
        assert ids(client, 1) == [["1"]]
        server.separator = ":"
        client.forget_capabilities("exempel", {"tried_keys"})
        assert ids(client, 2) == [["2"]]
        assert client.capabilities("exempel").dotted_extensions is False
