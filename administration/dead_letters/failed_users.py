"""The users that failed: each once, why, and who must act."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from administration.remedies import remedy_json
from schemas.details.detail import structured_json
from schemas.timestamps import timestamp

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    from administration.remedies import FailureOwners
    from schemas.dead_letter_reasons import Reason
    from schemas.messages.dead_letter import DeadLetter
    from schemas.reports.remedy import Owner


@dataclass(frozen=True, kw_only=True)
class FailedUser:
    """A user that fails, and who must act; `detail` is a text for people, without values.

    A user without a dead letter can be replayed no more: it was discarded, or lost.
    """

    tenant: str
    user: str
    run: int
    reason: Reason
    detail: str
    since: dt.datetime | None
    owner: Owner
    has_dead_letter: bool = True

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object."""
        return {
            "tenant": self.tenant,
            "user": self.user,
            "run": str(self.run),
            "reason": str(self.reason),
            "detail": self.detail,
            "structured_detail": structured_json(self.detail),
            "since": self.since and timestamp(self.since),
            "dead_letter": self.has_dead_letter,
            **remedy_json(self.reason, self.owner),
        }


def failed_users(dead_letters: Iterable[DeadLetter], owners: FailureOwners) -> list[FailedUser]:
    """Return each user of the dead letters once, with its newest one; by tenant, reason and user.

    Messages that are no user's are left out.
    """
    newest: dict[tuple[str, str], tuple[int, DeadLetter]] = {}
    for each in dead_letters:
        key, tenant = each.receipt_key, each.tenant
        if key is None or tenant is None:
            continue
        run, user = key
        known = newest.get((tenant, user))
        if known is None or known[0] <= run:
            newest[tenant, user] = run, each
    found = (
        FailedUser(
            tenant=tenant,
            user=user,
            run=run,
            reason=each.failure.reason,
            detail=each.failure.detail,
            since=each.dead_since,
            owner=owners.of(tenant, each.failure.reason, each.failure.detail),
        )
        for (tenant, user), (run, each) in newest.items()
    )
    return sorted(found, key=lambda each: (each.tenant, each.reason, each.user))
