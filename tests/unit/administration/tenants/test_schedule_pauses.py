"""The end of a pause, as people write it by their clock, and what no pause can be."""

from __future__ import annotations

import datetime as dt
from typing import Final

import pytest

from administration.tenants.schedule.pauses import (
    LONGEST,
    MAX_REASON,
    PauseError,
    PauseFault,
    check_pause,
    local_end,
)

NOW: Final = dt.datetime(2026, 11, 27, 12, tzinfo=dt.UTC)
HOUR: Final = dt.timedelta(hours=1)


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("2026-12-24 08:00", "2026-12-24T07:00"),
        ("2026-12-24T08:00", "2026-12-24T07:00"),
        (" 2026-07-01 08:00 ", "2026-07-01T06:00"),
        # Stockholm's clock leaves 02:30 out in spring, and shows it twice in autumn.
        ("2027-03-28 02:30", "2027-03-28T01:00"),
        ("2026-10-25 02:30", "2026-10-25T00:30"),
        ("2026-12-24T08:00+02:00", "2026-12-24T06:00"),
    ],
)
def test_an_end_is_a_time_of_the_tenants_clock(text: str, end: str) -> None:
    """Also in the nights in which that clock is changed."""
    assert local_end(text, "Europe/Stockholm") == dt.datetime.fromisoformat(f"{end}:00+00:00")


@pytest.mark.parametrize(
    "text", ["", "tomorrow", "24:00", "2026-02-31 08:00", "0001-01-01 00:00", "\0", "9" * 9]
)
def test_what_is_no_time_is_refused(text: str) -> None:
    """With a fault of its own, or as one that has passed."""
    with pytest.raises(PauseError) as refused:
        check_pause(local_end(text, "Europe/Stockholm"), "why", has_schedule=True, now=NOW)
    assert refused.value.fault in (PauseFault.NO_TIME, PauseFault.IN_THE_PAST)


@pytest.mark.parametrize(
    ("until", "reason", "has_schedule", "fault"),
    [
        (NOW + HOUR, "Renaming accounts", False, PauseFault.NO_SCHEDULE),
        (NOW + HOUR, "  ", True, PauseFault.NO_REASON),
        (NOW + HOUR, "x" * (MAX_REASON + 1), True, PauseFault.BAD_REASON),
        (NOW + HOUR, "two\nlines", True, PauseFault.BAD_REASON),
        (NOW, "Renaming accounts", True, PauseFault.IN_THE_PAST),
        (NOW + LONGEST + HOUR, "Renaming accounts", True, PauseFault.TOO_LONG),
    ],
)
def test_a_pause_that_cannot_be(
    until: dt.datetime,
    reason: str,
    has_schedule: bool,  # noqa: FBT001 - a case
    fault: PauseFault,
) -> None:
    """Each is named."""
    with pytest.raises(PauseError) as refused:
        check_pause(until, reason, has_schedule=has_schedule, now=NOW)
    assert refused.value.fault is fault
    check_pause(NOW + HOUR, "Renaming accounts", has_schedule=True, now=NOW)
