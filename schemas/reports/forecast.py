"""Forecast of a run that the guard halted: what it would have done next."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from schemas.outcomes import FINAL_OUTCOMES, Outcome
from schemas.runs.changes import ChangeCounts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemas.dead_letter_reasons import Reason


@dataclass(frozen=True, kw_only=True)
class RunForecast:
    """Forecast outcomes of the pending users, as far as they were evaluated.

    `not_evaluated` users are pending too. `not_listed` users were not even published; None if unknown.
    """

    outcomes: Mapping[Outcome, int] = field(default_factory=dict)
    reasons: Mapping[Reason, int] = field(default_factory=dict)
    changes: ChangeCounts = field(default_factory=ChangeCounts)
    not_evaluated: int = 0
    not_listed: int | None = 0

    def as_json(self) -> dict[str, Any]:
        """Return it for programs."""
        return {
            "outcomes": {str(outcome): self.outcomes.get(outcome, 0) for outcome in FINAL_OUTCOMES},
            "reasons": {str(reason): count for reason, count in sorted(self.reasons.items())},
            "attributes": self.changes.as_json(),
            "not_evaluated": self.not_evaluated,
            "not_listed": self.not_listed,
        }
