"""Threads that search Skolon at the same moment: one search, and everybody's own answer and own fault."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from clients.skolon.auth import StaticToken
from clients.skolon.client import ScimSkolonClient
from clients.skolon.errors import NoResponseError
from clients.skolon.search.batching import MAX_USERS_PER_SEARCH
from runtime.circuit_breaker import CircuitBreakers
from sandbox.serving import serve
from sandbox.skolon.application import SkolonStandIn
from schemas.dead_letter_reasons import Reason
from schemas.errors import (
    Dependency,
    HaltError,
    PermanentError,
    TransientError,
    UnreachableError,
    UpdateSyncError,
)
from schemas.outcomes import Cause, Stage
from schemas.users.attributes import Attribute

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import TypeAlias

    from clients.skolon.search.scim_search import SearchResult

    Together: TypeAlias = Callable[..., list[Future[list[str]]]]

TOKEN = "made-up-token"  # noqa: S105 - made up
PEOPLE = 40


class Gate(ScimSkolonClient):
    """A client that sends no search before `open` is called, and fails as `fails` decides."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.searches: list[int] = []
        self.fails: Callable[[Sequence[Mapping[Attribute, str]]], UpdateSyncError | None] = lambda _: None
        self._open = threading.Event()

    def open(self) -> None:
        self._open.set()

    def search_many(self, organisation: str, users: Sequence[Mapping[Attribute, str]]) -> list[SearchResult]:
        self.searches.append(len(users))
        self._open.wait()
        error = self.fails(users)
        if error is not None:
            raise error
        return super().search_many(organisation, users)


@pytest.fixture
def standin() -> SkolonStandIn:
    people = [
        {
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "id": f"user-{number}",
            "externalId": f"entra-{number}",
            "userName": f"u{number}@kommun.example",
        }
        for number in range(PEOPLE)
    ]
    return SkolonStandIn({"exempel": people}, bearer_token=TOKEN)


@pytest.fixture
def url(standin: SkolonStandIn) -> Iterator[str]:
    with serve(standin.application, threads=8) as server:
        yield f"{server.url}/{{organisation}}/scim/v2"


@pytest.fixture
def gate(url: str) -> Gate:
    return Gate(url=url, token=StaticToken(TOKEN), breakers=CircuitBreakers(), searches_in_flight=1)


@pytest.fixture
def together(gate: Gate) -> Iterator[Together]:
    """Search for users: the first one alone, the others as soon as its response is there."""

    def ids(number: int) -> list[str]:
        keys = {Attribute.EXTERNAL_ID: f"entra-{number}", Attribute.USER_NAME: f"U{number}@kommun.example"}
        return [user.id for user in gate.search("exempel", keys)]

    def gathered() -> int:
        lane = gate._searches._lanes.get("exempel")  # noqa: SLF001 - nothing else tells that a thread waits
        return 0 if lane is None or lane.open_batch is None else len(lane.open_batch.items)

    with ThreadPoolExecutor(MAX_USERS_PER_SEARCH) as pool:

        def ask(*numbers: int) -> list[Future[list[str]]]:
            calls = [pool.submit(ids, numbers[0])]
            until(lambda: len(gate.searches) == 1)
            calls += [pool.submit(ids, number) for number in numbers[1:]]
            until(lambda: gathered() == len(numbers) - 1)
            gate.open()
            return calls

        yield ask
        gate.open()


def until(happened: Callable[[], bool]) -> None:
    pause = threading.Event()
    while not happened():
        pause.wait(0.001)


def test_searches_travel_together(gate: Gate, standin: SkolonStandIn, together: Together) -> None:
    """Each caller gets its own user, and no other user of the same request."""
    numbers = [0, 5, 1, 99, 7, 5]
    found = [call.result() for call in together(*numbers)]
    assert found == [["user-0"], ["user-5"], ["user-1"], [], ["user-7"], ["user-5"]]
    assert gate.searches == [1, 5]
    # One user is not there, so that listed users are looked for by the keys.
    assert standin.requests() == {"POST search": 3, "GET search": 1}


@pytest.mark.parametrize(
    "error",
    [
        PermanentError(Reason.REJECTED_BY_SKOLON, Stage.MATCH, "HTTP 414"),
        TransientError(Dependency.SKOLON, "HTTP 500", status=500, stage=Stage.MATCH),
        HaltError(Cause.SKOLON_PERMISSION, "HTTP 403", status=403, stage=Stage.MATCH),
    ],
    ids=["too long", "a bug of theirs", "a firewall's refusal"],
)
def test_what_is_refused_together_is_asked_one_by_one(
    gate: Gate, together: Together, error: UpdateSyncError
) -> None:
    """P7: a user that makes Skolon's search fail fails alone, and the others of the request succeed."""

    def fails(people: Sequence[Mapping[Attribute, str]]) -> UpdateSyncError | None:
        return error if any(keys[Attribute.EXTERNAL_ID] == "entra-2" for keys in people) else None

    gate.fails = fails
    zero, one, two, three = together(0, 1, 2, 3)
    assert [call.result() for call in (zero, one, three)] == [["user-0"], ["user-1"], ["user-3"]]
    with pytest.raises(type(error)):
        two.result()
    assert gate.searches == [1, 3, 1, 1, 1]


@pytest.mark.parametrize(
    "error",
    [
        NoResponseError(Dependency.SKOLON, "timed out"),
        TransientError(Dependency.SKOLON, "HTTP 429", retry_after=5.0),
        HaltError(Cause.SKOLON_CREDENTIALS, "the token endpoint refuses"),
        UnreachableError(Dependency.SKOLON, "no connection"),
    ],
    ids=["away", "throttled", "refused", "unreachable"],
)
def test_what_concerns_everybody_is_asked_once(
    gate: Gate, together: Together, error: UpdateSyncError
) -> None:
    """P7, P8: an outage, a pause and refused credentials of one request concern all its users."""
    gate.fails = lambda people: error if len(people) > 1 else None
    first, *others = together(0, 1, 2, 3)
    assert first.result() == ["user-0"]
    for call in others:
        with pytest.raises(type(error)):
            call.result()
    assert gate.searches == [1, 3]


def test_a_slow_search_delays_no_other(url: str) -> None:
    """Who comes while an answer is awaited asks beside it before long, and gets its own answer."""
    gate = Gate(url=url, token=StaticToken(TOKEN), breakers=CircuitBreakers())
    with ThreadPoolExecutor(2) as pool:
        calls = [
            pool.submit(gate.search, "exempel", {Attribute.EXTERNAL_ID: f"entra-{number}"})
            for number in (3, 4)
        ]
        until(lambda: sum(gate.searches) == 2)
        gate.open()
    assert [[user.id for user in call.result()] for call in calls] == [["user-3"], ["user-4"]]


def test_a_dry_run_searches_together_too(gate: Gate) -> None:
    """P1: the directory for dry runs is joined as well, and can still do nothing but read."""
    to_read = gate.read_only()
    to_read.open()
    user = to_read.read("exempel", "user-1")
    assert user is not None
    assert to_read.search("exempel", {Attribute.EXTERNAL_ID: "entra-1"}) == [user]
    with pytest.raises(UpdateSyncError, match="must not be sent"):
        to_read.update("exempel", user, {Attribute.FIRST_NAME: "Ny"})
