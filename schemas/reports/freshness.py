"""Freshness of a tenant: how many users were verified in Skolon, and how long ago."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from schemas.timestamps import timestamp

if TYPE_CHECKING:
    from schemas.tenants.tenant_status import UserTotals


@dataclass(frozen=True, kw_only=True)
class Freshness:
    """The users of a tenant's last complete run of all users and of later runs, by their state.

    `totals` are those of `status`. Without a complete run (`totals.run`) there is no share. Users without a
    Skolon user, or out of scope, cannot be verified. The others are counted by when a run last asked Skolon
    and left them in sync; a user that failed since, or that an undo reverted, is not verified.
    """

    tenant: str
    totals: UserTotals

    @property
    def users(self) -> int:
        """How many users the tenant has, as far as runs know."""
        return self.totals.expected + self.totals.not_found + self.totals.out_of_scope

    def share(self, count: int) -> float | None:
        """Return the share of those who are to be verified, None if there are none."""
        has_share = self.totals.run is not None and self.totals.expected
        return count / self.totals.expected if has_share else None

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object; `within_week` includes those within a day."""
        totals = self.totals
        return {
            "tenant": self.tenant,
            "run": None if totals.run is None else str(totals.run),
            "users": self.users,
            "not_found": totals.not_found,
            "out_of_scope": totals.out_of_scope,
            "expected": totals.expected,
            "within_day": totals.within_day,
            "within_week": totals.within_week,
            "failed": totals.failures,
            "reverted": totals.reverted,
            "share_within_day": self.share(totals.within_day),
            "share_within_week": self.share(totals.within_week),
            "oldest": totals.oldest and timestamp(totals.oldest),
        }
