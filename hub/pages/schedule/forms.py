"""The form of a schedule: what was chosen, what it means, and what is wrong beside which field."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from flask_babel import gettext

from administration.tenants.schedule.forms import INTERVALS, AtTime, Days, EveryMinutes, form_of
from schemas.safe_text import is_storable, one_line
from schemas.tenants.schedule import schedule_fault, time_zone_fault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemas.tenants.schedule_state import ScheduleSetting

#: The ways to choose a schedule.
NONE: Final = "none"
INTERVAL: Final = "interval"
DAILY: Final = "daily"
OWN: Final = "own"

#: Characters of a line of crontab, and of the name of a zone.
_MAX_LINE: Final = 100
_MAX_ZONE: Final = 64

_TIME: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")

#: The zones that are offered; others can be written.
ZONES: Final = ("Europe/Stockholm", "Europe/Oslo", "Europe/Copenhagen", "Europe/Helsinki")


@dataclass(frozen=True, kw_only=True)
class ChosenSchedule:
    """What a form has chosen, field by field as it was sent, and its faults by field."""

    how: str
    minutes: str = "30"
    interval_days: str = str(Days.WORKING_DAYS)
    first: str = "6"
    last: str = "18"
    daily_days: str = str(Days.EVERY_DAY)
    time: str = "02:00"
    line: str = ""
    time_zone: str = "Europe/Stockholm"
    schedule: str | None = None
    faults: Mapping[str, str] = field(default_factory=dict)


def saved_choice(setting: ScheduleSetting) -> ChosenSchedule:
    """Return the form that says what is saved."""
    zone, expression = setting.time_zone, setting.schedule
    if expression is None:
        return ChosenSchedule(how=NONE, time_zone=zone)
    match form_of(expression):
        case EveryMinutes() as every:
            return ChosenSchedule(
                how=INTERVAL,
                minutes=str(every.minutes),
                interval_days=str(every.days),
                first=str(every.first),
                last=str(every.last),
                time_zone=zone,
                schedule=expression,
            )
        case AtTime() as at:
            time = f"{at.hour:02}:{at.minute:02}"
            return ChosenSchedule(
                how=DAILY, daily_days=str(at.days), time=time, time_zone=zone, schedule=expression
            )
        case _:
            return ChosenSchedule(how=OWN, line=expression, time_zone=zone, schedule=expression)


def sent_choice(sent: Mapping[str, str]) -> ChosenSchedule:
    """Return what a form has sent, with the schedule that it means, or what is wrong."""
    faults: dict[str, str] = {}
    how = sent.get("how", "")
    schedule = None
    if how == INTERVAL:
        schedule = _interval(sent, faults)
    elif how == DAILY:
        schedule = _daily(sent, faults)
    elif how == OWN:
        schedule = _own(sent, faults)
    elif how != NONE:
        faults["how"] = gettext("Choose when runs start.")
    zone = sent.get("time_zone", "").strip()
    if len(zone) > _MAX_ZONE or not zone.isascii() or time_zone_fault(zone) is not None:
        faults["time_zone"] = gettext("Write the name of a time zone, such as Europe/Stockholm.")
    texts = {
        name: one_line(sent[name])[:_MAX_LINE]
        for name in (
            "minutes",
            "interval_days",
            "first",
            "last",
            "daily_days",
            "time",
            "line",
            "time_zone",
        )
        if name in sent
    }
    return ChosenSchedule(how=how, schedule=schedule, faults=faults, **texts)


def _interval(sent: Mapping[str, str], faults: dict[str, str]) -> str | None:
    minutes, first, last = (_number(sent.get(name, "")) for name in ("minutes", "first", "last"))
    days = _days(sent.get("interval_days", ""))
    if minutes not in INTERVALS or days is None or first is None or last is None:
        faults["interval"] = gettext("Choose how often, on which days, and between which hours.")
    elif not 0 <= first < last <= 24:  # noqa: PLR2004 - the hours of a day
        faults["interval"] = gettext("The last hour comes after the first one.")
    else:
        every = EveryMinutes(minutes=minutes, days=days, first=first, last=last)
        if every.has_several_runs:
            return every.expression
        faults["interval"] = gettext("Only one run fits between these hours. Choose At one time instead.")
    return None


def _daily(sent: Mapping[str, str], faults: dict[str, str]) -> str | None:
    time, days = _TIME.fullmatch(sent.get("time", "").strip()), _days(sent.get("daily_days", ""))
    if time is None or days is None:
        faults["time"] = gettext("Write the time as hours and minutes, such as 02:00.")
        return None
    return AtTime(days=days, hour=int(time[1]), minute=int(time[2])).expression


def _own(sent: Mapping[str, str], faults: dict[str, str]) -> str | None:
    line = " ".join(sent.get("line", "").split())
    if len(line) > _MAX_LINE or not line.isascii() or not line.isprintable() or not is_storable(line):
        fault: str | None = gettext("That is no line of crontab.")
    elif len(line.split()) == 6:  # noqa: PLR2004 - one field more, for seconds
        fault = gettext("Five fields are needed: runs cannot be due at a second.")
    elif schedule_fault(line) is None:
        fault = None
    elif line and schedule_fault(line) == schedule_fault("0 0 31 2 *"):
        fault = gettext("No run would ever be due: there is no such date.")
    else:
        fault = gettext(
            "Write five fields: minute, hour, day of the month, month and day of the week, such as "
            "30 2 * * *."
        )
    if fault is not None:
        faults["line"] = str(fault)
        return None
    return line


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 3 else None  # noqa: PLR2004 - digits


def _days(text: str) -> Days | None:
    return Days(text) if text in list(Days) else None
