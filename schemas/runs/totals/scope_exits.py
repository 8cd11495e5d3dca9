"""Users of a run that were synced before and that the scope now leaves out, by the rule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, kw_only=True)
class ScopeExits:
    """So many `users` are left out by a rule; `rule` is a text for people: its setting and what it found."""

    rule: str
    users: int

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object."""
        return {"rule": self.rule, "users": self.users}


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """How many users of `run` were out of scope, by the reason that their results tell."""

    run: int
    users: Mapping[str, int]


def most_frequent_rule(exits: Sequence[ScopeExits]) -> str | None:
    """Return in words which rule leaves out most of the users; None without any."""
    if not exits:
        return None
    first = max(exits, key=lambda each: each.users)
    return f"most often {first.rule}: {first.users} of {sum(each.users for each in exits)}"
