"""When requests of one kind leave: at once if none is under way, otherwise a while after the last one."""

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
    """What of one key is under way: how many, and when the last of them left (`time.monotonic`)."""

    number: int
    last: float


class RequestPacer:
    """Keeps departures of a key apart while one of them is under way; may be shared by threads.

    So with a quick answer one is under way at a time, and with a slow one as many as fit into its time,
    each with whoever came within the gap.
    """

    def __init__(self, gap: float) -> None:
        """Take the seconds that lie between two departures at least, unless nothing is under way."""
        self._gap = gap
        self._changed = threading.Condition()
        #: Of keys of which something is under way, and of no others.
        self._in_flight: dict[str, _InFlight] = {}

    def wait(self, key: str, is_full: Callable[[], bool]) -> None:
        """Return when the next one may leave; who is `is_full` need not wait for company."""
        with self._changed:
            while (others := self._in_flight.get(key)) is not None and not is_full():
                left = others.last + self._gap - time.monotonic()
                if left <= 0:
                    return
                self._changed.wait(left)

    @contextmanager
    def in_flight(self, key: str) -> Iterator[None]:
        """Count one as under way until the block ends."""
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
