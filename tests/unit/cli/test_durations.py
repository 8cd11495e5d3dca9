"""Ages in words."""

from __future__ import annotations

import datetime as dt

import pytest

from cli.durations import format_age

NOW = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (-5, "0 s"),
        (59, "59 s"),
        (3600, "1 h 0 min"),
        (3599, "59 min 59 s"),
        (2 * 86400 + 7200 + 59, "2 d 2 h"),
        (400 * 86400, "400 d 0 h"),
    ],
)
def test_ages_are_said_in_two_units(seconds: int, words: str) -> None:
    """How long ago something was is said in its two largest units; a clock that differs makes no nonsense."""
    assert format_age(NOW - dt.timedelta(seconds=seconds), NOW) == words


def test_no_moment_has_no_age() -> None:
    """What does not tell when it happened has no age."""
    assert format_age(None, NOW) is None
