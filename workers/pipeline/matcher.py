"""Finds the Skolon user that an Entra user is: by an administrator's decision, or by the match keys."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from clients.skolon.server.capabilities import SearchMethod
from schemas.dead_letter_reasons import Reason
from schemas.details.detail import Detail
from schemas.details.kinds import DetailKind
from schemas.errors import PermanentError
from schemas.outcomes import NotFoundReason, Stage
from schemas.users.attributes import Attribute
from schemas.users.skolon_user import ensure_usable
from workers.pipeline import steps
from workers.rules.matching import KeyMatches, Match, find_matches, own_match, select_match
from workers.rules.national_ids import compare_numbers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clients.skolon.interface import SkolonClient
    from schemas.tenants.match_decision import MatchDecisions
    from schemas.users.skolon_user import SkolonUser


class Matcher:
    """Matches users of one tenant; `on_step` is called after each step."""

    def __init__(
        self,
        organisation: str,
        decisions: MatchDecisions,
        skolon: SkolonClient,
        on_step: steps.StepListener,
    ) -> None:
        self._organisation = organisation
        self._decisions = decisions
        self._skolon = skolon
        self._on_step = on_step
        #: The Skolon users that the last search has found.
        self.found: list[SkolonUser] = []
        #: The ids of those that have a key's value, and that a decision excludes.
        self.excluded: tuple[str, ...] = ()

    def check_undone(self, user_id: str, keys: dict[Attribute, str]) -> None:
        """Raise `PermanentError` (`undo_failed`) if an undo failed for an Entra user: a person decides first.

        Nothing is written to such a user, or the next run would write over what the undo has restored.
        """
        failed = self._decisions.failed_undo(user_id)
        if failed is None:
            return
        # What the keys find is what a person is to compare.
        with suppress(PermanentError):
            self.find(user_id, keys)
        raise PermanentError(
            Reason.UNDO_FAILED,
            Stage.MATCH,
            Detail(
                DetailKind.UNDO_FAILED,
                undo=failed.undo_run,
                run=failed.run,
                skolon_user=failed.skolon_id or "",
            ),
            candidates=() if failed.skolon_id is None else (failed.skolon_id,),
        )

    def find(self, user_id: str, keys: dict[Attribute, str]) -> Match | NotFoundReason:
        """Return the Skolon user of an Entra user, or why there is none.

        Raises `PermanentError`: `ambiguous_match`, or `rejected_by_skolon` for a Skolon user that cannot be
        synced.
        """
        found = self.found = self._skolon.search(self._organisation, keys)
        key_matches = find_matches(found, keys)
        self._on_step(steps.SearchStep(key_matches=key_matches))
        hits = {user.id for each in key_matches for user in each.users}
        self.excluded = tuple(sorted(each for each in hits if self._decisions.excludes(each, user_id)))
        linked = self._decisions.linked_skolon_id(user_id)
        match = self._select(user_id, found, keys) if linked is None else self._linked(linked, found)
        self._on_step(steps.MatchStep(match=match))
        if match is not None:
            ensure_usable(match.user)
            return match
        if linked is not None:
            return NotFoundReason.NO_LONGER_IN_SKOLON
        return NotFoundReason.EXCLUDED_BY_DECISION if hits else NotFoundReason.NO_MATCH

    def find_by_personal_number(self, user_id: str, number: str | None, *, besides: Match) -> Match | None:
        """Return the one Skolon user with a personal number, None if there is none, or more than one.

        `besides` is the match that has too little evidence. Nothing is asked where a search would have the
        number in a URL (promise P6).
        """
        if number is None or self._skolon.capabilities(self._organisation).method is not SearchMethod.POST:
            return None
        found = [
            user
            for user in self._skolon.search(self._organisation, {Attribute.SSN: number})
            if compare_numbers(number, user.attributes.get(Attribute.SSN)) is True
            and user.id != besides.user.id
            and not self._decisions.excludes(user.id, user_id)
        ]
        self._on_step(steps.SearchStep(key_matches=(KeyMatches(key=Attribute.SSN, users=tuple(found)),)))
        if len(found) != 1:
            return None
        match = Match(key=Attribute.SSN, user=ensure_usable(found[0]))
        self._on_step(steps.MatchStep(match=match))
        return match

    def _select(self, user_id: str, found: Sequence[SkolonUser], keys: dict[Attribute, str]) -> Match | None:
        """Return the match among the Skolon users that no decision excludes.

        A user whose own Skolon user is excluded gets no other one.
        """
        own = own_match(found, user_id)
        if own is not None:
            return None if self._decisions.excludes(own.user.id, user_id) else own
        allowed = [user for user in found if not self._decisions.excludes(user.id, user_id)]
        return select_match(find_matches(allowed, keys))

    def _linked(self, skolon_id: str, found: Sequence[SkolonUser]) -> Match | None:
        user = next((user for user in found if user.id == skolon_id), None)
        user = user or self._skolon.read(self._organisation, skolon_id)
        return None if user is None else Match(key=Attribute.EXTERNAL_ID, user=user, is_linked=True)
