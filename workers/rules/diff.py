"""Compares the values in Skolon with those that it should have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.users.attributes import Attribute, values_match

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from schemas.users.skolon_user import SkolonUser


def difference(
    user: SkolonUser, mapped: Mapping[Attribute, str | None], erase_blank: Collection[Attribute]
) -> dict[Attribute, str | None]:
    """Return the attributes to write with their new values; None empties an attribute.

    A blank value in Entra leaves the value in Skolon, unless `erase_blank` names the attribute (promise P5).
    What Skolon's server does not have is not written.
    """
    return {
        attribute: value
        for attribute, value in mapped.items()
        if attribute not in user.absent
        and not values_match(attribute, user.attributes.get(attribute), value)
        and (value is not None or attribute in erase_blank)
    }


def kept_blanks(
    user: SkolonUser, mapped: Mapping[Attribute, str | None], erase_blank: Collection[Attribute]
) -> tuple[Attribute, ...]:
    """Return the attributes that are blank in Entra and stay as they are in Skolon."""
    return tuple(
        attribute
        for attribute, value in mapped.items()
        if value is None and user.attributes.get(attribute) is not None and attribute not in erase_blank
    )
