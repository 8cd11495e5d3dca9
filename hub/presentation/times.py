"""Times and dates by the schools' clock: with the month as a word on pages, with their zone in files."""

from __future__ import annotations

import datetime as dt
from typing import Final

from flask_babel import format_date, format_datetime, to_user_timezone

#: Unicode's pattern (UTS 35): 26 nov. 2026, 23:31. Numbers alone mean another day in another country.
_MOMENT: Final = "d MMM y, HH:mm"


def moment(at: dt.datetime | None) -> str:
    """Return an aware time in words, nothing for none."""
    return "" if at is None else str(format_datetime(at, _MOMENT))


def foreign_moment(text: str) -> str:
    """Return a time that a service gave, as `schemas.timestamps` writes it, in words."""
    return moment(dt.datetime.fromisoformat(text))


def zoned(at: dt.datetime | None) -> str:
    """Return an aware time for a file, with its zone: 2026-11-26 23:31+01:00; nothing for none."""
    return "" if at is None else to_user_timezone(at).isoformat(sep=" ", timespec="minutes")


def day(date: dt.date | None) -> str:
    """Return a date in words, nothing for none."""
    return "" if date is None else str(format_date(date, "d MMMM y"))
