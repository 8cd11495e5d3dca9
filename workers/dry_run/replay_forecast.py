"""Forecasts a replay of dead letters: runs the workers' steps, and writes nothing."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Final

from schemas.dead_letter_reasons import Reason
from schemas.errors import Dependency, HaltError, NotYetError, PermanentError, TransientError
from schemas.messages.messages import UserSync
from schemas.outcomes import Outcome
from schemas.users.graph_user import is_placeholder_id
from workers.pipeline.incomplete import IncompleteUpdateError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from schemas.messages.dead_letter import DeadLetter
    from workers.user_sync import UserSyncHandler

#: Users that are tried concurrently, and dead letters that are kept in memory for that.
THREADS: Final = 8
PORTION: Final = 500


@dataclass(frozen=True, kw_only=True)
class Tried:
    """What would become of a user: an outcome, why it would fail, or what is away.

    The result None stands for a user that another run still processes. `is_partly_written` says of one that
    would fail that other values of it would be written all the same.
    """

    result: Outcome | Reason | Dependency | None
    is_partly_written: bool = False


@dataclass(kw_only=True)
class ReplayForecast:
    """How many users would have each outcome; `failures` counts those that would fail again.

    Of `partly_written` of these other values would be written all the same.
    `away` counts the users without a forecast, by the unavailable service. `in_other_run` counts users that
    another run still processes, and `awaits_answer` those that a newer run has which is halted and waits for
    an answer: a replay leaves them. Those whose outcome is `superseded` are obsolete: a newer run has them.
    """

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    failures: Counter[Reason] = field(default_factory=Counter)
    away: Counter[Dependency] = field(default_factory=Counter)
    partly_written: int = 0
    in_other_run: int = 0
    awaits_answer: int = 0

    @property
    def succeeded(self) -> int:
        """How many would be brought up to date, or need nothing any more."""
        return self.outcomes.total() - self.obsolete

    @property
    def obsolete(self) -> int:
        """How many a newer run takes care of: a replay would write nothing for them."""
        return self.outcomes[Outcome.SUPERSEDED]

    @property
    def tried(self) -> int:
        """How many have been looked at."""
        decided = self.outcomes.total() + self.failures.total()
        return decided + self.away.total() + self.in_other_run + self.awaits_answer


def forecast_replay(
    dead_letters: Iterable[DeadLetter],
    handler: UserSyncHandler,
    *,
    original_payload: bool,
) -> ReplayForecast:
    """Try the users of dead letters, and return what would become of them.

    Raises `HaltError` when no user can be tried, for instance because of bad credentials.
    """
    found = ReplayForecast()

    def try_one(dead_letter: DeadLetter) -> Tried:
        run, user = dead_letter.receipt_key or (0, "")
        message = UserSync(tenant=dead_letter.tenant or "", run=run, user=user, payload=dead_letter.payload)
        return try_user(message, handler, original_payload=original_payload or is_placeholder_id(user))

    waiting = iter(dead_letters)
    with ThreadPoolExecutor(THREADS) as pool:
        while portion := list(islice(waiting, PORTION)):
            try:
                for result in pool.map(try_one, portion):
                    _count(found, result)
            except HaltError:
                pool.shutdown(cancel_futures=True)
                raise
    return found


def try_user(message: UserSync, handler: UserSyncHandler, *, original_payload: bool) -> Tried:
    """Return what would become of a user; raises `HaltError` when no user can be tried."""
    try:
        return Tried(result=handler.dry_run(message, original_payload=original_payload).outcome)
    except IncompleteUpdateError as error:
        return Tried(result=error.reason, is_partly_written=bool(error.result.changed))
    except PermanentError as error:
        return Tried(result=error.reason)
    except TransientError as error:
        return Tried(result=error.dependency)
    except NotYetError:
        return Tried(result=None)


def _count(found: ReplayForecast, tried: Tried) -> None:
    found.partly_written += tried.is_partly_written
    match result := tried.result:
        case Outcome():
            found.outcomes[result] += 1
        case Reason():
            found.failures[result] += 1
        case Dependency():
            found.away[result] += 1
        case None:
            found.in_other_run += 1
