"""How attributes of users change, and how many users that is; the guard counts by it.

No value is in it, so it may be kept, counted and shown (promise P6).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from schemas.users.attributes import Attribute

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: Who has the wrong one is locked out, so their limit is a stricter one.
IDENTITY_ATTRIBUTES = frozenset(
    {
        Attribute.USER_NAME,
        Attribute.EPPN,
        Attribute.IDP_IDENTIFIER,
        Attribute.SSN,
        Attribute.EXTERNAL_ID,
    }
)


class ChangeKind(StrEnum):
    """What a change does to an attribute in Skolon."""

    FILLED = "filled"
    CHANGED = "changed"
    ERASED = "erased"


def change_kind(old: str | None, new: str | None) -> ChangeKind:
    """Return what becoming `new` does to an attribute that was `old`."""
    if old is None:
        return ChangeKind.FILLED
    return ChangeKind.ERASED if new is None else ChangeKind.CHANGED


def change_kinds(
    old_values: Mapping[Attribute, str | None], new_values: Mapping[Attribute, str | None]
) -> dict[Attribute, ChangeKind]:
    """Return how each attribute of `old_values` changes; one without a new value is taken for changed."""
    return {
        attribute: change_kind(old, new_values.get(attribute, old)) for attribute, old in old_values.items()
    }


def format_changes(kinds: Mapping[Attribute, ChangeKind]) -> str | None:
    """Return one person's changes as a text that is the same for the same changes, None for none."""
    return " ".join(f"{attribute}:{kind}" for attribute, kind in sorted(kinds.items())) or None


def parse_changes(text: str | None) -> dict[Attribute, ChangeKind]:
    """Return the changes that `format_changes` has written."""
    pairs = (word.split(":") for word in (text or "").split())
    return {Attribute(attribute): ChangeKind(kind) for attribute, kind in pairs}


def changes_identity(kinds: Mapping[Attribute, ChangeKind]) -> bool:
    """Say whether a person's identity changes; filling a blank one locks nobody out."""
    return any(
        kind is not ChangeKind.FILLED and attribute in IDENTITY_ATTRIBUTES
        for attribute, kind in kinds.items()
    )


@dataclass(frozen=True, kw_only=True)
class ChangeCounts:
    """How many people change, how many of them in their identity, and how many in each attribute."""

    users: int = 0
    identity: int = 0
    attributes: Mapping[Attribute, Mapping[ChangeKind, int]] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the attributes that change, in the table's order, each with all three counts."""
        return {
            str(attribute): {
                **{str(kind): self.attributes[attribute].get(kind, 0) for kind in ChangeKind},
                "identity": attribute in IDENTITY_ATTRIBUTES,
            }
            for attribute in Attribute
            if attribute in self.attributes
        }


def count_changes(groups: Iterable[tuple[Mapping[Attribute, ChangeKind], int]]) -> ChangeCounts:
    """Return the sums of groups of people who change in the same way."""
    people = identity = 0
    attributes: dict[Attribute, dict[ChangeKind, int]] = {}
    for kinds, count in groups:
        people += count
        identity += count if changes_identity(kinds) else 0
        for attribute, kind in kinds.items():
            of_attribute = attributes.setdefault(attribute, {})
            of_attribute[kind] = of_attribute.get(kind, 0) + count
    return ChangeCounts(users=people, identity=identity, attributes=attributes)


@dataclass(frozen=True, kw_only=True)
class GuardCounts:
    """How many people of a run; `identity_changed` are among the `changed`."""

    changed: int = 0
    identity_changed: int = 0
    not_found: int = 0

    def __add__(self, more: GuardCounts) -> GuardCounts:
        """Return how many people they are together."""
        return GuardCounts(
            changed=self.changed + more.changed,
            identity_changed=self.identity_changed + more.identity_changed,
            not_found=self.not_found + more.not_found,
        )

    def as_json(self) -> dict[str, int]:
        """Return the counts by the names of the tenant's limits."""
        return {
            "changed": self.changed,
            "identity_changed": self.identity_changed,
            "not_found": self.not_found,
        }


ONE_NOT_FOUND = GuardCounts(not_found=1)


def guard_counts(old_values: Mapping[Attribute, str | None]) -> GuardCounts:
    """Return what changing one person counts as; `old_values` are of the attributes that change.

    Filling a blank identity attribute locks nobody out.
    """
    identity = any(
        value is not None and attribute in IDENTITY_ATTRIBUTES for attribute, value in old_values.items()
    )
    return GuardCounts(changed=1, identity_changed=int(identity))
