"""Compares an Entra user with the Skolon users that may be this user; values are masked unless asked for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from administration.matches.claimants import Claimant, ClaimantReader
from administration.users.candidates import candidates_in, values_in
from administration.users.explanation import explain_user
from administration.users.redaction import shown_value
from schemas.errors import PermanentError
from schemas.timestamps import foreign_timestamp
from schemas.users.attributes import Attribute, values_match
from workers.pipeline import steps
from workers.rules.evidence import compare_users
from workers.rules.mapping import is_personal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from administration.users.explanation import Explanation
    from clients.gateways import Gateways
    from schemas.reports.pending_match import PendingMatch
    from schemas.tenants.match_decision import MatchDecisions
    from schemas.users.graph_user import GraphUser
    from schemas.users.skolon_user import SkolonUser
    from store.store import Store
    from workers.rules.evidence import Evidence
    from workers.rules.mapping import Mapped


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A Skolon user that may be the Entra user: by which keys it was found, and what agrees and differs.

    `claimants` are the other Entra users that claim it.
    """

    user: SkolonUser
    keys: tuple[Attribute, ...]
    evidence: Evidence
    is_proven: bool
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
            "agrees": sorted(self.evidence.agrees),
            "differs": sorted(self.evidence.differs),
            "is_proven": self.is_proven,
            "created": foreign_timestamp(self.user.created),
            "last_modified": foreign_timestamp(self.user.last_modified),
            "attributes": rows,
            "claimants": [each.as_json(self.user, values=values) for each in self.claimants],
        }


@dataclass(frozen=True, kw_only=True)
class MatchComparison:
    """An Entra user, what the sync would do with it now, and the Skolon users that may be this user.

    `pending` is what the last runs left to decide about this user, if they did.
    """

    tenant: str
    explanation: Explanation
    mapped: Mapped
    candidates: Sequence[Candidate]
    decisions: MatchDecisions
    pending: PendingMatch | None

    def as_json(self) -> dict[str, Any]:
        """Return it for programs."""
        explained = self.explanation.as_json()
        own = self.decisions.by_entra_id.get(self.explanation.user.lower())
        return {
            "tenant": self.tenant,
            "user": self.explanation.user,
            **{name: explained[name] for name in ("outcome", "reason", "cause", "away", "detail")},
            "decision": own and own.as_json(),
            "pending": self.pending and self.pending.as_json(),
            "skolon_users": [
                {
                    **each.as_json(self.mapped, values=self.explanation.values),
                    "decision": self._decision_json(each.user.id),
                }
                for each in self.candidates
            ],
        }

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
    claimants = ClaimantReader(user, record, gateways.graph(record.credentials), store)
    return MatchComparison(
        tenant=tenant,
        explanation=explanation,
        mapped=mapped,
        candidates=[]
        if read is None
        else [
            replace(
                _candidate(read, mapped, found, keys, record.tenant.ssn_country),
                claimants=claimants.of(found.id, collisions),
            )
            for found, keys in candidates_in(taken).values()
        ],
        decisions=record.decisions,
        pending=next(iter(waiting), None),
    )


def _candidate(
    read: GraphUser, mapped: Mapped, found: SkolonUser, keys: tuple[Attribute, ...], country: str | None
) -> Candidate:
    evidence = compare_users(mapped, found.attributes, country=country, has_other_external_id=False)
    has_personal_key = any(is_personal(read, mapped.get(key)) for key in keys)
    return Candidate(
        user=found,
        keys=keys,
        evidence=evidence,
        is_proven=evidence.proves(is_personal_key=has_personal_key),
    )
