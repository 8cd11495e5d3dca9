"""The circuit breakers of a process: closed lets calls pass, open refuses, half-open lets one probe pass."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import structlog

from runtime.backlog import UNKNOWN_BACKLOG, Backlog
from runtime.services import SEVERAL_SUBJECTS, CircuitOpenError, ShutdownError, skolon_reading
from schemas.details.detail import Detail
from schemas.details.kinds import DetailKind
from schemas.errors import TransientError, UpdateSyncError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator
    from contextlib import AbstractContextManager

    from runtime.services import Service

#: Failures in a row after which a circuit opens.
OPENS_AFTER: Final = 3

#: Seconds between probes, growing from one failed probe to the next. One request in five seconds from each
#: process is no load, and work resumes soon after an outage.
FIRST_INTERVAL: Final = 0.25
MAX_INTERVAL: Final = 5.0
_GROWTH: Final = 1.5

#: Seconds that a message may wait in a worker. RabbitMQ closes a channel that leaves a delivery
#: unacknowledged for 30 minutes, and a prefetched message has waited for another one already.
MAX_WAIT: Final = 300.0

#: Seconds between two checks while a circuit is open and nothing was signalled.
_POLL_INTERVAL: Final = 1.0

#: Messages of one organisation that may return per second while it is unavailable, from all of RabbitMQ.
_RETURNS_PER_SECOND: Final = 50.0
#: The share of an outage's length over which returns are spread, so that a short outage ends soon.
_SHARE_OF_OUTAGE: Final = 0.25
#: Seconds over which returns are spread at most. RabbitMQ's limit for an unacknowledged message is 30
#: minutes.
_MAX_SPREAD: Final = 15 * 60.0

_log = structlog.get_logger(__name__)


class CircuitBreaker:
    """The state of one service's circuit.

    While all failures in a row concern the same subject (a user, say), the circuit is open for that subject
    only. Not thread-safe. `now` is in seconds, of a monotonic clock.
    """

    def __init__(self) -> None:
        self._failures = 0
        self._interval = FIRST_INTERVAL
        self._probe_due: float | None = None
        self._probing = False
        self._opened_at = 0.0
        #: The one subject of all failures in a row; None for several, or an unknown one.
        self._only: Hashable = None

    @property
    def is_open(self) -> bool:
        """Whether calls are refused, at least for one subject."""
        return self._probe_due is not None

    @property
    def is_open_for_all(self) -> bool:
        """Whether calls are refused whatever their subject."""
        return self.is_open and self._only is None

    def open_for(self, now: float) -> float:
        """Return for how many seconds the circuit has been open; 0 when it is closed."""
        return now - self._opened_at if self.is_open else 0.0

    def seconds_to_wait(self, now: float, subject: Hashable = None) -> float:
        """Return the seconds until a call may pass; 0 for now."""
        if self._probe_due is None or self._spares(subject):
            return 0.0
        return self._interval if self._probing else max(0.0, self._probe_due - now)

    def before_call(self) -> bool:
        """Let a call pass; return whether it is the probe of an open circuit."""
        self._probing = self._probe_due is not None
        return self._probing

    def on_success(self, *, probe: bool) -> None:
        """Close the circuit, if it was the probe that succeeded."""
        if self._probe_due is not None and not probe:
            # Sent before the circuit opened, or before the service asked for a pause: the probe decides.
            return
        self._failures, self._interval, self._only = 0, FIRST_INTERVAL, None
        self._probe_due, self._probing = None, False

    def on_failure(
        self, now: float, *, probe: bool, retry_after: float | None, subject: Hashable = None
    ) -> None:
        """Count a failure; `retry_after` is the service's own, in seconds."""
        if retry_after or (self._failures and subject != self._only):
            self._only = None
        elif not self._failures:
            self._only = subject
        self._failures += 1
        was_open = self.is_open
        if probe:
            self._probing = False
            self._interval = min(self._interval * _GROWTH, MAX_INTERVAL)
        if was_open and not probe:
            # Sent before the circuit opened: only its `retry_after` counts.
            self._probe_due = max(self._probe_due or now, now + (retry_after or 0.0))
        elif probe or retry_after or self._failures >= OPENS_AFTER:
            self._probe_due = now + max(self._interval, retry_after or 0.0)
        if self.is_open and not was_open:
            self._opened_at = now

    def on_cancel(self) -> None:
        """Forget a probe that neither succeeded nor failed."""
        self._probing = False

    def _spares(self, subject: Hashable) -> bool:
        return self._only is not None and subject is not None and subject != self._only


class CircuitBreakers:
    """The circuit breakers of one process; thread-safe. Implements `runtime.services.Breakers`."""

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        max_wait: float = MAX_WAIT,
        backlog: Backlog = UNKNOWN_BACKLOG,
    ) -> None:
        """Take the organisations that have work (`backlog`), if several share this process."""
        self._clock = clock
        self._max_wait = max_wait
        self._backlog = backlog
        self._stopping = False
        self._changed = threading.Condition()
        self._breakers: defaultdict[Service, CircuitBreaker] = defaultdict(CircuitBreaker)

    def guard(self, service: Service, subject: Hashable = None) -> AbstractContextManager[None]:
        """Wait until a call may pass, and learn from how the block ends; see `runtime.services.Breakers`."""
        guard = self._guard_one(service, subject, service.organisation)
        return guard if service.host is None else self._guard_with_host(service.host, guard, service)

    @contextmanager
    def _guard_with_host(
        self, host: Service, guard: AbstractContextManager[None], service: Service
    ) -> Iterator[None]:
        with self._guard_one(host, None, service.organisation), guard:
            yield

    @contextmanager
    def _guard_one(self, service: Service, subject: Hashable, organisation: str | None) -> Iterator[None]:
        probe = self._wait_until_allowed(service, subject, organisation)
        try:
            yield
        except TransientError as error:
            if not service.concerns(error):
                success = service.is_host and _was_sent(error, service)
                self._record_end(service, probe=probe, success=success)
            elif subject is SEVERAL_SUBJECTS and error.stage is not None and error.retry_after is None:
                # One user may have caused it: each is searched individually next, and that decides.
                self._record_end(service, probe=probe, success=False)
            else:
                subject = None if subject is SEVERAL_SUBJECTS else subject
                self._record_failure(service, error, subject, probe=probe)
            raise
        except UpdateSyncError as error:
            self._record_end(service, probe=probe, success=not isinstance(error, ShutdownError))
            raise
        except BaseException:
            self._record_end(service, probe=probe, success=False)
            raise
        self._record_end(service, probe=probe, success=True)

    def stop(self) -> None:
        """End all waiting: the process shuts down."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()

    def pause(self, seconds: float) -> None:
        """Wait; raise `ShutdownError` as soon as the process shuts down."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopping, timeout=seconds)
            self._check_stopping()

    def _wait_until_allowed(self, service: Service, subject: Hashable, organisation: str | None) -> bool:
        """Return whether the call is a probe; raise `CircuitOpenError` when it is not worth waiting."""
        ends: float | None = None
        while True:
            with self._changed:
                breaker = self._breakers[service]
                wait = breaker.seconds_to_wait(self._clock(), subject)
                if wait <= 0:
                    return breaker.before_call()
                self._check_stopping()
            if ends is None:
                ends = self._clock() + self._max_wait
            # Without the lock: it may query the database.
            left = ends - self._clock() if self._should_wait(service, organisation) else 0.0
            if left <= 0:
                raise CircuitOpenError(
                    service.dependency,
                    Detail(DetailKind.UNAVAILABLE),
                    retry_after=wait,
                    spread=self._spread(breaker, organisation),
                )
            with self._changed:
                wait = breaker.seconds_to_wait(self._clock(), subject)
                if wait > 0 and not self._stopping:
                    self._changed.wait(timeout=min(wait, left, _POLL_INTERVAL))

    def _should_wait(self, service: Service, organisation: str | None) -> bool:
        """Return whether to wait with the message, because no other message could use the thread.

        All organisations share one queue. While one that has work may be available, the messages of the
        others get out of its way. Once all are unavailable, messages wait in the workers.
        """
        if organisation is None or not service.needed_by_all:
            # A thread that waits for the database must not query it for the backlog.
            return service.needed_by_all
        backlog = self._backlog.users_waiting()
        if backlog is None:
            return True
        if organisation not in backlog:
            # Its run was cancelled or halted: its messages need not wait.
            return False
        if service.is_host:
            return True
        with self._changed:
            return all(
                self._breakers[skolon_reading(other, service.host)].is_open_for_all
                for other in backlog
                if other != organisation
            )

    def _spread(self, breaker: CircuitBreaker, organisation: str | None) -> float:
        """Return the seconds over which requeued messages come back: the more of them, the longer."""
        of_outage = breaker.open_for(self._clock()) * _SHARE_OF_OUTAGE
        backlog = None if organisation is None else self._backlog.users_waiting()
        waiting = (backlog or {}).get(organisation or "", 0)
        return min(of_outage, max(waiting / _RETURNS_PER_SECOND, MAX_INTERVAL), _MAX_SPREAD)

    def _check_stopping(self) -> None:
        if self._stopping:
            raise ShutdownError("the process shuts down")

    def _record_end(self, service: Service, *, probe: bool, success: bool) -> None:
        with self._changed:
            breaker = self._breakers[service]
            was_open = breaker.is_open
            if success:
                breaker.on_success(probe=probe)
            elif probe:
                breaker.on_cancel()
            has_closed = was_open and not breaker.is_open
            if has_closed or probe:
                self._changed.notify_all()
        if has_closed:
            _log.info("circuit_closed", **_fields(service))

    def _record_failure(
        self, service: Service, error: TransientError, subject: Hashable, *, probe: bool
    ) -> None:
        with self._changed:
            breaker = self._breakers[service]
            was_open = breaker.is_open
            breaker.on_failure(self._clock(), probe=probe, retry_after=error.retry_after, subject=subject)
            is_open = breaker.is_open
            self._changed.notify_all()
        if is_open and not was_open:
            # The detail says where to look: e.g. that the database has no connection left.
            _log.warning("circuit_opened", **_fields(service), detail=error.detail)


def _was_sent(error: TransientError, service: Service) -> bool:
    """Return whether an error that is not the host's own shows that the host was reached."""
    return error.dependency is service.dependency and not isinstance(error, CircuitOpenError)


def _fields(service: Service) -> dict[str, str]:
    fields = {"service": str(service.dependency), "part": service.part}
    return fields if service.organisation is None else {**fields, "organisation": service.organisation}
