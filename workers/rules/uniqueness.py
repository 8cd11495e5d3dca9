"""Decides whether a value that belongs to one Skolon user at most may be written: pure decisions.

A value may be on its way from one user to another: an address that a leaver hands over, or two user names
that are swapped. Then the holder goes first, and a ring of holders needs a temporary value.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from schemas.users.attributes import Attribute, keys_match, values_match

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from schemas.users.skolon_user import SkolonUser

#: Attributes whose values belong to one user at most. Siblings may share an e-mail address.
UNIQUE_ATTRIBUTES: Final = frozenset(
    {
        Attribute.USER_NAME,
        Attribute.EPPN,
        Attribute.IDP_IDENTIFIER,
        Attribute.SSN,
        Attribute.EXTERNAL_ID,
    }
)

#: Those that may hold a temporary value for a moment.
_EXCHANGEABLE: Final = UNIQUE_ATTRIBUTES - {Attribute.SSN, Attribute.EXTERNAL_ID}


class Availability(StrEnum):
    """Whether a value may be written."""

    FREE = "free"
    #: A user of the run has it and gives it up: that one goes first.
    AWAITED = "awaited"
    #: Each user of a ring waits for the next one: this one makes way with a temporary value.
    TEMPORARY = "temporary"
    TAKEN = "taken"


@dataclass(frozen=True, kw_only=True)
class Holder:
    """A Skolon user that has a value, and what becomes of the value.

    `account` is the Entra user that the sync keeps it for, and `wanted` what that one is mapped to, None if
    it stays as it is. `is_expected` says that this account comes to an outcome in the same run.
    """

    skolon_id: str
    account: str | None = None
    wanted: str | None = None
    is_expected: bool = False

    def gives_up(self, attribute: Attribute, value: str) -> bool:
        """Say whether the run takes the value from it."""
        return (
            self.account is not None
            and self.is_expected
            and self.wanted is not None
            and not keys_match(attribute, self.wanted, value)
        )


def availability(
    attribute: Attribute, value: str, *, user_id: str, holders: Sequence[Holder], is_ring: bool
) -> Availability:
    """Say whether an Entra user's value may be written.

    The first of the `holders` has the value, and each other one the value that the one before is to get.
    `is_ring` says that the last one is to get the value that the user itself has. Of a ring the account with
    the smallest id makes way.
    """
    if not holders:
        return Availability.FREE
    if not holders[0].gives_up(attribute, value):
        return Availability.TAKEN
    if not is_ring or any((each.account or "") < user_id for each in holders):
        return Availability.AWAITED
    return Availability.TEMPORARY if attribute in _EXCHANGEABLE else Availability.TAKEN


def temporary_value(user_id: str, held: str | None) -> str:
    """Return a value that no other user has: the Entra id, in the domain of the value that it replaces."""
    _, at, domain = (held or "").partition("@")
    return f"{user_id}{at}{domain}"


def is_temporary(attribute: Attribute, user_id: str, held: str | None) -> bool:
    """Say whether what an Entra user's Skolon user has is a temporary value, whichever run wrote it."""
    return (
        attribute in _EXCHANGEABLE
        and held is not None
        and keys_match(attribute, held, temporary_value(user_id, held))
    )


def temporary_attributes(
    user_id: str, user: SkolonUser, mapped: Mapping[Attribute, str | None]
) -> frozenset[Attribute]:
    """Return the attributes that have a temporary value, apart from those that are mapped to it."""
    return frozenset(
        attribute
        for attribute in _EXCHANGEABLE
        if is_temporary(attribute, user_id, held := user.attributes.get(attribute))
        and not values_match(attribute, held, mapped.get(attribute))
    )


def others_with(
    users: Iterable[SkolonUser], attribute: Attribute, value: str, *, but: str
) -> tuple[SkolonUser, ...]:
    """Return the users that have a value, apart from the one with the id `but`, in the order of their ids."""
    found = {
        user.id: user
        for user in users
        if user.id != but
        and (held := user.attributes.get(attribute)) is not None
        and keys_match(attribute, held, value)
    }
    return tuple(found[user_id] for user_id in sorted(found))
