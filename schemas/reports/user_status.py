"""How a person stands: is the Skolon user right, since when, and if not, why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from schemas.outcomes import OPEN_STATUSES, VERIFYING_OUTCOMES, Mode, Outcome, Status
from schemas.timestamps import timestamp

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from schemas.outcomes import Cause, Reason
    from schemas.users.attributes import Attribute


class SyncState(StrEnum):
    """How a person stands, by the newest receipt that tells."""

    IN_SYNC = "in_sync"
    DEAD_LETTERED = "dead_lettered"
    NOT_IN_SKOLON = "not_in_skolon"
    EXCLUDED = "excluded"
    REVERTED = "reverted"
    UNKNOWN = "unknown"


#: What is asked is whether Skolon is right: of those who are not to be there, there is no answer.
_IN_SYNC = {SyncState.IN_SYNC: True, SyncState.DEAD_LETTERED: False}


@dataclass(frozen=True, kw_only=True)
class HistoryEntry:
    """What one run did about a person."""

    run: int
    mode: Mode
    dry_run: bool
    status: Status
    cause: Cause | None
    outcome: Outcome
    reason: Reason | None
    detail: str | None
    changed: tuple[Attribute, ...]
    skolon_id: str | None
    at: dt.datetime | None

    @property
    def is_conclusive(self) -> bool:
        """Whether it says how the person stands: a dry run does not, nor what was left to another run."""
        return not self.dry_run and self.outcome not in (Outcome.PENDING, Outcome.SUPERSEDED)

    @property
    def is_verification(self) -> bool:
        """Whether Skolon was asked, and holds since then what Entra said."""
        return (
            self.is_conclusive and self.outcome in VERIFYING_OUTCOMES and self.mode in (Mode.FULL, Mode.DELTA)
        )

    def as_json(self) -> dict[str, Any]:
        """Return it for people and programs."""
        return {
            "run": str(self.run),
            "mode": str(self.mode),
            "dry_run": self.dry_run,
            "run_status": str(self.status),
            "outcome": str(self.outcome),
            "reason": self.reason and str(self.reason),
            "detail": self.detail,
            "changed": [str(attribute) for attribute in self.changed],
            "skolon_user": self.skolon_id,
            "at": self.at and timestamp(self.at),
        }


@dataclass(frozen=True, kw_only=True)
class UserStatus:
    """How a person stands, `since` when at the least, and what says so.

    `last_verification` is the newest entry that confirms, `pending` the one of a newer run that has not come
    to an end with the person: it is open, or halted.
    """

    state: SyncState
    since: dt.datetime | None
    latest: HistoryEntry | None
    last_verification: HistoryEntry | None
    pending: HistoryEntry | None

    @property
    def in_sync(self) -> bool | None:
        """Whether Skolon is right, None for who is not to be there."""
        return _IN_SYNC.get(self.state)


def user_status_of(history: Sequence[HistoryEntry], confirmed: HistoryEntry | None) -> UserStatus:
    """Return how a person stands by what the runs did, the newest first.

    `confirmed` is the newest entry that confirms, which may be older than the history goes.
    """
    telling = [entry for entry in history if entry.is_conclusive]
    told = telling[0] if telling else None
    waits = next(
        (
            entry
            for entry in history
            if entry.outcome is Outcome.PENDING
            and not entry.dry_run
            and entry.status in (*OPEN_STATUSES, Status.HALTED)
            and (told is None or entry.run > told.run)
        ),
        None,
    )
    return UserStatus(
        state=_state(told), since=_since(telling), latest=told, last_verification=confirmed, pending=waits
    )


def _state(told: HistoryEntry | None) -> SyncState:
    if told is None:
        return SyncState.UNKNOWN
    match told.outcome:
        case Outcome.NOT_FOUND:
            return SyncState.NOT_IN_SKOLON
        case Outcome.OUT_OF_SCOPE:
            return SyncState.EXCLUDED
        case Outcome.DEAD_LETTERED:
            return SyncState.DEAD_LETTERED
        case _:
            return SyncState.IN_SYNC if told.is_verification else SyncState.REVERTED


def _since(telling: Sequence[HistoryEntry]) -> dt.datetime | None:
    """Return from when on it has been so without a break: right since it was last changed, if it was."""
    since, state = None, _state(telling[0] if telling else None)
    for entry in telling:
        if _state(entry) is not state:
            break
        since = entry.at
        if entry.outcome is Outcome.UPDATED:
            break
    return since
