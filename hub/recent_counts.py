"""Consumers of queues, counted seldom: pages that are open everywhere would ask RabbitMQ at each look."""

from __future__ import annotations

import time
from threading import Lock
from typing import TYPE_CHECKING, Final

from schemas.errors import TransientError

if TYPE_CHECKING:
    from collections.abc import Callable

    from administration.runs.idle import ConsumerCounts

#: Seconds for which a count, or that there was none, is good enough for a page.
KEPT: Final = 10.0


class RecentCounts:
    """Counts consumers as `counts` does, and remembers each answer for some seconds; for threads."""

    def __init__(self, counts: ConsumerCounts, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._counts = counts
        self._clock = clock
        self._known: dict[str, tuple[float, int | TransientError]] = {}
        # While one thread asks, the others wait for its answer: an outage costs one wait and not many.
        self._lock = Lock()

    def consumers(self, queue: str) -> int:
        """Return how many consumers a queue has, or had just now; raises an error of ours as it was then."""
        with self._lock:
            asked, answer = self._known.get(queue, (None, 0))
            if asked is None or self._clock() - asked >= KEPT:
                answer = self._ask(queue)
                self._known[queue] = self._clock(), answer
        if isinstance(answer, TransientError):
            raise answer
        return answer

    def _ask(self, queue: str) -> int | TransientError:
        try:
            return self._counts.consumers(queue)
        except TransientError as error:
            return error
