"""Which birth date a birthday of Graph's means."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.graph.birthdays import read_birthday
from workers.rules.birth_dates import birth_date, lacks_year

NOW = dt.datetime(2026, 11, 26, 22, 30, tzinfo=dt.UTC)


def date_of(raw: str | None, time_zone: str = "Europe/Stockholm") -> str | None:
    birthday = read_birthday({"birthday": raw})
    assert birthday.problem is None
    return birth_date(birthday.value, birthday.moment, time_zone=time_zone, now=NOW)


@pytest.mark.parametrize(
    ("raw", "date"),
    [
        ("2013-06-14T00:00:00Z", "2013-06-14"),
        ("2013-06-14", "2013-06-14"),
        ("2013-06-14T22:00:00Z", "2013-06-15"),
        ("2013-01-14T23:00:00.0000000Z", "2013-01-15"),
        ("2013-06-14T12:00:00Z", "2013-06-14"),
        ("2013-06-14T22:00:00", "2013-06-15"),
        ("2013-06-15T00:00:00+02:00", "2013-06-15"),
        ("2013-06-14T99:99:99Z", "2013-06-14"),
        ("1900-12-31T23:30:00Z", "1901-01-01"),
        ("2026-11-26T22:15:00Z", "2026-11-26"),
    ],
)
def test_a_date_is_the_calendars_at_home(raw: str, date: str) -> None:
    """Midnight means the date as written; another time of day is a midnight elsewhere."""
    assert date_of(raw) == date


def test_the_time_zone_is_the_tenants() -> None:
    """The same moment is another day elsewhere."""
    assert date_of("2013-06-14T22:00:00Z", "UTC") == "2013-06-14"
    assert date_of("2013-06-14T21:00:00Z", "Europe/Helsinki") == "2013-06-15"


@pytest.mark.parametrize(
    "raw",
    [
        None,
        "0001-01-01T00:00:00Z",
        "0004-05-17T00:00:00Z",
        "1604-05-17T00:00:00Z",
        "1900-05-17T00:00:00Z",
        "1900-12-31T22:00:00Z",
        "2026-11-28T00:00:00Z",
        "2026-11-27T00:00:00Z",
        "9999-12-31T23:59:59Z",
    ],
)
def test_no_ones_date_is_not_set(raw: str | None) -> None:
    """A year before 1901, and a date that has not come yet, are dates of no user."""
    assert date_of(raw) is None


@given(moment=st.datetimes(), zone=st.sampled_from(["Europe/Stockholm", "Pacific/Kiritimati", "UTC"]))
def test_any_moment_has_an_answer(moment: dt.datetime, zone: str) -> None:
    """A date that counts is within a day of the one that was written, since 1901 and not in the future."""
    date = date_of(f"{moment.isoformat(timespec='seconds')}Z", zone)
    if date is not None:
        assert abs((dt.date.fromisoformat(date) - moment.date()).days) <= 1
        assert dt.date(1901, 1, 1) <= dt.date.fromisoformat(date) <= NOW.date() + dt.timedelta(days=1)
    elif 1902 <= moment.year < NOW.year:
        pytest.fail("a plausible date was not taken")


@pytest.mark.parametrize(
    ("date", "held", "lacks"),
    [
        ("2000-06-15", "2013-06-15", True),
        ("2000-06-15", "2013-06-15T00:00:00Z", True),
        ("2000-06-15", "2000-06-15", False),
        ("2000-06-15", "2013-06-16", False),
        ("2000-06-15", "", False),
        ("2000-06-15", None, False),
        ("2001-06-15", "2013-06-15", False),
        (None, "2013-06-15", False),
    ],
)
def test_a_date_without_its_year(date: str | None, held: str | None, *, lacks: bool) -> None:
    """A date of 2000 that has the day and the month of the date in Skolon has lost its year."""
    assert lacks_year(date, held) is lacks
