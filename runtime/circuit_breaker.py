"""A circuit breaker: what is known of one service, closed or open, and whose turn it is to probe it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Hashable

#: Failures in a row, whoever met them, after which a service counts as away.
OPENS_AFTER: Final = 3

#: Seconds until somebody asks again, growing from one failed probe to the next. One request in five
#: seconds from each process burdens nobody, and all goes on soon after the outage.
FIRST_INTERVAL: Final = 0.25
MAX_INTERVAL: Final = 5.0
_GROWTH: Final = 1.5


class CircuitBreaker:
    """What is known of one service: open to all, or closed but for one probe at a time.

    While all failures in a row were about one and the same (a user, say), it is closed to that one
    alone: whoever asks about somebody else may, and finds out at once.

    Not safe for threads by itself. `now` is in seconds, of a clock that never goes back.
    """

    def __init__(self) -> None:
        self._failures = 0
        self._interval = FIRST_INTERVAL
        self._probe_due: float | None = None
        self._probing = False
        #: Since when it is away.
        self._since = 0.0
        #: What all failures in a row were about, None when they were about several, or nobody knows.
        self._only: Hashable = None

    @property
    def is_open(self) -> bool:
        """Whether the service counts as away."""
        return self._probe_due is not None

    @property
    def is_open_for_all(self) -> bool:
        """Whether it counts as away, and not for one user alone."""
        return self.is_open and self._only is None

    def open_for(self, now: float) -> float:
        """Return for how many seconds the service has been away."""
        return now - self._since if self.is_open else 0.0

    def seconds_to_wait(self, now: float, subject: Hashable = None) -> float:
        """Return the seconds until one may ask; 0 for now."""
        if self._probe_due is None or self._spares(subject):
            return 0.0
        return self._interval if self._probing else max(0.0, self._probe_due - now)

    def before_call(self) -> bool:
        """Have one ask, who may; True if that is a probe of a service that is away."""
        self._probing = self.is_open
        return self._probing

    def on_success(self, *, probe: bool) -> None:
        """Note that the service answered."""
        if self.is_open and not probe:
            # Asked before it was known to be away, or to ask for a pause: the probe will tell.
            return
        self._failures, self._interval, self._only = 0, FIRST_INTERVAL, None
        self._probe_due, self._probing = None, False

    def on_failure(
        self, now: float, *, probe: bool, retry_after: float | None, subject: Hashable = None
    ) -> None:
        """Note that the service was away; `retry_after` is what it asked for, in seconds."""
        if retry_after or (self._failures and subject != self._only):
            self._only = None
        elif not self._failures:
            self._only = subject
        self._failures += 1
        was_away = self.is_open
        if probe:
            self._probing = False
            self._interval = min(self._interval * _GROWTH, MAX_INTERVAL)
        if was_away and not probe:
            # Asked before it was known to be away: only what it says of later counts.
            self._probe_due = max(self._probe_due or now, now + (retry_after or 0.0))
        elif probe or retry_after or self._failures >= OPENS_AFTER:
            self._probe_due = now + max(self._interval, retry_after or 0.0)
        if self.is_open and not was_away:
            self._since = now

    def on_cancel(self) -> None:
        """Note that a probe ended without an answer or the lack of one."""
        self._probing = False

    def _spares(self, subject: Hashable) -> bool:
        return self._only is not None and subject is not None and subject != self._only
