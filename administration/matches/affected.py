"""What a decision about a match does to the other users that it is about, before it is made."""

from __future__ import annotations

import dataclasses
import datetime as dt
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from administration.users.lookup import users_of_skolon_user
from clients.skolon.server.capabilities import SearchMethod
from schemas.errors import PermanentError
from schemas.outcomes import Outcome
from schemas.runs.sync_result import SyncResult
from schemas.tenants.match_decision import DecisionKind, MatchDecision
from schemas.users.attributes import Attribute
from workers.dry_run.explain import explain
from workers.pipeline import steps
from workers.rules.uniqueness import UNIQUE_ATTRIBUTES, others_with

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clients.gateways import Gateways
    from schemas.dead_letter_reasons import Reason
    from schemas.tenants.match_decision import FailedUndo, MatchDecisions
    from store.store import Store
    from workers.dry_run.explain import UserExplanation

#: Other users of which it is found out; each costs a few requests. The others are named only.
_MAX_FORECAST: Final = 5


@dataclass(frozen=True, kw_only=True)
class AffectedUser:
    """An Entra user that a decision affects, and what a run would come to once it is made.

    `skolon_id` is the Skolon user that would be this one then, and `changes` what a run would write to it.
    `outcome` is None if that is not known.
    """

    user: str
    outcome: Outcome | None = None
    reason: Reason | None = None
    skolon_id: str | None = None
    changes: tuple[Attribute, ...] = ()

    @property
    def is_written(self) -> bool:
        """Whether the sync would write to a Skolon user that it has not written to for this user."""
        return self.outcome is Outcome.WOULD_UPDATE

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object."""
        return {
            "user": self.user,
            "outcome": self.outcome and str(self.outcome),
            "reason": self.reason and str(self.reason),
            "skolon_user": self.skolon_id,
        }


@dataclass(frozen=True, kw_only=True)
class LostValue:
    """A value that a link overwrites, and that an undo could not restore: other Skolon users have it too."""

    attribute: Attribute
    skolon_ids: tuple[str, ...]


class DecisionEffects:
    """Finds out what decisions of a tenant would lead to; nothing is changed. Raises as the clients do."""

    def __init__(self, tenant: str, *, store: Store, gateways: Gateways) -> None:
        """Take the tenant's key; raise `UsageError` if there is no such tenant."""
        self._tenant = tenant
        self._record = store.tenants.get(tenant)
        self._store = store
        self._gateways = gateways

    def of_deciding(
        self, kind: DecisionKind, *, entra_id: str | None, skolon_id: str | None
    ) -> list[AffectedUser]:
        """Return what a decision would do to other Entra users than the one that it names.

        Where there is a decision about one of the two already, it is nothing.
        """
        if find_decision(self._tenant, entra_id, skolon_id, store=self._store) is not None:
            return []
        others = others_of(self._tenant, entra_id, skolon_id, store=self._store)
        return self._affected(others, self._with(kind, entra_id, skolon_id))

    def on_user(
        self, user: str, kind: DecisionKind, *, entra_id: str | None, skolon_id: str | None
    ) -> AffectedUser:
        """Return what a run would come to for one user if a decision about these two were made."""
        return _affected(user, self._explained(user, self._with(kind, entra_id, skolon_id)))

    def of_forgetting(self, *, entra_id: str | None, skolon_id: str | None) -> list[AffectedUser]:
        """Return what taking a decision back would do to other Entra users than the one that is named."""
        decision = find_decision(self._tenant, entra_id, skolon_id, store=self._store)
        found = others_of(self._tenant, entra_id, skolon_id, store=self._store)
        if decision is not None:
            more = others_of(self._tenant, decision.entra_id, decision.skolon_id, store=self._store)
            found = [*found, *more, *decision.affected]
            entra_id = entra_id or decision.entra_id
        others = [user for user in dict.fromkeys(found) if user != (entra_id or "").lower()]
        return self._affected(others, self._record.decisions.without(entra_id, skolon_id))

    def lost_values(self, user: str, skolon_id: str) -> list[LostValue]:
        """Return the values that a link would overwrite and no undo could restore, as far as is known now."""
        explained = self._explained(user, self._with(DecisionKind.LINK, user, skolon_id))
        compared = next((each for each in explained.steps if isinstance(each, steps.CompareStep)), None)
        if compared is None:
            return []
        organisation, target = self._record.tenant.organisation, self._record.tenant.skolon_target
        skolon = self._gateways.skolon(target, dry_run=True)
        # Without a search by POST a personal number would stand in a URL (promise P6).
        hidden = () if skolon.capabilities(organisation).method is SearchMethod.POST else (Attribute.SSN,)
        lost = []
        for attribute in sorted(UNIQUE_ATTRIBUTES & compared.changes.keys() - set(hidden)):
            held = compared.user.attributes.get(attribute)
            if held is None:
                continue
            found = skolon.search(organisation, {attribute: held})
            others = tuple(each.id for each in others_with(found, attribute, held, but=compared.user.id))
            if others:
                lost.append(LostValue(attribute=attribute, skolon_ids=others))
        return lost

    def _with(self, kind: DecisionKind, entra_id: str | None, skolon_id: str | None) -> MatchDecisions:
        decision = MatchDecision(
            kind=kind,
            entra_id=entra_id and entra_id.lower(),
            skolon_id=skolon_id,
            operator=None,
            decided_at=dt.datetime.now(dt.UTC),
        )
        return self._record.decisions.with_decision(decision)

    def _affected(self, users: Sequence[str], decisions: MatchDecisions) -> list[AffectedUser]:
        found = [_affected(user, self._explained(user, decisions)) for user in users[:_MAX_FORECAST]]
        return [*found, *(AffectedUser(user=user) for user in users[_MAX_FORECAST:])]

    def _explained(self, user: str, decisions: MatchDecisions) -> UserExplanation:
        return explain(
            user,
            dataclasses.replace(self._record, decisions=decisions),
            self._gateways,
            partial(self._store.verifications.value_sources, self._tenant, user),
            partial(self._store.shared_organisations.keeper, self._record.sharing),
        )


def _affected(user: str, explained: UserExplanation) -> AffectedUser:
    match = next(
        (each.match for each in reversed(explained.steps) if isinstance(each, steps.MatchStep)), None
    )
    end = explained.end
    if isinstance(end, SyncResult):
        is_matched = end.outcome in (Outcome.WOULD_UPDATE, Outcome.UNCHANGED) and match is not None
        skolon_id = match.user.id if is_matched and match is not None else None
        compared = [each for each in explained.steps if isinstance(each, steps.CompareStep)]
        is_written = end.outcome is Outcome.WOULD_UPDATE and bool(compared)
        changes = tuple(compared[-1].changes) if is_written else ()
        return AffectedUser(user=user, outcome=end.outcome, skolon_id=skolon_id, changes=changes)
    if isinstance(end, PermanentError):
        return AffectedUser(user=user, outcome=Outcome.DEAD_LETTERED, reason=end.reason)
    return AffectedUser(user=user)


def find_decision(
    tenant: str, entra_id: str | None, skolon_id: str | None, *, store: Store
) -> MatchDecision | None:
    """Return the decision about one of two users, None if there is none."""
    for decision in store.match_decisions.list(tenant):
        if entra_id is not None and decision.entra_id == entra_id.lower():
            return decision
        if skolon_id is not None and decision.skolon_id == skolon_id:
            return decision
    return None


def failed_undos_of(
    tenant: str, entra_id: str | None, skolon_id: str | None, *, store: Store
) -> list[FailedUndo]:
    """Return the undos that failed for an Entra user, or for the users of a Skolon user."""
    return [
        failed
        for failed in store.failed_undos.list(tenant)
        if failed.entra_id == (entra_id or "").lower() or (failed.skolon_id or "") == skolon_id
    ]


def others_of(tenant: str, entra_id: str | None, skolon_id: str | None, *, store: Store) -> list[str]:
    """Return the other Entra users that a decision about these two users is about.

    They are that Skolon user, may be it, collide with the Entra user, or wait because an undo failed.
    """
    named = (entra_id or "").lower()
    found = store.pending_matches.affected_users(tenant, entra_id=named or None, skolon_id=skolon_id)
    failed = [each.entra_id for each in failed_undos_of(tenant, entra_id, skolon_id, store=store)]
    own = [] if skolon_id is None else users_of_skolon_user(tenant, skolon_id, store=store)
    return [user for user in dict.fromkeys([*found, *failed, *own]) if user != named]
