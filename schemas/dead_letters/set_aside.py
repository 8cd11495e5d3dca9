"""Groups of users that fail that are set aside until a day."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from schemas.errors import UsageError
from schemas.timestamps import timestamp

if TYPE_CHECKING:
    from schemas.dead_letter_reasons import Reason

#: How far ahead a group may be set aside: what nobody is reminded of for longer is forgotten.
LONGEST: Final = dt.timedelta(days=366)


@dataclass(frozen=True, kw_only=True)
class SetAsideGroup:
    """The users of a tenant that fail for a reason are set aside `until` then (aware), since `set_at`.

    It was done by a member or a token of the Data Hub, or by a user of a machine (`operator`). The `note`
    says why.
    """

    tenant: str
    reason: Reason
    until: dt.datetime
    set_at: dt.datetime
    note: str | None = None
    member: int | None = None
    token: int | None = None
    operator: str | None = None

    def is_aside(self, now: dt.datetime) -> bool:
        """Whether the group is still set aside at the aware time `now`."""
        return now < self.until

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object."""
        return {
            "tenant": self.tenant,
            "reason": str(self.reason),
            "until": timestamp(self.until),
            "set_at": timestamp(self.set_at),
            "note": self.note,
        }


def moment_of_return(day: dt.date, time_zone: str, now: dt.datetime) -> dt.datetime:
    """Return when the `day` begins by a clock, on which a group is back.

    Raises `UsageError` for a day that has begun, or is more than a year ahead.
    """
    moment = dt.datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(time_zone))
    # Dates at the ends of the calendar have no time in each zone.
    if not 1 < day.year < dt.MAXYEAR or not now < moment <= now + LONGEST:
        raise UsageError("The day must be after today, and at most a year ahead.")
    return moment.astimezone(dt.UTC)
