"""How a person stands: is the Skolon user right, since when, and if not, why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from schemas.outcomes import CONFIRMING_OUTCOMES, OPEN_STATUSES, Mode, Outcome, Status
from schemas.runs.run import timestamp

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from schemas.outcomes import Cause, Reason
    from schemas.users.attributes import Attribute


class State(StrEnum):
    """How a person stands, by the newest receipt that tells."""

    RIGHT = "right"
    DEAD_LETTERED = "dead_lettered"
    NOT_IN_SKOLON = "not_in_skolon"
    LEFT_ALONE = "left_alone"
    PUT_BACK = "put_back"
    UNKNOWN = "unknown"


#: What is asked is whether Skolon is right: of those who are not to be there, there is no answer.
_RIGHT = {State.RIGHT: True, State.DEAD_LETTERED: False}


@dataclass(frozen=True, kw_only=True)
class Entry:
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
    def tells(self) -> bool:
        """Whether it says how the person stands: a dry run does not, nor what was left to another run."""
        return not self.dry_run and self.outcome not in (Outcome.PENDING, Outcome.SUPERSEDED)

    @property
    def confirms(self) -> bool:
        """Whether Skolon was asked, and holds since then what Entra said."""
        return self.tells and self.outcome in CONFIRMING_OUTCOMES and self.mode in (Mode.FULL, Mode.DELTA)

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
class Standing:
    """How a person stands, `since` when at the least, and what says so.

    `confirmed` is the newest entry that confirms, `waits` the one of a newer run that has not come to an end
    with the person: it is open, or halted.
    """

    state: State
    since: dt.datetime | None
    told: Entry | None
    confirmed: Entry | None
    waits: Entry | None

    @property
    def right(self) -> bool | None:
        """Whether Skolon is right, None for who is not to be there."""
        return _RIGHT.get(self.state)


def standing_of(history: Sequence[Entry], confirmed: Entry | None) -> Standing:
    """Return how a person stands by what the runs did, the newest first.

    `confirmed` is the newest entry that confirms, which may be older than the history goes.
    """
    telling = [entry for entry in history if entry.tells]
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
    return Standing(state=_state(told), since=_since(telling), told=told, confirmed=confirmed, waits=waits)


def _state(told: Entry | None) -> State:
    if told is None:
        return State.UNKNOWN
    match told.outcome:
        case Outcome.NOT_FOUND:
            return State.NOT_IN_SKOLON
        case Outcome.OUT_OF_SCOPE:
            return State.LEFT_ALONE
        case Outcome.DEAD_LETTERED:
            return State.DEAD_LETTERED
        case _:
            return State.RIGHT if told.confirms else State.PUT_BACK


def _since(telling: Sequence[Entry]) -> dt.datetime | None:
    """Return from when on it has been so without a break: right since it was last changed, if it was."""
    since, state = None, _state(telling[0] if telling else None)
    for entry in telling:
        if _state(entry) is not state:
            break
        since = entry.at
        if entry.outcome is Outcome.UPDATED:
            break
    return since
