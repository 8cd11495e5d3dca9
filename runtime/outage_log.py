"""Logs outages: when one begins, each half minute, and when the service is available again."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable

#: Seconds until the same outage is logged again.
REPEAT_INTERVAL: Final = 30.0

_log = structlog.get_logger(__name__)


class OutageLog:
    """Logs each outage for each `part` of the process that meets it; may be shared by threads."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        #: The last logged outage of each part, and when it was logged.
        self._said: dict[tuple[str, str], tuple[str, float]] = {}

    def report_down(self, service: str, part: str, detail: str) -> None:
        """Log that a service is unavailable, why, and what to do, unless the same was logged a moment ago."""
        with self._lock:
            said, when = self._said.get((service, part), ("", 0.0))
            now = self._clock()
            if said == detail and now < when + REPEAT_INTERVAL:
                return
            self._said[service, part] = (detail, now)
        _log.warning("service_unavailable", service=service, part=part, detail=detail)

    def report_up(self, service: str, part: str) -> None:
        """Log that a service is available again, if it was not."""
        if not self._said:
            return
        with self._lock:
            was_away = self._said.pop((service, part), None)
        if was_away:
            _log.info("service_recovered", service=service, part=part)
