"""Makes sure that a matched Skolon user is this person's, and no other account's."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from schemas.errors import PermanentError
from schemas.tenants.selected_properties import selected_properties
from schemas.users.attributes import Attribute, keys_match
from schemas.users.graph_user import load_graph_user
from workers.pipeline import steps
from workers.pipeline.writer import collision
from workers.rules.evidence import compare_users
from workers.rules.mapping import is_personal
from workers.rules.matching import suspicious_match
from workers.rules.scope import evaluate_scope, exclusion_reason

if TYPE_CHECKING:
    from clients.graph.client import GraphClient
    from schemas.users.graph_user import GraphUser
    from schemas.users.skolon_user import SkolonUser
    from store.tenants.tenants import TenantRecord
    from workers.rules.mapping import Mapped
    from workers.rules.matching import Match

#: Graph's `userType` of an account from another directory.
_GUEST: Final = "guest"

#: Object ids in Entra are GUIDs: any other External Id comes from another source.
_OBJECT_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class IdentityCheck:
    """Checks matches of one tenant's users; `on_step` is called after each step."""

    def __init__(self, record: TenantRecord, graph: GraphClient, on_step: steps.StepListener) -> None:
        self._tenant = record.tenant
        self._decisions = record.decisions
        self._graph = graph
        self._on_step = on_step

    def check(self, user: GraphUser, match: Match, mapped: Mapped) -> None:
        """Raise `PermanentError` unless the Skolon user is this person's and no other account's.

        That is `suspicious_match` without enough evidence, and `collision` if another account owns the Skolon
        user. Evidence comes first, so that the order of two users with one address decides nothing. A link of
        an administrator is evidence.
        """
        owner = match.user.attributes.get(Attribute.EXTERNAL_ID)
        if owner is not None and keys_match(Attribute.EXTERNAL_ID, owner, user.id):
            self._on_step(steps.OwnerStep(external_id=owner, is_others=False))
            return
        if not match.is_linked:
            self._check_evidence(user, match, mapped, has_other_external_id=False)
        others = self.owner(match.user, user.id)
        self._on_step(steps.OwnerStep(external_id=owner, is_others=others is not None))
        if others is not None:
            raise collision(match.user.id, others, user.id)
        if _is_account(owner) and not match.is_linked:
            self._check_evidence(user, match, mapped, has_other_external_id=True)

    def owner(self, user: SkolonUser, entra_id: str) -> str | None:
        """Return the other account that the sync keeps a Skolon user for, by its External Id, or None."""
        owner = user.attributes.get(Attribute.EXTERNAL_ID)
        if owner is None or keys_match(Attribute.EXTERNAL_ID, owner, entra_id) or not _is_account(owner):
            return None
        return owner if self._owns(owner, user.id) else None

    def _check_evidence(
        self, user: GraphUser, match: Match, mapped: Mapped, *, has_other_external_id: bool
    ) -> None:
        evidence = compare_users(
            mapped,
            match.user.attributes,
            country=self._tenant.ssn_country,
            has_other_external_id=has_other_external_id,
        )
        is_proven = evidence.proves(is_personal_key=is_personal(user, mapped.get(match.key)))
        self._on_step(steps.EvidenceStep(evidence=evidence, is_proven=is_proven))
        if not is_proven:
            raise suspicious_match(match, evidence)

    def _owns(self, account: str, skolon_id: str) -> bool:
        """Say whether an account that a Skolon user names is one that the sync keeps that user for.

        An account that is gone, disabled, a guest's or out of scope holds up no one else. Neither does one
        that an administrator has linked to another Skolon user.
        """
        if self._decisions.linked_skolon_id(account) not in (None, skolon_id):
            return False
        properties = {*selected_properties(self._tenant), "accountEnabled", "userType"}
        raw: object = self._graph.user(account, sorted(properties))
        if raw is None:
            return False
        try:
            owner = load_graph_user(raw)
        except PermanentError:
            # It is there, and what is wrong with it may be corrected.
            return True
        is_active = owner.account_enabled is not False and (owner.user_type or "").lower() != _GUEST
        rules = evaluate_scope(owner, self._tenant.scope, is_ignored=self._decisions.ignores(account))
        return is_active and exclusion_reason(rules) is None


def _is_account(external_id: str | None) -> bool:
    """Say whether an External Id is an account's: what is no object id comes from another source."""
    return external_id is not None and _OBJECT_ID.fullmatch(external_id) is not None
