"""What a run that the guard has halted would have gone on to do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from schemas.outcomes import FINAL_OUTCOMES, Outcome, Reason
from schemas.runs.changes import ChangeSums

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class Prospect:
    """What would have become of the people who are pending, as far as they were looked at.

    `not_looked_at` are pending too; `not_read` were not even published, None if nobody knows how many.
    """

    outcomes: Mapping[Outcome, int] = field(default_factory=dict)
    reasons: Mapping[Reason, int] = field(default_factory=dict)
    changes: ChangeSums = field(default_factory=ChangeSums)
    not_looked_at: int = 0
    not_read: int | None = 0

    def as_json(self) -> dict[str, Any]:
        """Return it for programs."""
        return {
            "foreseen": {str(outcome): self.outcomes.get(outcome, 0) for outcome in FINAL_OUTCOMES},
            "foreseen_reasons": {str(reason): count for reason, count in sorted(self.reasons.items())},
            "foreseen_attributes": self.changes.as_json(),
            "not_looked_at": self.not_looked_at,
            "not_read": self.not_read,
        }
