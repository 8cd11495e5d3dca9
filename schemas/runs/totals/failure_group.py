"""Users of a run that failed for the same reason, by the attributes that were not written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from schemas.users.attributes import ATTRIBUTE_TABLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.dead_letter_reasons import Reason
    from schemas.users.attributes import Attribute


@dataclass(frozen=True, kw_only=True)
class FailureGroup:
    """So many `users` are dead letters for a reason; `attributes` were not written, if it is about any."""

    reason: Reason
    attributes: tuple[Attribute, ...]
    users: int

    @property
    def label(self) -> str:
        """The reason and the names of the attributes, such as `invalid_user (EPPN)`."""
        titles = ", ".join(ATTRIBUTE_TABLE[attribute].title for attribute in self.attributes)
        return f"{self.reason} ({titles})" if titles else str(self.reason)

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object."""
        return {
            "reason": str(self.reason),
            "attributes": [str(attribute) for attribute in self.attributes],
            "users": self.users,
        }


def most_frequent(groups: Sequence[FailureGroup]) -> str | None:
    """Return in words for what most of the users failed; None without groups."""
    if not groups:
        return None
    first = max(groups, key=lambda group: group.users)
    return f"most often {first.label}: {first.users} of {sum(group.users for group in groups)} failures"
