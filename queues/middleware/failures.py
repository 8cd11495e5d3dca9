"""The one middleware that routes failures: retry, dead letter, or halt; never silence (P2, P7, P8)."""

from __future__ import annotations

import datetime as dt
import random
import time
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol

import structlog
from dramatiq.middleware import Middleware

from queues.middleware.delivery import requeue_on_close
from queues.middleware.failure_policy import (
    MAX_USER_ATTEMPTS,
    UNKNOWN_PEERS,
    Halt,
    PeerResults,
    Quarantine,
    Requeue,
    Retry,
    decide,
)
from queues.middleware.message_history import as_dead_letter, read_history, with_history
from queues.middleware.retry_log import RetryLog
from queues.middleware.waits import wait_to_report, with_wait
from queues.queue_names import main_queue
from runtime.circuit_breaker import MAX_WAIT
from runtime.outage_log import OutageLog
from runtime.services import CircuitOpenError, ShutdownError
from schemas.errors import Dependency, HaltError, NotYetError, TransientError
from schemas.runs.sync_result import Failure
from schemas.validation import readable_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dramatiq import Broker, Message
    from dramatiq.broker import MessageProxy

    from queues.middleware.failure_policy import Decision, History
    from runtime.circuit_breaker import CircuitBreakers
    from schemas.outcomes import Stage
    from schemas.runs.waits import Wait

#: The name of the actor option that says which listener records failures of that actor's messages.
FAILURE_LISTENER: Final = "failure_listener"

#: Seconds between two tries to publish or to record what was decided.
PAUSE: Final = 1.0

#: The part of the process that it is said of when something is away for those who publish what was decided.
_ROUTING: Final = "routing failures"

_log = structlog.get_logger(__name__)


class FailureListener(Protocol):
    """Records what a decision about a message means for its receipt and its run."""

    def keeps_dead_letter(self, message: Message[Any]) -> bool:
        """Say whether the message is kept among the dead letters; raises `TransientError` (database)."""

    def on_dead_letter(self, message: Message[Any], dead_letter: Failure, *, attempts: int) -> None:
        """Record that the message is a dead letter now; must tolerate a second call."""

    def on_halt(self, message: Message[Any], halt: Halt) -> None:
        """Halt the message's run, and log that once; must tolerate a second call."""

    def on_wait(self, message: Message[Any], wait: Wait) -> None:
        """Record what the message waits for; nothing depends on it."""

    def peer_results(self, message: Message[Any], stage: Stage) -> PeerResults:
        """Return how other users of the run fare at a stage; raises `TransientError` (database)."""


class FailureMiddleware(Middleware):
    """Carries out decisions of `failure_policy.decide`, confirmed by the broker.

    That happens before the message is acknowledged.

    While RabbitMQ is unavailable, the message stays in this process, and the outage is logged. Any other
    error rejects the message, so that RabbitMQ keeps it as a dead letter: dramatiq would otherwise log the
    error and acknowledge.
    """

    def __init__(
        self,
        *,
        version: str,
        breakers: CircuitBreakers,
        now: Callable[[], dt.datetime],
        jitter: Callable[[], float],
    ) -> None:
        self._version = version
        self._breakers = breakers
        self._now = now
        self._jitter = jitter
        self._outage_log = OutageLog()
        self._retry_log = RetryLog()

    @property
    def actor_options(self) -> set[str]:
        """Name the options of actors that mean something here (`throws` keeps dramatiq's log calm)."""
        return {FAILURE_LISTENER, "throws"}

    def before_worker_shutdown(self, broker: Broker, worker: Any) -> None:
        """End all waiting."""
        del broker, worker
        self._breakers.stop()

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
        except ShutdownError:
            requeue_on_close(message)
        except Exception as error:  # noqa: BLE001 - dramatiq would acknowledge the message and lose it
            message_id = readable_name(message.message_id)
            _log.error("failure_routing_failed", message_id=message_id, error=type(error).__name__)
            message.fail()

    def _route(self, broker: Any, message: MessageProxy, exception: BaseException) -> None:
        now = self._now()
        stage = exception.stage if isinstance(exception, TransientError | HaltError) else None
        attempted = not isinstance(exception, CircuitOpenError)
        may_pass = isinstance(exception, HaltError) and exception.may_pass
        history = read_history(
            message, now=now, attempted=attempted, is_user_failure=stage is not None or may_pass
        )
        peers = UNKNOWN_PEERS
        try:
            peers = self._peer_results(broker, message, exception, history, stage)
        except TransientError as report_down:
            # The other users' results are in the database, which is unavailable: try again.
            exception = report_down
        decision = decide(exception, history, jitter=self._jitter(), peers=peers)
        plain = with_history(message, history, now).copy(queue_name=main_queue(message.queue_name))
        plain = _report_wait(broker, plain, decision, exception, now)
        try:
            for step in self._steps(broker, plain, decision, history):
                self._retry_until_done(step)
            self._log_decision(plain, decision, exception)
        except TransientError as error:
            # The database is unavailable: everything is repeated when it is available again.
            again = decide(error, history, jitter=self._jitter())
            for step in self._steps(broker, plain, again, history):
                self._retry_until_done(step)

    def _peer_results(
        self, broker: Any, message: Any, exception: BaseException, history: History, stage: Stage | None
    ) -> PeerResults:
        """Return how other users fare, if that decides; raises `TransientError` (database)."""
        if stage is None or (
            history.user_failures < MAX_USER_ATTEMPTS and isinstance(exception, TransientError)
        ):
            return UNKNOWN_PEERS
        failure_listener: FailureListener = broker.get_actor(message.actor_name).options[FAILURE_LISTENER]
        return failure_listener.peer_results(message, stage)

    def _steps(
        self, broker: Any, message: Message[Any], decision: Decision, history: History
    ) -> Iterator[Callable[[], object]]:
        """Yield the steps of a decision, in an order in which a crash in between does no harm."""
        failure_listener: FailureListener = broker.get_actor(message.actor_name).options[FAILURE_LISTENER]
        match decision:
            case Retry():
                yield partial(broker.publish_later, message, decision.delay)
            case Failure():
                if failure_listener.keeps_dead_letter(message):
                    dead_letter = as_dead_letter(message, decision, now=self._now(), version=self._version)
                    yield partial(broker.publish_dead_letter, dead_letter)
                yield partial(failure_listener.on_dead_letter, message, decision, attempts=history.attempts)
            case Halt():
                yield partial(failure_listener.on_halt, message, decision)
            case Quarantine():
                yield partial(broker.publish, [message.copy(queue_name=decision.queue)])
            case Requeue():
                raise ShutdownError("the process is to end")

    def _retry_until_done(self, step: Callable[[], object]) -> None:
        """Repeat a step while RabbitMQ is unavailable; raise `TransientError` for a long database outage."""
        began = time.monotonic()
        while True:
            try:
                step()
            except TransientError as error:
                for_long = time.monotonic() - began >= MAX_WAIT
                if error.dependency is not Dependency.BROKER and for_long:
                    raise
                self._outage_log.report_down(error.dependency, _ROUTING, error.detail)
            else:
                self._outage_log.report_up(Dependency.BROKER, _ROUTING)
                return
            self._breakers.pause(PAUSE)

    def _log_decision(self, message: Message[Any], decision: Decision, exception: BaseException) -> None:
        """Log what becomes of a message; a halt is logged by the listener that carries it out, once."""
        named = {name: message.kwargs.get(name) for name in ("tenant", "run", "user")}
        named["message_id"] = message.message_id
        # Any publisher may have chosen them.
        who = {name: value for name, value in named.items() if isinstance(value, int) or readable_name(value)}
        match decision:
            case Failure():
                _log.warning("dead_lettered", **who, reason=decision.reason, detail=decision.detail)
            case Quarantine():
                _log.warning("quarantined", **who, queue=decision.queue)
            case Retry() if isinstance(exception, CircuitOpenError):
                _log.debug("requeued", **who, delay=decision.delay)
            case Retry():
                self._retry_log.note(str(exception), who, delay=decision.delay)


def _report_wait(
    broker: Any, message: Message[Any], decision: Decision, error: BaseException, now: dt.datetime
) -> Message[Any]:
    """Tell what a message waits for, and return it with a note of that.

    What goes wrong with it changes nothing about the retry. While the database is unavailable,
    nothing is recorded.
    """
    if not (isinstance(decision, Retry) and isinstance(error, TransientError | NotYetError)):
        return message
    wait = wait_to_report(message, error, decision.delay, now)
    if wait is None or wait.service is Dependency.DATABASE:
        return message
    failure_listener: FailureListener = broker.get_actor(message.actor_name).options[FAILURE_LISTENER]
    try:
        failure_listener.on_wait(message, wait)
    except ShutdownError:
        raise
    except Exception as problem:  # noqa: BLE001 - as said above; its text may hold personal data
        _log.info("wait_recording_failed", message_id=message.message_id, error=type(problem).__name__)
        return message
    return with_wait(message, wait)


def utc_now() -> dt.datetime:
    """Return the current time, aware."""
    return dt.datetime.now(dt.UTC)


def failure_middleware(version: str, breakers: CircuitBreakers) -> FailureMiddleware:
    """Return the middleware as production uses it."""
    return FailureMiddleware(version=version, breakers=breakers, now=utc_now, jitter=random.random)
