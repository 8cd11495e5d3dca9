"""How many users wait in each organisation, queried now and then by one thread for all."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from schemas.errors import TransientError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: Seconds for which a result is used.
CACHE_SECONDS: Final = 2.0


class Backlog:
    """Caches a query for the organisations that have work, with the number of users who wait; thread-safe.

    While one thread queries, the others use the last result.
    """

    def __init__(
        self, query: Callable[[], Mapping[str, int]] | None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Take the query, or None where the backlog is not known."""
        self._query = query
        self._clock = clock
        self._querying = threading.Lock()
        self._result: Mapping[str, int] | None = None
        self._valid_until: float | None = None

    def users_waiting(self) -> Mapping[str, int] | None:
        """Return the users who wait, by organisation; None when it is not known."""
        if self._query is None or self._is_valid():
            return self._result
        if not self._querying.acquire(blocking=False):
            return self._result
        try:
            if not self._is_valid():
                with suppress(TransientError):  # the database is unavailable too: all messages wait for that
                    self._result = self._query()
                self._valid_until = self._clock() + CACHE_SECONDS
        finally:
            self._querying.release()
        return self._result

    def _is_valid(self) -> bool:
        return self._valid_until is not None and self._clock() < self._valid_until


UNKNOWN_BACKLOG: Final = Backlog(None)
