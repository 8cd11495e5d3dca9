"""What a message has been through, as it is counted from try to try."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queues.message import user_sync_message
from queues.middleware.failure_policy import MAX_DELAY, ReplayOrigin, decide
from queues.middleware.message_history import (
    as_dead_letter,
    read_history,
    trusted_options,
    with_delay,
    with_history,
)
from schemas.dead_letter_reasons import Reason
from schemas.errors import Dependency, HaltError, TransientError
from schemas.messages.dead_letter import read_dead_letter
from schemas.messages.messages import METADATA_KEY, UserSync
from schemas.outcomes import Cause, Stage
from schemas.runs.collision import Collision
from schemas.runs.sync_result import Failure

if TYPE_CHECKING:
    from dramatiq import Message

BEGAN: Final = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
MINUTE: Final = dt.timedelta(minutes=1)
DAY: Final = dt.timedelta(days=1)


def message(**section: Any) -> Message[Any]:
    user = UserSync(tenant="kommun", run=7, user="u1", payload=None)
    fresh = user_sync_message(user, give_up_after_hours=24)
    return fresh.copy(options={METADATA_KEY: {**fresh.options[METADATA_KEY], **section}})


def failing(attempted: Message[Any], now: dt.datetime) -> Message[Any]:
    """Return the message as it is after one more failed try."""
    return with_history(attempted, read_history(attempted, now=now, attempted=True), now)


def test_tries_and_waiting_add_up() -> None:
    """P8: attempts are counted, and the time between them is what the tenant's limit is compared with."""
    attempted = message()
    for minute in range(10):
        attempted = failing(attempted, BEGAN + minute * MINUTE)
    history = read_history(attempted, now=BEGAN + 10 * MINUTE, attempted=True)
    assert (history.attempts, history.first_failed, history.waited) == (11, BEGAN, 10 * MINUTE)
    assert not history.overdue
    late = [BEGAN + minute * MINUTE for minute in range(10, 24 * 60)]
    for moment in late:
        attempted = failing(attempted, moment)
    assert read_history(attempted, now=BEGAN + DAY, attempted=True).overdue


def test_being_held_back_is_no_try() -> None:
    """P9: a dead letter says how often it was really tried."""
    assert read_history(failing(message(), BEGAN), now=BEGAN, attempted=False).attempts == 1


@given(jump=st.timedeltas(-400 * DAY, 400 * DAY))
def test_a_clock_that_jumps_makes_nobody_give_up(jump: dt.timedelta) -> None:
    """P8: a machine whose clock is put forward or back makes no dead letter of what waits."""
    attempted = failing(message(), BEGAN)
    history = read_history(attempted, now=BEGAN + jump, attempted=True)
    assert not history.overdue
    assert history.waited >= dt.timedelta(0)


@pytest.mark.parametrize("hours", [float("nan"), float("inf"), -1, 1e300, "24", None, [1]])
def test_a_limit_that_is_no_time_is_a_day(hours: object) -> None:
    """A publisher may write anything: a limit that makes no sense counts as none."""
    history = read_history(message(give_up_after_hours=hours), now=BEGAN, attempted=True)
    assert history.give_up_after == DAY


@given(
    section=st.none()
    | st.text()
    | st.dictionaries(
        st.sampled_from(["attempts", "first_failed", "last_failed", "waited", "replay"]),
        st.none() | st.integers() | st.floats() | st.text() | st.lists(st.integers(), max_size=2),
    )
)
def test_any_section_can_be_read(section: object) -> None:
    """A publisher may write anything: any metadata gives a valid history."""
    foreign = message().copy(options={METADATA_KEY: section})
    history = read_history(foreign, now=BEGAN, attempted=True)
    assert history.attempts >= 1
    with_history(foreign, history, BEGAN).encode()


def test_a_dead_letter_says_it_all() -> None:
    """P9: reason, stage, detail, since when, after how many tries, and which version."""
    dead_letter = Failure(reason=Reason.INVALID_USER, stage=Stage.MAP, detail="eppn: must have an @")
    dead = as_dead_letter(failing(message(), BEGAN), dead_letter, now=BEGAN + MINUTE, version="1.2")
    assert dead.options[METADATA_KEY] == {
        "give_up_after_hours": 24,
        "attempts": 1,
        "first_failed": "2026-01-01T00:00:00+00:00",
        "last_failed": "2026-01-01T00:00:00+00:00",
        "waited": 0,
        "reason": "invalid_user",
        "stage": "map",
        "detail": "eppn: must have an @",
        "structured_detail": {"kind": "text", "parameters": {"text": "eppn: must have an @"}},
        "dead_since": "2026-01-01T00:01:00+00:00",
        "version": "1.2",
    }


def test_a_dead_letter_carries_its_collision() -> None:
    """P9: the message says which user has the Skolon user; one that fails for another reason does not."""
    collision = Collision(holder_entra_id="anna", skolon_id="s1")
    collided = Failure(
        reason=Reason.COLLISION,
        stage=Stage.MATCH,
        detail="taken",
        collision=collision,
        candidates=("s1", "s2"),
    )
    dead = as_dead_letter(failing(message(), BEGAN), collided, now=BEGAN, version="1.2")
    assert dead.options[METADATA_KEY]["collision"] == collision.as_json()
    assert read_dead_letter("user-sync", dead.encode()).failure == collided
    wrong = Failure(reason=Reason.INVALID_USER, stage=Stage.MAP, detail="eppn: must have an @")
    again = as_dead_letter(dead, wrong, now=BEGAN, version="1.2")
    assert read_dead_letter("user-sync", again.encode()).failure == wrong


def test_a_replay_that_meets_a_halting_cause_is_a_dead_letter_again() -> None:
    """P7: a replayed user halts no run; it lies among the dead letters again, for its old reason."""
    replayed = message(replay={"operation": 3, "reason": "collision", "stage": "match"})
    history = read_history(replayed, now=BEGAN, attempted=True)
    assert history.replayed == ReplayOrigin(reason=Reason.COLLISION, stage=Stage.MATCH)
    decision = decide(HaltError(Cause.SKOLON_CREDENTIALS, "HTTP 401"), history, jitter=0)
    assert decision == Failure(
        reason=Reason.COLLISION, stage=Stage.MATCH, detail="the replay met skolon_credentials: HTTP 401"
    )


def test_a_replay_during_an_outage_waits() -> None:
    """P8: a replayed user waits for an outage to end as any other does."""
    replayed = message(replay={"operation": 3, "reason": "nonsense"})
    history = read_history(replayed, now=BEGAN, attempted=True)
    decision = decide(TransientError(Dependency.SKOLON, "HTTP 503"), history, jitter=0)
    assert not isinstance(decision, Failure)


@pytest.mark.parametrize("wrong_by", [-90_000, -3600, 0, 3600, 90_000])
def test_a_retry_waits_by_the_clock_of_who_waits(wrong_by: int) -> None:
    """P8: a publisher whose clock is ahead by a day makes no message wait for a day."""
    now = BEGAN.timestamp()
    sent = with_delay(message(attempts=1), 30).copy(options={"eta": round((now + wrong_by + 30) * 1000)})
    options = trusted_options(sent, waits=True, now=now, monotonic_now=500)
    assert options["eta"] == pytest.approx((500 + max(0, 30 + min(wrong_by, 0))) * 1000)
    assert options[METADATA_KEY]["attempts"] == 1


@pytest.mark.parametrize("eta", [2**60, 10**400, 1e300, "x", None, [1], -(2**70), float(2**53)])
@pytest.mark.parametrize("delay", [None, 1e300, -1, "x", 5])
def test_nobody_waits_for_ever(eta: object, delay: object) -> None:
    """P10: a forged time is never later than our longest wait."""
    now = BEGAN.timestamp()
    sent = message(delay=delay).copy(options={"eta": eta})
    options = trusted_options(sent, waits=True, now=now, monotonic_now=500)
    assert isinstance(options["eta"], int)
    assert 500_000 <= options["eta"] <= (500 + MAX_DELAY) * 1000


def test_what_does_not_wait_has_no_time() -> None:
    """A time to wait for is believed on the queues of what waits alone."""
    sent = message().copy(options={"eta": 1})
    assert trusted_options(sent, waits=False, now=0, monotonic_now=0) == {
        METADATA_KEY: sent.options[METADATA_KEY]
    }


@given(
    options=st.dictionaries(
        st.sampled_from(
            ["throws", "retries", "max_age", "pipe_target", "on_failure", "on_success", METADATA_KEY]
        ),
        st.none() | st.integers() | st.text() | st.dictionaries(st.text(), st.integers(), max_size=2),
    ),
    waits=st.booleans(),
)
def test_nothing_is_believed_but_our_own_section(options: dict[str, Any], *, waits: bool) -> None:
    """A publisher decides nothing about how dramatiq treats a message."""
    sent = user_sync_message(UserSync(tenant="k", run=7, user="u1", payload=None), give_up_after_hours=24)
    foreign = dataclasses.replace(sent, options=options)
    options = trusted_options(foreign, waits=waits, now=0, monotonic_now=0)
    assert set(options) <= {METADATA_KEY, *(["eta"] if waits else [])}
