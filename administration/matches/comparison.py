"""Compares an Entra user with the Skolon users that may be this user; values are masked unless asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from administration.matches.claimants import Claimant, ClaimantReader
from administration.matches.link_evidence import weigh_candidate
from administration.users.candidates import candidates_in, values_in
from administration.users.explanation import END_FIELDS, explain_user
from administration.users.redaction import shown_value
from schemas.errors import PermanentError
from schemas.runs.sync_result import SyncResult
from schemas.timestamps import foreign_timestamp
from schemas.users.attributes import Attribute, values_match
from workers.pipeline import steps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from administration.users.explanation import Explanation
    from clients.gateways import Gateways
    from schemas.outcomes import NotFoundReason
    from schemas.reports.pending_match import PendingMatch
    from schemas.tenants.match_decision import FailedUndo, MatchDecisions
    from schemas.users.skolon_user import SkolonUser
    from store.store import Store
    from workers.rules.mapping import Mapped
    from workers.rules.matching import WeighedMatch


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A Skolon user that may be the Entra user: by which keys it was found, and what agrees and differs.

    `claimants` are the other Entra users that claim it.
    """

    user: SkolonUser
    keys: tuple[Attribute, ...]
    weighed: WeighedMatch
    claimants: Sequence[Claimant] = ()

    def as_json(self, mapped: Mapped, *, values: bool) -> dict[str, Any]:
        """Return both sides; values only with `values`, else their shape."""
        rows = [
            {
                "attribute": str(attribute),
                "entra": shown_value(attribute, value, values=values),
                "skolon": shown_value(attribute, held, values=values),
                "agrees": values_match(attribute, held, value),
            }
            for attribute, value in mapped.items()
            if (held := self.user.attributes.get(attribute)) is not None or value is not None
        ]
        return {
            "skolon_user": self.user.id,
            "found_by": [str(key) for key in self.keys],
            "equal_keys": [str(key) for key in self.weighed.keys],
            "agrees": sorted(self.weighed.evidence.agrees),
            "differs": sorted(self.weighed.evidence.differs),
            "is_proven": self.weighed.is_proven,
            "created": foreign_timestamp(self.user.created),
            "last_modified": foreign_timestamp(self.user.last_modified),
            "attributes": rows,
            "claimants": [each.as_json(self.user, values=values) for each in self.claimants],
        }


@dataclass(frozen=True, kw_only=True)
class MatchComparison:
    """An Entra user, what the sync would do with it now, and the Skolon users that may be this user.

    `pending` is what the last runs left to decide about this user, if they did. `failed_undo` is an undo that
    failed for this user and waits for a decision.
    """

    tenant: str
    explanation: Explanation
    mapped: Mapped
    candidates: Sequence[Candidate]
    decisions: MatchDecisions
    pending: PendingMatch | None
    failed_undo: FailedUndo | None = None

    def as_json(self) -> dict[str, Any]:
        """Return it for programs."""
        explained = self.explanation.as_json()
        own = self.decisions.by_entra_id.get(self.explanation.user.lower())
        return {
            "tenant": self.tenant,
            "user": self.explanation.user,
            **{name: explained[name] for name in END_FIELDS if name != "stage"},
            "not_found_reason": self.not_found_reason and str(self.not_found_reason),
            "decision": own and own.as_json(),
            "pending": self.pending and self.pending.as_json(),
            "failed_undo": self.failed_undo and self.failed_undo.as_json(),
            "skolon_users_differ_in": [str(attribute) for attribute in self.differing],
            "skolon_users": [
                {
                    **each.as_json(self.mapped, values=self.explanation.values),
                    "decision": self._decision_json(each.user.id),
                }
                for each in self.candidates
            ],
        }

    @property
    def not_found_reason(self) -> NotFoundReason | None:
        """Why the next run would not find the user; None if it would."""
        end = self.explanation.explained.end
        return end.not_found_reason if isinstance(end, SyncResult) else None

    @property
    def differing(self) -> tuple[Attribute, ...]:
        """The attributes of which the Skolon users have different values; none for fewer than two users."""
        held = [each.user.attributes for each in self.candidates]
        return tuple(attribute for attribute in Attribute if len({each.get(attribute) for each in held}) > 1)

    def _decision_json(self, skolon_id: str) -> dict[str, Any] | None:
        decision = self.decisions.by_skolon_id.get(skolon_id)
        return None if decision is None else decision.as_json()


def compare_match(
    user: str, tenant: str, *, values: bool, store: Store, gateways: Gateways
) -> MatchComparison:
    """Return both sides of an Entra user's match as they are now; nothing is changed.

    Raises `UsageError` if there is no such tenant.
    """
    record = store.tenants.get(tenant)
    explanation = explain_user(user, tenant, override={}, values=values, store=store, gateways=gateways)
    taken = explanation.explained.steps
    mapped = values_in(taken)
    read = next((step.user for step in taken if isinstance(step, steps.ReadStep)), None)
    waiting = store.pending_matches.load(tenant, entra_id=user, limit=1).matches
    end = explanation.explained.end
    collisions = [
        collision
        for collision in (
            end.collision if isinstance(end, PermanentError) else None,
            *(each.collision for each in waiting),
        )
        if collision is not None
    ]
    failed = next((each for each in store.failed_undos.list(tenant) if each.entra_id == user.lower()), None)
    candidates = candidates_in(taken)
    if failed is not None and failed.skolon_id is not None and failed.skolon_id not in candidates:
        skolon = gateways.skolon(record.tenant.skolon_target, dry_run=True)
        left = skolon.read(record.tenant.organisation, failed.skolon_id)
        if left is not None:
            candidates[left.id] = left, ()
    claimants = ClaimantReader(user, record, gateways.graph(record.credentials), store)
    return MatchComparison(
        tenant=tenant,
        explanation=explanation,
        mapped=mapped,
        candidates=[]
        if read is None
        else [
            Candidate(
                user=found,
                keys=keys,
                weighed=weigh_candidate(read, mapped, found, record.tenant),
                claimants=claimants.of(found.id, collisions),
            )
            for found, keys in candidates.values()
        ],
        decisions=record.decisions,
        pending=next(iter(waiting), None),
        failed_undo=failed,
    )
