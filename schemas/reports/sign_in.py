"""Report on sign-in by QR codes: for which users Skolon's values equal Entra's to the letter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from schemas.runs.sign_in import ValueMatch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from schemas.dead_letter_reasons import Reason
    from schemas.outcomes import Outcome
    from schemas.runs.sign_in import SignInMatch


@dataclass(frozen=True, kw_only=True)
class ValueMatches:
    """How many users have which match of one value; users that were not compared are not in it."""

    counts: Mapping[ValueMatch, int]

    @property
    def users(self) -> int:
        """How many users were compared."""
        return sum(self.counts.values())

    @property
    def exact_share(self) -> float | None:
        """The share of exact matches, None if no user was compared."""
        return self.count(ValueMatch.EXACT) / self.users if self.users else None

    def count(self, match: ValueMatch) -> int:
        """Return how many users have a match."""
        return self.counts.get(match, 0)

    def as_json(self) -> dict[str, Any]:
        """Return it for programs."""
        share = self.exact_share
        return {
            "users": self.users,
            "exact_share": None if share is None else round(share, 4),
            **{str(match): self.count(match) for match in ValueMatch},
        }


@dataclass(frozen=True, kw_only=True)
class SignInFindings:
    """The matches, how many users would be locked out, and the first of them with theirs.

    `not_judged` counts the users of whom neither value was compared, by the reason of a dead letter, else by
    the outcome.
    """

    email: ValueMatches
    idp_identifier: ValueMatches
    locked_out: int
    users: Sequence[tuple[str, SignInMatch]]
    not_judged: Mapping[Outcome | Reason, int]

    def as_json(self) -> dict[str, Any]:
        """Return it for programs."""
        return {
            "email": self.email.as_json(),
            "idp_identifier": self.idp_identifier.as_json(),
            "locked_out": {
                "count": self.locked_out,
                "users": [
                    {"user": user, "email": match.email, "idp_identifier": match.idp_identifier}
                    for user, match in self.users
                ],
            },
            "not_judged": {
                "count": sum(self.not_judged.values()),
                "reasons": {str(why): users for why, users in sorted(self.not_judged.items())},
            },
        }
