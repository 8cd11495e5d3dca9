"""Keeps a minimum gap between requests of one key while others are in flight."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass
class _InFlight:
    """The requests of one key in flight: how many, and when the last one was sent (`time.monotonic`)."""

    number: int
    last: float


class RequestPacer:
    """Delays a request while others of its key are in flight; thread-safe.

    A fast server has one request in flight at a time, a slow one as many as fit into its response time; each
    carries all that came within the gap.
    """

    def __init__(self, gap: float) -> None:
        """Take the least seconds between two requests, unless none is in flight."""
        self._gap = gap
        self._changed = threading.Condition()
        #: Only keys with requests in flight.
        self._in_flight: dict[str, _InFlight] = {}

    def wait(self, key: str, is_full: Callable[[], bool]) -> None:
        """Return when the next request may be sent; a full batch need not wait."""
        with self._changed:
            while (others := self._in_flight.get(key)) is not None and not is_full():
                left = others.last + self._gap - time.monotonic()
                if left <= 0:
                    return
                self._changed.wait(left)

    @contextmanager
    def in_flight(self, key: str) -> Iterator[None]:
        """Count one request as in flight until the block ends."""
        with self._changed:
            mine = self._in_flight.setdefault(key, _InFlight(0, 0.0))
            mine.number += 1
            mine.last = time.monotonic()
        try:
            yield
        finally:
            with self._changed:
                mine.number -= 1
                if not mine.number:
                    del self._in_flight[key]
                    self._changed.notify_all()
