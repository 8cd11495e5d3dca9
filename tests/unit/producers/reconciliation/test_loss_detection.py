"""When a message is lost: what was seen at each look, and how long nothing was heard."""

from __future__ import annotations

import datetime as dt

import pytest

from producers.reconciliation.loss_detection import DrainHistory, LossTimeouts, UnchangedSince, lost_before

START = dt.datetime(2026, 11, 26, 21, 0, tzinfo=dt.UTC)
QUIET = dt.timedelta(minutes=5)


def at(minutes: float) -> dt.datetime:
    return START + dt.timedelta(minutes=minutes)


def passage(*looks: tuple[float, float | None]) -> DrainHistory:
    """Return what was seen at looks: when, and before when everything had left the queues."""
    made = DrainHistory()
    for minute, left in looks:
        made.record(at(minute), None if left is None else at(left))
    return made


def test_what_left_the_queues_long_ago_is_lost() -> None:
    """A sign of life from before the last empty queue of more than the quiet time ago is the last one."""
    seen = passage((0, 0), (1, 1), (2, 2), (6, 6))
    assert lost_before(at(6.5), QUIET, seen, since=at(0)) == at(1)


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param(passage((2, 2), (6, 6)), id="the queue is empty for less than the quiet time"),
        pytest.param(passage((0, None), (1, None), (6, 6)), id="messages lay ready"),
        pytest.param(passage((1, 0)), id="only what is older than the run as we know it has left"),
        pytest.param(passage(), id="nobody has looked"),
    ],
)
def test_nothing_is_lost_too_soon(seen: DrainHistory) -> None:
    """No message is lost while it may be in a queue or a worker, or before anything is known."""
    assert lost_before(at(6.5), QUIET, seen, since=at(0)) is None


def test_a_run_that_was_resumed_is_known_from_then_on() -> None:
    """What stands still is known from when it was seen first; what changed or came back is another thing."""
    seen = UnchangedSince()
    seen.record(at(0), ["a", "b"])
    seen.record(at(1), ["a"])
    seen.record(at(2), ["a", "b"])
    assert (seen.since("a"), seen.since("b")) == (at(0), at(2))


def test_patience_grows_with_outages_and_with_each_time() -> None:
    """While something is away it takes longer, and what is lost again and again makes no storm."""
    patience = LossTimeouts(quiet_time=300, quiet_time_in_outage=1200, max_quiet_time=3600)
    calm = [
        patience.required_quiet(away=False, times=times).total_seconds() for times in (0, 1, 2, 3, 4, 1000)
    ]
    assert calm == [300, 600, 1200, 2400, 3600, 3600]
    assert patience.required_quiet(away=True, times=0).total_seconds() == 1200
    assert (
        LossTimeouts(quiet_time=300, quiet_time_in_outage=1200, max_quiet_time=60)
        .required_quiet(away=True, times=9)
        .total_seconds()
        == 1200
    )
