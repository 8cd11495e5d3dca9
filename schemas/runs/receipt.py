"""A receipt: what became of one Entra user in one run, without values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from schemas.details.detail import structured_json
from schemas.timestamps import timestamp

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from schemas.dead_letter_reasons import Reason
    from schemas.outcomes import NotFoundReason, Outcome, Stage
    from schemas.runs.changes import ChangeKind
    from schemas.runs.collision import Collision
    from schemas.users.attributes import Attribute


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What became of a user."""

    run: int
    entra_id: str
    outcome: Outcome
    reason: Reason | None
    stage: Stage | None
    detail: str | None
    not_found_reason: NotFoundReason | None
    collision: Collision | None
    candidates: tuple[str, ...]
    attempts: int | None
    skolon_id: str | None
    changed: tuple[Attribute, ...]
    changes: Mapping[Attribute, ChangeKind]
    #: What an undo has not put back, because it changed since.
    skipped: tuple[Attribute, ...]
    #: What a dead letter has not written, and what keeps its value because its source went blank.
    unwritten: tuple[Attribute, ...]
    identity_kept: tuple[Attribute, ...]
    altered: tuple[Attribute, ...]
    published: dt.datetime
    finished: dt.datetime | None
    #: The replay that was the last to take the user up, and whether its outcome is still awaited.
    operation: int | None
    replaying: bool

    def as_json(self) -> dict[str, Any]:
        """Return what may be shown of it: ids and words, no values."""
        return {
            "run": str(self.run),
            "user": self.entra_id,
            "outcome": str(self.outcome),
            "reason": self.reason and str(self.reason),
            "stage": self.stage and str(self.stage),
            "detail": self.detail,
            "structured_detail": structured_json(self.detail),
            "not_found_reason": self.not_found_reason and str(self.not_found_reason),
            "collision": self.collision and self.collision.as_json(),
            "candidates": list(self.candidates),
            "attempts": self.attempts,
            "skolon_user": self.skolon_id,
            "changed": [str(attribute) for attribute in self.changed],
            "changes": {str(attribute): str(kind) for attribute, kind in self.changes.items()},
            "skipped": [str(attribute) for attribute in self.skipped],
            "unwritten": [str(attribute) for attribute in self.unwritten],
            "identity_kept": [str(attribute) for attribute in self.identity_kept],
            "altered": [str(attribute) for attribute in self.altered],
            "published": timestamp(self.published),
            "finished": self.finished and timestamp(self.finished),
            "operation": None if self.operation is None else str(self.operation),
            "replaying": self.replaying,
        }
