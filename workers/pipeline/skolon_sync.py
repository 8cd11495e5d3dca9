"""The second half of a user's way, once it is known who in Entra it is: map, match, compare, change."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Final

from clients.skolon.errors import UserNotFoundError
from schemas.errors import PermanentError, VersionConflictError
from schemas.outcomes import VERIFYING_OUTCOMES, Outcome, Reason, Stage
from schemas.runs.run import RunWarning, WarningKind
from schemas.runs.sync_result import NO_MATCH_KEY, SyncResult
from schemas.users.attributes import Attribute
from schemas.users.skolon_user import ensure_usable
from workers.pipeline import steps
from workers.pipeline.collisions import collision
from workers.pipeline.verification_cache import NoTrust
from workers.rules.diff import difference, kept_blanks
from workers.rules.mapping import Mapped, check_values, mapped_values, resolve_sources
from workers.rules.matching import find_matches, match_keys_with_values, select_match

if TYPE_CHECKING:
    from clients.graph.client import GraphClient
    from clients.skolon.client import SkolonClient
    from schemas.tenants.tenant import Tenant
    from schemas.users.graph_user import GraphUser
    from schemas.users.skolon_user import SkolonUser
    from workers.pipeline.verification_cache import Trust
    from workers.pipeline.writer import Change

#: How often a user that changes under our hands is read and compared again before it is a `conflict`.
CONFLICTS: Final = 5

#: Object ids in Entra are GUIDs: anything else as an External Id is another source's.
_OBJECT_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class SkolonSync:
    """Brings one Entra user of a tenant to an outcome in Skolon; `tell` is told of each step."""

    def __init__(  # noqa: PLR0913 - all that a user's way meets
        self,
        *,
        tenant: Tenant,
        graph: GraphClient,
        skolon: SkolonClient,
        change: Change,
        claimed: bool = False,
        trust: Trust | None = None,
        on_step: steps.StepListener = steps.ignore_step,
    ) -> None:
        """Take how a difference is `change`d, and whether an earlier delivery has `claimed` the user."""
        self._tenant = tenant
        self._graph = graph
        self._skolon = skolon
        self._change = change
        self._claimed = claimed
        self._trust = trust or NoTrust()
        self._on_step = on_step
        self._notes: list[str] = []
        self._warnings: list[RunWarning] = []

    def verdict(self, user: GraphUser) -> SyncResult:
        """Bring the user to an outcome; raises an error of ours if that fails."""
        verdict = dataclasses.replace(self._verdict(user), warnings=tuple(self._warnings))
        # Somebody whose birth date is not known has not been found right in all.
        in_all = not (self._notes or self._warnings)
        if verdict.verification is None and verdict.outcome in VERIFYING_OUTCOMES and in_all:
            return dataclasses.replace(verdict, verification=self._trust.confirmation())
        return verdict

    def _verdict(self, user: GraphUser) -> SyncResult:
        mapped = self._map(user)
        keys = match_keys_with_values(mapped, self._tenant.match_keys)
        if not keys:
            return SyncResult(outcome=Outcome.NOT_FOUND, detail=NO_MATCH_KEY)
        known = self._trust.known(mapped)
        if known is not None:
            return known
        match = self._match(keys)
        if match is None:
            return SyncResult(outcome=Outcome.NOT_FOUND)
        self._leave_to_its_owner(user, match)
        self._add_birth_date(user, mapped)
        for _ in range(CONFLICTS):
            try:
                return self._compare_and_change(match, mapped)
            except VersionConflictError:
                current = self._skolon.read(self._tenant.organisation, match.id)
            except UserNotFoundError:
                current = None
            if current is None:
                return SyncResult(outcome=Outcome.NOT_FOUND, detail="removed from Skolon during the run")
            match = ensure_usable(current)
        raise PermanentError(
            Reason.CONFLICT, Stage.UPDATE, f"changed in Skolon by somebody else {CONFLICTS} times in a row"
        )

    def _map(self, user: GraphUser) -> Mapped:
        sources = resolve_sources(user, self._tenant)
        self._on_step(steps.MapStep(sources=sources))
        mapped = mapped_values(sources)
        check_values(mapped, self._tenant)
        return mapped

    def _match(self, keys: dict[Attribute, str]) -> SkolonUser | None:
        hits = find_matches(self._skolon.search(self._tenant.organisation, keys), keys)
        self._on_step(steps.SearchStep(key_matches=hits))
        match = select_match(hits)
        self._on_step(steps.MatchStep(match=match))
        return None if match is None else ensure_usable(match.user)

    def _leave_to_its_owner(self, user: GraphUser, match: SkolonUser) -> None:
        """Raise `PermanentError` (`collision`) if the Skolon user is by its External Id somebody else's.

        Two people with one EPPN would otherwise take the Skolon user from each other, run by run,
        whoever came first. An External Id that nobody in Entra has (another source's) is no owner.
        """
        owner = match.attributes.get(Attribute.EXTERNAL_ID)
        if Attribute.EXTERNAL_ID not in self._tenant.match_keys or owner is None or owner == user.id:
            self._on_step(steps.OwnerStep(external_id=owner, is_others=False))
            return
        is_others = bool(_OBJECT_ID.fullmatch(owner)) and self._graph.user(owner, ("id",)) is not None
        self._on_step(steps.OwnerStep(external_id=owner, is_others=is_others))
        if is_others:
            raise collision(match.id, owner, user.id)

    def _add_birth_date(self, user: GraphUser, mapped: Mapped) -> None:
        """Ask for the birth date, of a matched user only: Graph's quota is spent for each."""
        if not self._tenant.wants_birthdays:
            return
        birthday = self._graph.birthday(user.id)
        self._on_step(steps.BirthDateStep(birthday=birthday))
        if birthday.problem is None:
            mapped[Attribute.BIRTH_DATE] = birthday.value
            check_values(mapped, self._tenant)
        elif birthday.affects_all_users:
            self._warnings.append(RunWarning(kind=WarningKind.BIRTHDAYS_REFUSED, detail=birthday.problem))
        else:
            self._notes.append(f"birth date not read: {birthday.problem}")

    def _compare_and_change(self, match: SkolonUser, mapped: Mapped) -> SyncResult:
        erase_blank = self._tenant.erase_blank
        changes = difference(match, mapped, erase_blank)
        kept = kept_blanks(match, mapped, erase_blank)
        self._on_step(steps.CompareStep(user=match, changes=changes, kept=kept))
        detail = "; ".join(self._notes) or None
        if changes:
            return dataclasses.replace(self._change(match, changes), detail=detail)
        # A claim of an earlier delivery says that the change was ours, and only its receipt was lost.
        outcome = Outcome.UPDATED if self._claimed else Outcome.UNCHANGED
        return SyncResult(outcome=outcome, skolon_id=match.id, skolon_version=match.version, detail=detail)
