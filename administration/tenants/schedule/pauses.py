"""Pauses a schedule and ends a pause, for the command line and the Data Hub alike."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from schemas.errors import UsageError
from schemas.safe_text import is_storable
from schemas.tenants.schedule import moment_of

if TYPE_CHECKING:
    from store.store import Store

#: Characters of a reason.
MAX_REASON: Final = 200

#: How long a pause lasts at most: one that is meant for longer is the end of the schedule.
LONGEST: Final = dt.timedelta(days=366)


class PauseFault(StrEnum):
    """What is wrong with a pause that is asked for."""

    NO_SCHEDULE = "no_schedule"
    NO_REASON = "no_reason"
    BAD_REASON = "bad_reason"
    NO_TIME = "no_time"
    IN_THE_PAST = "in_the_past"
    TOO_LONG = "too_long"
    NOT_PAUSED = "not_paused"


_TEXTS: Final = {
    PauseFault.NO_SCHEDULE: "There is no schedule that could be paused: no run starts by itself.",
    PauseFault.NO_REASON: "The pause needs a reason.",
    PauseFault.BAD_REASON: f"The reason has at most {MAX_REASON} characters, on one line.",
    PauseFault.NO_TIME: "The end is a date and a time of the tenant's clock, such as '2026-12-24 08:00'.",
    PauseFault.IN_THE_PAST: "The end has passed already.",
    PauseFault.TOO_LONG: (
        f"A pause lasts {LONGEST.days} days at most; 'tenants set --no-schedule' is for good."
    ),
    PauseFault.NOT_PAUSED: "The schedule is not paused.",
}


class PauseError(UsageError):
    """A pause cannot be made or ended; `fault` says why in one word."""

    def __init__(self, fault: PauseFault) -> None:
        super().__init__(_TEXTS[fault])
        self.fault = fault


def local_end(text: str, time_zone: str) -> dt.datetime:
    """Return the moment (UTC) that a time of a zone's clock means, such as `2026-12-24 08:00`.

    A time that the clock leaves out in spring is right after the gap, and of one that it shows twice in
    autumn the first is meant. Raises `PauseError` for a text that is no such time.
    """
    try:
        wall = dt.datetime.fromisoformat(text.strip())
        if wall.tzinfo is not None:
            return wall.astimezone(dt.UTC)
        return moment_of(wall.replace(second=0, microsecond=0, fold=0), ZoneInfo(time_zone))
    except (ValueError, OverflowError):
        raise PauseError(PauseFault.NO_TIME) from None


def pause_schedule(  # noqa: PLR0913 - what is paused, until when, why, and who says so
    tenant: str,
    until: dt.datetime,
    reason: str,
    *,
    operator: str | None,
    store: Store,
    seen: str | None = None,
) -> None:
    """Start no scheduled run of a tenant until the aware time `until`.

    `seen` is the version of the schedule that was looked at. Raises `PauseError`, `UsageError` if there is no
    such tenant, and `ActionRefusedError` if the schedule was changed meanwhile.
    """
    now = dt.datetime.now(dt.UTC)
    check_pause(until, reason, has_schedule=bool(store.tenants.outline(tenant).schedule), now=now)
    store.schedule_pauses.pause(tenant, until, reason.strip(), operator=operator, seen=seen)


def check_pause(until: dt.datetime, reason: str, *, has_schedule: bool, now: dt.datetime) -> None:
    """Raise `PauseError` if a pause cannot be made at the aware time `now`."""
    fault = None
    if not has_schedule:
        fault = PauseFault.NO_SCHEDULE
    elif not reason.strip():
        fault = PauseFault.NO_REASON
    elif len(reason.strip()) > MAX_REASON or not reason.strip().isprintable() or not is_storable(reason):
        fault = PauseFault.BAD_REASON
    elif until <= now:
        fault = PauseFault.IN_THE_PAST
    elif until - now > LONGEST:
        fault = PauseFault.TOO_LONG
    if fault is not None:
        raise PauseError(fault)


def end_pause(tenant: str, *, store: Store, seen: str | None = None) -> None:
    """Let scheduled runs of a tenant start again from now on; raises as `pause_schedule` does."""
    if store.schedule_pauses.setting(tenant, dt.datetime.now(dt.UTC)).pause is None:
        raise PauseError(PauseFault.NOT_PAUSED)
    store.schedule_pauses.end(tenant, seen=seen)
