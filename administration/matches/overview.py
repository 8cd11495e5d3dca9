"""What waits for a decision about a match, and what was decided."""

from __future__ import annotations

from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from administration.remedies import remedy_json
from schemas.reports.remedies import remedy_for
from schemas.tenants.match_decision import MatchDecisions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.reports.pending_match import PendingMatch
    from schemas.tenants.match_decision import FailedUndo, MatchDecision
    from store.store import Store


@dataclass(frozen=True, kw_only=True)
class MatchOverview:
    """What waits for a decision, and the decisions; ids, no values.

    Of the pending matches there are `count` that wait. A pending match is decided if there is a decision
    about one of its users: it waits for the next run, and not for a person. For the users of `failed_undos`
    nothing is written before a person has decided.
    """

    tenant: str
    count: int
    pending: Sequence[tuple[PendingMatch, bool]]
    decisions: Sequence[MatchDecision]
    failed_undos: Sequence[FailedUndo]

    @property
    def waiting(self) -> list[PendingMatch]:
        """The listed matches that wait for a person."""
        return [match for match, is_decided in self.pending if not is_decided]

    @property
    def decided(self) -> list[PendingMatch]:
        """The listed matches that wait for the next run only."""
        return [match for match, is_decided in self.pending if is_decided]

    def as_json(self) -> dict[str, Any]:
        """Return it for programs."""
        return {
            "tenant": self.tenant,
            "count": self.count,
            "pending": [
                {
                    **match.as_json(),
                    "decided": decided,
                    **remedy_json(match.reason, remedy_for(match.reason).owner),
                }
                for match, decided in self.pending
            ],
            "failed_undos": [failed.as_json() for failed in self.failed_undos],
            "decisions": [decision.as_json() for decision in self.decisions],
        }


def matches_of(tenant: str, *, store: Store, limit: int) -> MatchOverview:
    """Return a tenant's pending matches, at most `limit`, and its decisions.

    Raises `UsageError` if there is no such tenant.
    """
    decisions = store.match_decisions.list(tenant)
    decided = MatchDecisions.of(decisions)
    found = store.pending_matches.load(tenant, limit=None).matches
    pending = [(match, _is_decided(match, decided)) for match in found]
    return MatchOverview(
        tenant=tenant,
        count=sum(not is_decided for _, is_decided in pending),
        # Those that wait for a person come first: the others are no work.
        pending=sorted(pending, key=itemgetter(1))[:limit],
        decisions=decisions,
        failed_undos=store.failed_undos.list(tenant),
    )


def _is_decided(match: PendingMatch, decisions: MatchDecisions) -> bool:
    """Say whether a decision about one of a match's users waits for the next run."""
    skolon_users = decisions.by_skolon_id.keys()
    return match.entra_id.lower() in decisions.by_entra_id or not skolon_users.isdisjoint(match.skolon_ids)
