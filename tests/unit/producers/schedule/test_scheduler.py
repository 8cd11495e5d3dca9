"""The scheduler's loop: when it looks, and what it says while something is away. No clock is waited for."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from producers.schedule.scheduler import RETRY_INTERVAL, run_forever
from schemas.errors import Dependency, TransientError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable


class EndOfTestError(Exception):
    """Ends the loop."""


class Time:
    """A clock that advances with each wait, a given number of times."""

    def __init__(self, now: float, *, waits: int) -> None:
        self.now = now
        self.waited: list[float] = []
        self._waits = waits

    def clock(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.now += seconds
        if len(self.waited) == self._waits:
            raise EndOfTestError


def watch(time: Time, look: Callable[[dt.datetime], object]) -> list[dt.datetime]:
    """Run the loop to its end; return when it looked."""
    looked = []

    def and_note(now: dt.datetime) -> None:
        looked.append(now)
        look(now)

    with pytest.raises(EndOfTestError):
        run_forever(and_note, clock=time.clock, wait=time.wait)
    return looked


def test_it_looks_at_once_and_then_with_each_new_minute() -> None:
    """What is due by the minute is seen as the minute begins, however long the looks take."""
    time = Time(1_800_000_017.5, waits=4)

    def look(_: dt.datetime) -> None:
        time.now += 7.25

    looked = watch(time, look)
    assert looked[0] == dt.datetime.fromtimestamp(1_800_000_017.5, dt.UTC)
    assert [(each.second, each.microsecond) for each in looked[1:]] == [(0, 0)] * 3
    assert [later - earlier for earlier, later in pairwise(looked[1:])] == [dt.timedelta(minutes=1)] * 2


def test_an_outage_is_waited_for_and_said_once() -> None:
    """P8: while the database and then RabbitMQ are away it tries on, and says so once for each."""
    answers = [Dependency.DATABASE] * 3 + [Dependency.BROKER] * 2 + [None, Dependency.DATABASE, None]
    time = Time(1_800_000_000.0, waits=len(answers))
    script = iter(answers)

    def look(_: dt.datetime) -> None:
        away = next(script)
        if away is not None:
            raise TransientError(away, "made up")

    with capture_logs() as said:
        watch(time, look)
    assert time.waited[:5] == [RETRY_INTERVAL] * 5
    assert [(line["event"], line["service"]) for line in said] == [
        ("service_unavailable", "database"),
        ("service_unavailable", "broker"),
        ("service_recovered", "broker"),
        ("service_unavailable", "database"),
        ("service_recovered", "database"),
    ]


def test_what_is_no_outage_ends_it() -> None:
    """A fault that waiting does not mend, such as missing tables, is raised and not waited for."""

    def look(_: dt.datetime) -> None:
        raise UsageError("made up")

    time = Time(1_800_000_000.0, waits=1)
    with pytest.raises(UsageError):
        run_forever(look, clock=time.clock, wait=time.wait)
    assert time.waited == []
