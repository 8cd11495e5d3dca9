"""`Retry-After` in all the forms that servers send, and in those that they should not."""

from __future__ import annotations

import datetime as dt
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.http.retry_after import MAX_WAIT, retry_after

NOW = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("120", 120.0),
        (" 7 ", 7.0),
        ("2.128", 2.128),
        ("0", 0.0),
        ("99999999999999999999", MAX_WAIT),
        ("9" * 300, MAX_WAIT),
        ("9" * 400, None),
        ("-5", None),
        ("nan", None),
        ("inf", None),
        ("1e9", None),
        ("٣", None),
        ("soon", None),
        ("Mon, 23 Nov 2026 12:00:30 GMT", 30.0),
        ("Mon, 23 Nov 2026 12:00:30 -0000", 30.0),
        ("Mon, 23 Nov 2026 11:00:00 GMT", 0.0),
        ("Mon, 23 Nov 2099 11:00:00 GMT", MAX_WAIT),
        ("Mon, 99 Nov 2026 11:00:00 GMT", None),
    ],
)
def test_forms(header: str | None, seconds: float | None) -> None:
    """Each form means its seconds, and what makes no sense means nothing."""
    assert retry_after(header, now=NOW) == seconds


@given(st.integers(min_value=0, max_value=7200))
def test_date_and_seconds_mean_the_same(seconds: int) -> None:
    """A date is worth as much as the seconds until it."""
    date = format_datetime(NOW + dt.timedelta(seconds=seconds), usegmt=True)
    assert retry_after(date, now=NOW) == retry_after(str(seconds), now=NOW) == min(seconds, MAX_WAIT)


@given(st.text())
def test_anything_is_bounded(header: str) -> None:
    """Whatever is sent, the wait is nothing or between nought and the longest."""
    seconds = retry_after(header, now=NOW)
    assert seconds is None or 0 <= seconds <= MAX_WAIT
