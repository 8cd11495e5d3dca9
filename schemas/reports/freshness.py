"""Freshness of a tenant: how many users were verified in Skolon, and how long ago."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from schemas.timestamps import timestamp

if TYPE_CHECKING:
    import datetime as dt


@dataclass(frozen=True, kw_only=True)
class Freshness:
    """The users of a tenant's last complete run of all users (`run`), with their present status.

    Users without a Skolon user, or out of scope, cannot be verified. The others are counted by when a run
    last asked Skolon and left them in sync; `oldest` is the earliest of these times.
    """

    tenant: str
    run: int | None
    users: int = 0
    not_found: int = 0
    out_of_scope: int = 0
    within_day: int = 0
    within_week: int = 0
    verified: int = 0
    oldest: dt.datetime | None = None

    @property
    def expected(self) -> int:
        """How many users can be verified."""
        return self.users - self.not_found - self.out_of_scope

    def share(self, count: int) -> float | None:
        """Return the share of those who are to be confirmed, None if there are none."""
        return count / self.expected if self.expected else None

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object; `within_week` includes those within a day."""
        return {
            "tenant": self.tenant,
            "run": None if self.run is None else str(self.run),
            "users": self.users,
            "not_found": self.not_found,
            "out_of_scope": self.out_of_scope,
            "expected": self.expected,
            "within_day": self.within_day,
            "within_week": self.within_week,
            "never": self.expected - self.verified,
            "share_within_day": self.share(self.within_day),
            "share_within_week": self.share(self.within_week),
            "oldest": self.oldest and timestamp(self.oldest),
        }
