"""Our section of a message's options: what a message has been through, read with care and written."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final, TypeGuard

from queues.message import GIVE_UP_AFTER
from queues.middleware.failure_policy import MAX_DELAY, History, ReplayOrigin
from schemas.dead_letter_reasons import Reason
from schemas.details.detail import as_detail
from schemas.messages.messages import DEAD_SINCE, METADATA_KEY, REPLAY, STRUCTURED_DETAIL
from schemas.outcomes import Stage

if TYPE_CHECKING:
    from dramatiq import Message
    from dramatiq.broker import MessageProxy

    from schemas.runs.sync_result import Failure

#: Promise P8, for messages that name no limit of their own (triggers).
DEFAULT_GIVE_UP_AFTER_HOURS: Final = 24.0

#: More than passes between two tries of a message: a clock that jumps ahead makes no message give up.
_LONGEST_STEP: Final = dt.timedelta(hours=1)
_NONE: Final = dt.timedelta(0)

#: The database keeps them in four bytes.
_MOST_ATTEMPTS: Final = 1_000_000

_MOST_SECONDS: Final = 10 * 366 * 24 * 3600.0


def read_history(
    message: MessageProxy | Message[Any], *, now: dt.datetime, attempted: bool, is_user_failure: bool = False
) -> History:
    """Return what the message has been through, this failure at `now` (aware) included.

    `attempted` says whether it was an attempt at all, `is_user_failure` whether it ended with an answer that
    may be about this user, or this page, alone. Any publisher may write anything: what is unreadable counts
    as absent.
    """
    section = _section(message)
    last = _moment(section.get("last_failed"))
    goes_on = is_user_failure or not attempted
    user_failures = _whole(section.get("user_failures")) if goes_on else 0
    since = _moment(section.get("user_failures_since")) if user_failures else None
    step = _NONE if last is None else min(max(now - last, _NONE), _LONGEST_STEP)
    return History(
        attempts=_whole(section.get("attempts")) + attempted,
        first_failed=_moment(section.get("first_failed")) or now,
        waited=dt.timedelta(seconds=_seconds(section.get("waited"))) + step,
        give_up_after=dt.timedelta(hours=_hours(section.get(GIVE_UP_AFTER))),
        replayed=_replayed(section.get("replay")),
        user_failures=user_failures + is_user_failure,
        user_failures_since=since or (now if is_user_failure else None),
    )


def with_history(message: MessageProxy | Message[Any], history: History, now: dt.datetime) -> Message[Any]:
    """Return the plain message with its history in our section."""
    section = {
        **_section(message),
        "attempts": history.attempts,
        "first_failed": history.first_failed.isoformat(timespec="seconds"),
        "last_failed": now.isoformat(timespec="seconds"),
        "waited": round(history.waited.total_seconds()),
    }
    for name in ("user_failures", "user_failures_since"):
        section.pop(name, None)
    if history.user_failures_since is not None:
        section["user_failures"] = history.user_failures
        section["user_failures_since"] = history.user_failures_since.isoformat(timespec="seconds")
    copy: Message[Any] = message.copy(options={METADATA_KEY: section})
    return copy


def with_delay(message: Message[Any], seconds: float) -> Message[Any]:
    """Return the message with the time that it is to wait, for a reader whose clock is another one."""
    copy: Message[Any] = message.copy(
        options={METADATA_KEY: {**_section(message), "delay": round(seconds, 3)}}
    )
    return copy


def trusted_options(
    message: Message[Any], *, waits: bool, now: float, monotonic_now: float
) -> dict[str, Any]:
    """Return what is believed of the options that a message was published with: our own section.

    Any publisher decides what they hold, and dramatiq would obey. A message of a queue that `waits` also has
    an `eta`, in milliseconds of the reader's monotonic clock, which shows `monotonic_now` seconds. The
    publisher gave the time in milliseconds since 1970, when `now` is the reader's clock in seconds. Either
    clock may be wrong by hours, so that no message waits longer than the delay that it was published with.
    """
    section = _section(message)
    options: dict[str, Any] = {METADATA_KEY: section} if section else {}
    if waits:
        eta, delay = message.options.get("eta"), section.get("delay")
        longest = min(_seconds(delay), MAX_DELAY) if _is_number(delay) else MAX_DELAY
        latest = (now + longest) * 1000
        seconds_left = float(min(max(eta, 0), latest)) / 1000 - now if _is_number(eta) else 0.0
        options["eta"] = round((monotonic_now + max(seconds_left, 0.0)) * 1000)
    return options


def as_dead_letter(
    message: Message[Any], dead_letter: Failure, *, now: dt.datetime, version: str
) -> Message[Any]:
    """Return the message as it lies among the dead letters: still one that dramatiq understands."""
    section = {
        **_section(message),
        "reason": str(dead_letter.reason),
        "stage": str(dead_letter.stage),
        "detail": dead_letter.detail,
        STRUCTURED_DETAIL: as_detail(dead_letter.detail).as_json(),
        DEAD_SINCE: _dead_since(message) or now.isoformat(timespec="seconds"),
        "version": version,
    }
    # A replayed message may tell of the Skolon users of its former failure.
    section.pop("collision", None)
    section.pop("candidates", None)
    if dead_letter.collision is not None:
        section["collision"] = dead_letter.collision.as_json()
    if dead_letter.candidates:
        section["candidates"] = list(dead_letter.candidates)
    copy: Message[Any] = message.copy(options={METADATA_KEY: section})
    return copy


def _section(message: MessageProxy | Message[Any]) -> dict[str, Any]:
    section = message.options.get(METADATA_KEY)
    return section if isinstance(section, dict) else {}


def _dead_since(message: Message[Any]) -> str | None:
    """Return since when a replayed message had been a dead letter; a failed replay does not change that."""
    replay = _section(message).get(REPLAY)
    since = replay.get(DEAD_SINCE) if isinstance(replay, dict) else None
    return since if isinstance(since, str) else None


def _is_number(value: Any) -> TypeGuard[int | float]:
    return isinstance(value, int | float)


def _whole(value: object) -> int:
    return min(value, _MOST_ATTEMPTS) if isinstance(value, int) and value >= 0 else 0


def _seconds(value: object) -> float:
    return float(value) if isinstance(value, int | float) and 0 <= value <= _MOST_SECONDS else 0.0


def _hours(value: object) -> float:
    sensible = isinstance(value, int | float) and 0 <= value <= _MOST_SECONDS / 3600
    return float(value) if sensible else DEFAULT_GIVE_UP_AFTER_HOURS  # type: ignore[arg-type] # a number, if sensible


def _moment(value: object) -> dt.datetime | None:
    try:
        moment = dt.datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return moment if moment is not None and moment.tzinfo is not None else None


def _replayed(value: object) -> ReplayOrigin | None:
    if not isinstance(value, dict):
        return None
    try:
        return ReplayOrigin(reason=Reason(str(value.get("reason"))), stage=Stage(str(value.get("stage"))))
    except ValueError:
        return ReplayOrigin(reason=Reason.BUG, stage=Stage.RECEIVE)
