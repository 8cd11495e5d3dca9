"""The passages of one process: whoever is away is asked now and then by one, and by nobody else (P8)."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Final

import structlog

from runtime.backlog import UNKNOWN_BACKLOG, Backlog
from runtime.circuit_breaker import MAX_INTERVAL, CircuitBreaker
from runtime.services import SEVERAL_SUBJECTS, CircuitOpenError, ShutdownError, skolon_reading
from schemas.errors import TransientError, UpdateSyncError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

    from runtime.services import Service

#: Seconds to wait with a message in hand. RabbitMQ closes a channel that leaves a delivery
#: unacknowledged for 30 minutes, and what was prefetched has waited as long already.
MAX_WAIT: Final = 300.0

#: Seconds after which one looks again although nothing was told.
_LOOK_AGAIN: Final = 1.0

#: Messages of one organisation that may come back in a second to find it still away, from all of RabbitMQ.
_RETURNS_PER_SECOND: Final = 50.0
#: How much of an outage's age those who are put aside are spread over; so short ones end soon.
_SHARE_OF_AGE: Final = 0.25
#: Seconds that they are spread over at most. RabbitMQ's limit for an unacknowledged message is 30 minutes.
_LONGEST_SPREAD: Final = 15 * 60.0

_log = structlog.get_logger(__name__)


class CircuitBreakers:
    """The passages of one process, shared by its threads."""

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        max_wait: float = MAX_WAIT,
        backlog: Backlog = UNKNOWN_BACKLOG,
    ) -> None:
        """Take what tells which organisations have work, if several share this process."""
        self._clock = clock
        self._max_wait = max_wait
        self._backlog = backlog
        self._stopping = False
        self._changed = threading.Condition()
        self._breakers: defaultdict[Service, CircuitBreaker] = defaultdict(CircuitBreaker)

    @contextmanager
    def guard(self, service: Service, subject: Hashable = None) -> Iterator[None]:
        """Enter when the service can be asked; see `runtime.services.Breakers`."""
        with ExitStack() as stack:
            if service.host is not None:
                stack.enter_context(self._guard_one(service.host, None, service.organisation))
            stack.enter_context(self._guard_one(service, subject, service.organisation))
            yield

    @contextmanager
    def _guard_one(self, service: Service, subject: Hashable, organisation: str | None) -> Iterator[None]:
        probe = self._wait_until_allowed(service, subject, organisation)
        try:
            yield
        except TransientError as error:
            if not service.concerns(error):
                self._record_end(
                    service, probe=probe, on_success=service.is_host and _has_been_asked(error, service)
                )
            elif subject is SEVERAL_SUBJECTS and error.stage is not None and error.retry_after is None:
                # It may be one user's doing: they are asked about one by one, and that will tell.
                self._record_end(service, probe=probe, on_success=False)
            else:
                self._record_failure(
                    service, error, None if subject is SEVERAL_SUBJECTS else subject, probe=probe
                )
            raise
        except UpdateSyncError as error:
            self._record_end(service, probe=probe, on_success=not isinstance(error, ShutdownError))
            raise
        except BaseException:
            self._record_end(service, probe=probe, on_success=False)
            raise
        self._record_end(service, probe=probe, on_success=True)

    def stop(self) -> None:
        """Have nobody wait any more: the process is to end."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()

    def pause(self, seconds: float) -> None:
        """Wait; raise `ShutdownError` as soon as the process is to end."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopping, timeout=seconds)
            self._check_stopping()

    def _wait_until_allowed(self, service: Service, subject: Hashable, organisation: str | None) -> bool:
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
            # Outside of the lock, since it may ask the database.
            left = ends - self._clock() if self._should_wait(service, organisation) else 0.0
            if left <= 0:
                raise CircuitOpenError(
                    service.dependency,
                    "is away, so nothing was asked",
                    retry_after=wait,
                    spread=self._spread(breaker, organisation),
                )
            with self._changed:
                wait = breaker.seconds_to_wait(self._clock(), subject)
                if wait > 0 and not self._stopping:
                    self._changed.wait(timeout=min(wait, left, _LOOK_AGAIN))

    def _should_wait(self, service: Service, organisation: str | None) -> bool:
        """Say whether to wait with a message in hand: as long as nobody else could have that hand.

        While an organisation that has work is not known to be away, the messages of those that are have to
        get out of its way: there is one queue for all. Once all of them are away, theirs stay in it.
        """
        if organisation is None or not service.needed_by_all:
            # Who waits for the database must not ask it who has work.
            return service.needed_by_all
        at_work = self._backlog.users_waiting()
        if at_work is None:
            return True
        if organisation not in at_work:
            # Its run was cancelled or halted: whoever has its messages can let them go.
            return False
        if service.is_host:
            return True
        with self._changed:
            return all(
                self._breakers[skolon_reading(other, service.host)].is_open_for_all
                for other in at_work
                if other != organisation
            )

    def _spread(self, breaker: CircuitBreaker, organisation: str | None) -> float:
        """Return the seconds over which those come back who are put aside: the longer, the more they are."""
        of_age = breaker.open_for(self._clock()) * _SHARE_OF_AGE
        at_work = None if organisation is None else self._backlog.users_waiting()
        waiting = (at_work or {}).get(organisation or "", 0)
        return min(of_age, max(waiting / _RETURNS_PER_SECOND, MAX_INTERVAL), _LONGEST_SPREAD)

    def _check_stopping(self) -> None:
        if self._stopping:
            raise ShutdownError("the process is to end")

    def _record_end(self, service: Service, *, probe: bool, on_success: bool) -> None:
        with self._changed:
            breaker = self._breakers[service]
            was_away = breaker.is_open
            if on_success:
                breaker.on_success(probe=probe)
            elif probe:
                breaker.on_cancel()
            is_back = was_away and not breaker.is_open
            if is_back or probe:
                self._changed.notify_all()
        if is_back:
            _log.info("circuit_closed", **_named(service))

    def _record_failure(
        self, service: Service, error: TransientError, subject: Hashable, *, probe: bool
    ) -> None:
        with self._changed:
            breaker = self._breakers[service]
            was_away = breaker.is_open
            breaker.on_failure(self._clock(), probe=probe, retry_after=error.retry_after, subject=subject)
            away = breaker.is_open
            self._changed.notify_all()
        if away and not was_away:
            # Why, and what to look at: e.g. that the database has no connection left.
            _log.warning("circuit_opened", **_named(service), detail=error.detail)


def _has_been_asked(error: TransientError, service: Service) -> bool:
    """Say whether an error that is not the host's own shows all the same that the host is there."""
    return error.dependency is service.dependency and not isinstance(error, CircuitOpenError)


def _named(service: Service) -> dict[str, str]:
    named = {"service": str(service.dependency), "part": service.part}
    return named if service.organisation is None else {**named, "organisation": service.organisation}
