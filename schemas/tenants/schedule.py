"""When a tenant's runs are due: a crontab expression of five fields, in the tenant's time zone.

The clock on the wall decides. A due time comes in the moment in which that clock first shows it, or has
gone past it: so a time that the clock leaves out in spring comes right after the gap, and one that it shows
twice in autumn comes once, the first time.
"""

from __future__ import annotations

import datetime as dt
import errno
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

if TYPE_CHECKING:
    from collections.abc import Iterator

_FIELDS: Final = 5
_FORM: Final = (
    "Write the five fields of crontab (minute, hour, day of month, month, day of week), such as '30 2 * * *'"
)

#: Where the search for a due time begins when the question is whether there is any.
_ANY_TIME: Final = dt.datetime(2000, 1, 1)  # noqa: DTZ001 - a clock on no wall in particular

_SECOND: Final = dt.timedelta(seconds=1)
_MINUTE: Final = dt.timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True)
class Due:
    """A due time: what the clock on the wall was to show (without a zone), and the moment, in UTC."""

    wall: dt.datetime
    at: dt.datetime


class Schedule:
    """Computes due times; raises `ValueError` for an invalid schedule."""

    def __init__(self, expression: str, time_zone: str) -> None:
        fault = schedule_fault(expression) or time_zone_fault(time_zone)
        if fault is not None:
            raise ValueError(fault)
        self._expression = expression
        self.zone = ZoneInfo(time_zone)

    def latest(self, now: dt.datetime) -> Due | None:
        """Return the last due time up to `now` (aware), that moment included; None if there was none."""
        for wall in self._walls(_most_shown(now, self.zone) + _SECOND, backwards=True):
            due = self._due(wall)
            if due.at <= now:
                return due
        return None

    def next(self, now: dt.datetime) -> Due | None:
        """Return the first due time after `now` (aware); None if there will be none for fifty years."""
        for wall in self._walls(_shown(now, self.zone)):
            due = self._due(wall)
            if due.at > now:
                return due
        return None

    def upcoming(self, now: dt.datetime, count: int) -> list[Due]:
        """Return the first `count` due times after `now` (aware), or as many as there are; each moment once.

        What the clock leaves out in spring comes right after the gap, several times at one moment.
        """
        found: list[Due] = []
        for wall in self._walls(_shown(now, self.zone)):
            due = self._due(wall)
            if due.at > (found[-1].at if found else now):
                found.append(due)
            if len(found) == count:
                break
        return found

    def _walls(self, start: dt.datetime, *, backwards: bool = False) -> Iterator[dt.datetime]:
        # Without a zone: what the library does about daylight saving is Debian's, by kind of expression.
        return CronSim(self._expression, start, reverse=backwards)

    def _due(self, wall: dt.datetime) -> Due:
        return Due(wall=wall, at=moment_of(wall, self.zone))


def moment_of(wall: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    """Return the moment, in UTC, in which a zone's clock first shows `wall` or has gone past it."""
    shown = wall
    while (moment := _first_moment(shown, zone)) is None:
        shown += _MINUTE
    return moment


def schedule_fault(expression: str) -> str | None:
    """Say what is wrong with a crontab expression, if anything is."""
    if len(expression.split()) != _FIELDS:
        return f"{_FORM}."
    try:
        never = next(CronSim(expression, _ANY_TIME), None) is None
    except CronSimError as error:
        # The library's words name the field, not its content: "Bad day-of-month".
        return f"{_FORM}. {error}."
    return "It is never due: no date is like that." if never else None


def time_zone_fault(name: str) -> str | None:
    """Say that a time zone is none, if it is none.

    Raises `OSError` when its file cannot be opened because too many are open.
    """
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
            raise
        return "Not a time zone of the IANA database, such as Europe/Stockholm."
    return None


def _shown(moment: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    return moment.astimezone(zone).replace(tzinfo=None, fold=0)


def _most_shown(moment: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    """Return a time that the clock has not gone past up to `moment`, nor is far from.

    In the hour that comes twice, the clock has shown later times than it shows now (PEP 495: `fold`
    says that it is the second time, and the offset without it is the one from before).
    """
    local = moment.astimezone(zone)
    before = local.replace(fold=0).utcoffset() or dt.timedelta()
    gone_back = before - (local.utcoffset() or dt.timedelta())
    return _shown(moment, zone) + max(gone_back, dt.timedelta())


def _first_moment(wall: dt.datetime, zone: ZoneInfo) -> dt.datetime | None:
    """Return the first moment, in UTC, in which the clock shows `wall`; None if it leaves that out."""
    moment = wall.replace(tzinfo=zone, fold=0).astimezone(dt.UTC)
    return moment if _shown(moment, zone) == wall else None
