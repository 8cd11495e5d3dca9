"""Decides what to do about a failure, and returns the decision as a value."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from runtime.services import CircuitOpenError, ShutdownError
from schemas.dead_letter_reasons import Reason
from schemas.details.detail import Detail, as_detail
from schemas.details.kinds import DetailKind
from schemas.errors import (
    HaltError,
    NotYetError,
    PermanentError,
    TransientError,
    UpdateSyncError,
)
from schemas.outcomes import Stage
from schemas.runs.sync_result import Failure, failure_of

if TYPE_CHECKING:
    from schemas.outcomes import Cause

#: Seconds before the first retry, and at most; the delay doubles from one retry to the next. It stays short,
#: so that work resumes soon after an outage: the circuit breakers limit the load meanwhile.
FIRST_DELAY: Final = 2.0
MAX_BACK_OFF: Final = 60.0

#: The longest delay in seconds, whatever a service asks for. RabbitMQ closes a channel that leaves a delivery
#: unacknowledged for 30 minutes, and a waiting message is such a delivery.
MAX_DELAY: Final = 20 * 60.0

#: An unexpected error may be temporary, so it is retried, but not for long.
MAX_BUG_ATTEMPTS: Final = 3

#: So many failed requests in a row for one user are about that user, if others succeed meanwhile. There are
#: four waits in between, half a minute in all.
MAX_USER_ATTEMPTS: Final = 5
#: The same for a user whose search works and whose update fails, with no other user left to compare.
MAX_LAST_USER_ATTEMPTS: Final = 12
#: A 403 halts a run after so many in a row while no other user succeeds. The first answer of a run may be one
#: that only this user gets: within the two waits in between, 3 to 6 seconds, others are answered too.
MAX_FORBIDDEN_ATTEMPTS: Final = 3
#: A refusal that may pass halts a run after so many in a row: there are six waits in between, one to two
#: minutes in all.
MAX_PASSING_ATTEMPTS: Final = 7
#: Statuses of a service that is unavailable for all users (RFC 9110 sections 15.6.3 to 15.6.5).
_SAYS_AWAY: Final = (502, 503, 504)
_FORBIDDEN: Final = 403
#: For how long before a first failure the success of other users is evidence.
_LATELY: Final = dt.timedelta(seconds=60)

#: Retries lose count of themselves rather than overflow.
_MOST_DOUBLINGS: Final = 20


class UnexpectedError(UpdateSyncError):
    """A bug: something failed in a way that nothing in the code expected.

    It says what kind of exception it was and where, and not its text, which may hold personal data.
    """

    def __init__(self, error: str, place: str) -> None:
        self.detail = Detail(DetailKind.UNEXPECTED_ERROR, error=error, place=place)
        super().__init__(self.detail)


@dataclass(frozen=True, kw_only=True)
class Retry:
    """Retry in `delay` seconds."""

    delay: float


@dataclass(frozen=True, kw_only=True)
class Halt:
    """Halt the run: no user of it can be synced."""

    cause: Cause
    detail: str


@dataclass(frozen=True, kw_only=True)
class Quarantine:
    """Process the message from `queue`, apart from others: a worker may have died over it."""

    queue: str


@dataclass(frozen=True, kw_only=True)
class Requeue:
    """Leave the message unacknowledged, so that RabbitMQ redelivers it."""


Decision = Retry | Failure | Halt | Quarantine | Requeue


class RedeliveredError(UpdateSyncError):
    """A worker that was processing this message has died, perhaps because of it.

    `queue` is the quarantine queue from which to process it.
    """

    def __init__(self, detail: str, *, queue: str) -> None:
        super().__init__(detail)
        self.queue = queue


@dataclass(frozen=True, kw_only=True)
class ReplayOrigin:
    """Marks the message as a replayed dead letter, with the reason of its failure."""

    reason: Reason
    stage: Stage


@dataclass(frozen=True, kw_only=True)
class History:
    """The failures of a message so far. `attempts` includes this one; `first_failed` is aware.

    The last `user_failures` of the `attempts` ended with an answer that may be about this user (or this page)
    alone, the first of them at `user_failures_since`, which is aware.
    """

    attempts: int
    first_failed: dt.datetime
    waited: dt.timedelta
    give_up_after: dt.timedelta
    replayed: ReplayOrigin | None = None
    user_failures: int = 0
    user_failures_since: dt.datetime | None = None

    @property
    def overdue(self) -> bool:
        """Whether the tenant's limit for waiting has passed (promise P8)."""
        return self.waited >= self.give_up_after


@dataclass(frozen=True, kw_only=True)
class PeerResults:
    """How the other users of a message's run fare at the stage at which this one failed.

    `last_success` is when the last of them succeeded, None if none has. `pending` says whether any of them
    has no outcome yet. `recovering` says whether any has succeeded lately after a failure: then it is a
    partial outage.
    """

    last_success: dt.datetime | None = None
    pending: bool = True
    recovering: bool = False


UNKNOWN_PEERS: Final = PeerResults()


def decide(  # noqa: PLR0911 - one table
    error: BaseException, history: History, *, jitter: float, peers: PeerResults = UNKNOWN_PEERS
) -> Decision:
    """Decide what to do about `error`. `jitter`, from 0 to 1, spreads the retries of many messages.

    `peers` matters when an answer may be about one user (`stage` of an error).
    """
    match error:
        case PermanentError():
            return failure_of(error)
        case HaltError():
            return _decide_halt(error, history, jitter, peers)
        case RedeliveredError():
            return Quarantine(queue=error.queue)
        case ShutdownError():
            return Requeue()
        case TransientError() if history.user_failures >= MAX_USER_ATTEMPTS and _concerns_one_user(
            error, history, peers
        ):
            return _decide_for_one_user(error, error.stage or Stage.RECORD, history, jitter)
        case TransientError() | NotYetError():
            return _wait(error, history, jitter)
        case _ if history.attempts < MAX_BUG_ATTEMPTS:
            return Retry(delay=_back_off(history.attempts, jitter))
        case _:
            # Only our own errors are known to hold no personal data.
            text = str(error) if isinstance(error, UpdateSyncError) else type(error).__name__
            detail = error.detail if isinstance(error, UnexpectedError) else as_detail(text)
            return Failure(reason=Reason.BUG, stage=Stage.RECORD, detail=detail)


def _decide_halt(error: HaltError, history: History, jitter: float, peers: PeerResults) -> Decision:
    if history.replayed is not None:
        # Its run may have ended long ago: there is nothing to halt.
        detail = Detail(DetailKind.REPLAY_HALTED, cause=error.cause, problem=error.detail)
        return Failure(reason=history.replayed.reason, stage=history.replayed.stage, detail=detail)
    if _concerns_one_user(error, history, peers):
        return _decide_for_one_user(error, error.stage or Stage.RECORD, history, jitter)
    is_passing = error.may_pass and 1 <= history.user_failures < MAX_PASSING_ATTEMPTS
    if is_passing or _may_concern_one_user(error, history, peers):
        return Retry(delay=_back_off(history.user_failures, jitter))
    return Halt(cause=error.cause, detail=error.detail)


def _concerns_one_user(error: TransientError | HaltError, history: History, peers: PeerResults) -> bool:
    """Say whether an answer is about this user alone, as far as is known by now (promise P7).

    It is if other users have succeeded since the first such answer, or lately if this is the first one. It is
    not while users succeed that had failed before: then Skolon fails now and then (promise P8). Without other
    users, it is if the user's search works repeatedly and the update does not, unless Skolon is unavailable.
    """
    if error.stage is None or history.user_failures_since is None:
        return False
    since = history.user_failures_since - (_LATELY if history.user_failures <= 1 else dt.timedelta(0))
    if peers.last_success is not None and peers.last_success >= since:
        return isinstance(error, HaltError) or not peers.recovering
    is_last = error.stage is Stage.UPDATE and not peers.pending and error.status not in _SAYS_AWAY
    return is_last and history.user_failures >= MAX_LAST_USER_ATTEMPTS and isinstance(error, TransientError)


def _may_concern_one_user(error: HaltError, history: History, peers: PeerResults) -> bool:
    """Say whether a 403 must still be compared with Skolon's answers about other users (promise P7).

    A refused token (401) is wrong for all users, so no further request is made with it.
    """
    is_early = 1 <= history.user_failures < MAX_FORBIDDEN_ATTEMPTS
    return is_early and peers.pending and error.stage is not None and error.status == _FORBIDDEN


def _decide_for_one_user(
    error: TransientError | HaltError, stage: Stage, history: History, jitter: float
) -> Retry | Failure:
    if history.user_failures < MAX_USER_ATTEMPTS:
        return Retry(delay=_back_off(history.user_failures, jitter))
    # What a halt says is advice about credentials, and those are right.
    is_halt = isinstance(error, HaltError) and error.status is not None
    answer = Detail(DetailKind.HTTP_STATUS, status=error.status or 0) if is_halt else error.detail
    detail = Detail(DetailKind.FAILED_IN_A_ROW, answer=answer, times=history.user_failures)
    return Failure(reason=Reason.REJECTED_BY_SKOLON, stage=stage, detail=detail)


def _wait(error: TransientError | NotYetError, history: History, jitter: float) -> Retry | Failure:
    if not history.overdue:
        return Retry(delay=_delay(error, history.attempts, jitter))
    parameters: dict[str, str | int] = {
        "problem": error.detail,
        "since": f"{history.first_failed:%Y-%m-%d %H:%M}",
        "attempts": history.attempts,
    }
    detail = (
        Detail(DetailKind.GAVE_UP_ON_SERVICE, service=error.dependency, **parameters)
        if isinstance(error, TransientError)
        else Detail(DetailKind.GAVE_UP, **parameters)
    )
    return Failure(reason=Reason.GAVE_UP, stage=Stage.RECORD, detail=detail)


def _delay(error: TransientError | NotYetError, attempts: int, jitter: float) -> float:
    if isinstance(error, NotYetError):
        # No service is overloaded.
        return min((error.retry_after or FIRST_DELAY) * (1 + jitter / 4), MAX_DELAY)
    if isinstance(error, CircuitOpenError) and error.spread:
        return min((error.retry_after or 0.0) + jitter * (error.spread + 1), MAX_DELAY)
    back_off = _back_off(attempts, jitter)
    if error.retry_after is None:
        return back_off
    # Not earlier than requested, not all at the same moment after it, and not repeatedly without a delay.
    asked = error.retry_after * (1 + jitter / 4) + jitter
    return min(max(asked, back_off), MAX_DELAY)


def _back_off(attempts: int, jitter: float) -> float:
    longest: float = FIRST_DELAY * 2 ** min(max(attempts, 1) - 1, _MOST_DOUBLINGS)
    return min(longest, MAX_BACK_OFF) * (0.5 + jitter / 2)
