"""Users of a run that were synced before and that the scope now leaves out, by the rule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from schemas.details.detail import Detail, structured_json
from schemas.details.kinds import DetailKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, kw_only=True)
class ScopeExits:
    """So many `users` are left out by a rule; `rule` is a text for people: its setting and what it found."""

    rule: str
    users: int

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object."""
        return {"rule": self.rule, "structured_rule": structured_json(self.rule), "users": self.users}


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """How many users of `run` were out of scope, by the reason that their results tell."""

    run: int
    users: Mapping[str, int]


def most_frequent_rule(exits: Sequence[ScopeExits]) -> Detail | None:
    """Return in words which rule leaves out most of the users; None without any."""
    if not exits:
        return None
    first = max(exits, key=lambda each: each.users)
    return Detail(
        DetailKind.MOST_FREQUENT_RULE,
        rule=first.rule,
        users=first.users,
        all=sum(each.users for each in exits),
    )
