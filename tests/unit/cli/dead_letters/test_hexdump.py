"""Ages in words, and bytes that can play no tricks."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.dead_letters.hexdump import hexdump, text_of
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


@given(st.binary(max_size=60))
def test_any_bytes_are_shown_whole_and_harmless(body: bytes) -> None:
    """P6: every byte is there in hex, and nothing that a terminal would obey."""
    lines = list(hexdump(body))
    assert bytes.fromhex("".join(line[10:57] for line in lines)) == body
    assert all(line.isascii() and line.isprintable() for line in lines)
    assert re.fullmatch(r"[^\x00-\x1f\x7f-\x9f]*", text_of(body))
