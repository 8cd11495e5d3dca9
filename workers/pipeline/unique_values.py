"""Finds out whether the unique values that a user is to get are free, and plans what is written."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Protocol

from clients.skolon.server.capabilities import SearchMethod
from schemas.dead_letter_reasons import Reason
from schemas.details.detail import Detail
from schemas.details.kinds import DetailKind
from schemas.errors import NotYetError
from schemas.outcomes import Outcome, Stage
from schemas.runs.collision import Collision
from schemas.runs.sync_result import SyncResult, Unwritten
from schemas.users.attributes import MATCH_KEYS, Attribute, keys_match
from workers.pipeline.accounts import is_object_id
from workers.rules.uniqueness import (
    UNIQUE_ATTRIBUTES,
    Availability,
    Holder,
    availability,
    is_temporary,
    others_with,
    temporary_value,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from clients.skolon.interface import SkolonClient
    from schemas.users.skolon_user import SkolonUser
    from workers.pipeline.accounts import Account
    from workers.pipeline.peers import Peers

#: Users of a ring that are followed at most. A longer one is broken in several places.
_LONGEST_RING: Final = 20


class Owners(Protocol):
    """Tells for which Entra users Skolon users are kept."""

    def owner(self, user: SkolonUser) -> Account | None:
        """Return the Entra account of a Skolon user and what that one is to get, or None."""


@dataclass(frozen=True, kw_only=True)
class WritePlan:
    """What is written of a user's changes now; `awaited` follows later, and `taken` does not."""

    changes: dict[Attribute, str | None]
    awaited: frozenset[Attribute] = frozenset()
    taken: Mapping[Attribute, Unwritten] = field(default_factory=dict)


class UniqueValues:
    """Plans the changes of one Entra user."""

    def __init__(
        self, user_id: str, *, organisation: str, skolon: SkolonClient, accounts: Owners, peers: Peers
    ) -> None:
        self._user_id = user_id
        self._organisation = organisation
        self._skolon = skolon
        self._accounts = accounts
        self._peers = peers

    def plan(  # noqa: PLR0913 - what decides
        self,
        user: SkolonUser,
        changes: Mapping[Attribute, str | None],
        *,
        searched: Mapping[Attribute, str],
        found: Sequence[SkolonUser],
        unique: Collection[Attribute] = UNIQUE_ATTRIBUTES,
        temporary: Collection[Attribute] = (),
    ) -> WritePlan:
        """Return what may be written of the changes.

        `found` are the users that a search for the `searched` values has found: only values that it did not
        look for are searched. The `temporary` attributes get their values from before, unless another
        value replaces their temporary ones.
        """
        wanted = {name: value for name, value in changes.items() if name in unique and value is not None}
        more = {
            name: value for name, value in wanted.items() if name not in searched and self._may_search(name)
        }
        users = [*found, *(self._skolon.search(self._organisation, more) if more else ())]
        planned, awaited, taken = dict(changes), set[Attribute](), dict[Attribute, Unwritten]()
        for attribute, value in wanted.items():
            for other in others_with(users, attribute, value, but=user.id):
                found_out, holder = self._availability(user, attribute, value, other)
                if found_out is Availability.TAKEN:
                    taken[attribute] = _taken(attribute, holder)
                elif found_out is not Availability.FREE and self._peers.waits:
                    awaited.add(attribute)
                    if found_out is Availability.TEMPORARY:
                        planned[attribute] = temporary_value(self._user_id, user.attributes.get(attribute))
                        continue
                else:
                    continue
                planned.pop(attribute, None)
        for attribute in sorted(taken.keys() | (set(temporary) - planned.keys() - awaited)):
            self._restore(user, attribute, planned, taken)
        return WritePlan(changes=planned, awaited=frozenset(awaited) - taken.keys(), taken=taken)

    def settle(self, user: SkolonUser, plan: WritePlan, result: SyncResult) -> SyncResult:
        """Return the result of writing a plan, with what is taken.

        Skolon may have refused a value as another user's that no search had found. Raises `NotYetError` if a
        value is awaited: then the user is tried again.
        """
        if result.outcome is Outcome.SUPERSEDED:
            return result
        refused: dict[Attribute, str | None] = {
            name: plan.changes[name]
            for name, each in result.unwritten.items()
            if each.reason is Reason.VALUE_TAKEN and name in MATCH_KEYS
        }
        late = self.plan(user, refused, searched={}, found=(), unique=refused)
        awaited = (plan.awaited - result.unwritten.keys()) | late.awaited
        if awaited:
            raise NotYetError(
                Detail(DetailKind.VALUE_GIVEN_UP_FIRST, attributes=tuple(sorted(awaited))),
                retry_after=self._peers.retry_after(),
            )
        return replace(result, unwritten={**result.unwritten, **late.taken, **plan.taken})

    def _availability(
        self, user: SkolonUser, attribute: Attribute, value: str, other: SkolonUser
    ) -> tuple[Availability, Holder]:
        holders, is_ring = self._follow(user, attribute, value, other)
        found_out = availability(
            attribute, value, user_id=self._user_id.lower(), holders=holders, is_ring=is_ring
        )
        if found_out is not Availability.TAKEN:
            return found_out, holders[0]
        if not is_object_id(other.attributes.get(Attribute.EXTERNAL_ID)) and self._peers.may_name_account():
            return Availability.AWAITED, holders[0]
        # It may have given the value up since the search.
        current = self._skolon.read(self._organisation, other.id)
        if current is None or not others_with([current], attribute, value, but=user.id):
            return Availability.FREE, holders[0]
        return Availability.TAKEN, holders[0]

    def _may_search(self, attribute: Attribute) -> bool:
        """Say no where a search would have a personal number in a URL (promise P6)."""
        if attribute is not Attribute.SSN:
            return True
        return self._skolon.capabilities(self._organisation).method is SearchMethod.POST

    def _follow(
        self, user: SkolonUser, attribute: Attribute, value: str, other: SkolonUser
    ) -> tuple[list[Holder], bool]:
        """Return who has the value, who has the value that this one is to get, and so on.

        The second answer says whether the last of them is to get what `user` has, or may be. It is followed
        only as far as this Entra user may be the one to make way.
        """
        held = user.attributes.get(attribute)
        holders = [self._holder(attribute, other)]
        while len(holders) <= _LONGEST_RING:
            last = holders[-1]
            if not last.gives_up(attribute, value) or (last.account or "") < self._user_id.lower():
                break
            value = last.wanted or ""
            if held is not None and keys_match(attribute, held, value):
                return holders, True
            if not self._may_search(attribute):
                break
            found = self._skolon.search(self._organisation, {attribute: value})
            following = others_with(found, attribute, value, but=last.skolon_id)
            if not following or following[0].id in {each.skolon_id for each in holders}:
                break
            holders.append(self._holder(attribute, following[0]))
        else:
            # Too many to follow, and none of them makes way: this one does, once.
            return holders, held is not None and not is_temporary(attribute, self._user_id, held)
        return holders, False

    def _holder(self, attribute: Attribute, other: SkolonUser) -> Holder:
        account = self._accounts.owner(other)
        if account is None:
            return Holder(skolon_id=other.id)
        return Holder(
            skolon_id=other.id,
            account=account.id.lower(),
            wanted=account.mapped.get(attribute),
            is_expected=self._peers.is_expected(account.id),
        )

    def _restore(
        self,
        user: SkolonUser,
        attribute: Attribute,
        planned: dict[Attribute, str | None],
        taken: dict[Attribute, Unwritten],
    ) -> None:
        """Plan the value from before, if the user has a temporary value and cannot get the right one.

        Any run may have written the temporary value, and ended before it replaced it. What has no value to go
        back to is `taken`, which says so.
        """
        if not is_temporary(attribute, self._user_id, user.attributes.get(attribute)):
            return
        images = (image.get(attribute) for image in self._peers.before_images(user.id))
        before = next(
            (
                each
                for each in images
                if each is not None and not is_temporary(attribute, self._user_id, each)
            ),
            None,
        )
        if before is not None:
            found = self._skolon.search(self._organisation, {attribute: before})
            others = others_with(found, attribute, before, but=user.id)
            if not others:
                planned[attribute] = before
                return
            if attribute not in taken:
                taken[attribute] = _taken(attribute, self._holder(attribute, others[0]))
        if attribute in taken:
            fault = Detail(DetailKind.TEMPORARY_VALUE_KEPT, fault=taken[attribute].fault, skolon_user=user.id)
            taken[attribute] = replace(taken[attribute], fault=fault)


def _taken(attribute: Attribute, holder: Holder) -> Unwritten:
    fault = (
        Detail(DetailKind.VALUE_TAKEN_FOR_GOOD, attribute=attribute, skolon_user=holder.skolon_id)
        if holder.account is None
        else Detail(
            DetailKind.VALUE_TAKEN, attribute=attribute, skolon_user=holder.skolon_id, holder=holder.account
        )
    )
    return Unwritten(
        reason=Reason.VALUE_TAKEN,
        stage=Stage.UPDATE,
        fault=fault,
        collision=Collision(skolon_id=holder.skolon_id, holder_entra_id=holder.account, attribute=attribute),
    )
