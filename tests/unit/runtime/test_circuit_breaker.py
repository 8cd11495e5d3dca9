"""When a service counts as away, who asks it then, and what becomes of those who wait."""

from __future__ import annotations

import threading
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.backlog import Backlog
from runtime.circuit_breaker import FIRST_INTERVAL, MAX_INTERVAL, OPENS_AFTER, CircuitBreaker, CircuitBreakers
from runtime.services import (
    DATABASE,
    SEVERAL_SUBJECTS,
    CircuitOpenError,
    ShutdownError,
    graph_of,
    skolon_reading,
    skolon_updating,
)
from schemas.errors import Dependency, HaltError, TransientError, UnreachableError, VersionConflictError
from schemas.outcomes import Cause, Stage

READING: Final = skolon_reading("exempel")
UPDATING: Final = skolon_updating("exempel")

AWAY: Final = TransientError(Dependency.SKOLON, "HTTP 503")


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def fail(breakers: CircuitBreakers, error: TransientError = AWAY, *, times: int = 1) -> None:
    for _ in range(times):
        with pytest.raises(TransientError), breakers.guard(READING):
            raise error


def asked(breakers: CircuitBreakers) -> bool:
    """Say whether one gets through to Skolon now."""
    try:
        with breakers.guard(READING):
            return True
    except CircuitOpenError:
        return False


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breakers(clock: Clock) -> CircuitBreakers:
    """Return circuit breakers that no thread waits at."""
    return CircuitBreakers(clock=clock, max_wait=0)


def test_failures_in_a_row_close_the_passage(breakers: CircuitBreakers, clock: Clock) -> None:
    """P8: after some failures in a row no request is sent until a probe is due."""
    fail(breakers, times=OPENS_AFTER - 1)
    assert asked(breakers)
    fail(breakers, times=OPENS_AFTER)
    assert not asked(breakers)
    clock.now += FIRST_INTERVAL
    assert asked(breakers)
    assert asked(breakers)


def test_an_error_that_is_an_answer_closes_nothing(breakers: CircuitBreakers) -> None:
    """P7: who answers is there, whatever the answer says."""
    for error in (HaltError(Cause.SKOLON_CREDENTIALS, "HTTP 401"), VersionConflictError("HTTP 412")):
        for _ in range(2 * OPENS_AFTER):
            with pytest.raises(type(error)), breakers.guard(READING):
                raise error
    assert asked(breakers)


def test_a_bug_of_ours_says_nothing_about_the_service(breakers: CircuitBreakers, clock: Clock) -> None:
    """A probe that ended in a bug leaves the next one the turn."""
    fail(breakers, times=OPENS_AFTER)
    clock.now += FIRST_INTERVAL
    with pytest.raises(ZeroDivisionError), breakers.guard(READING):
        raise ZeroDivisionError
    assert asked(breakers)


def test_one_service_away_keeps_nobody_from_another(breakers: CircuitBreakers) -> None:
    """P7: that updates fail stops no reading, and one directory's Graph stops no other's."""
    throttled = TransientError(Dependency.GRAPH, "HTTP 429", retry_after=60)
    with pytest.raises(TransientError), breakers.guard(graph_of("one")):
        raise throttled
    with pytest.raises(TransientError), breakers.guard(UPDATING):
        raise TransientError(Dependency.SKOLON, "HTTP 429", retry_after=60)
    with pytest.raises(CircuitOpenError), breakers.guard(graph_of("one")):
        pytest.fail("asked all the same")
    with breakers.guard(graph_of("other")), breakers.guard(READING), breakers.guard(DATABASE):
        pass


def test_entra_away_is_graph_away(breakers: CircuitBreakers) -> None:
    """P8: without a token there is nothing to ask of Graph."""
    for _ in range(OPENS_AFTER):
        with pytest.raises(TransientError), breakers.guard(graph_of("one")):
            raise TransientError(Dependency.ENTRA, "no answer in time")
    with pytest.raises(CircuitOpenError), breakers.guard(graph_of("one")):
        pytest.fail("asked all the same")


@given(asked_for=st.floats(0.1, 3600))
def test_nobody_asks_earlier_than_wished(asked_for: float) -> None:
    """P8: one `Retry-After` closes the passage for so long."""
    clock = Clock()
    breakers = CircuitBreakers(clock=clock, max_wait=0)
    fail(breakers, TransientError(Dependency.SKOLON, "HTTP 429", retry_after=asked_for))
    clock.now += asked_for * 0.99
    assert not asked(breakers)
    clock.now += max(asked_for * 0.011, FIRST_INTERVAL)
    assert asked(breakers)


def test_what_was_held_back_says_when_to_come_again(breakers: CircuitBreakers) -> None:
    """P8: a refused message returns when the next probe is due, and counts as no failed attempt."""
    fail(breakers, TransientError(Dependency.SKOLON, "HTTP 429", retry_after=77))
    with pytest.raises(CircuitOpenError) as caught, breakers.guard(READING):
        pytest.fail("asked all the same")
    assert caught.value.retry_after == pytest.approx(77)
    assert caught.value.dependency is Dependency.SKOLON


def test_probes_become_rarer_and_not_too_rare() -> None:
    """P8: a service that stays away is asked ever less, but at least every five seconds."""
    breaker, now, waits = CircuitBreaker(), 0.0, []
    for _ in range(OPENS_AFTER):
        breaker.on_failure(now, probe=False, retry_after=None)
    for _ in range(12):
        waits.append(breaker.seconds_to_wait(now))
        now += waits[-1]
        assert breaker.before_call()
        breaker.on_failure(now, probe=True, retry_after=None)
    assert waits == sorted(waits)
    assert waits[0] == FIRST_INTERVAL
    assert waits[-1] == MAX_INTERVAL == 5


def test_late_failures_do_not_put_the_probe_off() -> None:
    """P8: those who asked before it was known do not lengthen the outage."""
    breaker = CircuitBreaker()
    for _ in range(50):
        breaker.on_failure(0.0, probe=False, retry_after=None)
    assert breaker.seconds_to_wait(0.0) == FIRST_INTERVAL


def test_an_answer_to_an_earlier_question_opens_nothing(breakers: CircuitBreakers, clock: Clock) -> None:
    """P8: of several that asked at once, one's `Retry-After` holds good whatever the others were told."""
    for answered_first in (True, False):
        throttled, answered = breakers.guard(READING), breakers.guard(READING)
        throttled.__enter__()
        answered.__enter__()
        error = TransientError(Dependency.SKOLON, "HTTP 429", retry_after=60)
        for passage in (answered, throttled) if answered_first else (throttled, answered):
            told = (type(error), error, None) if passage is throttled else (None, None, None)
            passage.__exit__(*told)
        assert not asked(breakers)
        clock.now += 60
        assert asked(breakers)


def test_one_probe_at_a_time_and_then_all() -> None:
    """P8: while one probes the others wait with their messages, and its answer lets all of them go on."""
    breakers = CircuitBreakers()
    fail(breakers, times=OPENS_AFTER)
    inside, answer = threading.Semaphore(0), threading.Event()
    together: list[int] = []

    def ask() -> None:
        with breakers.guard(READING):
            together.append(threading.active_count())
            inside.release()
            answer.wait(10)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    assert inside.acquire(timeout=10)
    assert len(together) == 1
    answer.set()
    for thread in threads:
        thread.join(10)
    assert len(together) == 4


def test_the_end_of_the_process_ends_all_waiting() -> None:
    """P2: a process that shuts down waits for nothing."""
    breakers = CircuitBreakers()
    fail(breakers, TransientError(Dependency.SKOLON, "HTTP 429", retry_after=3600))
    ended: list[type[Exception]] = []

    def ask() -> None:
        try:
            with breakers.guard(READING):
                pytest.fail("asked all the same")
        except ShutdownError as error:
            ended.append(type(error))

    thread = threading.Thread(target=ask)
    thread.start()
    breakers.stop()
    thread.join(10)
    assert ended == [ShutdownError]
    with pytest.raises(ShutdownError):
        breakers.pause(3600)


def at_work(clock: Clock, *organisations: str, max_wait: float = 3600) -> CircuitBreakers:
    """Return passages of a process that several organisations share, each with a thousand users."""
    backlog = Backlog(lambda: dict.fromkeys(organisations, 1000), clock=clock)
    return CircuitBreakers(clock=clock, max_wait=max_wait, backlog=backlog)


def test_one_organisation_away_keeps_nobody_from_another(clock: Clock) -> None:
    """P7: one broken organisation is put aside at once, and the others are asked as ever."""
    breakers = at_work(clock, "exempel", "annan")
    fail(breakers, times=OPENS_AFTER)
    assert not asked(breakers)
    with breakers.guard(skolon_reading("annan")), breakers.guard(skolon_updating("exempel")):
        pass


def test_an_unreachable_host_is_everybodys(breakers: CircuitBreakers) -> None:
    """P8: no connection, no name, no token: that is found out once, and not by each organisation."""
    unreachable = UnreachableError(Dependency.SKOLON, "no connection")
    for organisation in ("one", "two", "three"):
        with pytest.raises(UnreachableError), breakers.guard(skolon_reading(organisation)):
            raise unreachable
    for service in (skolon_reading("four"), skolon_updating("one")):
        with pytest.raises(CircuitOpenError), breakers.guard(service):
            pytest.fail("asked all the same")


def test_who_answers_badly_is_reached(breakers: CircuitBreakers) -> None:
    """P7: an organisation's error shows that the host is there."""
    for number in range(2 * OPENS_AFTER):
        with pytest.raises(TransientError), breakers.guard(skolon_reading(f"broken {number}")):
            raise AWAY
    with breakers.guard(skolon_reading("healthy")):
        pass


def test_a_host_of_its_own_is_the_organisations(breakers: CircuitBreakers) -> None:
    """P7: if the host's name contains the organisation, a mistyped one affects no other."""
    for _ in range(OPENS_AFTER):
        with pytest.raises(UnreachableError), breakers.guard(skolon_reading("mistyped", None)):
            raise UnreachableError(Dependency.SKOLON, "no such name")
    with pytest.raises(CircuitOpenError), breakers.guard(skolon_reading("mistyped", None)):
        pytest.fail("asked all the same")
    with breakers.guard(skolon_reading("healthy", None)):
        pass


def test_once_all_are_away_their_messages_stay_where_they_are(clock: Clock) -> None:
    """P8: workers wait during an outage of all, but not of one organisation while others have work."""
    breakers = at_work(clock, "exempel", "annan", max_wait=0.1)
    fail(breakers, times=OPENS_AFTER)
    assert not breakers._should_wait(READING, "exempel")  # noqa: SLF001 - what decides it
    for number in range(OPENS_AFTER):
        with pytest.raises(TransientError), breakers.guard(skolon_reading("annan"), f"user {number}"):
            raise AWAY
    assert breakers._should_wait(READING, "exempel")  # noqa: SLF001 - as above


def test_who_has_no_run_any_more_is_not_waited_for(clock: Clock) -> None:
    """P7: a cancelled run lets go at once of what its workers hold."""
    breakers = at_work(clock, "annan")
    fail(breakers, times=OPENS_AFTER)
    assert not asked(breakers)


@given(age=st.floats(0, 24 * 3600), people=st.integers(1, 100_000))
def test_the_longer_an_outage_the_rarer_its_messages_come_back(age: float, people: int) -> None:
    """P8: those who wait come back spread out, soon after a short outage, and no flood after a long one."""
    clock = Clock()
    breakers = CircuitBreakers(clock=clock, max_wait=0, backlog=Backlog(lambda: {"exempel": people}))
    fail(breakers, TransientError(Dependency.SKOLON, "HTTP 429", retry_after=age + 1))
    clock.now += age
    with pytest.raises(CircuitOpenError) as caught, breakers.guard(READING):
        pytest.fail("asked all the same")
    assert caught.value.spread <= age / 4 + 0.001
    assert caught.value.spread <= max(people / 50, MAX_INTERVAL)
    if age >= 3600:
        assert caught.value.spread >= min(people / 50, 900)


def test_one_users_failures_keep_no_other_away(breakers: CircuitBreakers) -> None:
    """P7: when the last user of a run fails repeatedly, the next user's call passes and decides."""
    for _ in range(OPENS_AFTER):
        with pytest.raises(TransientError), breakers.guard(UPDATING, "one user"):
            raise AWAY
    with pytest.raises(CircuitOpenError), breakers.guard(UPDATING, "one user"):
        pytest.fail("asked all the same")
    with breakers.guard(UPDATING, "another user"):
        pass
    with breakers.guard(UPDATING, "one user"):
        pass


def test_several_users_failures_are_the_organisations(breakers: CircuitBreakers) -> None:
    """P8: as soon as a second user fails as well, the circuit opens for all."""
    for user in ("one", "one", "other"):
        with pytest.raises(TransientError), breakers.guard(UPDATING, user):
            raise AWAY
    with pytest.raises(CircuitOpenError), breakers.guard(UPDATING, "third"):
        pytest.fail("asked all the same")


def test_what_is_answered_to_several_is_found_out_one_by_one(breakers: CircuitBreakers) -> None:
    """P7: a search for several that one of them spoils tells nothing; a lack of any answer does."""
    spoilt = TransientError(Dependency.SKOLON, "HTTP 500", status=500, stage=Stage.MATCH)
    for error, counts in ((spoilt, False), (AWAY, True)):
        for _ in range(OPENS_AFTER):
            with pytest.raises(TransientError), breakers.guard(READING, SEVERAL_SUBJECTS):
                raise error
        assert asked(breakers) is not counts


def test_who_waits_for_the_database_does_not_ask_it(clock: Clock) -> None:
    """P8: the backlog query passes the same breakers, and does not wait for its own result."""
    asked_for_work: list[bool] = []

    def ask() -> dict[str, int]:
        asked_for_work.append(True)
        with registry.guard(DATABASE):
            return {"exempel": 1}

    registry = CircuitBreakers(clock=clock, max_wait=0, backlog=Backlog(ask, clock=clock))
    for _ in range(OPENS_AFTER):
        with pytest.raises(TransientError), registry.guard(DATABASE):
            raise TransientError(Dependency.DATABASE, "away")
    with pytest.raises(CircuitOpenError), registry.guard(DATABASE):
        pytest.fail("asked all the same")
    assert not asked_for_work
    fail(registry, times=OPENS_AFTER)
    assert not asked(registry)
    assert asked_for_work
