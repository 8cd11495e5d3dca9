"""When a schedule is due: crontab's rules, and the clock on the wall with its gaps and repetitions."""

from __future__ import annotations

import datetime as dt
from itertools import islice, pairwise
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.tenants.schedule import Schedule, schedule_fault, time_zone_fault

if TYPE_CHECKING:
    from collections.abc import Iterator

MINUTE: Final = dt.timedelta(minutes=1)
HOUR: Final = dt.timedelta(hours=1)

#: Moments, in UTC, in which clocks are changed: by an hour, by half an hour, in the minute after midnight.
CHANGES: Final = [
    ("Europe/Stockholm", dt.datetime(2026, 3, 29, 1, tzinfo=dt.UTC)),
    ("Europe/Stockholm", dt.datetime(2026, 10, 25, 1, tzinfo=dt.UTC)),
    ("Europe/Helsinki", dt.datetime(2027, 3, 28, 1, tzinfo=dt.UTC)),
    ("Europe/Helsinki", dt.datetime(2027, 10, 31, 1, tzinfo=dt.UTC)),
    ("America/St_Johns", dt.datetime(2026, 3, 8, 5, 30, tzinfo=dt.UTC)),
    ("America/St_Johns", dt.datetime(2026, 11, 1, 4, 30, tzinfo=dt.UTC)),
    ("America/St_Johns", dt.datetime(2010, 3, 14, 3, 31, tzinfo=dt.UTC)),
    ("America/St_Johns", dt.datetime(2010, 11, 7, 2, 31, tzinfo=dt.UTC)),
    ("Australia/Lord_Howe", dt.datetime(2026, 4, 4, 15, tzinfo=dt.UTC)),
    ("Australia/Lord_Howe", dt.datetime(2026, 10, 3, 15, 30, tzinfo=dt.UTC)),
]


def local(zone: str, text: str, fold: int = 0) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(dt.UTC)


def dues(schedule: Schedule, after: dt.datetime, until: dt.datetime) -> Iterator[dt.datetime]:
    """Yield the moments of all due times after one moment and up to another, without those that coincide."""
    due = schedule.next(after)
    while due is not None and due.at <= until:
        yield due.at
        due = schedule.next(due.at)


def watched(
    zone: ZoneInfo, minutes: set[int], hours: set[int], after: dt.datetime, until: dt.datetime
) -> Iterator[dt.datetime]:
    """Yield what `dues` should, found by looking at the clock each minute, as somebody beside it would."""
    latest_shown = after.astimezone(zone).replace(tzinfo=None)
    moment = after
    while moment < until:
        moment += MINUTE
        shown = moment.astimezone(zone).replace(tzinfo=None)
        newly_shown = []
        while latest_shown < shown:
            latest_shown += MINUTE
            newly_shown.append(latest_shown)
        if any(wall.minute in minutes and wall.hour in hours for wall in newly_shown):
            yield moment


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: f"{change[0]}-{change[1]:%Y-%m-%d}")
def test_the_clocks_are_changed_then(change: tuple[str, dt.datetime]) -> None:
    """The table above is right: the clock jumps in that very minute."""
    zone, moment = ZoneInfo(change[0]), change[1]
    before = (moment - MINUTE).astimezone(zone).replace(tzinfo=None)
    assert moment.astimezone(zone).replace(tzinfo=None) - before != MINUTE


@given(
    change=st.sampled_from(CHANGES),
    minutes=st.sets(st.integers(0, 59), min_size=1, max_size=6),
    hours=st.sets(st.integers(0, 23), min_size=1, max_size=6) | st.just(set(range(24))),
)
def test_each_time_of_day_is_due_once_when_the_clock_has_reached_it(
    change: tuple[str, dt.datetime], minutes: set[int], hours: set[int]
) -> None:
    """Around a change of the clock, what is due is what somebody sees who watches the clock."""
    zone, moment = change
    after, until = moment - 26 * HOUR, moment + 26 * HOUR
    expression = f"{','.join(map(str, minutes))} {','.join(map(str, hours))} * * *"
    found = list(dues(Schedule(expression, zone), after, until))
    assert found == list(watched(ZoneInfo(zone), minutes, hours, after, until))


@given(
    change=st.sampled_from(CHANGES),
    expression=st.sampled_from(
        ["30 2 * * *", "*/15 * * * *", "* * * * *", "0 * * * *", "1 0,1 * * *", "45 1 * * 0", "0 3 1 * 1"]
    ),
    minutes=st.integers(-3000, 3000),
    seconds=st.integers(0, 59),
)
def test_latest_and_next_leave_nothing_out(
    change: tuple[str, dt.datetime], expression: str, minutes: int, seconds: int
) -> None:
    """At any moment: the latest due time is not after it, the next one is, and none is between them."""
    schedule = Schedule(expression, change[0])
    now = change[1] + dt.timedelta(minutes=minutes, seconds=seconds)
    latest, following = schedule.latest(now), schedule.next(now)
    assert latest is not None
    assert following is not None
    assert latest.at <= now < following.at
    after_latest = schedule.next(latest.at)
    before_following = schedule.latest(following.at - dt.timedelta(seconds=1))
    assert after_latest is not None
    assert before_following is not None
    assert (after_latest.at, before_following.at) == (following.at, latest.at)
    at_its_moment = schedule.latest(following.at)
    assert at_its_moment is not None
    assert at_its_moment.at == following.at


@pytest.mark.parametrize(
    ("zone", "expression", "moment"),
    [
        # The clock goes from 02:00 to 03:00, in Helsinki from 03:00 to 04:00.
        ("Europe/Stockholm", "30 2 29 3 *", local("Europe/Stockholm", "2026-03-29 03:00")),
        ("Europe/Helsinki", "30 3 29 3 *", local("Europe/Helsinki", "2026-03-29 04:00")),
        ("America/St_Johns", "5 2 8 3 *", local("America/St_Johns", "2026-03-08 03:00")),
        # The clock goes back from 03:00 to 02:00, in Helsinki from 04:00 to 03:00.
        ("Europe/Stockholm", "30 2 25 10 *", local("Europe/Stockholm", "2026-10-25 02:30", fold=0)),
        ("Europe/Helsinki", "30 3 25 10 *", local("Europe/Helsinki", "2026-10-25 03:30", fold=0)),
        ("America/St_Johns", "15 1 1 11 *", local("America/St_Johns", "2026-11-01 01:15", fold=0)),
        # Right after the hour that came twice.
        ("Europe/Stockholm", "0 3 25 10 *", local("Europe/Stockholm", "2026-10-25 03:00")),
    ],
)
def test_a_time_that_is_left_out_or_repeated_is_due_once(
    zone: str, expression: str, moment: dt.datetime
) -> None:
    """In spring it is due right after the gap, in autumn the first time; and then not before next year."""
    schedule = Schedule(expression, zone)
    first = schedule.next(moment - 48 * HOUR)
    assert first is not None
    assert first.at == moment
    assert list(dues(schedule, first.at, first.at + 300 * 24 * HOUR)) == []


@pytest.mark.parametrize(
    ("field", "days"),
    [
        ("0", {"Sunday"}),
        ("7", {"Sunday"}),
        ("sun", {"Sunday"}),
        ("1", {"Monday"}),
        ("Mon", {"Monday"}),
        ("6", {"Saturday"}),
        ("1-5", {"Monday", "Tuesday", "Wednesday", "Thursday", "Friday"}),
        ("5-7", {"Friday", "Saturday", "Sunday"}),
        ("0,3", {"Sunday", "Wednesday"}),
    ],
)
def test_days_of_the_week_are_crontabs(field: str, days: set[str]) -> None:
    """0 and 7 are Sunday, 1 is Monday, as crontab(5) has it."""
    schedule = Schedule(f"0 3 * * {field}", "Europe/Stockholm")
    start = local("Europe/Stockholm", "2026-06-01")
    assert {f"{each:%A}" for each in dues(schedule, start, start + 14 * 24 * HOUR)} == days


def test_either_day_is_enough() -> None:
    """With a day of the month and a day of the week it is due on both, as crontab(5) has it."""
    schedule = Schedule("0 3 1 * 1", "Europe/Stockholm")
    start = local("Europe/Stockholm", "2026-09-01")
    found = islice(dues(schedule, start, start + 40 * 24 * HOUR), 6)
    assert [f"{each:%m-%d}" for each in found] == ["09-01", "09-07", "09-14", "09-21", "09-28", "10-01"]


def test_a_leap_day_is_waited_for() -> None:
    """What is due in leap years alone is found, forwards and back."""
    schedule = Schedule("0 3 29 2 *", "Europe/Stockholm")
    now = local("Europe/Stockholm", "2026-06-01")
    latest, following = schedule.latest(now), schedule.next(now)
    assert latest is not None
    assert following is not None
    assert (latest.wall.year, following.wall.year) == (2024, 2028)


@pytest.mark.parametrize(
    ("expression", "word"),
    [
        ("", "five fields"),
        ("daily", "five fields"),
        ("@daily", "five fields"),
        ("0 3 * *", "five fields"),
        ("0 0 3 * * *", "five fields"),
        ("60 3 * * *", "Bad minute"),
        ("0 24 * * *", "Bad hour"),
        ("0 3 0 * *", "Bad day-of-month"),
        ("0 3 * 13 *", "Bad month"),
        ("0 3 * * 8", "Bad day-of-week"),
        ("0 3 * * måndag", "Bad day-of-week"),
        ("*/0 * * * *", "Bad minute"),
        ("0 5-3 * * *", "Bad hour"),
        ("0 3 30 2 *", "day-of-month"),
    ],
)
def test_a_faulty_expression_is_named_by_its_field(expression: str, word: str) -> None:
    """What is no crontab expression, or never due, is said, and the field with it."""
    fault = schedule_fault(expression)
    assert fault is not None
    assert word in fault
    with pytest.raises(ValueError, match=word):
        Schedule(expression, "Europe/Stockholm")


@given(
    expression=st.text()
    | st.lists(st.text("0123456789*/,-#LWSUNMOJAE ", max_size=6), min_size=5, max_size=5).map(" ".join)
)
def test_any_text_is_a_schedule_or_has_a_fault(expression: str) -> None:
    """Whatever is given is taken or refused in words; what was taken can be asked."""
    if schedule_fault(expression) is None:
        Schedule(expression, "UTC").latest(dt.datetime(2026, 6, 1, tzinfo=dt.UTC))


@pytest.mark.parametrize("name", ["", "Europe", "Europe/Nowhere", "../etc/passwd", "stockholm", "CET+1"])
def test_a_zone_that_is_none_is_a_fault(name: str) -> None:
    """Only a zone of the IANA database will do."""
    assert time_zone_fault(name) is not None
    with pytest.raises(ValueError, match="IANA"):
        Schedule("0 3 * * *", name)


def test_due_times_go_on_for_years() -> None:
    """Nights of two years, through four changes of the clock: 730 due times, each on a day of its own."""
    schedule = Schedule("30 2 * * *", "Europe/Stockholm")
    start = local("Europe/Stockholm", "2026-01-01")
    found = list(dues(schedule, start, local("Europe/Stockholm", "2028-01-01")))
    days = [each.astimezone(ZoneInfo("Europe/Stockholm")).date() for each in found]
    assert len(days) == 730
    assert all(later - earlier == dt.timedelta(days=1) for earlier, later in pairwise(days))


@pytest.mark.parametrize(("zone", "change"), CHANGES)
def test_upcoming_times_are_those_that_come_one_after_the_other(zone: str, change: dt.datetime) -> None:
    """Each moment once, over each change of the clock."""
    schedule = Schedule("*/15 * * * *", zone)
    start = change - 2 * HOUR
    found = [due.at for due in schedule.upcoming(start, 20)]
    assert found == list(islice(dues(schedule, start, change + 20 * HOUR), 20))
    assert all(before < after for before, after in pairwise(found))


def test_of_a_rare_schedule_there_are_as_many_times_as_there_are() -> None:
    """A leap day comes, and nothing is made up."""
    start = dt.datetime(2026, 11, 27, tzinfo=dt.UTC)
    found = [due.wall.year for due in Schedule("0 2 29 2 *", "UTC").upcoming(start, 3)]
    assert found == [2028, 2032, 2036]
