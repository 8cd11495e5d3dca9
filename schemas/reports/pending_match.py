"""Matches that wait for an administrator's decision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from schemas.dead_letter_reasons import Reason
from schemas.details.detail import structured_json
from schemas.timestamps import timestamp

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from schemas.runs.collision import Collision

#: Reasons of dead letters that a decision settles.
MATCH_REASONS: Final = (Reason.SUSPICIOUS_MATCH, Reason.AMBIGUOUS_MATCH, Reason.COLLISION)


@dataclass(frozen=True, kw_only=True)
class PendingMatch:
    """An Entra user whose match no newer run has settled, and the Skolon users that may be this user.

    `since` is when the user began to fail (aware), in whichever run.
    """

    entra_id: str
    run: int
    reason: Reason
    detail: str | None
    skolon_ids: tuple[str, ...]
    collision: Collision | None
    since: dt.datetime

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object."""
        return {
            "user": self.entra_id,
            "run": str(self.run),
            "reason": str(self.reason),
            "detail": self.detail,
            "structured_detail": structured_json(self.detail),
            "skolon_users": list(self.skolon_ids),
            "collision": self.collision and self.collision.as_json(),
            "since": timestamp(self.since),
        }


@dataclass(frozen=True, kw_only=True)
class PendingMatches:
    """How many matches wait, and the first of them by Entra id."""

    count: int
    matches: Sequence[PendingMatch]
