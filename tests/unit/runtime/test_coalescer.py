"""Calls that become one: who travels together, whose error is whose, and that nobody waits for ever."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from runtime.coalescer import Coalescer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


#: Seconds. Nothing here takes as long.
PATIENCE = 30


class AwayError(Exception):
    """An error that concerns all items."""


class OddError(Exception):
    """May concern one alone."""


class Service:
    """Doubles numbers; what it is asked while `hold` is called waits until `release`."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, list[int]]] = []
        self.under_way: Counter[str] = Counter()
        self.most_under_way: Counter[str] = Counter()
        self.away = False
        self.odd: set[int] = set()
        self.single: set[int] = set()
        self._lock = threading.Lock()
        self._open = threading.Event()
        self._open.set()

    def hold(self) -> None:
        self._open.clear()

    def release(self) -> None:
        self._open.set()

    def together(self, key: str, asked: Sequence[int]) -> list[int | Exception]:
        with self._lock:
            self.asked.append((key, list(asked)))
            self.under_way[key] += 1
            self.most_under_way[key] = max(self.most_under_way[key], self.under_way[key])
        try:
            self._open.wait()
            if self.away:
                raise AwayError
            if self.odd & set(asked):
                raise OddError
            return [OddError() if number in self.single else 2 * number for number in asked]
        finally:
            with self._lock:
                self.under_way[key] -= 1


class Crowd:
    """Threads that call at a moment that the test chooses."""

    def __init__(self, service: Service, pool: ThreadPoolExecutor, **options: Any) -> None:
        options = {"max_batch": 100, **options}
        self.calls: Coalescer[str, int, int] = Coalescer(
            service.together, shared_errors=(AwayError,), **options
        )
        self._service = service
        self._pool = pool

    def call(self, number: int, key: str = "key") -> Future[int]:
        return self._pool.submit(self.calls.call, key, number)

    def ask_first(self, number: int = 1, key: str = "key") -> Future[int]:
        """Have one ask, and return when its call is under way."""
        before = len(self._service.asked)
        call = self.call(number, key)
        until(lambda: len(self._service.asked) > before)
        return call

    def gather(self, *numbers: int, key: str = "key") -> list[Future[int]]:
        """Have others ask, one after the other, and return when all of them wait."""
        calls = []
        for number in numbers:
            before = self._waiting(key)
            calls.append(self.call(number, key))
            until(lambda before=before: self._waiting(key) != before)
        return calls

    def _waiting(self, key: str) -> tuple[int, int]:
        lane = self.calls._lanes[key]  # noqa: SLF001 - nothing else tells that somebody waits
        return lane.leaders, 0 if lane.open_batch is None else len(lane.open_batch.items)


def until(happened: Any) -> None:
    pause = threading.Event()
    while not happened():
        pause.wait(0.001)


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def pool(service: Service) -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(32) as threads:
        yield threads
        service.release()


@pytest.fixture
def crowd(service: Service, pool: ThreadPoolExecutor) -> Crowd:
    return Crowd(service, pool)


def answers(calls: Sequence[Future[int]]) -> list[int]:
    return [call.result() for call in calls]


def test_nobody_waits_for_company(service: Service, crowd: Crowd) -> None:
    """A call with none in flight starts at once, alone."""
    assert crowd.calls.call("key", 1) == 2
    assert crowd.calls.call("key", 2) == 4
    assert service.asked == [("key", [1]), ("key", [2])]


def test_who_comes_meanwhile_travels_together(service: Service, crowd: Crowd) -> None:
    """Those who come while a call is under way are one call, and each gets its own answer."""
    service.hold()
    first = crowd.ask_first(1)
    others = crowd.gather(2, 3, 4)
    service.release()
    assert answers([first, *others]) == [2, 4, 6, 8]
    assert service.asked == [("key", [1]), ("key", [2, 3, 4])]


def test_who_knows_that_company_comes_may_wait_for_it(service: Service, pool: ThreadPoolExecutor) -> None:
    """A batch stays open as long as `before_send` waits, and then no item joins it."""
    crowd = Crowd(service, pool, before_send=lambda _, asked: until(lambda: len(asked) >= 3))
    first = crowd.call(1)
    until(lambda: "key" in crowd.calls._lanes)  # noqa: SLF001 - as above
    assert answers([first, *crowd.gather(2), crowd.call(3)]) == [2, 4, 6]
    assert [sorted(asked) for _, asked in service.asked] == [[1, 2, 3]]


def test_where_company_was_it_is_waited_for(service: Service, pool: ThreadPoolExecutor) -> None:
    """The batch after a larger one waits until it is full, at most for the `fill_wait`."""
    crowd = Crowd(service, pool, max_batch=3, fill_wait=10 * PATIENCE)
    service.hold()
    first = crowd.ask_first(1)
    others = crowd.gather(2, 3, 4)
    service.release()
    assert answers([first, *others]) == [2, 4, 6, 8]
    next_ones = [crowd.call(5)]
    until(lambda: "key" in crowd.calls._lanes)  # noqa: SLF001 - as above
    next_ones += [*crowd.gather(6), crowd.call(7)]
    assert answers(next_ones) == [10, 12, 14]
    assert [sorted(asked) for _, asked in service.asked] == [[1], [2, 3, 4], [5, 6, 7]]


def test_company_that_does_not_come_is_waited_for_once(service: Service, pool: ThreadPoolExecutor) -> None:
    """The busy time is over: one waits in vain, and those after it go at once again."""
    crowd = Crowd(service, pool, fill_wait=0.01)
    service.hold()
    first = crowd.ask_first(1)
    others = crowd.gather(2, 3)
    service.release()
    answers([first, *others])
    assert crowd.call(4).result(PATIENCE) == 8
    # Whoever waits from now on does so for longer than the test.
    crowd.calls._fill_wait = 10 * PATIENCE  # noqa: SLF001 - no clock is told what time it is
    assert [crowd.call(number).result(PATIENCE) for number in (5, 6)] == [10, 12]
    assert [asked for _, asked in service.asked] == [[1], [2, 3], [4], [5], [6]]


def test_a_batch_has_a_largest_size(service: Service, pool: ThreadPoolExecutor) -> None:
    """P10: a call that finds a full batch begins the next one, and the batches take turns."""
    crowd = Crowd(service, pool, max_batch=2)
    service.hold()
    first = crowd.ask_first(1)
    others = crowd.gather(2, 3, 4, 5, 6)
    service.release()
    assert answers([first, *others]) == [2, 4, 6, 8, 10, 12]
    assert sorted(asked for _, asked in service.asked) == [[1], [2, 3], [4, 5], [6]]
    assert service.most_under_way["key"] == 1


def test_several_batches_may_be_under_way(service: Service, pool: ThreadPoolExecutor) -> None:
    """With two at once, the second one goes without waiting, and the third one gathers."""
    crowd = Crowd(service, pool, max_in_flight=2)
    service.hold()
    firsts = [crowd.ask_first(1), crowd.ask_first(2)]
    others = crowd.gather(3, 4)
    service.release()
    assert answers([*firsts, *others]) == [2, 4, 6, 8]
    assert service.asked == [("key", [1]), ("key", [2]), ("key", [3, 4])]


def test_keys_do_not_wait_for_each_other(service: Service, crowd: Crowd) -> None:
    """What has another key travels by itself, and at the same time."""
    service.hold()
    calls = [crowd.ask_first(1, "one"), crowd.ask_first(2, "other")]
    assert service.under_way == {"one": 1, "other": 1}
    service.release()
    assert answers(calls) == [2, 4]


def test_an_answer_may_be_an_error_of_one_alone(service: Service, crowd: Crowd) -> None:
    """P7: a result that is an error is raised for its own item only."""
    service.single = {3}
    service.hold()
    first = crowd.ask_first(1)
    two, three, four = crowd.gather(2, 3, 4)
    service.release()
    assert answers([first, two, four]) == [2, 4, 8]
    with pytest.raises(OddError):
        three.result()
    assert len(service.asked) == 2


def test_what_concerns_everybody_is_raised_for_everybody(service: Service, crowd: Crowd) -> None:
    """P8: during an outage of all, no thread repeats the call by itself."""
    service.hold()
    first = crowd.ask_first(1)
    others = crowd.gather(2, 3)
    service.away = True
    service.release()
    for call in (first, *others):
        with pytest.raises(AwayError):
            call.result()
    assert service.asked == [("key", [1]), ("key", [2, 3])]


def test_whoever_is_odd_fails_alone(service: Service, crowd: Crowd) -> None:
    """P7: a batch that fails over one of them is asked one by one, and only that one fails."""
    service.odd = {3}
    service.hold()
    first = crowd.ask_first(1)
    two, three, four = crowd.gather(2, 3, 4)
    service.release()
    assert answers([first, two, four]) == [2, 4, 8]
    with pytest.raises(OddError):
        three.result()
    assert service.asked[:2] == [("key", [1]), ("key", [2, 3, 4])]
    assert sorted(asked for _, asked in service.asked[2:]) == [[2], [3], [4]]


def test_one_alone_is_not_asked_twice(service: Service, crowd: Crowd) -> None:
    """What is raised over one alone is that one's error."""
    service.odd = {1}
    with pytest.raises(OddError):
        crowd.calls.call("key", 1)
    assert service.asked == [("key", [1])]


def test_an_interrupted_leader_leaves_nobody_waiting(pool: ThreadPoolExecutor) -> None:
    """What ends the one that carries a batch out ends it alone: the others ask by themselves."""
    service = Service()

    def interrupted(key: str, asked: Sequence[int]) -> list[int | Exception]:
        found = service.together(key, asked)
        if len(asked) > 1:
            raise SystemExit
        return found

    crowd = Crowd(service, pool)
    crowd.calls = Coalescer(interrupted, max_batch=100)
    service.hold()
    first = crowd.ask_first(1)
    leader, *others = crowd.gather(2, 3, 4)
    service.release()
    with pytest.raises(SystemExit):
        leader.result()
    assert answers([first, *others]) == [2, 6, 8]


def test_too_few_answers_are_nobodys(service: Service, crowd: Crowd) -> None:
    """A result never goes to another item: a wrong number of results is an error."""
    crowd.calls = Coalescer(lambda _key, _asked: [], max_batch=100)
    del service
    with pytest.raises(ValueError, match="1 items, but 0 results"):
        crowd.calls.call("key", 1)


def test_a_crowd_gets_its_answers(pool: ThreadPoolExecutor) -> None:
    """P10: of many calls by many threads each gets its own answer, and nothing is kept of any."""
    service = Service()
    service.odd, service.single = {77}, {55}
    crowd = Crowd(service, pool, max_batch=7, max_in_flight=2)
    calls = {(number, key): crowd.call(number, key) for number in range(200) for key in ("one", "other")}
    for (number, _), call in calls.items():
        if number in {55, 77}:
            assert isinstance(call.exception(), OddError)
        else:
            assert call.result() == 2 * number
    assert all(len(asked) <= 7 for _, asked in service.asked)
    assert not crowd.calls._lanes  # noqa: SLF001 - that nothing is kept can be seen nowhere else
