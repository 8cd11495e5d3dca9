"""Logs retries: of many with the same error one line each half minute."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: Seconds until a retry with the same error is logged again.
REPEAT_INTERVAL: Final = 30.0

#: Errors that a process remembers: their texts are few, but a server's own codes are in them.
_REMEMBERED: Final = 1000

_log = structlog.get_logger(__name__)


@dataclass(kw_only=True)
class _Logged:
    """When an error was logged last, and how many retries with it were not logged since."""

    at: float
    more: int = 0


class RetryLog:
    """Logs retries by their errors; may be shared by threads."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._logged: dict[str, _Logged] = {}

    def note(self, error: str, who: Mapping[str, object], *, delay: float) -> None:
        """Log a retry of the message `who` in `delay` seconds, or count it to the error's next line."""
        now = self._clock()
        with self._lock:
            last = self._logged.get(error)
            if last is not None and now < last.at + REPEAT_INTERVAL:
                last.more += 1
                return
            if len(self._logged) >= _REMEMBERED:
                self._logged.clear()
            self._logged[error] = _Logged(at=now)
        more = {} if last is None or not last.more else {"more_messages": last.more}
        _log.info("retry_scheduled", **who, delay=delay, error=error, **more)
