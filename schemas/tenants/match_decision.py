"""Decisions of administrators about matches: this Entra user is that Skolon user, or one is left alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self

from schemas.details.detail import structured_json
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


@dataclass(frozen=True, kw_only=True)
class FailedUndo:
    """An undo that could not restore all that a run wrote for an Entra user: this user waits for a person.

    `run` is the run that was to be undone, `undo_run` the last undo of it that failed, at `failed_at`
    (aware). `detail` is what that one said; it is None where only the tenant's record is loaded.
    """

    entra_id: str
    skolon_id: str | None
    run: int
    undo_run: int
    failed_at: dt.datetime
    detail: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object."""
        return {
            "user": self.entra_id,
            "skolon_user": self.skolon_id,
            "run": str(self.run),
            "undo_run": str(self.undo_run),
            "since": timestamp(self.failed_at),
            "detail": self.detail,
            "structured_detail": structured_json(self.detail),
        }


def _none() -> Mapping[str, Any]:
    return MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class MatchDecisions:
    """The decisions of one tenant, by the users that they are about, and undos that wait for one."""

    by_entra_id: Mapping[str, MatchDecision] = field(default_factory=_none)
    by_skolon_id: Mapping[str, MatchDecision] = field(default_factory=_none)
    failed_undos: Mapping[str, FailedUndo] = field(default_factory=_none)

    @classmethod
    def of(cls, decisions: Iterable[MatchDecision], failed_undos: Iterable[FailedUndo] = ()) -> Self:
        """Return decisions, of which at most one is about each user."""
        every = tuple(decisions)
        return cls(
            by_entra_id={each.entra_id.lower(): each for each in every if each.entra_id is not None},
            by_skolon_id={each.skolon_id: each for each in every if each.skolon_id is not None},
            failed_undos={each.entra_id.lower(): each for each in failed_undos},
        )

    def with_decision(self, decision: MatchDecision) -> MatchDecisions:
        """Return the decisions with one more, about users of which there is none."""
        left = self.without(decision.entra_id, decision.skolon_id)
        return MatchDecisions.of([*left.every, decision], left.failed_undos.values())

    def without(self, entra_id: str | None, skolon_id: str | None) -> MatchDecisions:
        """Return the decisions but for those about one of two users, and for undos that failed for them."""
        users = {(entra_id or "").lower(), skolon_id or ""} - {""}
        return MatchDecisions.of(
            [each for each in self.every if users.isdisjoint({each.entra_id, each.skolon_id})],
            [
                each
                for each in self.failed_undos.values()
                if users.isdisjoint({each.entra_id, each.skolon_id})
            ],
        )

    @property
    def every(self) -> list[MatchDecision]:
        """All decisions."""
        both = (*self.by_entra_id.values(), *self.by_skolon_id.values())
        return list({id(each): each for each in both}.values())

    def failed_undo(self, entra_id: str) -> FailedUndo | None:
        """Return the undo that failed for an Entra user and waits for a person, None if there is none."""
        return self.failed_undos.get(entra_id.lower())

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
