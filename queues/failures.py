"""What to do about a failure: a decision as a value, which something else carries out."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from schemas.errors import (
    Dependency,
    HaltError,
    PermanentError,
    TransientError,
    UpdateSyncError,
)
from schemas.outages import HeldBackError, StoppingError
from schemas.outcomes import Reason, Stage
from schemas.verdicts import DeadLetter

if TYPE_CHECKING:
    from schemas.outcomes import Cause

#: Seconds before the first retry; it doubles from one to the next, and is not longer than the last.
#: Short, so that all goes on soon after an outage: the circuit breakers keep the crowd away meanwhile.
FIRST_DELAY: Final = 2.0
LONGEST_BACK_OFF: Final = 60.0

#: Seconds at most, whatever the other side asks for. RabbitMQ closes a channel that leaves a delivery
#: unacknowledged for 30 minutes, and a waiting message is such a delivery.
LONGEST_DELAY: Final = 20 * 60.0

#: What is unforeseen may be a matter of the moment, so it is tried again, but not for long.
BUG_ATTEMPTS: Final = 3

#: What a request for one user is answered, so often in a row, is that user's when others succeed meanwhile.
#: Four waits in between, half a minute in all.
USER_TRIES: Final = 5
#: The same for somebody whose search works and whose change does not, when nobody is left to compare with.
LAST_USER_TRIES: Final = 12
#: A refusal halts a run after so many in a row while nobody succeeds. The first answer of a run may be one
#: that only this user gets: within the two waits in between, 3 to 6 seconds, others are answered too.
HALT_TRIES: Final = 3
#: What says that a service is away, whoever is asked about (RFC 9110 sections 15.6.3 to 15.6.5).
_SAYS_AWAY: Final = (502, 503, 504)
_FORBIDDEN: Final = 403
#: For how long before a first failure the success of others tells that it may be one user's.
_LATELY: Final = dt.timedelta(seconds=60)

#: Retries lose count of themselves rather than overflow.
_MOST_DOUBLINGS: Final = 20


class UnforeseenError(UpdateSyncError):
    """A bug: something failed in a way that nothing in the code expected.

    It says what kind of exception it was and where, and not its text, which may hold somebody's data.
    """


@dataclass(frozen=True, kw_only=True)
class Retry:
    """Try again in `delay` seconds."""

    delay: float


@dataclass(frozen=True, kw_only=True)
class Halt:
    """Cannot work for anybody of this run: halt it."""

    cause: Cause
    detail: str


@dataclass(frozen=True, kw_only=True)
class Isolate:
    """Have it worked on apart from the others, from `queue`: a worker may have died over it."""

    queue: str


@dataclass(frozen=True, kw_only=True)
class Leave:
    """Leave it unacknowledged, for RabbitMQ to give it to somebody else."""


Decision = Retry | DeadLetter | Halt | Isolate | Leave


class SuspectError(UpdateSyncError):
    """A worker that had this message in hand has ended without a word, perhaps because of it.

    `queue` is the one that it is to be worked on from.
    """

    def __init__(self, detail: str, *, queue: str) -> None:
        super().__init__(detail)
        self.queue = queue


@dataclass(frozen=True, kw_only=True)
class Replayed:
    """That a message is a dead letter which is tried again, and why it was one."""

    reason: Reason
    stage: Stage


@dataclass(frozen=True, kw_only=True)
class History:
    """What a message has been through. `attempts` counts this one; `first_failed` is aware.

    Of the last `attempts`, so many in a row as `answers` ended with an answer that may be about this user
    alone, the first of them at `answered_since`, which is aware.
    """

    attempts: int
    first_failed: dt.datetime
    waited: dt.timedelta
    give_up_after: dt.timedelta
    replayed: Replayed | None = None
    answers: int = 0
    answered_since: dt.datetime | None = None

    @property
    def overdue(self) -> bool:
        """Whether the time that the tenant allows for waiting is over (promise P8)."""
        return self.waited >= self.give_up_after


@dataclass(frozen=True, kw_only=True)
class Others:
    """How the other users of a message's run fare at the step at which this one failed.

    `succeeded` is when the last of them did, None if none has; `waiting` says whether any has no outcome yet,
    and `recovering` whether any has lately succeeded who had failed before: then it is an outage of a part.
    """

    succeeded: dt.datetime | None = None
    waiting: bool = True
    recovering: bool = False


UNKNOWN: Final = Others()


def decide(  # noqa: PLR0911 - one table
    error: BaseException, history: History, *, jitter: float, others: Others = UNKNOWN
) -> Decision:
    """Say what to do about `error`. `jitter`, from 0 to 1, spreads the retries of many messages.

    `others` matters where an answer may be one user's (`stage` of an error).
    """
    match error:
        case PermanentError():
            return DeadLetter(reason=error.reason, stage=error.stage, detail=error.detail)
        case HaltError():
            return _refused(error, history, jitter, others)
        case SuspectError():
            return Isolate(queue=error.queue)
        case StoppingError():
            return Leave()
        case TransientError() if history.answers >= USER_TRIES and _is_one_users(error, history, others):
            return _of_one_user(error, error.stage or Stage.RECORD, history, jitter)
        case TransientError():
            return _wait(error, history, jitter)
        case _ if history.attempts < BUG_ATTEMPTS:
            return Retry(delay=_back_off(history.attempts, jitter))
        case _:
            # Only our own errors are known to hold nobody's data in their text.
            detail = str(error) if isinstance(error, UpdateSyncError) else type(error).__name__
            return DeadLetter(reason=Reason.BUG, stage=Stage.RECORD, detail=detail)


def _refused(error: HaltError, history: History, jitter: float, others: Others) -> Decision:
    if history.replayed is not None:
        # Its run may have ended long ago: there is nothing to halt.
        detail = f"the replay met {error.cause}: {error.detail}"
        return DeadLetter(reason=history.replayed.reason, stage=history.replayed.stage, detail=detail)
    if _is_one_users(error, history, others):
        return _of_one_user(error, error.stage or Stage.RECORD, history, jitter)
    if _may_be_one_users(error, history, others):
        return Retry(delay=_back_off(history.answers, jitter))
    return Halt(cause=error.cause, detail=error.detail)


def _is_one_users(error: TransientError | HaltError, history: History, others: Others) -> bool:
    """Say whether what was answered is about this user alone, as far as can be told by now (promise P7).

    Others have succeeded since it was answered first; of what was answered for the first time just now,
    lately. While some of those succeed who had failed before, it is Skolon that fails now and then, and
    nobody's own trouble (promise P8). When nobody is left, somebody whose search works time and again, and
    whose change does not, counts too, unless it is said that Skolon is away.
    """
    if error.stage is None or history.answered_since is None:
        return False
    since = history.answered_since - (_LATELY if history.answers <= 1 else dt.timedelta(0))
    if others.succeeded is not None and others.succeeded >= since:
        return isinstance(error, HaltError) or not others.recovering
    is_last = error.stage is Stage.UPDATE and not others.waiting and error.status not in _SAYS_AWAY
    return is_last and history.answers >= LAST_USER_TRIES and isinstance(error, TransientError)


def _may_be_one_users(error: HaltError, history: History, others: Others) -> bool:
    """Say whether a refusal is yet to be compared with what others are answered, who are still to come (P7).

    Only a 403 is worth it: with a token that is not taken (401) each request more is one too many.
    """
    early = 1 <= history.answers < HALT_TRIES
    return early and others.waiting and error.stage is not None and error.status == _FORBIDDEN


def _of_one_user(
    error: TransientError | HaltError, stage: Stage, history: History, jitter: float
) -> Retry | DeadLetter:
    if history.answers < USER_TRIES:
        return Retry(delay=_back_off(history.answers, jitter))
    # What a halt says is advice for whoever mends the credentials, and those are right.
    said = f"HTTP {error.status}" if isinstance(error, HaltError) and error.status else error.detail
    detail = f"{said} ({history.answers} times in a row, while others succeed)"
    return DeadLetter(reason=Reason.REJECTED_BY_SKOLON, stage=stage, detail=detail)


def _wait(error: TransientError, history: History, jitter: float) -> Retry | DeadLetter:
    if not history.overdue:
        return Retry(delay=_delay(error, history.attempts, jitter))
    since = f"{history.first_failed:%Y-%m-%d %H:%M} UTC"
    detail = f"{error} (since {since}, {history.attempts} attempts)"
    return DeadLetter(reason=Reason.GAVE_UP, stage=Stage.RECORD, detail=detail)


def _delay(error: TransientError, attempts: int, jitter: float) -> float:
    if error.dependency is Dependency.ORDER:
        # Nobody is overloaded: it is only not our turn yet.
        return min((error.retry_after or FIRST_DELAY) * (1 + jitter / 4), LONGEST_DELAY)
    if isinstance(error, HeldBackError) and error.spread:
        return min((error.retry_after or 0.0) + jitter * (error.spread + 1), LONGEST_DELAY)
    back_off = _back_off(attempts, jitter)
    if error.retry_after is None:
        return back_off
    # Never earlier than asked, not all at the same moment after it, and not again and again at once.
    asked = error.retry_after * (1 + jitter / 4) + jitter
    return min(max(asked, back_off), LONGEST_DELAY)


def _back_off(attempts: int, jitter: float) -> float:
    longest: float = FIRST_DELAY * 2 ** min(max(attempts, 1) - 1, _MOST_DOUBLINGS)
    return min(longest, LONGEST_BACK_OFF) * (0.5 + jitter / 2)
