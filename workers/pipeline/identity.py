"""Makes sure that a matched Skolon user is this person's, and no other account's."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from schemas.errors import PermanentError
from schemas.outcomes import NotFoundReason
from schemas.users.attributes import Attribute, keys_match
from workers.pipeline import steps
from workers.pipeline.accounts import is_object_id
from workers.pipeline.matcher import Matcher
from workers.pipeline.writer import collision
from workers.rules.birth_dates import lacks_year
from workers.rules.matching import (
    MatchStrength,
    contested_values,
    match_keys_with_values,
    strength_of,
    suspicious_match,
    weigh,
)

if TYPE_CHECKING:
    from clients.skolon.interface import SkolonClient
    from schemas.runs.collision import Collision
    from schemas.tenants.tenant import Tenant
    from schemas.users.graph_user import GraphUser
    from schemas.users.skolon_user import SkolonUser
    from store.tenants.tenants import TenantRecord
    from workers.pipeline.accounts import Account, Accounts
    from workers.rules.mapping import Mapped
    from workers.rules.matching import Match


#: Returns the Entra user of another tenant that keeps a Skolon user of the same organisation, or None.
Keeper = Callable[[str], "Collision | None"]


def no_keeper(skolon_id: str) -> Collision | None:  # noqa: ARG001 - as a `Keeper`
    """Return None: no other tenant is asked."""
    return None


class IdentityCheck:
    """Checks matches of one tenant's users; `on_step` is called after each step."""

    def __init__(  # noqa: PLR0913 - what a check needs
        self,
        tenant: Tenant,
        *,
        accounts: Accounts,
        matcher: Matcher,
        stronger_matches: StrongerMatches,
        keeper: Keeper,
        on_step: steps.StepListener,
    ) -> None:
        self._tenant = tenant
        self._accounts = accounts
        self._matcher = matcher
        self._stronger_matches = stronger_matches
        self._keeper = keeper
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
        user, keeps it for another tenant, or matches it more strongly. Evidence comes first, so that the
        order of two users with one address decides nothing. A link of an administrator is evidence.
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
        if is_object_id(owner):
            suspicion = self._compare(user, match, mapped, has_other_external_id=True)
        if suspicion is None and (kept := self._keeper(match.user.id)) is not None:
            raise collision(match.user.id, str(kept.holder_entra_id), user.id, kept.holder_tenant)
        if suspicion is None and (stronger := self._stronger_matches.find(user, match, mapped)) is not None:
            raise collision(match.user.id, stronger, user.id)
        return suspicion

    def _compare(
        self, user: GraphUser, match: Match, mapped: Mapped, *, has_other_external_id: bool
    ) -> PermanentError | None:
        """Return the error of a match whose evidence is not enough; a linked one needs none."""
        if match.is_linked:
            return None
        weighed = weigh(
            user,
            mapped,
            match.user,
            key=match.key,
            tenant=self._tenant,
            has_other_external_id=has_other_external_id,
        )
        self._on_step(steps.EvidenceStep(evidence=weighed.evidence, is_proven=weighed.is_proven))
        return None if weighed.is_proven else suspicious_match(match, weighed)


class StrongerMatches:
    """Makes sure that no other account of a tenant matches a Skolon user more strongly, whatever comes first.

    The Skolon user's own values tell which accounts to ask Graph for. Only a match by a weaker key than
    External Id costs that request, and only if a stronger key may find another account.
    """

    def __init__(self, record: TenantRecord, accounts: Accounts, skolon: SkolonClient) -> None:
        self._tenant = record.tenant
        self._accounts = accounts
        self._matcher = Matcher(record.tenant.organisation, record.decisions, skolon, steps.ignore_step)

    def find(self, user: GraphUser, match: Match, mapped: Mapped) -> str | None:
        """Return the account that matches the Skolon user of a match most strongly, None if it is `user`.

        A link of an administrator is the strongest match.
        """
        if match.is_linked:
            return None
        own = strength_of(user, match, mapped, self._tenant.match_keys)
        values = contested_values(own, match, self._tenant.match_keys)
        others = self._accounts.find(values) if values else []
        stronger = [
            strength
            for account in others
            if account.id.lower() != own.entra_id
            and (strength := self._strength(account, match.user)) is not None
            and strength < own
        ]
        return min(stronger).entra_id if stronger else None

    def _strength(self, account: Account, wanted: SkolonUser) -> MatchStrength | None:
        """Return how strongly an account matches a Skolon user, None if that is not its match."""
        if account.user is None:
            return None
        keys = match_keys_with_values(account.mapped, self._tenant.match_keys)
        match: Match | NotFoundReason = NotFoundReason.NO_MATCH
        # Without a match of its own, the account gets no Skolon user.
        with suppress(PermanentError):
            match = self._matcher.find(account.id, keys)
        if isinstance(match, NotFoundReason) or match.user.id != wanted.id:
            return None
        if not (match.is_linked or self._is_proven(account, account.user, match)):
            return None
        return strength_of(account.user, match, account.mapped, self._tenant.match_keys)

    def _is_proven(self, account: Account, user: GraphUser, match: Match) -> bool:
        external_id = match.user.attributes.get(Attribute.EXTERNAL_ID)
        if external_id is not None and keys_match(Attribute.EXTERNAL_ID, external_id, account.id):
            return True
        if self._tenant.wants_birthdays:
            birthday = self._accounts.birthday(account.id)
            if not lacks_year(birthday.value, match.user.attributes.get(Attribute.BIRTH_DATE)):
                return self._compare(user, match, {**account.mapped, Attribute.BIRTH_DATE: birthday.value})
        return self._compare(user, match, account.mapped)

    def _compare(self, user: GraphUser, match: Match, mapped: Mapped) -> bool:
        return weigh(
            user, mapped, match.user, key=match.key, tenant=self._tenant, has_other_external_id=False
        ).is_proven
