"""What waits for a decision about a match, and what was decided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from administration.remedies import remedy_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.reports.pending_match import PendingMatch
    from schemas.tenants.match_decision import MatchDecision
    from store.store import Store


@dataclass(frozen=True, kw_only=True)
class MatchOverview:
    """The pending matches of a tenant, of which there are `count`, and its decisions; ids, no values.

    A pending match is `decided` if a decision about one of its users waits for the next run.
    """

    tenant: str
    count: int
    pending: Sequence[tuple[PendingMatch, bool]]
    decisions: Sequence[MatchDecision]

    def as_json(self) -> dict[str, Any]:
        """Return it for programs."""
        return {
            "tenant": self.tenant,
            "count": self.count,
            "pending": [
                {**match.as_json(), "decided": decided, **remedy_json(match.reason)}
                for match, decided in self.pending
            ],
            "decisions": [decision.as_json() for decision in self.decisions],
        }


def matches_of(tenant: str, *, store: Store, limit: int) -> MatchOverview:
    """Return a tenant's pending matches, at most `limit`, and its decisions.

    Raises `UsageError` if there is no such tenant.
    """
    decisions = store.match_decisions.list(tenant)
    entra_ids = {each.entra_id for each in decisions}
    skolon_ids = {each.skolon_id for each in decisions}
    found = store.pending_matches.load(tenant, limit=limit)
    return MatchOverview(
        tenant=tenant,
        count=found.count,
        pending=[
            (match, match.entra_id.lower() in entra_ids or not skolon_ids.isdisjoint(match.skolon_ids))
            for match in found.matches
        ],
        decisions=decisions,
    )
