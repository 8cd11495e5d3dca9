"""Users of a run that failed for the same reason, by the attributes that were not written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from schemas.details.detail import Detail
from schemas.details.kinds import DetailKind

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

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object."""
        return {
            "reason": str(self.reason),
            "attributes": [str(attribute) for attribute in self.attributes],
            "users": self.users,
        }


def most_frequent(groups: Sequence[FailureGroup]) -> Detail | None:
    """Return in words for what most of the users failed; None without groups."""
    if not groups:
        return None
    first = max(groups, key=lambda group: group.users)
    counts: dict[str, str | int] = {
        "reason": first.reason,
        "users": first.users,
        "all": sum(group.users for group in groups),
    }
    if not first.attributes:
        return Detail(DetailKind.MOST_FREQUENT_FAILURE, **counts)
    return Detail(DetailKind.MOST_FREQUENT_FAILURE_OF, attributes=first.attributes, **counts)
