"""The one middleware that routes failures: retry, dead letter, or halt; never silence (P2, P7, P8)."""

from __future__ import annotations

import datetime as dt
import functools
import random
from typing import TYPE_CHECKING, Any, Final, ParamSpec, Protocol

import structlog
from dramatiq.middleware import Middleware

from queues.failures import Halt, History, Retry, UnforeseenError, decide
from queues.messages import GIVE_UP_AFTER
from schemas.errors import TransientError, UpdateSyncError
from schemas.messages import SECTION
from schemas.verdicts import DeadLetter

if TYPE_CHECKING:
    from collections.abc import Callable

    from dramatiq import Broker, Message
    from dramatiq.broker import MessageProxy

    from queues.broker import Publisher

P = ParamSpec("P")

#: The name of the actor option that says who keeps the books of that actor's messages.
RECORDER: Final = "recorder"

#: Promise P8, for messages that name no limit of their own (triggers).
DEFAULT_GIVE_UP_AFTER_HOURS: Final = 24.0

_log = structlog.get_logger(__name__)


class Recorder(Protocol):
    """Keeps the books: what a decision about a message means for its receipt and its run."""

    def dead_lettered(self, message: Message[Any], letter: DeadLetter, *, attempts: int) -> None:
        """Record that the message is a dead letter now; must bear to be told twice."""

    def halted(self, message: Message[Any], halt: Halt) -> None:
        """Halt the message's run; must bear to be told twice."""


class FailureRouting(Middleware):
    """Carries out what `failures.decide` says, confirmed by the broker before the acknowledgement.

    Whatever goes wrong in carrying it out rejects the message, so that the broker itself keeps it
    as a dead letter: dramatiq would otherwise log the error and acknowledge.
    """

    def __init__(self, *, version: str, now: Callable[[], dt.datetime], jitter: Callable[[], float]) -> None:
        self._version = version
        self._now = now
        self._jitter = jitter

    @property
    def actor_options(self) -> set[str]:
        """Name the options of actors that mean something here (`throws` keeps dramatiq's log calm)."""
        return {RECORDER, "throws"}

    def after_process_message(
        self,
        broker: Broker,
        message: MessageProxy,
        *,
        result: Any = None,  # noqa: ARG002 - dramatiq's signature
        exception: BaseException | None = None,
    ) -> None:
        """Route the failure of a message, if it failed."""
        if exception is None:
            return
        try:
            self._route(broker, message, exception)
        except Exception as error:  # noqa: BLE001 - dramatiq would acknowledge the message and lose it
            _log.error("failure not routed", message_id=message.message_id, error=type(error).__name__)
            message.fail()

    def _route(self, broker: Any, message: MessageProxy, exception: BaseException) -> None:
        history = self._history(message)
        decision = decide(exception, history, jitter=self._jitter())
        recorder: Recorder = broker.get_actor(message.actor_name).options[RECORDER]
        plain: Message[Any] = message.copy(options=self._options(message, history))
        try:
            match decision:
                case DeadLetter():
                    self._dead_letter(broker, plain, decision, history)
                    recorder.dead_lettered(plain, decision, attempts=history.attempts)
                    _log.warning("dead letter", **_who(plain), reason=decision.reason, detail=decision.detail)
                case Halt():
                    recorder.halted(plain, decision)
                    _log.error("run halted", **_who(plain), cause=decision.cause, detail=decision.detail)
                case Retry():
                    self._retry(broker, plain, decision)
                    _log.info("retry", **_who(plain), delay=decision.delay, error=str(exception))
        except TransientError as error:
            # The books are out of reach: everything is done once more when they are back.
            self._retry(broker, plain, decide(error, history, jitter=self._jitter()))

    def _retry(self, broker: Broker, message: Message[Any], decision: Any) -> None:
        if not isinstance(decision, Retry):
            raise UnforeseenError("no time left to try again")
        broker.enqueue(message, delay=int(decision.delay * 1000))

    def _dead_letter(
        self, publisher: Publisher, message: Message[Any], letter: DeadLetter, history: History
    ) -> None:
        section = {
            **message.options[SECTION],
            "reason": str(letter.reason),
            "stage": str(letter.stage),
            "detail": letter.detail,
            "dead_since": history.now.isoformat(timespec="seconds"),
            "version": self._version,
        }
        publisher.publish_dead_letter(message.copy(options={SECTION: section}))

    def _history(self, message: MessageProxy) -> History:
        section = _section(message)
        now = self._now()
        hours = section.get(GIVE_UP_AFTER)
        return History(
            attempts=_whole(section.get("attempts")) + 1,
            first_failed=_moment(section.get("first_failed")) or now,
            now=now,
            give_up_after=dt.timedelta(
                hours=hours if isinstance(hours, int | float) else DEFAULT_GIVE_UP_AFTER_HOURS
            ),
        )

    def _options(self, message: MessageProxy, history: History) -> dict[str, Any]:
        section = {
            **_section(message),
            "attempts": history.attempts,
            "first_failed": history.first_failed.isoformat(timespec="seconds"),
        }
        return {SECTION: section}


def _section(message: MessageProxy) -> dict[str, Any]:
    """Return our section of the options, as far as it is one: anybody may publish anything."""
    section = message.options.get(SECTION)
    return section if isinstance(section, dict) else {}


def _whole(value: object) -> int:
    return value if isinstance(value, int) and value >= 0 else 0


def _moment(value: object) -> dt.datetime | None:
    try:
        moment = dt.datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return moment if moment is not None and moment.tzinfo is not None else None


def _who(message: Message[Any]) -> dict[str, Any]:
    named = {name: message.kwargs.get(name) for name in ("tenant", "run", "user")}
    return {"message_id": message.message_id, **{k: v for k, v in named.items() if isinstance(v, str | int)}}


def foreseen(function: Callable[P, None]) -> Callable[P, None]:
    """Make an actor's function raise errors of ours alone.

    The text of a foreign exception may hold somebody's data, and dramatiq logs it (promise P6): so
    its kind and place are kept, and its text is not.
    """

    @functools.wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            function(*args, **kwargs)
        except UpdateSyncError:
            raise
        except Exception as error:  # noqa: BLE001 - turned into an error of ours
            raise UnforeseenError(f"{type(error).__name__} at {_place(error)}") from None

    return wrapper


def _place(error: BaseException) -> str:
    traceback = error.__traceback__
    place = "an unknown place"
    while traceback is not None:
        code = traceback.tb_frame.f_code
        place = f"{code.co_qualname}, line {traceback.tb_lineno}"
        traceback = traceback.tb_next
    return place


def utc_now() -> dt.datetime:
    """Return the present moment, aware."""
    return dt.datetime.now(dt.UTC)


def routing(version: str) -> FailureRouting:
    """Return the middleware as production uses it."""
    return FailureRouting(version=version, now=utc_now, jitter=random.random)
