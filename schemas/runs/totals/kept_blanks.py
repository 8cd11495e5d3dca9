"""Attributes without a value in Entra whose value in Skolon stays: of one user, and of a run's users."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from schemas.details.detail import Detail, joined
from schemas.details.kinds import DetailKind
from schemas.users.attributes import ATTRIBUTE_TABLE, Attribute

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

#: A value that is missing for a larger share of users is no matter of single users, nor in so few users.
_MOST: Final = 0.5
_FEW: Final = 5


def format_kept_blanks(attributes: Collection[Attribute] | None) -> str | None:
    """Return one user's attributes as a text, equal for equal ones; None if nothing was compared."""
    return None if attributes is None else " ".join(sorted(attributes))


def parse_kept_blanks(text: str | None) -> tuple[Attribute, ...] | None:
    """Return what `format_kept_blanks` has written."""
    return None if text is None else tuple(Attribute(name) for name in text.split())


@dataclass(frozen=True, kw_only=True)
class KeptBlanks:
    """How many of a run's `users` that were compared lack a value of which attribute."""

    users: int = 0
    attributes: Counter[Attribute] = field(default_factory=Counter)

    @property
    def widespread(self) -> dict[Attribute, int]:
        """The attributes that most users lack, with how many, in the table's order."""
        return {
            name: self.attributes[name]
            for name in ATTRIBUTE_TABLE
            if self.attributes[name] >= _FEW and self.attributes[name] > self.users * _MOST
        }

    @property
    def detail(self) -> Detail | None:
        """What most users lack, in words; None if there is no such attribute."""
        details = [
            Detail(DetailKind.NO_VALUES, attributes=(name,), users=users, all=self.users)
            for name, users in self.widespread.items()
        ]
        return joined(details) if details else None


def sum_kept_blanks(groups: Iterable[tuple[str, int]]) -> KeptBlanks:
    """Return the sums of groups of users with equal texts."""
    users, attributes = 0, Counter[Attribute]()
    for text, count in groups:
        users += count
        attributes.update(dict.fromkeys(parse_kept_blanks(text) or (), count))
    return KeptBlanks(users=users, attributes=attributes)
