"""The birth date that a birthday of Graph's means: a pure decision."""

from __future__ import annotations

import datetime as dt
from typing import Final
from zoneinfo import ZoneInfo

#: No living pupil or teacher was born before it. Sources that know no year give 4, 1604 or 1900.
FIRST_BIRTH_YEAR: Final = 1901

#: SharePoint, which has Graph's birthdays, keeps them as dates without a year, and writes them in this one
#: ("date no year": https://learn.microsoft.com/previous-versions/office/sharepoint-server-2010/hh147513).
_NO_YEAR: Final = "2000"

_FIRST: Final = dt.date(FIRST_BIRTH_YEAR, 1, 1)
_DAY: Final = dt.timedelta(days=1)


def birth_date(
    written: str | None, moment: dt.datetime | None, *, time_zone: str, now: dt.datetime
) -> str | None:
    """Return the birth date as YYYY-MM-DD, None if none is set or the one that is set is no one's.

    `written` is the date as Graph wrote it. `moment` is the aware moment that it wrote, None for a date alone
    or for midnight: another time of day is a midnight elsewhere, and its date is that in `time_zone` (of the
    IANA database). A date before 1901, or after `now` (aware), is none.
    """
    if written is None:
        return None
    zone = ZoneInfo(time_zone)
    today = now.astimezone(zone).date()
    date = dt.date.fromisoformat(written)
    if not _FIRST - _DAY <= date <= today + _DAY:
        return None
    if moment is not None:
        date = moment.astimezone(zone).date()
    return date.isoformat() if _FIRST <= date <= today else None


def lacks_year(date: str | None, held: str | None) -> bool:
    """Say whether a birth date is the one that Skolon holds without its year: it tells no other date."""
    if date is None or held is None or not date.startswith(_NO_YEAR):
        return False
    return held[:10] != date and held[4:10] == date[4:]
