"""Compares an Entra user with the Skolon users that may be this user; values are masked unless asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from administration.users.explanation import explain_user
from administration.users.redaction import mask
from schemas.users.attributes import Attribute, values_match
from workers.pipeline import steps
from workers.rules.evidence import compare_users
from workers.rules.mapping import is_personal, mapped_values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from administration.users.explanation import Explanation
    from clients.gateways import Gateways
    from schemas.tenants.match_decision import MatchDecisions
    from schemas.users.graph_user import GraphUser
    from schemas.users.skolon_user import SkolonUser
    from store.store import Store
    from workers.rules.evidence import Evidence
    from workers.rules.mapping import Mapped


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A Skolon user that may be the Entra user: by which keys it was found, and what agrees and differs."""

    user: SkolonUser
    keys: tuple[Attribute, ...]
    evidence: Evidence
    is_proven: bool

    def as_json(self, mapped: Mapped, *, values: bool) -> dict[str, Any]:
        """Return both sides; values only with `values`, else their shape."""

        def shown(value: str | None) -> str | None:
            return value if values or value is None else mask(value)

        rows = [
            {
                "attribute": str(attribute),
                "entra": shown(value),
                "skolon": shown(held),
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
            "attributes": rows,
        }


@dataclass(frozen=True, kw_only=True)
class MatchComparison:
    """An Entra user, what the sync would do with it now, and the Skolon users that may be this user."""

    tenant: str
    explanation: Explanation
    mapped: Mapped
    candidates: Sequence[Candidate]
    decisions: MatchDecisions

    def as_json(self) -> dict[str, Any]:
        """Return it for programs."""
        explained = self.explanation.as_json()
        own = self.decisions.by_entra_id.get(self.explanation.user.lower())
        return {
            "tenant": self.tenant,
            "user": self.explanation.user,
            **{name: explained[name] for name in ("outcome", "reason", "cause", "away", "detail")},
            "decision": own and own.as_json(),
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
    mapped = _mapped(taken)
    read = next((step.user for step in taken if isinstance(step, steps.ReadStep)), None)
    return MatchComparison(
        tenant=tenant,
        explanation=explanation,
        mapped=mapped,
        candidates=[]
        if read is None
        else [
            _candidate(read, mapped, found, keys, record.tenant.ssn_country)
            for found, keys in _found(taken).values()
        ],
        decisions=record.decisions,
    )


def _mapped(taken: Sequence[steps.Step]) -> Mapped:
    mapped: Mapped = {}
    for step in taken:
        if isinstance(step, steps.MapStep):
            mapped = mapped_values(step.sources)
        elif isinstance(step, steps.BirthDateStep) and step.birthday.problem is None:
            mapped[Attribute.BIRTH_DATE] = step.birthday.value
    return mapped


def _found(taken: Sequence[steps.Step]) -> dict[str, tuple[SkolonUser, tuple[Attribute, ...]]]:
    """Return the Skolon users that were found, each with the keys that found it: none of a linked one."""
    found: dict[str, tuple[SkolonUser, tuple[Attribute, ...]]] = {}
    for step in taken:
        if isinstance(step, steps.SearchStep):
            for of_key in step.key_matches:
                for user in of_key.users:
                    found[user.id] = user, (*found.get(user.id, (user, ()))[1], of_key.key)
        elif isinstance(step, steps.MatchStep) and step.match is not None:
            found.setdefault(step.match.user.id, (step.match.user, ()))
    return found


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
