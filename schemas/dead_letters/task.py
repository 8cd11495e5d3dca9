"""Work on the dead letters of a tenant's users in the background: who is chosen, and how far it is."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from schemas.dead_letter_reasons import Reason
from schemas.outcomes import Outcome
from schemas.timestamps import timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemas.outcomes import Cause
    from schemas.runs.operation import ReplayResults


class TaskKind(StrEnum):
    """What is done: find out what a replay would do now, replay, or discard."""

    FORECAST = "forecast"
    REPLAY = "replay"
    DISCARD = "discard"


class TaskStatus(StrEnum):
    """How far a task has come."""

    #: No process has taken it up, or none has since it went on.
    REQUESTED = "requested"
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    #: By itself: too many failed again, or no user can be tried.
    STOPPED = "stopped"
    CANCELLED = "cancelled"


OPEN_TASKS: Final = (TaskStatus.REQUESTED, TaskStatus.RUNNING, TaskStatus.PAUSED)

#: Outcomes of a forecast that say that a replay helps a user, or that the user needs nothing.
HELPED: Final = (Outcome.WOULD_UPDATE, Outcome.UNCHANGED, Outcome.NOT_FOUND, Outcome.OUT_OF_SCOPE)

#: So many users are all tried, even if each of them fails again: a person has chosen them.
FEW: Final = 100

#: Kinds of which a tenant has one open task at most: each takes dead letters away from the others.
CHANGING_TASKS: Final = (TaskKind.REPLAY, TaskKind.DISCARD)


class TaskControl(StrEnum):
    """What a member wants of a task."""

    GO_ON = "go_on"
    PAUSE = "pause"
    CANCEL = "cancel"


class Obstacle(StrEnum):
    """Why it is not known what a replay would do to a user."""

    #: Entra, Skolon or the database does not answer.
    SERVICE_AWAY = "service_away"
    #: An open run has the user.
    OTHER_RUN = "other_run"
    #: A halted run that waits for an answer has the user.
    AWAITS_ANSWER = "awaits_answer"
    #: The user has no id in Entra to be read by.
    NO_ID = "no_id"


@dataclass(frozen=True, kw_only=True)
class FailureSelection:
    """Users that fail for a reason: all of them, or those that the other fields leave.

    `users` are named by their ids in Entra. `after` and `before` (aware) bound since when they fail.
    `forecast` is a task that tried them: those are meant that it found would not fail again.
    """

    reason: Reason
    users: tuple[str, ...] = ()
    after: dt.datetime | None = None
    before: dt.datetime | None = None
    forecast: int | None = None

    @property
    def is_whole_group(self) -> bool:
        """Whether all users of the reason are chosen."""
        return not (self.users or self.after or self.before or self.forecast)

    def matches_age(self, since: dt.datetime) -> bool:
        """Say whether users that fail `since` then (aware) are chosen, as `DeadLetterFilter` does."""
        return (self.before is None or since < self.before) and (self.after is None or since > self.after)

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object, of what is given alone."""
        values: dict[str, Any] = {
            "reason": str(self.reason),
            "users": list(self.users),
            "after": self.after and timestamp(self.after),
            "before": self.before and timestamp(self.before),
            "forecast": None if self.forecast is None else str(self.forecast),
        }
        return {name: value for name, value in values.items() if value}


def load_selection(values: Mapping[str, Any]) -> FailureSelection:
    """Return the selection that `as_json` has made an object of."""
    after, before, forecast = values.get("after"), values.get("before"), values.get("forecast")
    return FailureSelection(
        reason=Reason(values["reason"]),
        users=tuple(values.get("users", ())),
        after=dt.datetime.fromisoformat(after) if after else None,
        before=dt.datetime.fromisoformat(before) if before else None,
        forecast=None if forecast is None else int(forecast),
    )


@dataclass(frozen=True, kw_only=True)
class DeadLetterTask:
    """A task; `users` are how many were chosen when it was asked for, by a member or a token.

    `counts` is what the process at work notes, and `operations` are those that it has begun so far.
    `attempt` counts how often it was taken up. `note` says why users were set aside.
    """

    id: int
    tenant: str
    kind: TaskKind
    status: TaskStatus
    control: TaskControl
    selection: FailureSelection
    users: int
    attempt: int
    counts: Mapping[str, int]
    requested: dt.datetime
    started: dt.datetime | None
    finished: dt.datetime | None
    cause: Cause | None = None
    detail: str | None = None
    note: str | None = None
    member: int | None = None
    token: int | None = None
    operations: tuple[int, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether it goes on, or can."""
        return self.status in OPEN_TASKS


@dataclass(frozen=True, kw_only=True)
class TriedUser:
    """What a replay would do to a user: the outcome, why it would fail again, or what is in the way."""

    entra_id: str
    outcome: Outcome | None = None
    reason: Reason | None = None
    obstacle: Obstacle | None = None


@dataclass(frozen=True, kw_only=True)
class TriedCounts:
    """How many users were tried, by what became of it."""

    outcomes: Mapping[Outcome, int] = field(default_factory=dict)
    reasons: Mapping[Reason, int] = field(default_factory=dict)
    obstacles: Mapping[Obstacle, int] = field(default_factory=dict)

    @property
    def tried(self) -> int:
        """How many they are together."""
        return sum(self.outcomes.values()) + sum(self.obstacles.values())


def counts_of(results: ReplayResults) -> dict[str, int]:
    """Return the results of a replay as a task notes them."""
    return {
        "open": results.open,
        **{f"outcome {outcome}": users for outcome, users in results.outcomes.items()},
        **{f"reason {reason}": users for reason, users in results.reasons.items()},
    }


def tried_counts(counts: Mapping[str, int]) -> TriedCounts:
    """Return what `counts_of` has noted."""
    named = {name.partition(" ")[::2]: users for name, users in counts.items()}
    return TriedCounts(
        outcomes={Outcome(name): users for (kind, name), users in named.items() if kind == "outcome"},
        reasons={Reason(name): users for (kind, name), users in named.items() if kind == "reason"},
    )
