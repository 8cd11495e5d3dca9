"""Schedules as people choose them, each of which is a crontab expression: pure functions over values."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

#: Minutes between two runs that can be chosen, and the expression of minute and hour by which each is meant.
INTERVALS: Final = (15, 30, 60, 120, 240)

_HOUR: Final = 60
_DAY: Final = 24

_EVERY: Final = re.compile(
    r"(?:0|\*/(?P<minutes>\d+)) (?P<hours>\*|(?P<first>\d+)-(?P<last>\d+))(?:/(?P<step>\d+))? "
    r"\* \* (?P<days>\S+)"
)
_AT: Final = re.compile(r"(?P<minute>\d+) (?P<hour>\d+) \* \* (?P<days>\S+)")


class Days(StrEnum):
    """On which days of the week a schedule has runs."""

    EVERY_DAY = "every_day"
    WORKING_DAYS = "working_days"
    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"


_DAYS: Final = {
    Days.EVERY_DAY: "*",
    Days.WORKING_DAYS: "1-5",
    **{day: str(number % 7) for number, day in enumerate(list(Days)[2:], 1)},
}
_OF_EXPRESSION: Final = {expression: days for days, expression in _DAYS.items()}
#: Other ways to write these in crontab.
_SPELLINGS: Final = {
    "mon-fri": "1-5",
    "7": "0",
    **{str(day)[:3]: expression for day, expression in _DAYS.items() if expression.isdigit()},
}


@dataclass(frozen=True, kw_only=True)
class EveryMinutes:
    """A run each so many `minutes`, from the hour `first` until before the hour `last` (1 to 24)."""

    minutes: int
    days: Days
    first: int
    last: int

    @property
    def has_several_runs(self) -> bool:
        """Whether a day has more than one run: with one alone, it is `AtTime`."""
        return (self.last - self.first) * _HOUR > self.minutes

    @property
    def expression(self) -> str:
        """The crontab expression."""
        is_all_day = (self.first, self.last) == (0, _DAY)
        hours = "*" if is_all_day else f"{self.first}-{self.last - 1}"
        step = f"/{self.minutes // _HOUR}" if self.minutes > _HOUR else ""
        minute = "0" if self.minutes >= _HOUR else f"*/{self.minutes}"
        return f"{minute} {hours}{step} * * {_DAYS[self.days]}"


@dataclass(frozen=True, kw_only=True)
class AtTime:
    """A run at a time of the clock."""

    days: Days
    hour: int
    minute: int

    @property
    def expression(self) -> str:
        """The crontab expression."""
        return f"{self.minute} {self.hour} * * {_DAYS[self.days]}"


ScheduleForm = EveryMinutes | AtTime


def form_of(expression: str) -> ScheduleForm | None:
    """Return what a crontab expression means in words; None for one that people write themselves."""
    text = " ".join(expression.split())
    before, _, days = text.rpartition(" ")
    text = f"{before} {_SPELLINGS.get(days.lower(), days)}"
    for form in (_every(text), _at(text)):
        if form is not None and form.expression == text:
            return form
    return None


def _every(text: str) -> EveryMinutes | None:
    found = _EVERY.fullmatch(text)
    if found is None or found["days"] not in _OF_EXPRESSION:
        return None
    minutes = int(found["minutes"]) if found["minutes"] else _HOUR * int(found["step"] or 1)
    if minutes not in INTERVALS:
        return None
    first, last = (0, _DAY) if found["hours"] == "*" else (int(found["first"]), int(found["last"]) + 1)
    if not first < last <= _DAY:
        return None
    every = EveryMinutes(minutes=minutes, days=_OF_EXPRESSION[found["days"]], first=first, last=last)
    return every if every.has_several_runs else None


def _at(text: str) -> AtTime | None:
    found = _AT.fullmatch(text)
    if found is None or found["days"] not in _OF_EXPRESSION:
        return None
    hour, minute = int(found["hour"]), int(found["minute"])
    if hour >= _DAY or minute >= _HOUR:
        return None
    return AtTime(days=_OF_EXPRESSION[found["days"]], hour=hour, minute=minute)
