"""Schedules as people choose them: each is a line of crontab, which leads back to it."""

from __future__ import annotations

import datetime as dt
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from administration.tenants.schedule.forms import INTERVALS, AtTime, Days, EveryMinutes, ScheduleForm, form_of
from schemas.tenants.schedule import Schedule, schedule_fault

#: A Sunday, in Stockholm's winter.
SUNDAY: Final = dt.datetime(2026, 11, 29, 12, tzinfo=dt.UTC)

INTERVAL_FORMS = st.integers(0, 23).flatmap(
    lambda first: st.builds(
        EveryMinutes,
        minutes=st.sampled_from(INTERVALS),
        days=st.sampled_from(Days),
        first=st.just(first),
        last=st.integers(first + 1, 24),
    ).filter(lambda form: form.has_several_runs)
)
DAILY_FORMS = st.builds(
    AtTime, days=st.sampled_from(Days), hour=st.integers(0, 23), minute=st.integers(0, 59)
)


@given(INTERVAL_FORMS | DAILY_FORMS)
def test_each_choice_is_a_line_that_leads_back_to_it(form: ScheduleForm) -> None:
    """What was saved stands in the form again."""
    assert schedule_fault(form.expression) is None
    assert form_of(form.expression) == form


@given(INTERVAL_FORMS)
def test_an_interval_keeps_to_its_hours_and_days(form: EveryMinutes) -> None:
    """No run is due before the first hour, none from the last hour on, none on another day."""
    for due in Schedule(form.expression, "Europe/Stockholm").upcoming(SUNDAY, 30):
        assert form.first <= due.wall.hour < form.last
        if form.days is Days.WORKING_DAYS:
            assert due.wall.weekday() < 5


@pytest.mark.parametrize(
    ("form", "line"),
    [
        (EveryMinutes(minutes=30, days=Days.WORKING_DAYS, first=6, last=18), "*/30 6-17 * * 1-5"),
        (EveryMinutes(minutes=60, days=Days.EVERY_DAY, first=0, last=24), "0 * * * *"),
        (EveryMinutes(minutes=240, days=Days.SUNDAY, first=8, last=20), "0 8-19/4 * * 0"),
        (AtTime(days=Days.EVERY_DAY, hour=2, minute=0), "0 2 * * *"),
        (AtTime(days=Days.SATURDAY, hour=23, minute=45), "45 23 * * 6"),
    ],
)
def test_known_lines(form: ScheduleForm, line: str) -> None:
    """The two that schools ask for first, and the edges."""
    assert form.expression == line
    assert form_of(f" {line.replace(' ', '  ')} ") == form


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("*/30 6-18 * * mon-fri", "*/30 6-18 * * 1-5"),
        ("0 2 * * 7", "0 2 * * 0"),
        ("0 2 * * Sat", "0 2 * * 6"),
    ],
)
def test_days_have_names_too(line: str, meant: str) -> None:
    """Crontab knows them, and so does the form."""
    form = form_of(line)
    assert form is not None
    assert form.expression == meant
    assert form == form_of(meant)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "x",
        "* * * * *",
        "0 2 1 * *",
        "0 2 * 6 *",
        "*/7 * * * *",
        "0 25 * * *",
        "60 2 * * *",
        "0 18-6 * * *",
    ],
)
def test_what_no_choice_means_is_an_own_line(line: str) -> None:
    """It is shown as it is, and not as something near it."""
    assert form_of(line) is None
