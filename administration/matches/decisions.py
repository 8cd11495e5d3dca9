"""Decides about matches: links an Entra user to a Skolon user, ignores a user, takes a decision back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final

from administration.matches.affected import failed_undos_of, find_decision, others_of
from administration.matches.link_evidence import runs_that_wrote, weigh_link
from administration.runs.trigger import build_request
from schemas.errors import HaltError, PermanentError, TransientError, UsageError
from schemas.hub.action import ActionRefusal, ActionRefusedError
from schemas.runs.operation import OperationKind, OperationStatus
from schemas.tenants.match_decision import DecisionKind
from schemas.users.attributes import Attribute
from schemas.users.graph_user import is_entra_id
from workers.pipeline.accounts import Accounts
from workers.rules.matching import own_match

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from administration.matches.link_evidence import Written
    from clients.gateways import Gateways
    from schemas.messages.messages import SyncRequest
    from schemas.runs.operation import Operation
    from schemas.runs.run import Run
    from schemas.tenants.match_decision import MatchDecision
    from schemas.users.skolon_user import SkolonUser
    from store.store import Store
    from store.tenants.tenants import TenantRecord
    from workers.rules.matching import WeighedMatch

#: Users that a decision is about and that are synced at once; the next run takes the others.
_MAX_USERS: Final = 100


@dataclass(frozen=True, kw_only=True)
class Decided:
    """A decision as an operation, and the request that applies it now; None if it cannot be applied now.

    `users` are the Entra users whose match it may change. `wrote` is what runs have written because of a
    decision that is taken back: these values stay. `halted` is a run that waits for an answer: no run starts
    before, and the first one after it applies the decision.
    """

    operation: Operation
    request: SyncRequest | None
    users: Sequence[str]
    wrote: Sequence[Written] = ()
    halted: Run | None = None


@dataclass(frozen=True, kw_only=True)
class MatchDecider:
    """Decides about the matches of one tenant; `operator` is noted, None if there is no name.

    Each method raises `UsageError` if there is no such tenant, and `ActionRefusedError` if the decision
    contradicts another one, or a user is gone or belongs to another. The same decision a second time is no
    error.
    """

    tenant: str
    operator: str | None
    store: Store

    def weigh_link(self, entra_id: str, skolon_id: str, gateways: Gateways) -> WeighedMatch | None:
        """Return what speaks for and against a link that can be made; None if it is made already.

        Raises `UsageError` as `link` does.
        """
        record = self.store.tenants.get(self.tenant)
        if record.decisions.linked_skolon_id(entra_id) == skolon_id:
            return None
        self._check_link(record, entra_id, skolon_id, gateways)
        return weigh_link(entra_id, skolon_id, record=record, gateways=gateways)

    def link_refusal(self, entra_id: str, skolon_id: str, gateways: Gateways) -> ActionRefusal | None:
        """Return why a link of the two would be refused, None if it can be made, or nothing is known."""
        try:
            self._check_link(self.store.tenants.get(self.tenant), entra_id, skolon_id, gateways)
        except ActionRefusedError as error:
            return error.why
        except (HaltError, TransientError, PermanentError):
            return None
        return None

    def halted_run(self) -> Run | None:
        """Return a halted run that has to be answered before a run applies a decision, or None."""
        return self.store.runs.unanswered_guard(self.tenant)

    def link(self, entra_id: str, skolon_id: str, gateways: Gateways) -> Decided:
        """Decide that an Entra user is a Skolon user.

        Raises `UsageError` if one of the two does not exist, or belongs to another user.
        """
        record = self.store.tenants.get(self.tenant)
        change: Callable[..., object] = _nothing
        if record.decisions.linked_skolon_id(entra_id) != skolon_id:
            self._check_link(record, entra_id, skolon_id, gateways)
            add = partial(
                self.store.match_decisions.add, self.tenant, DecisionKind.LINK, operator=self.operator
            )
            change = partial(add, entra_id=entra_id, skolon_id=skolon_id)
        return self._record(OperationKind.LINK, entra_id, skolon_id, change)

    def ignore(
        self, gateways: Gateways, *, entra_id: str | None = None, skolon_id: str | None = None
    ) -> Decided:
        """Decide to leave one user alone, of Entra or of Skolon. Raises `UsageError` if there is none."""
        existing = find_decision(self.tenant, entra_id, skolon_id, store=self.store)
        change: Callable[..., object] = _nothing
        if existing is None:
            self._check_existence(self.store.tenants.get(self.tenant), entra_id, skolon_id, gateways)
            add = partial(
                self.store.match_decisions.add, self.tenant, DecisionKind.IGNORE, operator=self.operator
            )
            change = partial(add, entra_id=entra_id, skolon_id=skolon_id)
        elif existing.kind is not DecisionKind.IGNORE:
            raise self._decided(existing)
        return self._record(OperationKind.IGNORE, entra_id, skolon_id, change)

    def check_ignore(
        self, gateways: Gateways, *, entra_id: str | None = None, skolon_id: str | None = None
    ) -> None:
        """Raise what `ignore` would raise, and `ActionRefusedError` for any decision about the user."""
        existing = find_decision(self.tenant, entra_id, skolon_id, store=self.store)
        if existing is not None:
            raise self._decided(existing)
        self._check_existence(self.store.tenants.get(self.tenant), entra_id, skolon_id, gateways)

    def sync_again(self, *, entra_id: str | None = None, skolon_id: str | None = None) -> Decided:
        """Have the users of a decision synced that was taken back before, where the request was lost."""
        return self._record(OperationKind.FORGET, entra_id, skolon_id, _nothing)

    def forget(self, *, entra_id: str | None = None, skolon_id: str | None = None) -> Decided:
        """Take the decision about a user back; raise `UsageError` if there is none.

        An Entra user for whom an undo failed is synced again: that is a decision, too.
        """
        decision = find_decision(self.tenant, entra_id, skolon_id, store=self.store)
        if decision is None:
            if failed_undos_of(self.tenant, entra_id, skolon_id, store=self.store):
                release = partial(
                    self.store.match_decisions.release, self.tenant, entra_id=entra_id, skolon_id=skolon_id
                )
                return self._record(OperationKind.FORGET, entra_id, skolon_id, release)
            raise ActionRefusedError(
                ActionRefusal.UNDECIDED,
                "There is no decision about this user; 'matches list' shows those there are.",
            )
        change = partial(self.store.match_decisions.remove, self.tenant, decision)
        wrote = runs_that_wrote(decision, tenant=self.tenant, store=self.store)
        decided = self._record(
            OperationKind.FORGET, decision.entra_id, decision.skolon_id, change, affected=decision.affected
        )
        return replace(decided, wrote=wrote)

    def _record(
        self,
        kind: OperationKind,
        entra_id: str | None,
        skolon_id: str | None,
        change: Callable[..., object],
        *,
        affected: Sequence[str] = (),
    ) -> Decided:
        """Make the change as an operation, and return the request that syncs the users it is about.

        They are the `affected` ones, and those that still wait or are still excluded before the change.
        """
        found = others_of(self.tenant, entra_id, skolon_id, store=self.store)
        users = list(dict.fromkeys([*([] if entra_id is None else [entra_id]), *affected, *found]))
        operations = self.store.operations
        selection = {"tenant": self.tenant, "user": entra_id, "skolon_user": skolon_id}
        begun = operations.start(kind, selection=selection, operator=self.operator)
        try:
            change(affected=users)
        except UsageError as error:
            operations.finish(begun.id, OperationStatus.STOPPED, {}, detail=error.summary)
            raise
        operation = operations.finish(begun.id, OperationStatus.COMPLETED, {})
        if not users or not self.store.tenants.outline(self.tenant).enabled:
            return Decided(operation=operation, request=None, users=users)
        halted = self.halted_run()
        if halted is not None:
            return Decided(operation=operation, request=None, users=users, halted=halted)
        request = build_request(tenant=self.tenant, users=users[:_MAX_USERS], recheck_all=True)
        return Decided(operation=operation, request=request, users=users)

    def _decided(self, decision: MatchDecision) -> ActionRefusedError:
        if decision.kind is DecisionKind.LINK:
            what = f"Entra user {decision.entra_id} is linked to Skolon user {decision.skolon_id}"
        else:
            what = f"{'Entra' if decision.entra_id else 'Skolon'} user {_id_of(decision)} is ignored"
        option = "--user" if decision.entra_id else "--skolon-user"
        undo = f"matches forget {self.tenant} {option} {_id_of(decision)}"
        return ActionRefusedError(ActionRefusal.DECIDED, f"{what}: '{undo}' takes that back first.")

    def _check_link(self, record: TenantRecord, entra_id: str, skolon_id: str, gateways: Gateways) -> None:
        """Raise `UsageError` unless both users exist, neither belongs to another one, and none is decided."""
        decisions = record.decisions
        existing = decisions.by_entra_id.get(entra_id.lower()) or decisions.by_skolon_id.get(skolon_id)
        if existing is not None:
            raise self._decided(existing)
        user = self._check_existence(record, entra_id, skolon_id, gateways)
        organisation = record.tenant.organisation
        graph = gateways.graph(record.credentials)
        skolon = gateways.skolon(record.tenant.skolon_target, dry_run=True)
        found = skolon.search(organisation, {Attribute.EXTERNAL_ID: entra_id})
        own = own_match(found, entra_id)
        if own is not None and own.user.id != skolon_id:
            raise ActionRefusedError(
                ActionRefusal.BELONGS_TO_OTHER,
                f"Skolon user {own.user.id} has the id of Entra user {entra_id} as its External Id: clear it "
                "in Skolon first.",
            )
        owner = None if user is None else Accounts(record, graph).owner(user)
        if owner is not None and owner.id.lower() != entra_id.lower():
            raise ActionRefusedError(
                ActionRefusal.BELONGS_TO_OTHER,
                f"Skolon user {skolon_id} has the id of Entra user {owner.id} as its External Id, and the "
                "sync keeps it for that user. If that is wrong: "
                f"'matches ignore {self.tenant} --user {owner.id}'.",
            )
        other = self.store.match_decisions.other_tenant(self.tenant, organisation, skolon_id)
        if other is not None:
            raise ActionRefusedError(
                ActionRefusal.DECIDED,
                f"Tenant '{other}' has a decision about Skolon user {skolon_id}: 'matches list {other}'.",
            )

    def _check_existence(
        self, record: TenantRecord, entra_id: str | None, skolon_id: str | None, gateways: Gateways
    ) -> SkolonUser | None:
        """Return the Skolon user, if one is named; raise `UsageError` unless each user exists."""
        organisation = record.tenant.organisation
        if entra_id is not None and (
            not is_entra_id(entra_id) or gateways.graph(record.credentials).user(entra_id, ["id"]) is None
        ):
            raise ActionRefusedError(ActionRefusal.NO_SUCH_USER, f"Entra has no user with the id {entra_id}.")
        if skolon_id is None:
            return None
        user = gateways.skolon(record.tenant.skolon_target, dry_run=True).read(organisation, skolon_id)
        if user is None:
            raise ActionRefusedError(
                ActionRefusal.NO_SUCH_USER,
                f"Organisation '{organisation}' has no Skolon user with the id {skolon_id}: it is gone, or "
                "belongs to another organisation.",
            )
        return user


def _id_of(decision: MatchDecision) -> str:
    return str(decision.entra_id or decision.skolon_id)


def _nothing(*, affected: Sequence[str]) -> None:
    """Make no change: the decision is there already."""
