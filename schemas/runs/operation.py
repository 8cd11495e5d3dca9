"""Operations as they are stored: on many dead letters, and decisions about matches."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from schemas.details.detail import structured_json
from schemas.timestamps import timestamp

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from schemas.dead_letter_reasons import Reason
    from schemas.outcomes import Outcome


class OperationKind(StrEnum):
    """What is done: with dead letters, or with a match."""

    REPLAY = "replay"
    DISCARD = "discard"
    #: By a producer itself: newer runs have settled the users.
    CLEANUP = "cleanup"
    #: Decisions about matches.
    LINK = "link"
    IGNORE = "ignore"
    FORGET = "forget"


class OperationStatus(StrEnum):
    """How far an operation has come."""

    RUNNING = "running"
    COMPLETED = "completed"
    #: By itself: too many failed again, or something that it needs was away.
    STOPPED = "stopped"
    #: By its operator.
    CANCELLED = "cancelled"


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One operation. `selection` is what the operator asked for, `counts` what became of it.

    An operation that is `running` and has ended was killed: what it had not done is still to be done.
    """

    id: int
    kind: OperationKind
    operator: str | None
    selection: Mapping[str, Any]
    original_payload: bool
    status: OperationStatus
    counts: Mapping[str, int]
    detail: str | None
    started: dt.datetime
    finished: dt.datetime | None

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object."""
        return {
            "operation": str(self.id),
            "kind": str(self.kind),
            "operator": self.operator,
            "selection": dict(self.selection),
            "original_payload": self.original_payload,
            "status": str(self.status),
            "counts": dict(self.counts),
            "detail": self.detail,
            "structured_detail": structured_json(self.detail),
            "started": timestamp(self.started),
            "finished": self.finished and timestamp(self.finished),
        }


@dataclass(frozen=True, kw_only=True)
class ReplayResults:
    """Outcomes of the users that a replay reopened; `open` still await one."""

    open: int
    outcomes: Mapping[Outcome, int] = field(default_factory=dict)
    reasons: Mapping[Reason, int] = field(default_factory=dict)
