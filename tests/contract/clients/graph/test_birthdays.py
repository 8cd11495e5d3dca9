"""Birthdays asked for together, at the stand-in over TLS: what travels, and what each answer means."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import requests

from clients.graph.batch import MAX_BATCH_SIZE, batch_body
from clients.graph.birthday_availability import PATIENCE, REFUSAL_TTL
from clients.graph.birthdays import Birthdays
from clients.graph.client import GraphClient
from clients.graph.service import GraphService
from clients.http.allow_list import RequestRefusedError
from sandbox.microsoft.faults import Effect, Fault
from sandbox.microsoft.http_messages import Kind
from schemas.errors import TransientError
from schemas.tenants.tenant import Credentials
from tests.contract.sandbox.microsoft.graph_server import (
    BORN,
    CLIENT,
    SECRET,
    TENANT,
    Clock,
    Running,
    running,
    user_id,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from clients.graph.birthdays import Birthday

CREDENTIALS = Credentials(directory=TENANT, client_id=CLIENT, client_secret=SECRET)
PEOPLE = 60


@dataclass(frozen=True, kw_only=True)
class Environment:
    """A stand-in, our Graph that asks it, and the clock that our Graph goes by."""

    tenant: Running
    graph: GraphService
    birthdays: Birthdays
    clock: Clock

    @property
    def client(self) -> GraphClient:
        return GraphClient(self.graph, CREDENTIALS, self.birthdays)

    def fault(self, effect: Effect = Effect.ERROR, **aim: Any) -> None:
        self.tenant.standin.faults.add(Fault(effect=effect, **aim))

    def requests(self, kind: str) -> int:
        return self.tenant.standin.requests.counts().get(kind, 0)

    def together(self, numbers: Sequence[int]) -> list[Birthday | TransientError]:
        """Ask for several people's birthdays from as many threads, all of which have their person in hand."""
        begun = threading.Barrier(len(numbers))

        def ask(number: int) -> Birthday | TransientError:
            with self.birthdays.cohort.join():
                begun.wait()
                try:
                    return self.client.birthday(user_id(number))
                except TransientError as error:
                    return error

        with ThreadPoolExecutor(len(numbers)) as pool:
            return list(pool.map(ask, numbers))


@pytest.fixture
def world() -> Iterator[Environment]:
    with running(PEOPLE) as tenant:
        clock = Clock()
        graph = GraphService(url=tenant.url, authority=tenant.url, ca_bundle=tenant.authority)
        birthdays = Birthdays(wait=lambda _: None, clock=clock)
        yield Environment(tenant=tenant, graph=graph, birthdays=birthdays, clock=clock)


def told(found: Sequence[Birthday | TransientError]) -> list[str | None]:
    return [each.problem or each.value if not isinstance(each, TransientError) else "wait" for each in found]


def test_people_in_hand_at_the_same_time_are_one_request(world: Environment) -> None:
    """Seven people in seven threads are one request to Graph, and each gets what is theirs."""
    assert told(world.together(range(7))) == [BORN[:10] if number % 2 else None for number in range(7)]
    assert (world.requests("batch"), world.requests("batched birthday")) == (1, 7)
    assert world.requests("birthday") == 0


def test_one_person_alone_is_a_plain_request(world: Environment) -> None:
    """A request does not wait for others that do not come, and one user alone needs no batch."""
    with world.birthdays.cohort.join():
        assert world.client.birthday(user_id(1)).value == BORN[:10]
    assert (world.requests("batch"), world.requests("birthday")) == (0, 1)


def test_twenty_at_most(world: Environment) -> None:
    """More than twenty users are read in several batches, each user once."""
    found = world.together(range(50))
    assert told(found) == [BORN[:10] if number % 2 else None for number in range(50)]
    assert world.requests("batched birthday") + world.requests("birthday") == 50
    assert world.requests("batch") + world.requests("birthday") == -(-50 // MAX_BATCH_SIZE)


def test_somebody_who_does_not_come_is_not_waited_for(world: Environment) -> None:
    """A request does not wait for users without birthdays, nor for users of another directory."""
    cohort = world.birthdays.cohort
    other = Credentials(directory="another", client_id=CLIENT, client_secret=SECRET)
    turned, bound, requested = threading.Event(), threading.Event(), threading.Event()

    def elsewhere() -> None:
        with cohort.join():
            cohort.expect(other)
            bound.set()
            requested.wait(60)

    def home() -> None:
        with cohort.join():
            cohort.leave()
            turned.set()
            requested.wait(60)

    with ThreadPoolExecutor(2) as pool:
        for way in (elsewhere, home):
            pool.submit(way)
        turned.wait(60)
        bound.wait(60)
        assert not cohort.has_pending(CREDENTIALS, excluding=())
        assert cohort.has_pending(other, excluding=())
        requested.set()
    assert not cohort.has_pending(other, excluding=())


def test_one_of_a_batch_that_is_not_there(world: Environment) -> None:
    """A user that Graph does not know fails alone."""
    assert told(world.together([1, 99, 3])) == [BORN[:10], "no such user", BORN[:10]]
    assert world.client.birthday(user_id(5)).value == BORN[:10]


def test_one_of_a_batch_that_is_throttled(world: Environment) -> None:
    """P8: an inner 429 is a wait of what it asks for, for that one, and the others have their answers."""
    world.fault(kind=Kind.BIRTHDAY, user=user_id(3), status=429, retry_after="2.128")
    first, second, third = world.together([1, 3, 5])
    assert told([first, third]) == [BORN[:10]] * 2
    assert isinstance(second, TransientError)
    assert second.retry_after == 2.128
    assert world.client.birthday(user_id(3)).value == BORN[:10]


def test_one_of_a_batch_that_fails(world: Environment) -> None:
    """What fails without a word of when to come again is tried again, and no user fails by it."""
    world.fault(kind=Kind.BIRTHDAY, user=user_id(3), status=503)
    world.fault(Effect.GARBAGE, kind=Kind.BIRTHDAY, user=user_id(5))
    world.fault(Effect.HTML, kind=Kind.BIRTHDAY, user=user_id(7))
    world.fault(kind=Kind.BIRTHDAY, user=user_id(9), status=401, code="InvalidAuthenticationToken")
    assert told(world.together([1, 3, 5, 7, 9])) == [BORN[:10]] * 5


@pytest.mark.parametrize("effect", [Effect.CUT, Effect.HTML, Effect.GARBAGE, Effect.TRUNCATED])
def test_a_batch_that_breaks(world: Environment, effect: Effect) -> None:
    """P8: a batch whose answer does not come, or is none, is asked for again."""
    world.fault(effect, kind=Kind.BATCH)
    assert told(world.together([1, 3, 5])) == [BORN[:10]] * 3


def test_a_batch_that_is_throttled_as_a_whole(world: Environment) -> None:
    """P8: all users of a batch wait as long as it asks for."""
    world.fault(kind=Kind.BATCH, status=429, retry_after="7")
    found = world.together([1, 3, 5])
    assert [getattr(each, "retry_after", None) for each in found] == [7, 7, 7]


@pytest.mark.parametrize(
    ("effect", "status"),
    [(Effect.ERROR, 404), (Effect.ERROR, 405), (Effect.ERROR, 501), (Effect.HTML, 403), (Effect.HTML, 404)],
)
def test_where_batches_are_refused_people_are_asked_for_one_by_one(
    world: Environment, effect: Effect, status: int
) -> None:
    """A cloud or a proxy without batches costs one request per process, and no birthday is lost."""
    world.fault(effect, kind=Kind.BATCH, status=status, times=None)
    for _ in range(2):
        assert told(world.together([1, 3, 5])) == [BORN[:10]] * 3
    assert (world.requests("batch"), world.requests("birthday")) == (1, 6)


@pytest.mark.parametrize(
    ("status", "code"), [(403, "accessDenied"), (501, "NotImplemented"), (400, "BadRequest")]
)
def test_a_refusal_of_all_is_asked_for_once(world: Environment, status: int, code: str) -> None:
    """Where no birthday can be read, a process asks again only after a while."""
    world.fault(kind=Kind.BIRTHDAY, status=status, code=code, times=5)
    found = [world.client.birthday(user_id(1)), *world.together([3, 5])]
    assert all(
        not isinstance(each, TransientError) and each.affects_all_users and each.problem for each in found
    )
    assert world.requests("birthday") == 1
    world.clock.now += REFUSAL_TTL
    world.tenant.standin.faults.clear()
    assert world.client.birthday(user_id(3)).value == BORN[:10]


def test_a_refusal_of_one_stays_theirs(world: Environment) -> None:
    """Where birthdays can be read, a refusal is about one user, and the others are asked for."""
    world.client.birthday(user_id(1))
    world.fault(kind=Kind.BIRTHDAY, user=user_id(3), status=403, code="accessDenied", times=None)
    refused = world.client.birthday(user_id(3))
    assert (refused.affects_all_users, bool(refused.problem)) == (False, True)
    assert world.client.birthday(user_id(5)).value == BORN[:10]


def test_birthdays_alone_that_stay_throttled_keep_nobody_waiting(world: Environment) -> None:
    """A birthday never fails a user: when only birthdays are throttled, and for long, it goes on without."""
    world.fault(kind=Kind.BIRTHDAY, status=429, retry_after="10", times=None)
    with pytest.raises(TransientError):
        world.client.birthday(user_id(1))
    world.clock.now += PATIENCE
    world.fault(kind=Kind.USER, status=429, retry_after="3")
    with pytest.raises(TransientError):
        world.client.birthday(user_id(1))
    assert world.client.birthday(user_id(1)).affects_all_users


@pytest.mark.parametrize(
    "body",
    [
        batch_body([]),
        batch_body(["/users"]),
        batch_body(["/users/a/messages?$select=id"]),
        batch_body(["/users/..?$select=id"]),
        batch_body(["/me?$select=id"]),
        batch_body(["https://graph.example/users/a?$select=id"]),
        batch_body(["/users/a?$select=id"] * 21),
        batch_body(["/users/a?$select=id"]).replace(b"GET", b"DELETE"),
        batch_body(["/users/a?$select=id"]).replace(b'"GET"', b'"GET","body":{}'),
        batch_body(["/users/a?$select=id"]).replace(b"}]}", b'}],"requests":[]}'),
        b" " + batch_body(["/users/a?$select=id"]),
        b"[]",
        b"",
        None,
        b"\xff",
    ],
)
def test_a_batch_can_do_nothing_but_read_users(world: Environment, body: bytes | None) -> None:
    """P1: whatever else is posted to Graph does not leave."""
    with pytest.raises(RequestRefusedError):
        world.graph.session.try_request("POST", world.graph.batch_url, data=body)
    assert world.requests("batch") == 0


@pytest.mark.parametrize(
    ("method", "address"),
    [
        ("POST", "/v1.0/users"),
        ("POST", "/beta/$batch"),
        ("POST", "/v1.0/$batch?x=1"),
        ("POST", "/v1.0/$batch/"),
        ("PUT", "/v1.0/$batch"),
        ("PATCH", "/v1.0/$batch"),
    ],
)
def test_a_batch_goes_to_one_address(world: Environment, method: str, address: str) -> None:
    """P1: the very same batch does not leave to another address, or by another method."""
    body = batch_body(["/users/a?$select=id"])
    with pytest.raises(RequestRefusedError):
        world.graph.session.try_request(method, world.tenant.url + address, data=body)
    token = world.tenant.token()
    answer = world.graph.session.try_request(
        "POST", world.graph.batch_url, data=body, headers={"Authorization": f"Bearer {token}"}
    )
    assert isinstance(answer, requests.Response)
    assert answer.status_code == 200
