"""What a worker says of a user when it is done: the outcome, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from schemas.attributes import Attribute
    from schemas.outcomes import Outcome, Reason, Stage

#: What a receipt says of somebody who has left Entra.
NO_LONGER_IN_ENTRA: Final = "no longer in Entra"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What became of a user; `detail` is for a person to read and holds no values."""

    outcome: Outcome
    skolon_id: str | None = None
    skolon_version: str | None = None
    changed: tuple[Attribute, ...] = ()
    detail: str | None = None


@dataclass(frozen=True, kw_only=True)
class DeadLetter:
    """Why a message is never going to work."""

    reason: Reason
    stage: Stage
    detail: str
