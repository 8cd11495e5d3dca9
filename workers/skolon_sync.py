"""The second half of a user's way, once it is known who in Entra it is: match, compare, update."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Final

from clients.skolon import SkolonUserGoneError
from schemas.attributes import Attribute
from schemas.errors import PermanentError, VersionConflictError
from schemas.outcomes import Outcome, Reason, Stage
from schemas.verdicts import Verdict
from store.collisions import CollisionError
from workers.difference import difference
from workers.guard import check_guard
from workers.mapping import Mapped, check_values, map_user
from workers.matching import choose, keys_to_match

if TYPE_CHECKING:
    from clients.directories import Directories
    from schemas.graph_user import GraphUser
    from schemas.messages import UserSync
    from schemas.skolon_user import SkolonUser
    from schemas.tenants import Tenant
    from store.claims import Begun
    from store.store import Store
    from store.tenants import TenantRecord

#: How often a user that changes under our hands is read and compared again before it is a `conflict`.
CONFLICTS: Final = 5

#: Object ids in Entra are GUIDs: anything else as an External Id is another source's.
_OBJECT_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class SkolonSync:
    """The second half of the way: one Entra user, matched, compared and updated in Skolon."""

    def __init__(
        self,
        store: Store,
        directories: Directories,
        message: UserSync,
        begun: Begun,
        record: TenantRecord,
    ) -> None:
        self._claims = store.claims
        self._message = message
        self._begun = begun
        self._tenant: Tenant = record.tenant
        self._skolon = directories.skolon(dry_run=begun.dry_run)
        self._graph = directories.graph(record.credentials)
        self._notes: list[str] = []

    def verdict(self, user: GraphUser) -> Verdict:
        """Bring the user to an outcome; raises an error of ours if that fails."""
        mapped = map_user(user, self._tenant)
        keys = keys_to_match(mapped, self._tenant.match_keys)
        if not keys:
            return Verdict(outcome=Outcome.NOT_FOUND, detail="no match key has a value")
        match = choose(self._skolon.find(self._tenant.organisation, keys), keys)
        if match is None:
            return Verdict(outcome=Outcome.NOT_FOUND)
        self._leave_to_its_owner(user, match)
        self._add_birth_date(user, mapped)
        for _ in range(CONFLICTS):
            try:
                return self._compare_and_update(match, mapped)
            except VersionConflictError:
                current = self._skolon.read(self._tenant.organisation, match.id)
            except SkolonUserGoneError:
                current = None
            if current is None:
                return Verdict(outcome=Outcome.NOT_FOUND, detail="removed from Skolon during the run")
            match = current
        raise PermanentError(
            Reason.CONFLICT, Stage.UPDATE, f"changed in Skolon by somebody else {CONFLICTS} times in a row"
        )

    def _leave_to_its_owner(self, user: GraphUser, match: SkolonUser) -> None:
        """Raise `PermanentError` (`collision`) if the Skolon user is by its External Id somebody else's.

        Two people with one EPPN would otherwise take the Skolon user from each other, run by run,
        whoever came first. An External Id that nobody in Entra has (another source's) is no owner.
        """
        owner = match.attributes.get(Attribute.EXTERNAL_ID)
        if Attribute.EXTERNAL_ID not in self._tenant.match_keys or owner is None or owner == user.id:
            return
        if _OBJECT_ID.fullmatch(owner) and self._graph.user(owner, ("id",)) is not None:
            raise collision(match.id, owner, user.id)

    def _add_birth_date(self, user: GraphUser, mapped: Mapped) -> None:
        """Ask for the birth date, of a matched user only: Graph gives it one by one."""
        if not (self._tenant.birthdays and self._tenant.sources[Attribute.BIRTH_DATE]):
            return
        birthday = self._graph.birthday(user.id)
        if birthday.problem is None:
            mapped[Attribute.BIRTH_DATE] = birthday.value
            check_values(mapped, self._tenant)
        else:
            self._notes.append(f"birth date not read: {birthday.problem}")

    def _compare_and_update(self, match: SkolonUser, mapped: Mapped) -> Verdict:
        changes = difference(match, mapped, self._tenant.erase_blank)
        changed = tuple(sorted(changes))
        detail = "; ".join(self._notes) or None
        if not changes:
            # A claim of an earlier delivery says that the change was ours, and only its receipt was lost.
            outcome = Outcome.UPDATED if self._begun.claimed else Outcome.UNCHANGED
            return Verdict(outcome=outcome, skolon_id=match.id, skolon_version=match.version, detail=detail)
        if self._begun.dry_run:
            return Verdict(
                outcome=Outcome.WOULD_UPDATE,
                skolon_id=match.id,
                skolon_version=match.version,
                changed=changed,
                detail=detail,
            )
        old_values = {attribute: match.attributes.get(attribute) for attribute in changed}
        try:
            claim = self._claims.claim(
                self._message.run,
                self._message.user,
                match.id,
                old_values,
                allow=partial(check_guard, self._tenant.guard) if self._begun.guarded else None,
            )
        except CollisionError as error:
            raise collision(match.id, error.entra_id, self._message.user) from None
        if claim.superseded:
            return Verdict(outcome=Outcome.SUPERSEDED)
        version = self._skolon.update(self._tenant.organisation, match, changes)
        return Verdict(
            outcome=Outcome.UPDATED,
            skolon_id=match.id,
            skolon_version=version,
            changed=changed,
            detail=detail,
        )


def collision(skolon_id: str, holder: str, other: str) -> PermanentError:
    """Return what becomes of the second Entra user that claims a Skolon user."""
    return PermanentError(
        Reason.COLLISION,
        Stage.MATCH,
        f"Entra users {holder} and {other} claim Skolon user {skolon_id}; the first one keeps it",
    )
