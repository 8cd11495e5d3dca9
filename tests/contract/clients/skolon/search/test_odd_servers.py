"""A server may be odd: each user is found, or the run halts with what was seen."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any, Final

import pytest

from clients.skolon.auth import StaticToken
from clients.skolon.client import ScimSkolonClient
from clients.skolon.errors import UnreadableUserError
from clients.skolon.profiles import ASSUMED
from clients.skolon.server.capability_cache import CapabilityCache
from devtools.odd_servers.oddities import UNUSABLE, SearchOddity
from devtools.odd_servers.search_server import OddServer
from sandbox.serving import serve
from schemas.errors import HaltError, TransientError
from schemas.outcomes import Cause
from schemas.users.attributes import Attribute
from schemas.users.scim import SKOLON_EXTENSION

if TYPE_CHECKING:
    import re
    from collections.abc import Iterator, Mapping, Sequence
    from wsgiref.types import WSGIEnvironment

#: Users in Skolon, and made-up users of Entra that are not there.
PRESENT: Final = 80
ABSENT: Final = 20
#: Of so many users each one shares its e-mail address with the next.
SHARED: Final = 10

PAIRS: Final = random.Random(2611).sample(  # noqa: S311 - no secret
    [(one, other) for one in SearchOddity for other in SearchOddity if one < other], 30
)


def document(number: int) -> dict[str, Any]:
    address = f"elev{number}@kommun.example"
    return {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", SKOLON_EXTENSION],
        "id": str(number),
        "externalId": f"entra-{number}" if number % 2 else None,
        "userName": address,
        "emails": [
            {
                "type": "work",
                "value": f"elev{number - number % 2}@kommun.example" if number < SHARED else address,
            }
        ],
        SKOLON_EXTENSION: {"eppn": address},
    }


def keys(number: int) -> dict[Attribute, str]:
    address = f"elev{number}@kommun.example"
    return {
        Attribute.EXTERNAL_ID: f"entra-{number}",
        Attribute.EPPN: address,
        Attribute.USER_NAME: address,
        Attribute.EMAIL: address,
    }


def server_with(oddities: frozenset[SearchOddity]) -> OddServer:
    """Return a server with the users; one that ignores filters has too many to be taken for an answer."""
    strangers = 200 if SearchOddity.IGNORES_FILTER in oddities else 0
    numbers = [*range(PRESENT), *range(1000, 1000 + strangers)]
    return OddServer([document(number) for number in numbers], oddities)


#: For each user of Entra the ids of the Skolon users that have any of its keys.
EXPECTED: Final = [
    sorted({str(number), *([str(number + 1)] if number < SHARED and number % 2 == 0 else [])})
    if number < PRESENT
    else []
    for number in range(PRESENT + ABSENT)
]


def batches() -> Iterator[Sequence[int]]:
    """Yield users as a run asks for them: some of them are alone, and the first ones are not there."""
    numbers = list(range(PRESENT + ABSENT))
    random.Random(7).shuffle(numbers)  # noqa: S311 - no secret
    numbers.sort(key=lambda number: number < PRESENT)
    yield [PRESENT]
    yield [PRESENT + 1, PRESENT + 2]
    yield [1]
    for start in range(0, len(numbers), 16):
        yield numbers[start : start + 16]


def found_by(server: OddServer) -> list[str]:
    """Search for all users, and return how it ended for each one that was not found as expected."""
    wrong = []
    with serve(server, threads=2) as served:
        client = ScimSkolonClient(url=f"{served.url}/{{organisation}}", token=StaticToken("made-up"))
        for numbers in batches():
            results = client.search_many("exempel", [keys(number) for number in numbers])
            for number, result in zip(numbers, results, strict=True):
                ids = (
                    sorted(user.id for user in result)
                    if isinstance(result, list)
                    else [type(result).__name__]
                )
                if ids != EXPECTED[number]:
                    wrong.append(f"{number}: {ids}")
    return wrong


def cause_of(error: HaltError | TransientError) -> Cause | None:
    """Return what halts the run, if it repeats."""
    return error.cause if isinstance(error, HaltError) else error.repeated_cause


@pytest.mark.parametrize("oddity", sorted(set(SearchOddity) - UNUSABLE))
def test_an_oddity_hides_no_user(oddity: SearchOddity) -> None:
    """Each user is found with all who share a key, and who is not there is not found."""
    server = server_with(frozenset({oddity}))
    assert found_by(server) == []


@pytest.mark.parametrize("oddity", sorted(UNUSABLE))
def test_what_cannot_be_relied_on_halts(oddity: SearchOddity) -> None:
    """A server whose searches mean nothing is said to be one: at once, or when it repeats."""
    server = server_with(frozenset({oddity}))
    with pytest.raises((HaltError, TransientError)) as caught:
        found_by(server)
    assert isinstance(caught.value, HaltError | TransientError)
    assert cause_of(caught.value) is Cause.SKOLON_SEARCH


def test_an_attribute_that_cannot_be_searched_is_named() -> None:
    """What no user can be searched by halts the run, and makes no dead letter of each user."""
    server = server_with(frozenset({SearchOddity.REFUSES_EMAILS}))
    with pytest.raises(HaltError, match="every search by E-mail") as caught:
        found_by(server)
    # Else the users that have no e-mail address, and succeed, would make it a matter of each of the others.
    assert caught.value.stage is None


def test_what_another_thread_finds_out_refuses_no_user() -> None:
    """A refusal of `or` is none of the user, also if it is known by the time that the refusal comes."""
    capabilities = CapabilityCache()

    class Late(OddServer):
        def _answer(self, environ: WSGIEnvironment, asked: Mapping[str, Any]) -> tuple[str, bytes]:
            if " or " in str(asked.get("filter", "")):
                capabilities.record("exempel", takes_or=False)
            return super()._answer(environ, asked)

    server = Late([document(1)], frozenset({SearchOddity.REFUSES_OR_400}))
    with serve(server, threads=2) as served:
        client = ScimSkolonClient(
            url=f"{served.url}/{{organisation}}", token=StaticToken("made-up"), capabilities=capabilities
        )
        assert [user.id for user in client.search("exempel", keys(1))] == ["1"]


@pytest.mark.parametrize("key", [Attribute.EXTERNAL_ID, Attribute.EPPN, Attribute.USER_NAME, Attribute.EMAIL])
def test_a_key_that_finds_no_user_halts(key: Attribute) -> None:
    """A server that finds no user by one of the keys, and does not say so, makes no user `not_found`."""

    class Deaf(OddServer):
        def _found(self, terms: Sequence[re.Match[str]], asked: Mapping[str, Any]) -> tuple[str, bytes]:
            heard = [term for term in terms if term["path"] != ASSUMED.paths[key].search_path]
            if terms and not heard:
                return "200 OK", b'{"totalResults": 0}'
            return super()._found(heard, asked)

    with pytest.raises(HaltError, match="does not find users by"):
        found_by(Deaf([document(number) for number in range(PRESENT)], frozenset()))


def test_users_that_become_unreadable_are_found_all_the_same() -> None:
    """P7: an unreadable answer, given while the keys are tried, is no proof that a key finds nobody."""

    class Breaking(OddServer):
        is_listed = False

        def _found(self, terms: Sequence[re.Match[str]], asked: Mapping[str, Any]) -> tuple[str, bytes]:
            status, body = super()._found(terms, asked)
            if not terms:
                self.is_listed = True
                return status, body
            answer = json.loads(body)
            for user in answer.get("Resources", ()) if self.is_listed else ():
                user["userName"] = [5]
            return status, json.dumps(answer).encode()

    server = Breaking([document(number) for number in range(PRESENT)], frozenset())
    with serve(server, threads=2) as served:
        client = ScimSkolonClient(url=f"{served.url}/{{organisation}}", token=StaticToken("made-up"))
        (absent,) = client.search_many("exempel", [keys(PRESENT)])
        with pytest.raises(UnreadableUserError):
            client.search("exempel", keys(1))
    assert server.is_listed
    assert absent == []


@pytest.mark.parametrize("pair", PAIRS, ids=" and ".join)
def test_two_oddities_hide_no_user(pair: tuple[SearchOddity, SearchOddity]) -> None:
    """Two at a time: no user is falsely missing, and what ends the search names the server's fault."""
    server = server_with(frozenset(pair))
    wrong: list[str] = []
    cause: Cause | None = Cause.SKOLON_SEARCH
    try:
        wrong = found_by(server)
    except (HaltError, TransientError) as error:
        cause = cause_of(error)
    assert (wrong, cause) == ([], Cause.SKOLON_SEARCH)


def test_a_plain_server_costs_one_search_for_each_batch() -> None:
    """What is proven on the way costs a server that does as the RFC says no request."""
    server = server_with(frozenset())
    assert found_by(server) == []
    proofs = ["listed users", "or", "listed users", "all keys"]
    assert server.requests == len(list(batches())) + len(proofs)
