"""Decisions of administrators about matches: this Entra user is that Skolon user, or one is left alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self

from schemas.timestamps import timestamp

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping


class DecisionKind(StrEnum):
    """What is decided."""

    #: The Entra user is the Skolon user.
    LINK = "link"
    #: The Entra user, or the Skolon user, is left alone.
    IGNORE = "ignore"


@dataclass(frozen=True, kw_only=True)
class MatchDecision:
    """One decision. A link has both ids; an ignored user has the one that is ignored.

    `operator` is the machine's name of the user who gave the command, None if it has none. `affected` are the
    Entra users whose match it was about when it was made.
    """

    kind: DecisionKind
    entra_id: str | None
    skolon_id: str | None
    operator: str | None
    decided_at: dt.datetime
    affected: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object."""
        return {
            "decision": str(self.kind),
            "user": self.entra_id,
            "skolon_user": self.skolon_id,
            "operator": self.operator,
            "decided": timestamp(self.decided_at),
            "affected": list(self.affected),
        }


def _none() -> Mapping[str, MatchDecision]:
    return MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class MatchDecisions:
    """The decisions of one tenant, by the users that they are about."""

    by_entra_id: Mapping[str, MatchDecision] = field(default_factory=_none)
    by_skolon_id: Mapping[str, MatchDecision] = field(default_factory=_none)

    @classmethod
    def of(cls, decisions: Iterable[MatchDecision]) -> Self:
        """Return decisions, of which at most one is about each user."""
        every = tuple(decisions)
        return cls(
            by_entra_id={each.entra_id.lower(): each for each in every if each.entra_id is not None},
            by_skolon_id={each.skolon_id: each for each in every if each.skolon_id is not None},
        )

    def linked_skolon_id(self, entra_id: str) -> str | None:
        """Return the Skolon user that an Entra user is, None if that is not decided."""
        decision = self.by_entra_id.get(entra_id.lower())
        return None if decision is None else decision.skolon_id

    def ignores(self, entra_id: str) -> bool:
        """Say whether an Entra user is left alone."""
        decision = self.by_entra_id.get(entra_id.lower())
        return decision is not None and decision.kind is DecisionKind.IGNORE

    def excludes(self, skolon_id: str, entra_id: str) -> bool:
        """Say whether a Skolon user is left alone, or is another Entra user than this one."""
        decision = self.by_skolon_id.get(skolon_id)
        return decision is not None and (decision.entra_id or "").lower() != entra_id.lower()
