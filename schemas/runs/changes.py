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

#: A wrong value locks the user out, so the guard has a stricter limit for these.
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


_REVERTED = {
    ChangeKind.FILLED: ChangeKind.ERASED,
    ChangeKind.CHANGED: ChangeKind.CHANGED,
    ChangeKind.ERASED: ChangeKind.FILLED,
}


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
    """Return one user's changes as a text, equal for equal changes; None for none."""
    return " ".join(f"{attribute}:{kind}" for attribute, kind in sorted(kinds.items())) or None


def parse_changes(text: str | None) -> dict[Attribute, ChangeKind]:
    """Return the changes that `format_changes` has written."""
    pairs = (word.split(":") for word in (text or "").split())
    return {Attribute(attribute): ChangeKind(kind) for attribute, kind in pairs}


def reverted_kinds(kinds: Mapping[Attribute, ChangeKind]) -> dict[Attribute, ChangeKind]:
    """Return what an undo of changes does to each attribute: it empties what was filled, and fills again."""
    return {attribute: _REVERTED[kind] for attribute, kind in kinds.items()}


def changes_identity(kinds: Mapping[Attribute, ChangeKind]) -> bool:
    """Say whether a user's identity changes; filling a blank attribute locks no user out."""
    return any(
        kind is not ChangeKind.FILLED and attribute in IDENTITY_ATTRIBUTES
        for attribute, kind in kinds.items()
    )


@dataclass(frozen=True, kw_only=True)
class ChangeCounts:
    """How many users change, how many of them in their identity, and how many in each attribute."""

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
    """Return the totals of groups of users that change in the same way."""
    users = identity = 0
    attributes: dict[Attribute, dict[ChangeKind, int]] = {}
    for kinds, count in groups:
        users += count
        identity += count if changes_identity(kinds) else 0
        for attribute, kind in kinds.items():
            of_attribute = attributes.setdefault(attribute, {})
            of_attribute[kind] = of_attribute.get(kind, 0) + count
    return ChangeCounts(users=users, identity=identity, attributes=attributes)


@dataclass(frozen=True, kw_only=True)
class GuardCounts:
    """How many users of a run count against the guard; `identity_changed` are among the `changed`."""

    changed: int = 0
    identity_changed: int = 0
    not_found: int = 0
    failed: int = 0
    left_scope: int = 0

    def __add__(self, more: GuardCounts) -> GuardCounts:
        """Return the sums of both."""
        return GuardCounts(
            changed=self.changed + more.changed,
            identity_changed=self.identity_changed + more.identity_changed,
            not_found=self.not_found + more.not_found,
            failed=self.failed + more.failed,
            left_scope=self.left_scope + more.left_scope,
        )

    def __sub__(self, fewer: GuardCounts) -> GuardCounts:
        """Return the differences of both."""
        return GuardCounts(
            changed=self.changed - fewer.changed,
            identity_changed=self.identity_changed - fewer.identity_changed,
            not_found=self.not_found - fewer.not_found,
            failed=self.failed - fewer.failed,
            left_scope=self.left_scope - fewer.left_scope,
        )

    def as_json(self) -> dict[str, int]:
        """Return the counts by the names of the tenant's limits."""
        return {
            "changed": self.changed,
            "identity_changed": self.identity_changed,
            "not_found": self.not_found,
            "failed": self.failed,
            "left_scope": self.left_scope,
        }


ONE_NOT_FOUND = GuardCounts(not_found=1)
ONE_FAILED = GuardCounts(failed=1)
ONE_LEFT_SCOPE = GuardCounts(left_scope=1)


def guard_counts(old_values: Mapping[Attribute, str | None]) -> GuardCounts:
    """Return what changing one user counts as; `old_values` are those of the attributes that change.

    Filling a blank identity attribute locks no user out.
    """
    identity = any(
        value is not None and attribute in IDENTITY_ATTRIBUTES for attribute, value in old_values.items()
    )
    return GuardCounts(changed=1, identity_changed=int(identity))
