"""What the decision of a schedule needs from the database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from schemas.timestamps import timestamp

if TYPE_CHECKING:
    import datetime as dt

    from schemas.outcomes import Cause, Status


@dataclass(frozen=True, kw_only=True)
class ScheduleState:
    """An enabled tenant that has a schedule. All moments are aware.

    `active_since` is when the tenant was added or enabled, or its schedule last changed: earlier due times do
    not count. `last_due` is the last due time that a trigger was published for, and `last_published` the time
    of that; without `last_published` that trigger needs no acknowledgement. Until `paused_until` no trigger
    is published, and no due time up to then is caught up.
    """

    tenant_id: int
    tenant: str
    schedule: str
    time_zone: str
    active_since: dt.datetime
    last_due: dt.datetime | None
    last_published: dt.datetime | None
    paused_until: dt.datetime | None = None


@dataclass(frozen=True, kw_only=True)
class SchedulePause:
    """A pause of a tenant's schedule: no scheduled run starts from `since` to `until` (aware).

    `operator` is who paused it, and `reason` why, for people; None if no key of ours opens it.
    """

    since: dt.datetime
    until: dt.datetime
    reason: str | None
    operator: str | None

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object."""
        return {
            "since": timestamp(self.since),
            "until": timestamp(self.until),
            "reason": self.reason,
            "operator": self.operator,
        }


@dataclass(frozen=True, kw_only=True)
class ScheduleSetting:
    """What a tenant's schedule is, and whether it is paused.

    `version` is another one after each change of these: who changes them says which one was seen.
    """

    schedule: str | None
    time_zone: str
    pause: SchedulePause | None
    version: str


@dataclass(frozen=True, kw_only=True)
class LatestRun:
    """The run that a tenant opened last."""

    id: int
    status: Status
    cause: Cause | None
    started: dt.datetime


@dataclass(frozen=True, kw_only=True)
class RunHistory:
    """A tenant's runs as far as a schedule needs them, without dry runs and runs of named users.

    `last_full_started` is the moment in which the last full run that has been completed began.
    `acknowledged` says whether the plan's last trigger has led to a run. `undo` is the newest undo if it is
    newer than `latest`: it acknowledges no trigger, but may be halted and wait for an operator.
    `guard_halted` is a run that the guard has halted, one of named users too, and that waits for an answer.
    """

    latest: LatestRun | None
    last_full_started: dt.datetime | None
    acknowledged: bool
    undo: LatestRun | None = None
    guard_halted: LatestRun | None = None
