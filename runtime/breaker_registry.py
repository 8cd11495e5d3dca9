"""The passages of one process: whoever is away is asked now and then by one, and by nobody else (P8)."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Final

import structlog

from runtime.backlog import NOTHING_KNOWN, Work
from runtime.circuit_breaker import LONGEST_INTERVAL, Breaker
from runtime.services import SEVERAL, HeldBackError, StoppingError, skolon_reading
from schemas.errors import TransientError, UpdateSyncError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

    from runtime.services import Service

#: Seconds to wait with a message in hand. RabbitMQ closes a channel that leaves a delivery
#: unacknowledged for 30 minutes, and what was prefetched has waited as long already.
LONGEST_HOLD: Final = 300.0

#: Seconds after which one looks again although nothing was told.
_LOOK_AGAIN: Final = 1.0

#: Messages of one organisation that may come back in a second to find it still away, from all of RabbitMQ.
_RETURNS_PER_SECOND: Final = 50.0
#: How much of an outage's age those who are put aside are spread over; so short ones end soon.
_SHARE_OF_AGE: Final = 0.25
#: Seconds that they are spread over at most. RabbitMQ's limit for an unacknowledged message is 30 minutes.
_LONGEST_SPREAD: Final = 15 * 60.0

_log = structlog.get_logger(__name__)


class Outages:
    """The passages of one process, shared by its threads."""

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        hold: float = LONGEST_HOLD,
        work: Work = NOTHING_KNOWN,
    ) -> None:
        """Take what tells which organisations have work, if several share this process."""
        self._clock = clock
        self._hold = hold
        self._work = work
        self._stopping = False
        self._changed = threading.Condition()
        self._breakers: defaultdict[Service, Breaker] = defaultdict(Breaker)

    @contextmanager
    def to(self, service: Service, about: Hashable = None) -> Iterator[None]:
        """Enter when the service can be asked; see `runtime.services.Passages`."""
        with ExitStack() as stack:
            if service.host is not None:
                stack.enter_context(self._to(service.host, None, service.organisation))
            stack.enter_context(self._to(service, about, service.organisation))
            yield

    @contextmanager
    def _to(self, service: Service, about: Hashable, organisation: str | None) -> Iterator[None]:
        probe = self._enter(service, about, organisation)
        try:
            yield
        except TransientError as error:
            if not service.concerns(error):
                self._end(service, probe=probe, answered=service.is_host and _has_been_asked(error, service))
            elif about is SEVERAL and error.stage is not None and error.retry_after is None:
                # It may be one user's doing: they are asked about one by one, and that will tell.
                self._end(service, probe=probe, answered=False)
            else:
                self._failed(service, probe, error, None if about is SEVERAL else about)
            raise
        except UpdateSyncError as error:
            self._end(service, probe=probe, answered=not isinstance(error, StoppingError))
            raise
        except BaseException:
            self._end(service, probe=probe, answered=False)
            raise
        self._end(service, probe=probe, answered=True)

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

    def _enter(self, service: Service, about: Hashable, organisation: str | None) -> bool:
        ends: float | None = None
        while True:
            with self._changed:
                breaker = self._breakers[service]
                wait = breaker.seconds_to_wait(self._clock(), about)
                if wait <= 0:
                    return breaker.enter()
                self._check_stopping()
            if ends is None:
                ends = self._clock() + self._hold
            # Outside of the lock, since it may ask the database.
            left = ends - self._clock() if self._is_to_be_waited_for(service, organisation) else 0.0
            if left <= 0:
                raise HeldBackError(
                    service.dependency,
                    "is away, so nothing was asked",
                    retry_after=wait,
                    spread=self._spread(breaker, organisation),
                )
            with self._changed:
                wait = breaker.seconds_to_wait(self._clock(), about)
                if wait > 0 and not self._stopping:
                    self._changed.wait(timeout=min(wait, left, _LOOK_AGAIN))

    def _is_to_be_waited_for(self, service: Service, organisation: str | None) -> bool:
        """Say whether to wait with a message in hand: as long as nobody else could have that hand.

        While an organisation that has work is not known to be away, the messages of those that are have to
        get out of its way: there is one queue for all. Once all of them are away, theirs stay in it.
        """
        if organisation is None or not service.needed_by_all:
            # Who waits for the database must not ask it who has work.
            return service.needed_by_all
        at_work = self._work.organisations()
        if at_work is None:
            return True
        if organisation not in at_work:
            # Its run was cancelled or halted: whoever has its messages can let them go.
            return False
        if service.is_host:
            return True
        with self._changed:
            return all(
                self._breakers[skolon_reading(other, service.host)].is_away_for_all
                for other in at_work
                if other != organisation
            )

    def _spread(self, breaker: Breaker, organisation: str | None) -> float:
        """Return the seconds over which those come back who are put aside: the longer, the more they are."""
        of_age = breaker.age(self._clock()) * _SHARE_OF_AGE
        at_work = None if organisation is None else self._work.organisations()
        waiting = (at_work or {}).get(organisation or "", 0)
        return min(of_age, max(waiting / _RETURNS_PER_SECOND, LONGEST_INTERVAL), _LONGEST_SPREAD)

    def _check_stopping(self) -> None:
        if self._stopping:
            raise StoppingError("the process is to end")

    def _end(self, service: Service, *, probe: bool, answered: bool) -> None:
        with self._changed:
            breaker = self._breakers[service]
            was_away = breaker.is_away
            if answered:
                breaker.answered(probe=probe)
            elif probe:
                breaker.not_asked()
            is_back = was_away and not breaker.is_away
            if is_back or probe:
                self._changed.notify_all()
        if is_back:
            _log.info("service is back", **_named(service))

    def _failed(self, service: Service, probe: bool, error: TransientError, about: Hashable) -> None:  # noqa: FBT001 - private, and always by place
        with self._changed:
            breaker = self._breakers[service]
            was_away = breaker.is_away
            breaker.failed(self._clock(), probe=probe, retry_after=error.retry_after, about=about)
            away = breaker.is_away
            self._changed.notify_all()
        if away and not was_away:
            # Why, and what to look at: e.g. that the database has no connection left.
            _log.warning("service is away", **_named(service), detail=error.detail)


def _has_been_asked(error: TransientError, service: Service) -> bool:
    """Say whether an error that is not the host's own shows all the same that the host is there."""
    return error.dependency is service.dependency and not isinstance(error, HeldBackError)


def _named(service: Service) -> dict[str, str]:
    named = {"service": str(service.dependency), "part": service.part}
    return named if service.organisation is None else {**named, "organisation": service.organisation}
