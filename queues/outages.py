"""Circuit breakers: whoever is away is asked now and then by one, and by nobody else (promise P8)."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import structlog

from schemas.errors import TransientError, UpdateSyncError
from schemas.outages import HeldBackError, StoppingError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from schemas.outages import Service

#: Failures in a row, whoever met them, after which a service counts as away.
OPENS_AFTER: Final = 3

#: Seconds until somebody asks again, growing from one failed probe to the next. One request in five
#: seconds from each process burdens nobody, and all goes on soon after the outage.
FIRST_INTERVAL: Final = 0.25
LONGEST_INTERVAL: Final = 5.0
_GROWTH: Final = 1.5

#: Seconds to wait with a message in hand. RabbitMQ closes a channel that leaves a delivery
#: unacknowledged for 30 minutes, and what was prefetched has waited as long already.
LONGEST_HOLD: Final = 300.0

#: Seconds after which one looks again although nothing was told.
_LOOK_AGAIN: Final = 1.0

_log = structlog.get_logger(__name__)


class Breaker:
    """What is known of one service: open to all, or closed but for one probe at a time.

    Not safe for threads by itself. `now` is in seconds, of a clock that never goes back.
    """

    def __init__(self) -> None:
        self._failures = 0
        self._interval = FIRST_INTERVAL
        self._probe_due: float | None = None
        self._probing = False

    @property
    def is_away(self) -> bool:
        """Whether the service counts as away."""
        return self._probe_due is not None

    def seconds_to_wait(self, now: float) -> float:
        """Return the seconds until one may ask; 0 for now."""
        if self._probe_due is None:
            return 0.0
        return self._interval if self._probing else max(0.0, self._probe_due - now)

    def enter(self) -> bool:
        """Have one ask, who may; True if that is the probe of a service that is away."""
        self._probing = self.is_away
        return self._probing

    def answered(self, *, probe: bool) -> None:
        """Note that the service answered."""
        if self.is_away and not probe:
            # Asked before it was known to be away, or to ask for a pause: the probe will tell.
            return
        self._failures, self._interval = 0, FIRST_INTERVAL
        self._probe_due, self._probing = None, False

    def failed(self, now: float, *, probe: bool, retry_after: float | None) -> None:
        """Note that the service was away; `retry_after` is what it asked for, in seconds."""
        self._failures += 1
        if probe:
            self._probing = False
            self._interval = min(self._interval * _GROWTH, LONGEST_INTERVAL)
        if self.is_away and not probe:
            # Asked before it was known to be away: only what it says of later counts.
            self._probe_due = max(self._probe_due or now, now + (retry_after or 0.0))
        elif probe or retry_after or self._failures >= OPENS_AFTER:
            self._probe_due = now + max(self._interval, retry_after or 0.0)

    def not_asked(self) -> None:
        """Note that a probe ended without an answer or the lack of one."""
        self._probing = False


class Outages:
    """The passages of one process, shared by its threads."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic, hold: float = LONGEST_HOLD) -> None:
        self._clock = clock
        self._hold = hold
        self._stopping = False
        self._changed = threading.Condition()
        self._breakers: defaultdict[Service, Breaker] = defaultdict(Breaker)

    @contextmanager
    def to(self, service: Service) -> Iterator[None]:
        """Enter when the service can be asked; see `schemas.outages.Passages`."""
        probe = self._enter(service)
        try:
            yield
        except TransientError as error:
            if service.concerns(error):
                self._failed(service, probe=probe, retry_after=error.retry_after)
            else:
                self._not_asked(service, probe=probe)
            raise
        except UpdateSyncError:
            self._answered(service, probe=probe)
            raise
        except BaseException:
            self._not_asked(service, probe=probe)
            raise
        self._answered(service, probe=probe)

    def stop(self) -> None:
        """Have nobody wait any more: the process is to end."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()

    def pause(self, seconds: float) -> None:
        """Wait; raise `StoppingError` as soon as the process is to end."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopping, timeout=seconds)
            self._check_stopping()

    def _enter(self, service: Service) -> bool:
        with self._changed:
            breaker = self._breakers[service]
            ends = self._clock() + (self._hold if service.needed_by_all else 0.0)
            while (wait := breaker.seconds_to_wait(self._clock())) > 0:
                self._check_stopping()
                left = ends - self._clock()
                if left <= 0:
                    raise HeldBackError(service.dependency, "is away, so nothing was asked", retry_after=wait)
                self._changed.wait(timeout=min(wait, left, _LOOK_AGAIN))
            return breaker.enter()

    def _check_stopping(self) -> None:
        if self._stopping:
            raise StoppingError("the process is to end")

    def _answered(self, service: Service, *, probe: bool) -> None:
        with self._changed:
            breaker = self._breakers[service]
            was_away = breaker.is_away
            breaker.answered(probe=probe)
            is_back = was_away and not breaker.is_away
            self._changed.notify_all()
        if is_back:
            _log.info("service is back", service=str(service.dependency), part=service.part)

    def _failed(self, service: Service, *, probe: bool, retry_after: float | None) -> None:
        with self._changed:
            breaker = self._breakers[service]
            was_away = breaker.is_away
            breaker.failed(self._clock(), probe=probe, retry_after=retry_after)
            away = breaker.is_away
            self._changed.notify_all()
        if away and not was_away:
            _log.warning("service is away", service=str(service.dependency), part=service.part)

    def _not_asked(self, service: Service, *, probe: bool) -> None:
        if probe:
            with self._changed:
                self._breakers[service].not_asked()
                self._changed.notify_all()
