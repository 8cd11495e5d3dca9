"""Makes sure that a matched Skolon user is this person's, and no other account's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.users.attributes import Attribute, keys_match
from workers.pipeline import steps
from workers.pipeline.accounts import is_object_id
from workers.pipeline.writer import collision
from workers.rules.evidence import compare_users
from workers.rules.mapping import is_personal
from workers.rules.matching import suspicious_match

if TYPE_CHECKING:
    from schemas.tenants.tenant import Tenant
    from schemas.users.graph_user import GraphUser
    from schemas.users.skolon_user import SkolonUser
    from workers.pipeline.accounts import Accounts
    from workers.rules.mapping import Mapped
    from workers.rules.matching import Match


class IdentityCheck:
    """Checks matches of one tenant's users; `on_step` is called after each step."""

    def __init__(self, tenant: Tenant, accounts: Accounts, on_step: steps.StepListener) -> None:
        self._tenant = tenant
        self._accounts = accounts
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
        if is_object_id(owner) and not match.is_linked:
            self._check_evidence(user, match, mapped, has_other_external_id=True)

    def owner(self, user: SkolonUser, entra_id: str) -> str | None:
        """Return the other account that the sync keeps a Skolon user for, by its External Id, or None."""
        owner = user.attributes.get(Attribute.EXTERNAL_ID)
        if owner is None or keys_match(Attribute.EXTERNAL_ID, owner, entra_id):
            return None
        return None if self._accounts.owner(user) is None else owner

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
