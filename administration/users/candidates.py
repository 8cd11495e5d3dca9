"""What the steps of a user's dry run found: the user's values, and the Skolon users that may be this user."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.users.attributes import Attribute
from workers.pipeline import steps
from workers.rules.mapping import mapped_values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.users.skolon_user import SkolonUser
    from workers.rules.mapping import Mapped


def values_in(taken: Sequence[steps.Step]) -> Mapped:
    """Return what the Entra user is mapped to, before validation; the birth date if it was read."""
    mapped: Mapped = {}
    for step in taken:
        if isinstance(step, steps.MapStep):
            mapped = mapped_values(step.sources)
        elif isinstance(step, steps.BirthDateStep) and step.birthday.problem is None:
            mapped[Attribute.BIRTH_DATE] = step.birthday.value
    return mapped


def candidates_in(taken: Sequence[steps.Step]) -> dict[str, tuple[SkolonUser, tuple[Attribute, ...]]]:
    """Return the Skolon users that were found, by id, each with the keys that found it.

    A linked one may have been found by none.
    """
    found: dict[str, tuple[SkolonUser, tuple[Attribute, ...]]] = {}
    for step in taken:
        if isinstance(step, steps.SearchStep):
            for of_key in step.key_matches:
                for user in of_key.users:
                    found[user.id] = user, (*found.get(user.id, (user, ()))[1], of_key.key)
        elif isinstance(step, steps.MatchStep) and step.match is not None:
            found.setdefault(step.match.user.id, (step.match.user, ()))
    return found
