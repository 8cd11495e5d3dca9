"""What the guard counts in a run: how many people it has changed or not found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from schemas.users.attributes import Attribute

if TYPE_CHECKING:
    from collections.abc import Mapping

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
