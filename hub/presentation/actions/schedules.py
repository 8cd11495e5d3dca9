"""Schedules and pauses in sentences."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from flask_babel import format_datetime, gettext
from flask_babel import lazy_gettext as _

from administration.tenants.schedule.forms import AtTime, Days, form_of
from administration.tenants.schedule.pauses import MAX_REASON, PauseFault
from hub.language import TIME_ZONE

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from flask_babel.speaklater import LazyString

    from schemas.tenants.schedule import Due

#: As they stand in a list.
DAYS: Final[Mapping[Days, LazyString]] = {
    Days.EVERY_DAY: _("Every day"),
    Days.WORKING_DAYS: _("Monday to Friday"),
    Days.MONDAY: _("Mondays"),
    Days.TUESDAY: _("Tuesdays"),
    Days.WEDNESDAY: _("Wednesdays"),
    Days.THURSDAY: _("Thursdays"),
    Days.FRIDAY: _("Fridays"),
    Days.SATURDAY: _("Saturdays"),
    Days.SUNDAY: _("Sundays"),
}

INTERVALS: Final[Mapping[int, LazyString]] = {
    15: _("Every 15 minutes"),
    30: _("Every 30 minutes"),
    60: _("Every hour"),
    120: _("Every second hour"),
    240: _("Every fourth hour"),
}

PAUSE_FAULTS: Final[Mapping[PauseFault, LazyString]] = {
    PauseFault.NO_SCHEDULE: _("There is no schedule that could be paused."),
    PauseFault.NO_REASON: _("Write why, so that others understand it."),
    PauseFault.BAD_REASON: _("Write at most %(count)s characters, on one line.", count=MAX_REASON),
    PauseFault.NO_TIME: _("Choose a date and a time, such as 2026-12-24 08:00."),
    PauseFault.IN_THE_PAST: _("That has passed already. Choose a later time."),
    PauseFault.TOO_LONG: _("A pause lasts a year at most. For longer, choose that no run starts by itself."),
    PauseFault.NOT_PAUSED: _("The schedule is not paused any more."),
}

#: Unicode's pattern (UTS 35): Monday 30 November 2026, 06:00.
_WHOLE: Final = "EEEE d MMMM y, HH:mm"

#: Minutes between two due times that are so close that a run may still go on at the next one.
_CLOSE: Final = 10


def schedule_text(expression: str | None) -> str:
    """Return a schedule in words; one that people wrote themselves is told as that."""
    if expression is None:
        return str(gettext("No run starts by itself."))
    form = form_of(expression)
    if form is None:
        return str(gettext("By an own line of crontab: %(line)s", line=expression))
    days = DAYS[form.days]
    if isinstance(form, AtTime):
        time = f"{form.hour:02}:{form.minute:02}"
        return str(gettext("%(days)s at %(time)s", days=days, time=time))
    every, first, last = str(INTERVALS[form.minutes]), f"{form.first:02}:00", f"{form.last:02}:00"
    # Within the sentence both languages write it with a small letter.
    every = f"{every[:1].lower()}{every[1:]}"
    if (form.first, form.last) == (0, 24):
        return str(gettext("%(days)s, %(every)s, day and night", every=every, days=days))
    return str(
        gettext(
            "%(days)s, %(every)s between %(first)s and %(last)s",
            every=every,
            first=first,
            last=last,
            days=days,
        )
    )


def due_texts(dues: Sequence[Due], time_zone: str) -> list[tuple[str, bool]]:
    """Return due times by a zone's clock, and for each whether the clock leaves it out or shows it twice.

    Such a run starts when the clock has gone past the time, or the first time that it is shown.
    """
    zone = ZoneInfo(time_zone)
    return [(_in_zone(each.at, zone), _is_odd(each, zone)) for each in dues]


def is_close(dues: Sequence[Due]) -> bool:
    """Say whether runs are due so close to each other that one may still go on at the next."""
    gaps = [(after.at - before.at).total_seconds() for before, after in pairwise(dues)]
    return any(gap < _CLOSE * 60 for gap in gaps)


def local_moment(at: dt.datetime, time_zone: str) -> str:
    """Return a moment by a zone's clock, with the zone's name where it is not the pages' own."""
    text = _in_zone(at, ZoneInfo(time_zone))
    return text if time_zone == TIME_ZONE else f"{text} ({time_zone})"


def _in_zone(at: dt.datetime, zone: ZoneInfo) -> str:
    return str(format_datetime(at.astimezone(zone), _WHOLE, rebase=False))


def _is_odd(due: Due, zone: ZoneInfo) -> bool:
    shown = due.at.astimezone(zone)
    is_left_out = shown.replace(tzinfo=None, fold=0) != due.wall
    return is_left_out or shown.replace(fold=1).utcoffset() != shown.utcoffset()
