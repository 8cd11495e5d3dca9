"""How a preview's settings map users, beside the saved settings: which source, and what it gains or loses.

No value is in it, so it may be kept, counted and shown (promise P6).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from schemas.users.attributes import ATTRIBUTE_TABLE, Attribute

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: The share of users above which a lost value is no matter of single users.
_MOST: Final = 0.5

#: Stands for an attribute without a value, in a text of many users' comparisons.
_NO_SOURCE: Final = "-"


class MappingEffect(StrEnum):
    """What the preview's settings make of an attribute's value, compared with the saved settings."""

    SAME = "same"
    GAINED = "gained"
    CHANGED = "changed"
    LOST = "lost"


@dataclass(frozen=True, kw_only=True)
class MappedAttribute:
    """Where one user's value comes from (None: there is none), and how that differs from the saved settings.

    `is_valid` is False if the value breaks a rule; `is_written` says whether the run would write it.
    """

    source: str | None
    effect: MappingEffect
    is_valid: bool
    is_written: bool


def format_mapping(mapped: Mapping[Attribute, MappedAttribute]) -> str:
    """Return one user's comparison as a text, equal for equal ones."""
    return " ".join(
        f"{name}:{each.source or _NO_SOURCE}:{each.effect}:{each.is_valid:d}{each.is_written:d}"
        for name, each in sorted(mapped.items())
    )


def parse_mapping(text: str) -> dict[Attribute, MappedAttribute]:
    """Return the comparison that `format_mapping` has written."""
    mapped = {}
    for word in text.split():
        name, source, effect, flags = word.split(":")
        mapped[Attribute(name)] = MappedAttribute(
            source=None if source == _NO_SOURCE else source,
            effect=MappingEffect(effect),
            is_valid=flags[0] == "1",
            is_written=flags[1] == "1",
        )
    return mapped


@dataclass(kw_only=True)
class AttributeMapping:
    """The same for all users in scope, as numbers of users.

    Of the values that would be written, `due_to_settings` are there because of the preview's settings;
    `anyway` would be written with the saved ones too.
    """

    users: int = 0
    sources: Counter[str] = field(default_factory=Counter)
    no_value: int = 0
    invalid: int = 0
    effects: Counter[MappingEffect] = field(default_factory=Counter)
    due_to_settings: int = 0
    anyway: int = 0

    @property
    def is_lost(self) -> bool:
        """Whether no user has a value any more, and the saved settings give some users one."""
        return bool(self.users) and self.no_value == self.users and bool(self.effects[MappingEffect.LOST])

    @property
    def is_mostly_lost(self) -> bool:
        """Whether most users lose the value that the saved settings give them, or no user keeps one."""
        return self.is_lost or self.effects[MappingEffect.LOST] > self.users * _MOST

    def add(self, mapped: MappedAttribute, users: int) -> None:
        """Count so many users."""
        self.users += users
        self.effects[mapped.effect] += users
        if mapped.source is None:
            self.no_value += users
        else:
            self.sources[mapped.source] += users
        self.invalid += 0 if mapped.is_valid else users
        if mapped.is_written and mapped.effect is MappingEffect.SAME:
            self.anyway += users
        elif mapped.is_written:
            self.due_to_settings += users

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object."""
        return {
            "users": self.users,
            "sources": dict(self.sources.most_common()),
            "no_value": self.no_value,
            "invalid": self.invalid,
            **{str(effect): self.effects[effect] for effect in MappingEffect},
            "due_to_settings": self.due_to_settings,
            "anyway": self.anyway,
        }


def sum_mappings(groups: Iterable[tuple[str, int]]) -> dict[Attribute, AttributeMapping]:
    """Return the sums of groups of users with equal comparisons, in the table's order."""
    sums: dict[Attribute, AttributeMapping] = {}
    for text, users in groups:
        for name, mapped in parse_mapping(text).items():
            sums.setdefault(name, AttributeMapping()).add(mapped, users)
    return {name: sums[name] for name in ATTRIBUTE_TABLE if name in sums}


def lost_attribute(attribute: Attribute, mapping: AttributeMapping) -> str:
    """Return in words that an attribute would no longer be synced, or not for most users."""
    title = ATTRIBUTE_TABLE[attribute].title
    if mapping.is_lost:
        return (
            f"{title}: no value for {mapping.no_value} of {mapping.users} users; it would no longer be synced"
        )
    lost = mapping.effects[MappingEffect.LOST]
    return (
        f"{title}: {lost} of {mapping.users} users would lose their value; for them it would no longer be "
        "synced"
    )
