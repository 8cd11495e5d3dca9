"""What is decided about a failure, whatever a message has been through."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Final

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from queues.middleware.failure_policy import (
    FIRST_DELAY,
    MAX_BACK_OFF,
    MAX_DELAY,
    MAX_FORBIDDEN_ATTEMPTS,
    MAX_LAST_USER_ATTEMPTS,
    MAX_PASSING_ATTEMPTS,
    MAX_USER_ATTEMPTS,
    UNKNOWN_PEERS,
    Halt,
    History,
    PeerResults,
    Retry,
    UnexpectedError,
    decide,
)
from runtime.services import CircuitOpenError
from schemas.dead_letter_reasons import Reason
from schemas.errors import (
    Dependency,
    HaltError,
    NotYetError,
    PermanentError,
    TransientError,
    VersionConflictError,
)
from schemas.outcomes import Cause, Stage
from schemas.runs.sync_result import Failure

SECRET: Final = "hemlig-uppgift"  # noqa: S105 - made up, opens nothing
BEGAN: Final = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
DAY: Final = dt.timedelta(hours=24)

JITTER: Final = st.floats(0, 1)
ATTEMPTS: Final = st.integers(1, 10_000) | st.just(10**30)
DEPENDENCIES: Final = st.sampled_from(Dependency)
RETRY_AFTER: Final = st.none() | st.floats(0, 100_000)
HISTORIES: Final = st.builds(
    lambda attempts, waited, limit: History(
        attempts=attempts, first_failed=BEGAN, waited=waited, give_up_after=limit
    ),
    ATTEMPTS,
    st.timedeltas(dt.timedelta(0), dt.timedelta(days=60)),
    st.timedeltas(dt.timedelta(0), dt.timedelta(days=30)),
)


def after(waited: dt.timedelta = dt.timedelta(0), *, attempts: int = 1) -> History:
    return History(attempts=attempts, first_failed=BEGAN, waited=waited, give_up_after=DAY)


@pytest.mark.parametrize(
    ("attempts", "least", "most"),
    [(1, 1, 2), (2, 2, 4), (3, 4, 8), (4, 8, 16), (5, 16, 32), (6, 30, 60), (7, 30, 60), (100, 30, 60)],
)
def test_the_back_off_is_this(attempts: int, least: float, most: float) -> None:
    """The first delay is two seconds, each next one is twice as long, and none is longer than a minute."""
    error = TransientError(Dependency.SKOLON, "away")
    assert decide(error, after(attempts=attempts), jitter=0) == Retry(delay=least)
    assert decide(error, after(attempts=attempts), jitter=1) == Retry(delay=most)


@given(dependency=DEPENDENCIES, asked=RETRY_AFTER, history=HISTORIES, jitter=JITTER)
def test_an_outage_waits_until_the_limit(
    dependency: Dependency, asked: float | None, history: History, jitter: float
) -> None:
    """P8: what is transient is tried again until the tenant's limit, and only then `gave_up`."""
    decision = decide(TransientError(dependency, "away", retry_after=asked), history, jitter=jitter)
    if history.waited < history.give_up_after:
        assert isinstance(decision, Retry)
    else:
        assert isinstance(decision, Failure)
        assert decision.reason is Reason.GAVE_UP


@given(dependency=DEPENDENCIES, asked=RETRY_AFTER, attempts=ATTEMPTS, jitter=JITTER)
def test_a_delay_is_bounded_and_not_earlier_than_asked(
    dependency: Dependency, asked: float | None, attempts: int, jitter: float
) -> None:
    """P8: never before Retry-After, never so late that RabbitMQ would close the channel of what waits."""
    error = TransientError(dependency, "busy", retry_after=asked)
    decision = decide(error, after(attempts=attempts), jitter=jitter)
    assert isinstance(decision, Retry)
    assert min(asked or 0, MAX_DELAY) <= decision.delay <= MAX_DELAY
    assert MAX_DELAY < 30 * 60


@given(dependency=DEPENDENCIES, attempts=ATTEMPTS, jitter=JITTER)
def test_retry_after_zero_makes_no_hot_loop(dependency: Dependency, attempts: int, jitter: float) -> None:
    """P8: `Retry-After: 0` is not taken at its word: the back-off is the floor."""
    decision = decide(
        TransientError(dependency, "busy", retry_after=0.0), after(attempts=attempts), jitter=jitter
    )
    assert isinstance(decision, Retry)
    assert decision.delay >= FIRST_DELAY / 2


@given(attempts=st.integers(1, 50), jitter=JITTER)
def test_the_back_off_grows(attempts: int, jitter: float) -> None:
    """P8: without Retry-After, waiting gets longer from one try to the next, up to the longest."""

    def delay(count: int) -> float:
        decision = decide(TransientError(Dependency.GRAPH, "x"), after(attempts=count), jitter=jitter)
        assert isinstance(decision, Retry)
        return decision.delay

    assert 0 < delay(attempts) <= delay(attempts + 1)
    assert delay(attempts + 1) >= min(delay(attempts) * 2, MAX_BACK_OFF / 2)


@given(one=JITTER, other=JITTER, asked=st.none() | st.floats(1, 600))
def test_jitter_spreads_the_retries(one: float, other: float, asked: float | None) -> None:
    """P8: messages that failed together do not all come back together."""
    assume(abs(one - other) > 0.01)
    error = TransientError(Dependency.SKOLON, "busy", retry_after=asked)
    assert decide(error, after(), jitter=one) != decide(error, after(), jitter=other)


@given(history=HISTORIES, jitter=JITTER, reason=st.sampled_from(Reason), stage=st.sampled_from(Stage))
def test_a_permanent_error_is_never_tried_again(
    history: History, jitter: float, reason: Reason, stage: Stage
) -> None:
    """P9: a permanent error is a dead letter at once, with its own reason, stage and detail."""
    decision = decide(PermanentError(reason, stage, "why"), history, jitter=jitter)
    assert decision == Failure(reason=reason, stage=stage, detail="why")


@given(history=HISTORIES, jitter=JITTER, cause=st.sampled_from(Cause))
def test_a_halting_error_is_never_tried_again(history: History, jitter: float, cause: Cause) -> None:
    """P7: an error that concerns all users halts the run at once."""
    assert decide(HaltError(cause, "why"), history, jitter=jitter) == Halt(cause=cause, detail="why")


@pytest.mark.parametrize(
    "error",
    [ValueError(SECRET), KeyError(SECRET), UnexpectedError("x", "y"), VersionConflictError("v"), OSError()],
)
@given(history=HISTORIES, jitter=JITTER)
def test_what_is_unforeseen_ends_after_three_tries(error: Exception, history: History, jitter: float) -> None:
    """P6: a bug is tried three times, then it is a dead letter without a foreign exception's text."""
    decision = decide(error, history, jitter=jitter)
    if history.attempts < 3:
        assert isinstance(decision, Retry)
        assert 0 < decision.delay <= MAX_DELAY
    else:
        assert isinstance(decision, Failure)
        assert decision.reason is Reason.BUG
        assert SECRET not in repr(decision)


def test_giving_up_says_since_when_and_how_often() -> None:
    """P9: who gave up says what was away, since when, and after how many tries."""
    decision = decide(TransientError(Dependency.SKOLON, "status 503"), after(DAY, attempts=87), jitter=0.5)
    assert decision == Failure(
        reason=Reason.GAVE_UP,
        stage=Stage.RECORD,
        detail="skolon: status 503 (since 2026-01-01 00:00 UTC, 87 attempts)",
    )


def is_user_failure(user_failures: int, *, since: dt.datetime = BEGAN) -> History:
    return History(
        attempts=user_failures,
        first_failed=BEGAN,
        waited=dt.timedelta(0),
        give_up_after=DAY,
        user_failures=user_failures,
        user_failures_since=since,
    )


BROKEN: Final = TransientError(Dependency.SKOLON, "HTTP 500", status=500, stage=Stage.UPDATE)
FORBIDDEN: Final = HaltError(Cause.SKOLON_PERMISSION, "HTTP 403", status=403, stage=Stage.MATCH)
OTHERS_SUCCEED: Final = PeerResults(last_success=BEGAN + dt.timedelta(seconds=1))
OTHERS_DID: Final = PeerResults(last_success=BEGAN - dt.timedelta(seconds=1))


@pytest.mark.parametrize("error", [BROKEN, FORBIDDEN], ids=["HTTP 500", "HTTP 403"])
@given(user_failures=st.integers(1, 100), jitter=JITTER)
def test_one_users_trouble_is_its_own(
    error: TransientError | HaltError, user_failures: int, jitter: float
) -> None:
    """P7: what one user is answered time and again, while others succeed, is that user's dead letter."""
    decision = decide(error, is_user_failure(user_failures), jitter=jitter, peers=OTHERS_SUCCEED)
    if user_failures < MAX_USER_ATTEMPTS:
        assert isinstance(decision, Retry)
        return
    assert isinstance(decision, Failure)
    assert (decision.reason, decision.stage) == (Reason.REJECTED_BY_SKOLON, error.stage)
    assert decision.detail.startswith(error.detail)


@given(
    user_failures=st.integers(1, 10_000), jitter=JITTER, peers=st.sampled_from([UNKNOWN_PEERS, OTHERS_DID])
)
def test_while_nobody_succeeds_it_is_an_outage(user_failures: int, jitter: float, peers: PeerResults) -> None:
    """P8: if others succeeded only before the failure, or never, no user becomes a dead letter."""
    assert isinstance(decide(BROKEN, is_user_failure(user_failures), jitter=jitter, peers=peers), Retry)


@given(user_failures=st.integers(1, 10_000), jitter=JITTER)
def test_while_others_get_over_it_it_is_an_outage(user_failures: int, jitter: float) -> None:
    """P8: if users succeed that had failed before, Skolon fails now and then, and no user is at fault."""
    peers = dataclasses.replace(OTHERS_SUCCEED, recovering=True)
    assert isinstance(decide(BROKEN, is_user_failure(user_failures), jitter=jitter, peers=peers), Retry)


@given(jitter=JITTER, peers=st.sampled_from([UNKNOWN_PEERS, OTHERS_DID]))
def test_a_refusal_halts_when_no_user_succeeds_meanwhile(jitter: float, peers: PeerResults) -> None:
    """P7: the first answer of a run may be one user's refusal; with others pending, it is asked again."""
    for failures in range(1, MAX_FORBIDDEN_ATTEMPTS):
        assert isinstance(decide(FORBIDDEN, is_user_failure(failures), jitter=jitter, peers=peers), Retry)
    halt = Halt(cause=Cause.SKOLON_PERMISSION, detail="HTTP 403")
    assert decide(FORBIDDEN, is_user_failure(MAX_FORBIDDEN_ATTEMPTS), jitter=jitter, peers=peers) == halt


@given(jitter=JITTER)
def test_a_refusal_halts_at_once_when_no_user_is_left_to_compare(jitter: float) -> None:
    """The last user of a run, and a token that is not taken, do not wait for other users."""
    halt = Halt(cause=Cause.SKOLON_PERMISSION, detail="HTTP 403")
    assert decide(FORBIDDEN, is_user_failure(1), jitter=jitter, peers=PeerResults(pending=False)) == halt
    token = HaltError(Cause.SKOLON_CREDENTIALS, "HTTP 401", status=401, stage=Stage.MATCH)
    assert decide(token, is_user_failure(1), jitter=jitter) == Halt(cause=token.cause, detail="HTTP 401")


@given(user_failures=st.integers(1, 100), jitter=JITTER)
def test_the_last_user_does_not_keep_a_run_open(user_failures: int, jitter: float) -> None:
    """P7: without other users, a working search and a failing update are a dead letter later."""
    decision = decide(BROKEN, is_user_failure(user_failures), jitter=jitter, peers=PeerResults(pending=False))
    assert isinstance(decision, Failure if user_failures >= MAX_LAST_USER_ATTEMPTS else Retry)


@given(user_failures=st.integers(1, 10_000), jitter=JITTER, status=st.sampled_from([502, 503, 504]))
def test_the_last_user_waits_for_who_says_to_be_away(user_failures: int, jitter: float, status: int) -> None:
    """P8: of an outage in which one user alone is left, that user is no dead letter."""
    away = TransientError(Dependency.SKOLON, f"HTTP {status}", status=status, stage=Stage.UPDATE)
    decision = decide(away, is_user_failure(user_failures), jitter=jitter, peers=PeerResults(pending=False))
    assert isinstance(decision, Retry)


@given(
    error=st.sampled_from(
        [TransientError(Dependency.SKOLON, "no answer"), CircuitOpenError(Dependency.SKOLON, "x")]
    )
)
def test_what_is_about_nobody_in_particular_stays_an_outage(error: TransientError) -> None:
    """P8: throttling, a way that is closed and what was not even asked are never one user's."""
    decision = decide(error, is_user_failure(100), jitter=0.5, peers=OTHERS_SUCCEED)
    assert isinstance(decision, Retry)


@given(attempts=st.integers(1, 10_000), jitter=JITTER)
def test_another_message_comes_first(attempts: int, jitter: float) -> None:
    """Nothing is overloaded, so that each try comes as soon as the first; after the limit it is given up."""
    error = NotYetError("an older run is processing this user", retry_after=4)
    decision = decide(error, after(attempts=attempts), jitter=jitter)
    assert isinstance(decision, Retry)
    assert decision.delay == pytest.approx(4 * (1 + jitter / 4))
    given_up = decide(error, after(DAY, attempts=attempts), jitter=jitter)
    tries = "1 attempt" if attempts == 1 else f"{attempts} attempts"
    assert given_up == Failure(
        reason=Reason.GAVE_UP,
        stage=Stage.RECORD,
        detail=f"an older run is processing this user (since 2026-01-01 00:00 UTC, {tries})",
    )


@given(asked=st.floats(0, 5), spread=st.floats(0.1, 900), jitter=JITTER)
def test_those_who_are_put_aside_come_back_spread_out(asked: float, spread: float, jitter: float) -> None:
    """P8: retries start at the next probe and are spread evenly from then on, so that one soon probes."""
    error = CircuitOpenError(Dependency.SKOLON, "away", retry_after=asked, spread=spread)
    decision = decide(error, after(), jitter=jitter)
    assert isinstance(decision, Retry)
    assert asked <= decision.delay <= asked + spread + 1


@pytest.mark.parametrize("jitter", [0, 1])
def test_a_refusal_that_may_pass_is_tried_again_for_a_minute(jitter: float) -> None:
    """A stray refusal in the middle of a list halts the run only when it stays for one to two minutes."""
    error = HaltError(Cause.GRAPH_QUERY, "HTTP 400", status=400, may_pass=True)
    waited = 0.0
    for failures in range(1, MAX_PASSING_ATTEMPTS):
        history = dataclasses.replace(
            after(attempts=failures), user_failures=failures, user_failures_since=BEGAN
        )
        decision = decide(error, history, jitter=jitter)
        assert isinstance(decision, Retry)
        waited += decision.delay
    assert 60 <= waited <= 125
    last = dataclasses.replace(
        after(attempts=7), user_failures=MAX_PASSING_ATTEMPTS, user_failures_since=BEGAN
    )
    assert decide(error, last, jitter=jitter) == Halt(cause=Cause.GRAPH_QUERY, detail="HTTP 400")
    assert isinstance(
        decide(HaltError(Cause.GRAPH_QUERY, "HTTP 400", status=400), after(), jitter=jitter), Halt
    )
