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
    from schemas.errors import PermanentError
    from schemas.tenants.tenant import Tenant
    from schemas.users.graph_user import GraphUser
    from workers.pipeline.accounts import Accounts
    from workers.pipeline.matcher import Matcher
    from workers.rules.mapping import Mapped
    from workers.rules.matching import Match


class IdentityCheck:
    """Checks matches of one tenant's users; `on_step` is called after each step."""

    def __init__(
        self, tenant: Tenant, accounts: Accounts, matcher: Matcher, on_step: steps.StepListener
    ) -> None:
        self._tenant = tenant
        self._accounts = accounts
        self._matcher = matcher
        self._on_step = on_step

    def settle(self, user: GraphUser, match: Match, mapped: Mapped) -> Match:
        """Return the match if it is this person and no other account's.

        Without enough evidence it is the one other Skolon user with the same personal number, if there is
        one. Raises `PermanentError` as `check` does.
        """
        suspicion = self._suspicion(user, match, mapped)
        if suspicion is None:
            return match
        other = self._matcher.find_by_personal_number(user.id, mapped.get(Attribute.SSN), besides=match)
        if other is None:
            raise suspicion
        self.check(user, other, mapped)
        return other

    def check(self, user: GraphUser, match: Match, mapped: Mapped) -> None:
        """Raise `PermanentError` unless the Skolon user is this person's and no other account's.

        That is `suspicious_match` without enough evidence, and `collision` if another account owns the Skolon
        user. Evidence comes first, so that the order of two users with one address decides nothing. A link of
        an administrator is evidence.
        """
        suspicion = self._suspicion(user, match, mapped)
        if suspicion is not None:
            raise suspicion

    def _suspicion(self, user: GraphUser, match: Match, mapped: Mapped) -> PermanentError | None:
        """Return the error of a match without enough evidence, None with enough; raise `collision`."""
        owner = match.user.attributes.get(Attribute.EXTERNAL_ID)
        if owner is not None and keys_match(Attribute.EXTERNAL_ID, owner, user.id):
            self._on_step(steps.OwnerStep(external_id=owner, is_others=False))
            return None
        suspicion = self._compare(user, match, mapped, has_other_external_id=False)
        if suspicion is not None:
            return suspicion
        is_others = self._accounts.owner(match.user) is not None
        self._on_step(steps.OwnerStep(external_id=owner, is_others=is_others))
        if is_others:
            raise collision(match.user.id, str(owner), user.id)
        if not is_object_id(owner):
            return None
        return self._compare(user, match, mapped, has_other_external_id=True)

    def _compare(
        self, user: GraphUser, match: Match, mapped: Mapped, *, has_other_external_id: bool
    ) -> PermanentError | None:
        """Return the error of a match whose evidence is not enough; a linked one needs none."""
        if match.is_linked:
            return None
        evidence = compare_users(
            mapped,
            match.user.attributes,
            country=self._tenant.ssn_country,
            has_other_external_id=has_other_external_id,
        )
        is_proven = evidence.proves(is_personal_key=is_personal(user, mapped.get(match.key)))
        self._on_step(steps.EvidenceStep(evidence=evidence, is_proven=is_proven))
        return None if is_proven else suspicious_match(match, evidence)
